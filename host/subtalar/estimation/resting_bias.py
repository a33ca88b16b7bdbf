"""A gyroscope's bias from the first seconds of rest, for sensors whose rest VQF does not recognise.

VQF learns the bias within seconds where every sample stays within 2 °/s of the slow mean. Sway and the noise of a
cheap gyroscope at 400 Hz together pass that, and its bias of several degrees a second then takes minutes to be learnt
in walking. A wider limit in VQF would take slow movements for bias. So the mean rate over a rest in the wider sense of
quiet standing is used only where VQF's estimate is far from it: further than swaying can turn a leg.
"""

import numpy as np

from subtalar.estimation.compiled import compiled
from subtalar.estimation.low_pass import first_order
from subtalar.estimation.parameters import RestingBiasParameters
from subtalar.types import FloatArray

_COUNT, _SUM = 4, 5


class RestingBias:
    """Feed angular rate row by row; after each ``push`` that stopped early, ``mean_rad_s`` tells of a rest."""

    def __init__(self, parameters: RestingBiasParameters, rate_hz: float) -> None:
        p = parameters
        b, a = first_order(p.smoothing_hz, rate_hz)
        self._rule = b, a, p.max_spread_rad_s**2, p.max_mean_rad_s**2
        self._enough = round(p.rest_s * rate_hz)
        # Smoothing of three rates and their squared magnitude, length and sums of the rest so far.
        self._memory = np.array([0.0, 0.0, 0.0, p.max_spread_rad_s**2, 0.0, 0.0, 0.0, 0.0])

    @property
    def mean_rad_s(self) -> FloatArray:
        """Mean rate (3,) over the present rest."""
        return self._memory[_SUM:] / max(1.0, float(self._memory[_COUNT]))

    def push(self, gyr_rad_s: FloatArray) -> tuple[int, bool]:
        """How many of the rows (n, 3) were taken, and whether the last of them completes a rest."""
        taken, complete = _rest(gyr_rad_s, self._memory, *self._rule, self._enough)
        return taken, complete


@compiled("(f8[:,::1], f8[::1], f8, f8, f8, f8, i8)")
def _rest(
    gyr: FloatArray, memory: FloatArray, b: float, a: float, spread: float, mean: float, enough: int
) -> tuple[int, bool]:
    for i in range(len(gyr)):
        power = slow = 0.0
        for k in range(4):
            x = gyr[i, k] if k < 3 else power
            smooth = b * x + memory[k]
            memory[k] = b * x - a * smooth
            if k < 3:
                power += x * x
                slow += smooth * smooth
            else:
                power = smooth
        if power - slow < spread and slow < mean:
            memory[_COUNT] += 1.0
            for k in range(3):
                memory[_SUM + k] += gyr[i, k]
            if memory[_COUNT] == enough:
                return i + 1, True
        else:
            memory[_COUNT:] = 0.0
    return len(gyr), False
