"""The samples of both sensors of a leg between two rests of the foot, ready to be compared at the ankle."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled
from subtalar.types import FloatArray


@dataclass(frozen=True)
class SegmentSamples:
    """One sensor over n instants. Orientation ``q`` (n, 4), sensor to its own level world; rate, specific force (n, 3).

    ``free`` (n, 4): orientation by the gyroscope alone.
    """

    time_s: FloatArray
    q: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    free: FloatArray


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
        return float(self.foot.time_s[self.stop])

    @property
    def middle_s(self) -> float:
        """Session time half-way between the rests."""
        return 0.5 * float(self.foot.time_s[self.start] + self.foot.time_s[self.stop])

    def shank_at_foot_times(self, offset_s: float) -> SegmentSamples:
        """The shank's samples interpolated at the foot's instants; the shank's clock shows ``offset_s`` more."""
        shank = self.shank
        motion = shank.time_s, shank.q, shank.gyr_rad_s, shank.acc_m_s2, shank.free
        return SegmentSamples(self.foot.time_s, *_interpolated(self.foot.time_s, offset_s, *motion))


@compiled("(f8[::1], f8, f8[::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])")
def _interpolated(
    foot_time_s: FloatArray,
    offset_s: float,
    time_s: FloatArray,
    q: FloatArray,
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    free: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Orientation (n, 4), rate and specific force (n, 3), free orientation (n, 4) at the foot's instants."""
    n = len(foot_time_s)
    q_out, gyr_out, acc_out, free_out = np.empty((n, 4)), np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 4))
    j = 0
    for i in range(n):
        t = foot_time_s[i] + offset_s
        while j < len(time_s) - 2 and time_s[j + 1] <= t:
            j += 1
        f = min(max((t - time_s[j]) / (time_s[j + 1] - time_s[j]), 0.0), 1.0)
        turned = quat.between(quat.quaternion_at(q, j, 0), quat.quaternion_at(q, j + 1, 0), f)
        loose = quat.between(quat.quaternion_at(free, j, 0), quat.quaternion_at(free, j + 1, 0), f)
        for k in range(4):
            q_out[i, k] = turned[k]
            free_out[i, k] = loose[k]
        for k in range(3):
            gyr_out[i, k] = gyr_rad_s[j, k] * (1 - f) + gyr_rad_s[j + 1, k] * f
            acc_out[i, k] = acc_m_s2[j, k] * (1 - f) + acc_m_s2[j + 1, k] * f
    return q_out, gyr_out, acc_out, free_out
