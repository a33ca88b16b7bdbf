"""The samples of both sensors of a leg between two rests of the foot, ready to be compared at the ankle."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.history import first_at
from subtalar.estimation.rows import sensor_rows as stream
from subtalar.estimation.rows.leg_rows import any_gap
from subtalar.estimation.rows.motion import ACC, FREE, GYR, TIME, WIDTH, Q, SegmentSamples
from subtalar.types import FloatArray

_Q, _GYR, _ACC, _FREE = Q.start, GYR.start, ACC.start, FREE.start
_FEW = 8


@dataclass(frozen=True)
class StrideWindow:
    """Foot samples from rest to rest with a margin on both sides; the shank's own samples around them.

    ``start`` and ``stop`` index the two rests in the foot's samples; ``clipped`` (n,) marks foot instants near which
    either sensor touched its range; ``row`` is the stream row of the second rest.
    """

    foot: SegmentSamples
    shank: SegmentSamples
    start: int
    stop: int
    clipped: FloatArray
    row: int

    @property
    def end_s(self) -> float:
        """Session time of the second rest."""
        return float(self.foot.rows[self.stop, TIME])

    @property
    def middle_s(self) -> float:
        """Session time half-way between the rests."""
        return 0.5 * float(self.foot.rows[self.start, TIME] + self.foot.rows[self.stop, TIME])

    def shank_at_foot_times(self, offset_s: float) -> SegmentSamples:
        """The shank's samples interpolated at the foot's instants; the shank's clock shows ``offset_s`` more."""
        return SegmentSamples(at_times_of(self.foot.rows, self.shank.rows, offset_s))


@compiled("(f8[:,::1], f8[:,::1], f8)")
def at_times_of(foot: FloatArray, shank: FloatArray, offset_s: float) -> FloatArray:
    """The shank's rows interpolated at the times of the foot's, which these (n, ``motion.WIDTH``) keep."""
    n = len(foot)
    out = np.empty((n, WIDTH))
    j = 0
    for i in range(n):
        t = foot[i, TIME] + offset_s
        while j < len(shank) - 2 and shank[j + 1, TIME] <= t:
            j += 1
        f = min(max((t - shank[j, TIME]) / (shank[j + 1, TIME] - shank[j, TIME]), 0.0), 1.0)
        out[i, TIME] = foot[i, TIME]
        turned = quat.between(quat.quaternion_at(shank, j, _Q), quat.quaternion_at(shank, j + 1, _Q), f)
        loose = quat.between(quat.quaternion_at(shank, j, _FREE), quat.quaternion_at(shank, j + 1, _FREE), f)
        for k in range(4):
            out[i, _Q + k] = turned[k]
            out[i, _FREE + k] = loose[k]
        for k in range(3):
            out[i, _GYR + k] = shank[j, _GYR + k] * (1 - f) + shank[j + 1, _GYR + k] * f
            out[i, _ACC + k] = shank[j, _ACC + k] * (1 - f) + shank[j + 1, _ACC + k] * f
    return out


def cut_window(
    foot: FloatArray, shank: FloatArray, between: FloatArray, start: int, row: int, offset_s: float, margin_s: float
) -> StrideWindow | None:
    """The window of the foot's rows (n, stream.WIDTH) and those of the shank (m, stream.WIDTH) that belong to them.

    ``between`` are the leg's rows from the first rest, ``start`` in the foot's rows, to the second, stream row ``row``.
    None where samples are missing.
    """
    first, last, clipped = _belonging(foot, shank, between, offset_s, margin_s)
    if last - first < _FEW:
        return None
    return StrideWindow(
        SegmentSamples(foot), SegmentSamples(shank[first:last]), start, start + len(between), clipped, row
    )


@compiled("(f8[:,::1], f8[:,::1], f8[:,::1], f8, f8)")
def _belonging(
    foot: FloatArray, shank: FloatArray, between: FloatArray, offset_s: float, margin_s: float
) -> tuple[int, int, FloatArray]:
    """First and end of the shank's rows, no more than ``_FEW`` where a gap lies between; and where either is clipped.

    A little more of the shank than its present offset asks for, so that the offset can still move.
    """
    n = len(foot)
    clipped = np.zeros(n)
    if any_gap(between):
        return 0, 0, clipped
    first = max(0, first_at(shank, TIME, foot[0, TIME] + offset_s - margin_s) - 1)
    last = min(len(shank), first_at(shank, TIME, foot[n - 1, TIME] + offset_s) + 1)
    j = first
    for i in range(n):
        # Near: two rows of the foot, and the shank's rows on both sides of the same time.
        for k in range(max(0, i - 2), min(n, i + 3)):
            if foot[k, stream.CLIPPED] > 0:
                clipped[i] = 1.0
        while j < last - 2 and shank[j + 1, TIME] <= foot[i, TIME]:
            j += 1
        if last > first and (shank[j, stream.CLIPPED] > 0 or shank[min(j + 1, last - 1), stream.CLIPPED] > 0):
            clipped[i] = 1.0
    return first, last, clipped
