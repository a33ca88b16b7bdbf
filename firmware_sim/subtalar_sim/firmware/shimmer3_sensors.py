"""What stands behind a Shimmer3's channels: sensitivities, range codes, calibration blocks and the raw words.

Written from ShimmerResearch/log-and-stream-common (``shimmer_calibration.c``: the firmware's default calibrations) and
ShimmerResearch/shimmer3 (``i2c.c``, LSM303 drivers: range and rate codes go to the chip as they are).
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from subtalar_sim.types import FloatArray, IntArray

Chip = Literal["LSM303DLHC", "LSM303AH"]
Sensor = Literal["ln_accel", "gyro", "mag", "wr_accel"]
SENSORS: Final[tuple[Sensor, ...]] = ("ln_accel", "gyro", "mag", "wr_accel")

GYRO_LSB_PER_DEG_S: Final = (131.0, 65.5, 32.8, 16.4)
_DEFAULT_WR: Final = (1631.0, 815.0, 408.0, 135.0)
# Real sensitivities by range code. The AH's codes mean 2, 16, 4 and 8 g, the DLHC's 2, 4, 8 and 16 g.
_REAL_WR: Final[dict[Chip, tuple[float, ...]]] = {
    "LSM303DLHC": _DEFAULT_WR,
    "LSM303AH": (1671.0, 209.0, 836.0, 418.0),
}
_WR_RATES_HZ: Final[dict[Chip, tuple[float, ...]]] = {
    "LSM303DLHC": (0.0, 1.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0, 1620.0, 1344.0),
    "LSM303AH": (0.0, 12.5, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0),
}
_MAG_XY: Final = (1100.0, 1100.0, 855.0, 670.0, 450.0, 400.0, 330.0, 230.0)
_MAG_Z: Final = (980.0, 980.0, 760.0, 600.0, 400.0, 355.0, 295.0, 205.0)

_TURNED: Final = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
_TURNED_WR: Final = np.diag([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Response:
    """u = K R c + b: raw words of a calibrated value (m/s², deg/s or gauss). ``k`` and ``b`` (3,), ``R`` (3, 3)."""

    b: FloatArray
    k: FloatArray
    R: FloatArray

    def raw(self, c: FloatArray) -> FloatArray:
        """Values (n, 3) -> words before rounding (n, 3)."""
        return np.asarray((c @ self.R.T) * self.k + self.b, dtype=np.float64)

    def block(self, per_lsb: float) -> bytes:
        """21 bytes: offset, sensitivity, alignment times 100."""
        words = np.concatenate([np.round(self.b), np.round(self.k * per_lsb)]).astype(">i2")
        return words.tobytes() + np.round(self.R * 100.0).astype(np.int8).tobytes()

    def as_stored(self, per_lsb: float) -> "Response":
        """What the block says after rounding: a unit whose calibration is without error."""
        return Response(np.round(self.b), np.round(self.k * per_lsb) / per_lsb, np.round(self.R * 100.0) / 100.0)


def per_lsb(sensor: Sensor) -> float:
    """By how much the stored sensitivity is scaled up."""
    return 100.0 if sensor == "gyro" else 1.0


def default_response(sensor: Sensor, code: int) -> Response:
    """What the firmware stores for a unit that nobody calibrated, on every board alike."""
    zero, one = np.zeros(3), np.ones(3)
    if sensor == "ln_accel":
        return Response(2047.0 * one, 83.0 * one, _TURNED)
    if sensor == "gyro":
        return Response(zero, GYRO_LSB_PER_DEG_S[code] * one, _TURNED)
    if sensor == "wr_accel":
        return Response(zero, _DEFAULT_WR[code] * one, _TURNED_WR)
    return Response(zero, np.array([_MAG_XY[code], _MAG_XY[code], _MAG_Z[code]]), _TURNED_WR)


def real_response(sensor: Sensor, code: int, chip: Chip) -> Response:
    """What the sensor does in truth, before the scatter of the units."""
    if sensor == "wr_accel":
        return Response(np.zeros(3), _REAL_WR[chip][code] * np.ones(3), _TURNED_WR)
    return default_response(sensor, code)


def one_unit(sensor: Sensor, code: int, chip: Chip, seed: int) -> Response:
    """The response of one unit: some per cent off in scale, a degree in alignment, a few words in offset."""
    rng = np.random.default_rng([seed & 0xFFFF_FFFF, 21, SENSORS.index(sensor), code])
    real = real_response(sensor, code, chip)
    offset = 0.0 if sensor == "mag" else 0.2 * real.k * (5.0 if sensor == "gyro" else 1.0)
    turn = real.R + rng.normal(0.0, 0.015, (3, 3)) * (real.R == 0)
    unit = Response(real.b + rng.normal(0.0, 0.3, 3) * offset, real.k * rng.normal(1.0, 0.02, 3), turn)
    return unit.as_stored(per_lsb(sensor))


def wr_rate_hz(chip: Chip, code: int) -> float:
    """At which rate the wide-range accelerometer samples; 100 Hz for codes it does not have."""
    rates = _WR_RATES_HZ[chip]
    return rates[code] if 0 < code < len(rates) else 100.0


def held(values: FloatArray, device_s: FloatArray, rate_hz: float) -> FloatArray:
    """A sensor that samples at ``rate_hz`` shows its last value until the next: (n, 3) as read at ``device_s`` (n,)."""
    tick = np.floor(device_s * rate_hz + 1e-6)
    is_new = np.diff(tick, prepend=np.nan) != 0  # the clock may have been set back
    return values[np.maximum.accumulate(np.where(is_new, np.arange(len(tick)), 0))]


def words(raw: FloatArray, low: int, high: int, step: int = 1) -> IntArray:
    """Rounded to steps of ``step`` and clipped (n, 3)."""
    return np.clip(np.round(raw / step) * step, low, high).astype(np.int64)
