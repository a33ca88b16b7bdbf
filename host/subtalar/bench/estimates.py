"""Run an estimator over a session and keep everything it gives, a track a side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subtalar.estimation import GaitEstimator
from subtalar.estimation.smoothing import SmoothingEstimator
from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    FloatArray,
    GaitEvent,
    Notice,
    SampleBlock,
    SensorInfo,
    Side,
    Stride,
)


@dataclass(frozen=True)
class Track:
    """All rows of one side: session time (n,), angles and sd (n, 3) in degrees, quality codes (n,), and the
    further angles (n, 5) in the order of ``conventions.FURTHER_ANGLE_NAMES``.
    """

    time_s: FloatArray
    angles_deg: FloatArray
    sd_deg: FloatArray
    quality: npt.NDArray[np.uint8]
    further_deg: FloatArray

    def known(self) -> "Track":
        """Only the rows that have all three angles."""
        keep = np.isfinite(self.angles_deg).all(axis=1) & np.isfinite(self.time_s)
        further = self.further_deg[keep]
        return Track(self.time_s[keep], self.angles_deg[keep], self.sd_deg[keep], self.quality[keep], further)


@dataclass(frozen=True)
class Outcome:
    """What one pass over a session gave."""

    tracks: Mapping[Side, Track]
    strides: tuple[Stride, ...]
    events: tuple[GaitEvent, ...]
    notices: tuple[Notice, ...]


def estimate_live(sensors: Mapping[BodySite, SensorInfo], blocks: Iterable[SampleBlock]) -> Outcome:
    """The streaming estimator: what it gives live, to the last bit, since the cutting into blocks does not matter.

    It is handed samples and places of sensors; nothing else of a session (annotations, say) reaches it.
    """
    return _run(GaitEstimator(sensors), blocks)


def estimate_smoothed(sensors: Mapping[BodySite, SensorInfo], blocks: Iterable[SampleBlock]) -> Outcome:
    """The pass that looks ahead over the whole recording; handed no more than the live one."""
    return _run(SmoothingEstimator(sensors), blocks)


def _run(estimator: GaitEstimator, blocks: Iterable[SampleBlock]) -> Outcome:
    found = [estimator.push(block) for block in blocks]
    found.append(estimator.finish())
    return collected(found)


def collected(found: Sequence[Estimates]) -> Outcome:
    """Everything that the pushes of one pass gave."""
    angles = [block for f in found for block in f.angles]
    return Outcome(
        {side: _joined([b for b in angles if b.side == side]) for side in sorted({b.side for b in angles})},
        tuple(s for f in found for s in f.strides),
        tuple(e for f in found for e in f.events),
        tuple(n for f in found for n in f.notices),
    )


def _joined(blocks: list[AngleBlock]) -> Track:
    return Track(
        np.concatenate([b.time_s for b in blocks]),
        np.concatenate([b.angles_deg for b in blocks]),
        np.concatenate([b.sd_deg for b in blocks]),
        np.concatenate([b.quality for b in blocks]),
        np.concatenate([b.further_deg for b in blocks]),
    )
