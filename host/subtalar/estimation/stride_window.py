"""The samples of both sensors of a leg between two rests of the foot, ready to be compared at the ankle."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled
from subtalar.estimation.motion import ACC, FREE, GYR, TIME, WIDTH, Q, SegmentSamples
from subtalar.types import FloatArray

_Q, _GYR, _ACC, _FREE = Q.start, GYR.start, ACC.start, FREE.start


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
