"""Run an estimator over a session: piece by piece, or keeping everything it gives, a track a side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANKLE
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

if TYPE_CHECKING:
    from subtalar.estimation import Parameters


class Estimator(Protocol):
    """A streaming estimator, such as ``subtalar.estimation.GaitEstimator``."""

    def push(self, block: SampleBlock) -> Estimates:
        """What one block brought to light."""
        ...

    def finish(self) -> Estimates:
        """What was still held back."""
        ...


@dataclass(frozen=True)
class AngleTrack:
    """All rows of one side, as in ``AngleBlock``: session time (n,), angles and their sd (n, ``ANGLE_COUNT``) in
    degrees, quality codes (n,), the shank's orientation (n, 4), and the sd of the ankle's zero (n,) in degrees.
    """

    time_s: FloatArray
    angles_deg: FloatArray
    angles_sd_deg: FloatArray
    quality: npt.NDArray[np.uint8]
    shank_orientation: FloatArray
    zero_sd_deg: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if len(self.zero_sd_deg) == 0 and len(self.time_s):
            object.__setattr__(self, "zero_sd_deg", np.full(len(self.time_s), np.nan))

    @property
    def ankle_deg(self) -> FloatArray:
        """The angles of the ankle (n, 3), a view."""
        return self.angles_deg[:, ANKLE]

    @property
    def ankle_sd_deg(self) -> FloatArray:
        """Their standard deviations (n, 3), a view."""
        return self.angles_sd_deg[:, ANKLE]

    def known(self) -> "AngleTrack":
        """Only the rows that have all three angles of the ankle."""
        keep = np.isfinite(self.ankle_deg).all(axis=1) & np.isfinite(self.time_s)
        return AngleTrack(
            self.time_s[keep],
            self.angles_deg[keep],
            self.angles_sd_deg[keep],
            self.quality[keep],
            self.shank_orientation[keep],
            self.zero_sd_deg[keep],
        )


@dataclass(frozen=True)
class SessionEstimates:
    """What one pass over a session gave."""

    tracks: Mapping[Side, AngleTrack]
    strides: tuple[Stride, ...]
    events: tuple[GaitEvent, ...]
    notices: tuple[Notice, ...]


def make_estimator(
    sensors: Mapping[BodySite, SensorInfo],
    *,
    smooth: bool = False,
    subtalar_axis_deg: tuple[float, float] | None = None,
    parameters: "Parameters | None" = None,
) -> Estimator:
    """The live estimator, or with ``smooth`` the one that looks ahead over the whole recording.

    ``subtalar_axis_deg`` is inclination and deviation of the subtalar axis; None: that of ``parameters``, which are the
    product's unless given. Raises InputError where the axis cannot be one or a sensor is too slow.
    """
    # Compiled filters: loaded when a pass begins.
    from subtalar.estimation import GaitEstimator, Parameters
    from subtalar.estimation.parameters import SubtalarAxis
    from subtalar.estimation.smoothing import SmoothingEstimator

    parameters = parameters or Parameters()
    if subtalar_axis_deg is not None:
        parameters = replace(parameters, subtalar_axis=SubtalarAxis(*subtalar_axis_deg))
    return (SmoothingEstimator if smooth else GaitEstimator)(sensors, parameters)


def default_subtalar_axis_deg() -> tuple[float, float]:
    """Inclination and deviation of the mean axis."""
    from subtalar.estimation.parameters import SubtalarAxis

    return SubtalarAxis.inclination_deg, SubtalarAxis.deviation_deg


@runtime_checkable
class Repeatable(Protocol):
    """An estimator that may know more at the end of a recording than it did at the beginning."""

    def again(self) -> Estimator | None:
        """The same before the first sample, with what it knows now; None where that changes nothing."""
        ...


def run_estimator(
    estimator: Estimator, blocks: Iterable[SampleBlock]
) -> Iterator[tuple[SampleBlock | None, Estimates]]:
    """Each block with what it brought to light, then None with what was still held back."""
    for block in blocks:
        yield block, estimator.push(block)
    yield None, estimator.finish()


def estimate_live(sensors: Mapping[BodySite, SensorInfo], blocks: Iterable[SampleBlock]) -> SessionEstimates:
    """The streaming estimator: what it gives live, to the last bit, since the cutting into blocks does not matter.

    It is handed samples and places of sensors; nothing else of a session (annotations, say) reaches it.
    """
    return collect_estimates([found for _, found in run_estimator(make_estimator(sensors), blocks)])


def estimate_smoothed(sensors: Mapping[BodySite, SensorInfo], blocks: Iterable[SampleBlock]) -> SessionEstimates:
    """The pass that looks ahead over the whole recording; handed no more than the live one."""
    return collect_estimates([found for _, found in run_estimator(make_estimator(sensors, smooth=True), blocks)])


def collect_estimates(found: Sequence[Estimates]) -> SessionEstimates:
    """Everything that the pushes of one pass gave."""
    angles = [block for f in found for block in f.angles]
    return SessionEstimates(
        {side: join_angle_blocks([b for b in angles if b.side == side]) for side in sorted({b.side for b in angles})},
        tuple(s for f in found for s in f.strides),
        tuple(e for f in found for e in f.events),
        tuple(n for f in found for n in f.notices),
    )


def join_angle_blocks(blocks: Sequence[AngleBlock]) -> AngleTrack:
    """Consecutive blocks of one side as one track."""
    return AngleTrack(
        np.concatenate([b.time_s for b in blocks]),
        np.concatenate([b.angles_deg for b in blocks]),
        np.concatenate([b.angles_sd_deg for b in blocks]),
        np.concatenate([b.quality for b in blocks]),
        np.concatenate([b.shank_orientation for b in blocks]),
        np.concatenate([b.zero_sd_deg for b in blocks]),
    )
