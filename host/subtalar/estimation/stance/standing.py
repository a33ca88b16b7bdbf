"""Quiet standing, found from the motion: both sensors of the leg still for a while."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.low_pass import first_order
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.estimation.parameters import StillnessParameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.stance.placement import Placement, place
from subtalar.types import FloatArray

STILLNESS = np.dtype([("b", "f8"), ("a", "f8"), ("most_spread", "f8"), ("most_mean", "f8"), ("memory", "f8", (4,))])
"""Constants: low-pass filter, limits of squared rates. State: the filter's memory of three rates and their squared
magnitude."""


class StillnessDetector:
    """One sensor: is the spread of its angular rate around its own slow mean below that of quiet standing?

    The mean is judged apart and less strictly, so that a biased gyroscope is still and a slow knee bend is not.
    """

    def __init__(self, parameters: StillnessParameters, rate_hz: float) -> None:
        b, a = first_order(parameters.smoothing_hz, rate_hz)
        spread = parameters.max_rate_spread_rad_s**2
        # Not still until the data say so.
        memory, mean = [0.0, 0.0, 0.0, spread], parameters.max_mean_rate_rad_s**2
        self.filter = record(STILLNESS, b=b, a=a, most_spread=spread, most_mean=mean, memory=memory)

    def push(self, samples: Records) -> FloatArray:
        """1.0 for each of the rows (n,) at which the sensor is still, else 0.0 (n,)."""
        return _stillness(samples, self.filter)


@compiled("(row[::1], filter[::1])", row=SENSOR_ROW, filter=STILLNESS)
def _stillness(samples: Records, detector: Records) -> FloatArray:
    out = np.empty(len(samples))
    for i in range(len(samples)):
        out[i] = 1.0 if _still(quat.vector_of(samples[i]["gyr_rad_s"]), detector[0]) else 0.0
    return out


@inlined
def mark_still(row: Record, of_foot: Record, of_shank: Record, gap: bool) -> None:
    """Write into a row of the leg whether both sensors are still: 1.0 or 0.0."""
    # What is unknown counts as no movement: the filters' memory must stay finite.
    shank = _still((0.0, 0.0, 0.0) if gap else quat.vector_of(row["shank"]["gyr_rad_s"]), of_shank)
    foot = _still(quat.vector_of(row["foot"]["gyr_rad_s"]), of_foot)
    row["still"] = 1.0 if foot and shank and not gap else 0.0


@inlined
def _still(rate: quat.Vector, detector: Record) -> bool:
    """First-order low-pass (direct form II transposed) of rate and squared rate; the spread is their difference."""
    x, y, z = rate
    sx = _smooth(x, detector, 0)
    sy = _smooth(y, detector, 1)
    sz = _smooth(z, detector, 2)
    power = _smooth(x * x + y * y + z * z, detector, 3)
    mean = sx * sx + sy * sy + sz * sz
    return bool(power - mean < detector["most_spread"] and mean < detector["most_mean"])


@inlined
def _smooth(value: float, detector: Record, k: int) -> float:
    memory = detector["memory"]
    smooth = detector["b"] * value + memory[k]
    memory[k] = detector["b"] * value - detector["a"] * smooth
    return float(smooth)


@dataclass(frozen=True)
class Standing:
    """One quiet stance: rows ``start`` to ``stop``.

    ``gravity_error``: by what share the worse of the two accelerometers misses standard gravity. ``zero_sd_deg``: sd of
    the zero that it gives to the ankle's angles. ``gravity_sd_m_s2``: how well it knows gravity, where not as usual.
    """

    start: int
    stop: int
    start_s: float
    end_s: float
    foot: Stance
    shank: Stance
    gravity_error: float
    zero_sd_deg: float = 0.0
    gravity_sd_m_s2: float | None = None

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
