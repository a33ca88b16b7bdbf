"""The samples of both sensors of a leg between two rests of the foot, ready to be compared at the ankle."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.types import FloatArray


@dataclass(frozen=True)
class SegmentSamples:
    """One sensor over n instants: orientation ``q`` (n, 4) sensor to its own level world, rate and specific force."""

    time_s: FloatArray
    q: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray


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
        t = self.foot.time_s + offset_s
        ts = self.shank.time_s
        j = np.clip(np.searchsorted(ts, t, side="right") - 1, 0, len(ts) - 2)
        f = np.clip((t - ts[j]) / (ts[j + 1] - ts[j]), 0.0, 1.0)
        g = f[:, None]
        return SegmentSamples(
            self.foot.time_s,
            quat.interpolate(self.shank.q[j], self.shank.q[j + 1], f),
            self.shank.gyr_rad_s[j] * (1 - g) + self.shank.gyr_rad_s[j + 1] * g,
            self.shank.acc_m_s2[j] * (1 - g) + self.shank.acc_m_s2[j + 1] * g,
        )
