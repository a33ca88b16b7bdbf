"""Hand out the samples of several sensors in one pass, in order of arrival."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from subtalar.types import BodySite, FloatArray, SampleBlock


@dataclass(frozen=True)
class SensorTrack:
    """All samples of one sensor in memory.

    ``arrival_s`` (n,) orders the sensors among each other and never decreases: the host time, or where there is none,
    the device time from its first sample on.
    """

    samples: SampleBlock
    arrival_s: FloatArray


def interleave(tracks: Sequence[SensorTrack], block_s: float | None) -> Iterator[SampleBlock]:
    """Blocks of ``block_s`` on the common clock; None: one block a notification (samples that share an arrival)."""
    tracks = [t for t in tracks if len(t.samples)]
    if not tracks:
        return
    start_s = min(t.arrival_s[0] for t in tracks)
    pieces: list[tuple[float, int, int, int]] = []  # arrival of the first sample, track, from, to
    for k, track in enumerate(tracks):
        t = track.arrival_s
        window = t if block_s is None else np.floor((t - start_s) / block_s)
        cuts = np.concatenate(([0], np.flatnonzero(np.diff(window)) + 1, [len(t)]))
        pieces.extend((float(t[a]), k, int(a), int(b)) for a, b in pairwise(cuts))
    pieces.sort()
    for _, k, a, b in pieces:
        yield cut(tracks[k].samples, a, b)


def cut(block: SampleBlock, start: int, stop: int) -> SampleBlock:
    """Samples ``start`` to ``stop`` (exclusive) of a block."""
    return SampleBlock(
        block.site,
        None if block.device_time_s is None else block.device_time_s[start:stop],
        None if block.host_time_s is None else block.host_time_s[start:stop],
        block.acc_m_s2[start:stop],
        block.gyr_rad_s[start:stop],
    )


def join(blocks: Sequence[SampleBlock]) -> SampleBlock:
    """Consecutive blocks of one sensor as one; all must carry the same time columns."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    device = [b.device_time_s for b in blocks if b.device_time_s is not None]
    host = [b.host_time_s for b in blocks if b.host_time_s is not None]
    return SampleBlock(
        first.site,
        np.concatenate(device) if device else None,
        np.concatenate(host) if host else None,
        np.concatenate([b.acc_m_s2 for b in blocks]),
        np.concatenate([b.gyr_rad_s for b in blocks]),
    )


def by_site(blocks: Iterable[SampleBlock]) -> dict[BodySite, SampleBlock]:
    """All samples of each sensor in one block; sensors in the order of their first blocks."""
    found: dict[BodySite, list[SampleBlock]] = {}
    for block in blocks:
        found.setdefault(block.site, []).append(block)
    return {site: join(parts) for site, parts in found.items()}
