"""Batches of samples that carry the device's own time: parts of them, and their times moved."""

import numpy as np

from subtalar.protocol import InertialSamples
from subtalar.types import IntArray


def times_of(batch: InertialSamples) -> IntArray:
    """The device's times (n,) in microseconds. Raises ValueError for samples without."""
    if batch.device_time_us is None:
        raise ValueError("these samples have no device times")
    return batch.device_time_us


def shifted(batch: InertialSamples, by_us: int) -> InertialSamples:
    """All times later by ``by_us``."""
    return InertialSamples(times_of(batch) + by_us, batch.acc_m_s2, batch.gyr_rad_s) if by_us else batch


def later_shifted(batch: InertialSamples, begin: int, by_us: int) -> InertialSamples:
    """The samples from ``begin`` on are shifted."""
    time_us = times_of(batch).copy()
    time_us[begin:] += by_us
    return InertialSamples(time_us, batch.acc_m_s2, batch.gyr_rad_s)


def part_of(batch: InertialSamples, rows: list[int]) -> InertialSamples:
    """These rows of it; all of them may be left out."""
    return InertialSamples(times_of(batch)[rows], batch.acc_m_s2[rows], batch.gyr_rad_s[rows])


def joined(batches: list[InertialSamples]) -> InertialSamples:
    """One batch of several, in their order."""
    return InertialSamples(
        np.concatenate([times_of(batch) for batch in batches]),
        np.concatenate([batch.acc_m_s2 for batch in batches]),
        np.concatenate([batch.gyr_rad_s for batch in batches]),
    )
