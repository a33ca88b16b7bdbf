"""Samples of one sensor by the names of what was measured."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import FloatArray


@dataclass(frozen=True)
class SegmentSamples:
    """One sensor over n instants: ``rows`` (n,) of ``SENSOR_ROW``."""

    rows: Records

    @staticmethod
    def of(
        time_s: FloatArray, q: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, q_strapdown: FloatArray
    ) -> "SegmentSamples":
        """From arrays (n,), (n, 4), (n, 3), (n, 3) and (n, 4)."""
        rows = np.zeros(len(time_s), SENSOR_ROW)
        rows["time_s"], rows["q"], rows["q_strapdown"] = time_s, q, q_strapdown
        rows["gyr_rad_s"], rows["acc_m_s2"] = gyr_rad_s, acc_m_s2
        return SegmentSamples(rows)

    @property
    def time_s(self) -> FloatArray:
        """Session time (n,)."""
        return self.rows["time_s"]

    @property
    def q(self) -> FloatArray:
        """Orientation (n, 4), sensor to its own level world."""
        return self.rows["q"]

    @property
    def gyr_rad_s(self) -> FloatArray:
        """Angular rate (n, 3), freed of its bias."""
        return self.rows["gyr_rad_s"]

    @property
    def acc_m_s2(self) -> FloatArray:
        """Specific force (n, 3)."""
        return self.rows["acc_m_s2"]

    @property
    def q_strapdown(self) -> FloatArray:
        """Orientation (n, 4) by the gyroscope alone."""
        return self.rows["q_strapdown"]
