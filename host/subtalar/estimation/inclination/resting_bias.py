"""A gyroscope's bias from the first seconds of rest, for sensors whose rest VQF does not recognise.

VQF learns the bias within seconds where every sample stays within 2 °/s of the slow mean. Sway and the noise of a
cheap gyroscope at 400 Hz together pass that, and its bias of several degrees a second then takes minutes to be learnt
in walking. A wider limit in VQF would take slow movements for bias. So the mean rate over a rest in the wider sense of
quiet standing is used only where VQF's estimate is far from it: further than swaying can turn a leg.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.low_pass import first_order
from subtalar.estimation.parameters import RestingBiasParameters
from subtalar.types import FloatArray

_COUNT, _SUM = 4, 5


class RestingBias:
    """``rested_at`` takes the rows into ``memory`` (8,) by ``rule`` (5,); ``mean_rad_s`` tells of the rest."""

    def __init__(self, parameters: RestingBiasParameters, rate_hz: float) -> None:
        p = parameters
        b, a = first_order(p.smoothing_hz, rate_hz)
        self.rule = np.array([b, a, p.max_spread_rad_s**2, p.max_mean_rad_s**2, round(p.rest_s * rate_hz)])
        # Smoothing of three rates and their squared magnitude, length and sums of the rest so far.
        self.memory = np.array([0.0, 0.0, 0.0, p.max_spread_rad_s**2, 0.0, 0.0, 0.0, 0.0])

    @property
    def mean_rad_s(self) -> FloatArray:
        """Mean rate (3,) over the present rest."""
        return self.memory[_SUM:] / max(1.0, float(self.memory[_COUNT]))


@inlined
def rested_at(gyr_rad_s: FloatArray, i: int, memory: FloatArray, rule: FloatArray) -> bool:
    """Take row ``i`` of the angular rate (n, 3) into the memory; whether it completes a rest."""
    power = slow = 0.0
    for k in range(4):
        x = gyr_rad_s[i, k] if k < 3 else power
        smooth = rule[0] * x + memory[k]
        memory[k] = rule[0] * x - rule[1] * smooth
        if k < 3:
            power += x * x
            slow += smooth * smooth
        else:
            power = smooth
    if not (power - slow < rule[2] and slow < rule[3]):
        memory[_COUNT:] = 0.0
        return False
    memory[_COUNT] += 1.0
    for k in range(3):
        memory[_SUM + k] += gyr_rad_s[i, k]
    return bool(memory[_COUNT] == rule[4])
