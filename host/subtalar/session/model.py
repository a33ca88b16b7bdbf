"""What a session is, whatever it was read from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from subtalar.types import BodySite, Ledger, SampleBlock, SensorInfo

SessionKind = Literal["recording", "raw_folder", "mt_manager", "movella_dot", "ximu3", "described_csv"]
BlockSource = Callable[[float | None], Iterator[SampleBlock]]

MINIMUM_DURATION_S = 5.0
"""Shorter than this nobody stood still and walked: there is nothing to measure."""


@dataclass(frozen=True)
class Annotation:
    """A named stretch of a session, on the session clock.

    Labels in use: ``standing``, ``knee_bends``, ``walking``, ``running``; others are kept as they are.
    """

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Session:
    """A recorded measurement, opened and checked; the samples stay where they are until ``blocks`` is asked for them.

    ``duration_s`` is the time from the first to the last arrival. ``ledger`` tells for each sensor what became of its
    samples, as far as the source lets it be known. ``strides`` is the number of strides that were found while
    recording; None where nobody has analysed the session yet. ``notes`` are sentences about what was mended, left out
    or lost on the way in. ``closed`` is False for a recording whose program was killed or still runs. ``files`` are
    those that hold the samples: nothing may be written over them. Of recordings only: ``recording_id`` (a recovered
    copy has that of its original), ``origin`` (of a part: its "kind", and what it is a part "of"), the
    ``software_version`` that recorded, and its ``configuration``.
    """

    path: Path
    kind: SessionKind
    sensors: Mapping[BodySite, SensorInfo]
    annotations: tuple[Annotation, ...]
    duration_s: float
    sample_count: int
    ledger: Mapping[BodySite, Ledger]
    start_utc: datetime | None = None
    strides: int | None = None
    notes: tuple[str, ...] = ()
    closed: bool = True
    files: tuple[Path, ...] = ()
    recording_id: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    software_version: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict, repr=False)
    _source: BlockSource = field(repr=False, compare=False, kw_only=True)

    def blocks(self, block_s: float | None = 1.0) -> Iterator[SampleBlock]:
        """All samples in one pass, sensors interleaved in order of arrival.

        ``block_s`` is the length of a block on the session clock; None gives the blocks as they arrived (one a
        notification), which is what a replay wants. Every value is bit for bit what the source holds.
        May be called again; each call reads anew. Raises InputError when the file has gone since it was opened.
        """
        if block_s is not None and not block_s > 0:
            raise ValueError(f"block_s must be positive or None, not {block_s}")
        return self._source(block_s)
