"""Samples and angles as columns, in the order of ``columns.SAMPLES`` and ``columns.ANGLES``."""

from typing import Final

import numpy as np

from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT
from subtalar.exports.session_time import TimedBlock
from subtalar.types import AngleBlock, FloatArray, Quality

Values = FloatArray | list[str]

_WORDS: Final = [Quality(code).label for code in range(len(Quality))]


def sample_columns(block: TimedBlock) -> list[Values]:
    """NaN where the sensor has no such time."""
    s = block.samples
    return [
        block.time_s,
        [s.site.value] * len(s),
        or_nan(s.device_time_s, len(s)),
        or_nan(s.host_time_s, len(s)),
        *s.acc_m_s2.T,
        *s.gyr_rad_s.T,
    ]


def angle_columns(block: AngleBlock) -> list[Values]:
    """NaN where a value is not known."""
    return [
        block.time_s,
        [block.side] * len(block),
        *block.ankle_deg.T,
        *block.ankle_sd_deg.T,
        [_WORDS[code] for code in block.quality.tolist()],
        *further_columns(block),
        block.zero_sd_deg,
        *block.shank_orientation.T,
    ]


def angle_numbers(block: AngleBlock) -> FloatArray:
    """The same as numbers alone (n, m), without time and side; the quality's code comes last."""
    quality = block.quality.astype(np.float64)
    both = block.ankle_deg, block.ankle_sd_deg
    return np.column_stack((*both, *further_columns(block), block.zero_sd_deg, block.shank_orientation, quality))


def further_columns(block: AngleBlock) -> list[FloatArray]:
    """The angles beside the ankle's, each followed by its sd, (n,) each."""
    both = block.angles_deg, block.angles_sd_deg
    return [values[:, k] for k in range(ANKLE_COUNT, ANGLE_COUNT) for values in both]


def or_nan(time_s: FloatArray | None, n: int) -> FloatArray:
    """Times (n,) that a sensor may not have."""
    return np.full(n, np.nan) if time_s is None else time_s
