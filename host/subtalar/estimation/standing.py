"""Quiet standing, found from the motion: both sensors of the leg still for a while."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter

from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.parameters import StillnessParameters
from subtalar.types import FloatArray

_GYR_FOOT, _GYR_SHANK = col.GYR_FOOT.start, col.GYR_SHANK.start


class StillnessDetector:
    """One sensor: is the spread of its angular rate around its own slow mean below that of quiet standing?

    The mean is judged apart and less strictly, so that a biased gyroscope is still and a slow knee bend is not.
    """

    def __init__(self, parameters: StillnessParameters, rate_hz: float) -> None:
        (b, _), (_, a) = butter(1, parameters.smoothing_hz, fs=rate_hz)
        limit = parameters.max_rate_spread_rad_s**2
        self.rule = float(b), float(a), limit, parameters.max_mean_rate_rad_s**2
        # Memory of the smoothing filters of three rates and their squared magnitude; not still until the data say so.
        self.memory = np.array([0.0, 0.0, 0.0, limit])

    def push(self, gyr_rad_s: FloatArray) -> FloatArray:
        """1.0 for each of the rows (n, 3) at which the sensor is still, else 0.0 (n,)."""
        return _stillness(gyr_rad_s, self.memory, *self.rule)


def mark_still(rows: FloatArray, foot: StillnessDetector, shank: StillnessDetector) -> None:
    """Write into the leg's rows (n, leg_rows.WIDTH) whether both sensors are still: 1.0 or 0.0."""
    _mark(rows, foot.memory, shank.memory, *foot.rule)


@compiled("(f8[:,::1], f8[::1], f8, f8, f8, f8)")
def _stillness(
    gyr_rad_s: FloatArray, memory: FloatArray, b: float, a: float, limit: float, limit_of_mean: float
) -> FloatArray:
    out = np.empty(len(gyr_rad_s))
    for i in range(len(gyr_rad_s)):
        x, y, z = gyr_rad_s[i, 0], gyr_rad_s[i, 1], gyr_rad_s[i, 2]
        out[i] = 1.0 if _still(x, y, z, memory, b, a, limit, limit_of_mean) else 0.0
    return out


@compiled("(f8[:,::1], f8[::1], f8[::1], f8, f8, f8, f8)")
def _mark(
    rows: FloatArray,
    of_foot: FloatArray,
    of_shank: FloatArray,
    b: float,
    a: float,
    limit: float,
    limit_of_mean: float,
) -> None:
    for i in range(len(rows)):
        gap = rows[i, col.GAP] > 0
        x, y, z = rows[i, _GYR_SHANK], rows[i, _GYR_SHANK + 1], rows[i, _GYR_SHANK + 2]
        if gap:
            x = y = z = 0.0
        shank = _still(x, y, z, of_shank, b, a, limit, limit_of_mean)
        x, y, z = rows[i, _GYR_FOOT], rows[i, _GYR_FOOT + 1], rows[i, _GYR_FOOT + 2]
        foot = _still(x, y, z, of_foot, b, a, limit, limit_of_mean)
        rows[i, col.STILL] = 1.0 if foot and shank and not gap else 0.0


@inlined
def _still(
    x: float, y: float, z: float, memory: FloatArray, b: float, a: float, limit: float, limit_of_mean: float
) -> bool:
    """First-order low-pass (direct form II transposed) of rate and squared rate; the spread is their difference."""
    sx = _smooth(x, memory, 0, b, a)
    sy = _smooth(y, memory, 1, b, a)
    sz = _smooth(z, memory, 2, b, a)
    power = _smooth(x * x + y * y + z * z, memory, 3, b, a)
    mean = sx * sx + sy * sy + sz * sz
    return power - mean < limit and mean < limit_of_mean


@inlined
def _smooth(value: float, memory: FloatArray, k: int, b: float, a: float) -> float:
    smooth = b * value + memory[k]
    memory[k] = b * value - a * smooth
    return float(smooth)


@dataclass(frozen=True)
class Stance:
    """One sensor in quiet standing.

    ``force_m_s2`` (3,) is its mean specific force over all of it. From its last seconds: mean orientation ``q`` (4,),
    whose heading counts, mean specific force (3,) and rotation matrix (3, 3) in the gyroscope's own frame.
    """

    force_m_s2: FloatArray
    q: FloatArray
    force_turned_m_s2: FloatArray
    turn: FloatArray

    def orientation(self, bias_m_s2: FloatArray) -> FloatArray:
        """Sensor to level world (4,), the accelerometer freed of its bias (3,).

        The accelerometer gives the vertical without the gyroscope, whose bias tilts any fused inclination by its own
        size (seconds of it, in degrees) until it has been learnt.
        """
        return quat.levelled(self.q, self.force_m_s2 - bias_m_s2)


@dataclass(frozen=True)
class Standing:
    """One quiet stance: rows ``start`` to ``stop``.

    ``gravity_error``: by what share the worse of the two accelerometers misses standard gravity.
    """

    start: int
    stop: int
    start_s: float
    end_s: float
    foot: Stance
    shank: Stance
    gravity_error: float

    @property
    def duration_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.start_s
