"""One sensor's motion, row by row: what the front end delivers, strides are cut from, and the ankle's path follows."""

import numpy as np

from subtalar.estimation.numerics.compiled import inlined
from subtalar.types import FloatArray

SENSOR_ROW = np.dtype(
    [
        ("time_s", "f8"),
        ("q", "f8", (4,)),
        ("gyr_rad_s", "f8", (3,)),
        ("acc_m_s2", "f8", (3,)),
        ("q_strapdown", "f8", (4,)),
        ("arrival_s", "f8"),
        ("real", "f8"),
        ("clipped", "f8"),
        ("step_s", "f8"),
        ("lowpassed_rotation", "f8", (9,)),
    ]
)
"""Session time; orientation, sensor to its own level world; rate, freed of its bias; specific force; orientation by the
gyroscope alone. 1.0 where it is ``real`` (measured, not filled in) and where a channel was ``clipped``. Session seconds
since the previous row; a gap shows as a large step. Rotation matrix of ``q_strapdown`` as VQF's memory of gravity sees
it (``strapdown.py``). Rows that were interpolated or set upright have only the fields up to ``q_strapdown``."""


@inlined
def first_at(ascending: FloatArray, value: float) -> int:
    """Index of the first of the values (n,) that is not below ``value``, inside compiled loops."""
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low
