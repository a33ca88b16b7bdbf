"""Quiet standing, found from the motion: both sensors of the leg still for a while."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.low_pass import first_order
from subtalar.estimation.parameters import StillnessParameters
from subtalar.estimation.rows import leg_rows as col
from subtalar.estimation.rows.motion import GYR
from subtalar.estimation.stance.placement import Placement, place
from subtalar.types import FloatArray

_GYR, _GYR_FOOT, _GYR_SHANK = GYR.start, col.GYR_FOOT.start, col.GYR_SHANK.start


class StillnessDetector:
    """One sensor: is the spread of its angular rate around its own slow mean below that of quiet standing?

    The mean is judged apart and less strictly, so that a biased gyroscope is still and a slow knee bend is not.
    """

    def __init__(self, parameters: StillnessParameters, rate_hz: float) -> None:
        b, a = first_order(parameters.smoothing_hz, rate_hz)
        limit = parameters.max_rate_spread_rad_s**2
        self.rule = np.array([b, a, limit, parameters.max_mean_rate_rad_s**2])
        # Memory of the smoothing filters of three rates and their squared magnitude; not still until the data say so.
        self.memory = np.array([0.0, 0.0, 0.0, limit])

    def push(self, samples: FloatArray) -> FloatArray:
        """1.0 for each of the rows (n, ``motion.WIDTH`` or more) at which the sensor is still, else 0.0 (n,)."""
        return _stillness(samples, self.memory, self.rule)


@compiled("(f8[:,::1], f8[::1], f8[::1])")
def _stillness(samples: FloatArray, memory: FloatArray, rule: FloatArray) -> FloatArray:
    out = np.empty(len(samples))
    for i in range(len(samples)):
        out[i] = 1.0 if _still(quat.vector_at(samples, i, _GYR), memory, rule) else 0.0
    return out


@inlined
def mark_still_at(
    rows: FloatArray, i: int, of_foot: FloatArray, of_shank: FloatArray, rule: FloatArray, gap: bool
) -> None:
    """Write into row ``i`` of the leg whether both sensors are still: 1.0 or 0.0."""
    # What is unknown counts as no movement: the filters' memory must stay finite.
    shank = _still((0.0, 0.0, 0.0) if gap else quat.vector_at(rows, i, _GYR_SHANK), of_shank, rule)
    foot = _still(quat.vector_at(rows, i, _GYR_FOOT), of_foot, rule)
    rows[i, col.STILL] = 1.0 if foot and shank and not gap else 0.0


@inlined
def _still(rate: quat.Vector, memory: FloatArray, rule: FloatArray) -> bool:
    """First-order low-pass (direct form II transposed) of rate and squared rate; the spread is their difference."""
    x, y, z = rate
    sx = _smooth(x, memory, 0, rule)
    sy = _smooth(y, memory, 1, rule)
    sz = _smooth(z, memory, 2, rule)
    power = _smooth(x * x + y * y + z * z, memory, 3, rule)
    mean = sx * sx + sy * sy + sz * sz
    return bool(power - mean < rule[2] and mean < rule[3])


@inlined
def _smooth(value: float, memory: FloatArray, k: int, rule: FloatArray) -> float:
    smooth = rule[0] * value + memory[k]
    memory[k] = rule[0] * value - rule[1] * smooth
    return float(smooth)


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


def place_standing(
    standing: Standing, foot_bias_m_s2: FloatArray, shank_bias_m_s2: FloatArray, axis: FloatArray, heading_rad: float
) -> Placement:
    """Sensors to segments by quiet standing, the accelerometers freed of their biases (3,); as in ``place``."""
    foot, shank = standing.foot, standing.shank
    return place(
        foot.q, foot.force_m_s2 - foot_bias_m_s2, shank.q, shank.force_m_s2 - shank_bias_m_s2, axis, heading_rad
    )
