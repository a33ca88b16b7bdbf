"""A gyroscope's bias from the first seconds of rest, for sensors whose rest VQF does not recognise.

VQF learns the bias within seconds where every sample stays within 2 °/s of the slow mean. Sway and the noise of a
cheap gyroscope at 400 Hz together pass that, and its bias of several degrees a second then takes minutes to be learnt
in walking. A wider limit in VQF would take slow movements for bias. So the mean rate over a rest in the wider sense of
quiet standing is used only where VQF's estimate is far from it: further than swaying can turn a leg.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.low_pass import first_order
from subtalar.estimation.numerics.records import Record, record
from subtalar.estimation.parameters import RestingBiasParameters
from subtalar.types import FloatArray

RESTING = np.dtype(
    [
        ("b", "f8"),
        ("a", "f8"),
        ("most_spread", "f8"),
        ("most_mean", "f8"),
        ("rest_rows", "i8"),
        ("memory", "f8", (4,)),
        ("rows", "i8"),
        ("sum_rad_s", "f8", (3,)),
    ]
)
"""Constants: low-pass filter, limits of squared rates, rows that make a rest. State: the filter's memory of three rates
and their squared magnitude, length and sums of the rest so far."""


class RestingBias:
    """``completes_rest`` takes the rows into ``filter``; ``mean_rad_s`` is that of the rest."""

    def __init__(self, parameters: RestingBiasParameters, rate_hz: float) -> None:
        p = parameters
        b, a = first_order(p.smoothing_hz, rate_hz)
        most_spread = p.max_spread_rad_s**2
        self.filter = record(
            RESTING,
            b=b,
            a=a,
            most_spread=most_spread,
            most_mean=p.max_mean_rad_s**2,
            rest_rows=round(p.rest_s * rate_hz),
            memory=[0.0, 0.0, 0.0, most_spread],
        )

    @property
    def mean_rad_s(self) -> FloatArray:
        """Mean rate (3,) over the present rest."""
        return np.asarray(self.filter["sum_rad_s"][0] / max(1.0, float(self.filter["rows"][0])))


@inlined
def completes_rest(gyr_rad_s: FloatArray, i: int, resting: Record) -> bool:
    """Take row ``i`` of the angular rate (n, 3); whether it completes a rest."""
    b, a, memory = resting["b"], resting["a"], resting["memory"]
    power = slow = 0.0
    for k in range(4):
        x = gyr_rad_s[i, k] if k < 3 else power
        smooth = b * x + memory[k]
        memory[k] = b * x - a * smooth
        if k < 3:
            power += x * x
            slow += smooth * smooth
        else:
            power = smooth
    if not (power - slow < resting["most_spread"] and slow < resting["most_mean"]):
        resting["rows"] = 0
        resting["sum_rad_s"][:] = 0.0
        return False
    resting["rows"] += 1
    for k in range(3):
        resting["sum_rad_s"][k] += gyr_rad_s[i, k]
    return bool(resting["rows"] == resting["rest_rows"])
