"""Rows of one sensor's motion: what the front end delivers, strides are cut from, and the ankle's path is told by."""

from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray

TIME, Q, GYR, ACC, FREE = 0, slice(1, 5), slice(5, 8), slice(8, 11), slice(11, 15)
"""Session time; orientation, sensor to its own level world; rate (rad/s); specific force (m/s²); orientation by the
gyroscope alone. Tables may hold more columns behind these."""
WIDTH = 15


@dataclass(frozen=True)
class SegmentSamples:
    """One sensor over n instants: ``rows`` (n, ``WIDTH`` or more)."""

    rows: FloatArray

    @staticmethod
    def of(
        time_s: FloatArray, q: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, free: FloatArray
    ) -> "SegmentSamples":
        """From arrays (n,), (n, 4), (n, 3), (n, 3) and (n, 4)."""
        return SegmentSamples(np.column_stack((time_s, q, gyr_rad_s, acc_m_s2, free)))

    @property
    def time_s(self) -> FloatArray:
        """Session time (n,)."""
        return self.rows[:, TIME]

    @property
    def q(self) -> FloatArray:
        """Orientation (n, 4), sensor to its own level world."""
        return self.rows[:, Q]

    @property
    def gyr_rad_s(self) -> FloatArray:
        """Angular rate (n, 3), freed of its bias."""
        return self.rows[:, GYR]

    @property
    def acc_m_s2(self) -> FloatArray:
        """Specific force (n, 3)."""
        return self.rows[:, ACC]

    @property
    def free(self) -> FloatArray:
        """Orientation (n, 4) by the gyroscope alone."""
        return self.rows[:, FREE]
