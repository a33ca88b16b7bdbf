"""Samples as the counts of their sensor: two bytes a value instead of eight, and the same value to the last bit."""

from typing import Any

import numpy as np

from subtalar.types import FloatArray, SensorInfo

_COUNT: Any = np.dtype("<i2")
Steps = tuple[float, float]
"""m/s² and rad/s that one count stands for; 0 where that is not known."""
NO_STEPS: Steps = (0.0, 0.0)


def steps_of(info: SensorInfo) -> Steps:
    """One count of a sensor of 16 bits, the usual width: its range is 2¹⁵ counts."""
    ranges = info.acc_range_m_s2, info.gyr_range_rad_s
    acc, gyr = ((r or 0.0) / 2**15 for r in ranges)
    return acc, gyr


def as_counts(values: FloatArray, step: float) -> bytes | None:
    """Values (n, 3) as little-endian int16, row by row; None where ``step`` times these would not give every bit back.

    So it is with sensors of more bits, or with calibrated ones; nobody has to say so.
    """
    if not 0.0 < step < np.inf:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        # What is no number or too large for a count becomes another one here, and does not come back.
        counts = np.rint(values * (1.0 / step)).astype(_COUNT)
    return counts.tobytes() if (counts * step).tobytes() == values.tobytes() else None


def from_counts(data: bytes, step: float) -> FloatArray:
    """The inverse, (n, 3). Raises ValueError for a broken row, or where nothing says what a count stands for."""
    if not 0.0 < step < np.inf:
        raise ValueError(f"counts of {step}")
    return np.frombuffer(data, _COUNT).reshape(-1, 3) * step
