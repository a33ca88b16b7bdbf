"""What a Shimmer3's raw numbers mean: nominal sensitivities, range codes, and the calibration it carries.

Sources: ShimmerResearch/log-and-stream-common (``Calibration/shimmer_calibration.c``, ``shimmer_config.h``) for the
layout of the block and the firmware's defaults, ShimmerResearch/shimmer3 (``i2c.c``, the LSM303 drivers) for the two
orders of range codes. The model C = R⁻¹ K⁻¹ (u − b) is Shimmer's own (calibration user manual).
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from subtalar.types import FloatArray

BLOCK_BYTES: Final = 21
_ORDER: Final = ("ln_accel", "gyro", "mag", "wr_accel")

GYRO_RANGES_DEG_S: Final = (250.0, 500.0, 1000.0, 2000.0)
"""By range code."""
_GYRO_LSB_PER_DEG_S: Final = (131.0, 65.5, 32.8, 16.4)

_LN_LSB_PER_M_S2: Final = 83.0
_LN_OFFSET: Final = 2047.0

# Two orders of codes, because the firmware hands them to the chip as they are: the LSM303DLHC counts 2, 4, 8, 16 g,
# the LSM303AH (and the ICM-20948 in its place) 2, 16, 4, 8 g.
WR_RANGES_G: Final = {True: (2.0, 4.0, 8.0, 16.0), False: (2.0, 16.0, 4.0, 8.0)}
"""By range code; the key is whether the chip is the LSM303DLHC."""
_WR_LSB_PER_M_S2: Final = {
    True: {2.0: 1631.0, 4.0: 815.0, 8.0: 408.0, 16.0: 135.0},
    False: {2.0: 1671.0, 4.0: 836.0, 8.0: 418.0, 16.0: 209.0},
}

_TURNED: Final = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
_WR_TURNED: Final = np.diag([-1.0, 1.0, -1.0])
_TOLERANCE: Final = 0.2
"""A unit's sensitivity lies nearer to nominal than this, while two ranges differ by a factor of two or more."""


@dataclass(frozen=True)
class AxisCalibration:
    """``apply`` maps raw words (n, 3) to calibrated values (n, 3). ``is_nominal``: the stored one was of no use."""

    offset: FloatArray
    matrix: FloatArray
    is_nominal: bool = False

    def apply(self, raw: FloatArray) -> FloatArray:
        """C = R⁻¹ K⁻¹ (raw − b), C-contiguous."""
        return np.ascontiguousarray((raw - self.offset) @ self.matrix.T)


def _calibration(
    block: bytes | None, nominal_lsb: float, nominal_offset: float, turned: FloatArray, *, scale: float, unit: float
) -> AxisCalibration:
    if block is not None:
        offset = np.frombuffer(block, ">i2", 3).astype(np.float64)
        gain = np.frombuffer(block, ">i2", 3, 6).astype(np.float64) / scale
        turn = np.frombuffer(block, np.int8, 9, 12).reshape(3, 3) / 100.0
        is_near = bool((np.abs(gain / nominal_lsb - 1.0) <= _TOLERANCE).all())
        if is_near and 0.5 < abs(float(np.linalg.det(turn))) < 2.0:
            return AxisCalibration(offset, _inverse(turn) @ np.diag(unit / gain))
    offset = np.full(3, nominal_offset)
    return AxisCalibration(offset, _inverse(turned) * (unit / nominal_lsb), block is not None)


def _inverse(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _block(calibration: bytes | None, name: str) -> bytes | None:
    if calibration is None:
        return None
    begin = BLOCK_BYTES * _ORDER.index(name)
    return calibration[begin : begin + BLOCK_BYTES]


def gyro(calibration: bytes | None, range_code: int) -> AxisCalibration:
    """To rad/s. ``calibration``: the 84 bytes of the reply 2D, None for nominal values."""
    nominal = _GYRO_LSB_PER_DEG_S[range_code]
    return _calibration(_block(calibration, "gyro"), nominal, 0.0, _TURNED, scale=100.0, unit=pi / 180.0)


def ln_accel(calibration: bytes | None) -> AxisCalibration:
    """To m/s², the low-noise accelerometer (about ±2 g)."""
    return _calibration(_block(calibration, "ln_accel"), _LN_LSB_PER_M_S2, _LN_OFFSET, _TURNED, scale=1.0, unit=1.0)


def wr_accel(calibration: bytes | None, range_code: int, *, is_dlhc: bool) -> AxisCalibration:
    """To m/s², the wide-range accelerometer. The firmware's defaults are those of the LSM303DLHC on every board: they
    do not fit another chip, which shows in the sensitivity.
    """
    nominal = _WR_LSB_PER_M_S2[is_dlhc][WR_RANGES_G[is_dlhc][range_code]]
    return _calibration(_block(calibration, "wr_accel"), nominal, 0.0, _WR_TURNED, scale=1.0, unit=1.0)
