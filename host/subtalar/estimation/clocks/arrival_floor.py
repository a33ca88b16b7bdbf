"""The floor of ``arrival − device time``: a slowly bending curve below nine tenths of each second's least delayed.

The least delay that ever occurred would be the wrong support: a radio that sends in turns shows the same least delay
for a minute, then once, by a hair, one that is milliseconds shorter; one of two sensors then seems milliseconds late,
and the line over the two rare points is tilted, too. A low quantile (Koenker & Bassett 1978, doi 10.2307/1913643) is
where both sensors agree, and its expected value differs from the least by a tenth of the scatter. Found by
reweighted least squares (Schlossmacher 1973, doi 10.1080/01621459.1973.10481436), begun where the last second ended.
The memory is many minutes long, for delays that wander as the beat of a radio's turns with the samples does; so the
curve has to bend as far as crystals do with the temperature, and what is older counts less.
"""

from typing import NamedTuple

import numpy as np

from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records, record
from subtalar.estimation.parameters import ClockParameters
from subtalar.types import FloatArray

FLOOR_RULE = np.dtype(
    [("quantile", "f8"), ("fade_s", "f8"), ("scatter_s", "f8"), ("finest_s", "f8"), ("bend_sd_hz", "f8")]
)


class FloorCurve(NamedTuple):
    """Offset, slope and bend of the floor at an instant."""

    offset_s: float
    slope: float
    bend_hz: float


class ArrivalFloor:
    """Offset (s), its slope and its bend (1/s) at a device time, from the bins up to there."""

    def __init__(self, parameters: ClockParameters) -> None:
        p = self._p = parameters
        self._curve = FloorCurve(0.0, 0.0, 0.0)
        self._at_s = np.nan
        self._expected_slope, self._expected_slope_sd = 0.0, p.drift_sd
        self._rule = record(
            FLOOR_RULE,
            quantile=p.floor_quantile,
            fade_s=p.fade_s,
            scatter_s=p.scatter_s,
            finest_s=p.finest_s,
            bend_sd_hz=p.drift_change_sd_hz,
        )

    @property
    def slope(self) -> float:
        """The drift at the newest fit."""
        return self._curve.slope

    def begin_anew(self) -> None:
        """The offset is void; the crystal is the same."""
        if np.isfinite(self._at_s):
            self._expected_slope, self._expected_slope_sd = self._curve.slope, self._p.drift_again_sd
            self._curve = self._curve._replace(bend_hz=0.0)
        self._at_s = np.nan

    def fit(self, device_s: FloatArray, offset_s: FloatArray, now_s: float) -> tuple[float, float]:
        """Slope and intercept of the tangent at ``now_s``, by device time and least offset (n,) of each second."""
        p, newest_s = self._p, float(offset_s[-1])
        at_s, slope, bend_hz = self._curve
        if np.isnan(self._at_s):
            at_s = newest_s
        else:
            step_s = now_s - self._at_s
            at_s += slope * step_s + 0.5 * bend_hz * step_s**2
            slope += bend_hz * step_s
            # From far above, the rounds would come down by a part of the way each.
            if newest_s < at_s - p.far_scatters * p.scatter_s:
                at_s = newest_s
        self._at_s = now_s
        expected = self._expected_slope, self._expected_slope_sd
        found = _fit(device_s, offset_s, now_s, self._rule, expected, p.floor_rounds, (at_s, slope, bend_hz))
        self._curve = FloorCurve(*found)
        slope = min(max(self.slope, -p.max_drift), p.max_drift)
        return slope, self._curve.offset_s - slope * now_s


@compiled("(f8[::1], f8[::1], f8, rule[::1], UniTuple(f8, 2), i8, UniTuple(f8, 3))", rule=FLOOR_RULE)
def _fit(
    device_s: FloatArray,
    offset_s: FloatArray,
    now_s: float,
    rule: Records,
    expected: tuple[float, float],
    rounds: int,
    curve: tuple[float, float, float],
) -> tuple[float, float, float]:
    """A better ``curve`` at ``now_s``; ``expected`` are the slope and its standard deviation.

    Least is the sum of pinball losses over the scatter, weighed by age, and of half the squares of slope and bend over
    their standard deviations.
    """
    quantile, finest_s = rule[0]["quantile"], rule[0]["finest_s"]
    n = len(device_s)
    about = offset_s[n - 1]  # offsets may be days: keep the digits
    weight = np.empty(n)
    for i in range(n):
        weight[i] = np.exp((device_s[i] - now_s) / rule[0]["fade_s"]) / rule[0]["scatter_s"]
    o, s, c = curve[0] - about, curve[1], curve[2]
    slope_weight, bend_weight = expected[1] ** -2, rule[0]["bend_sd_hz"] ** -2
    for _ in range(rounds):
        a00 = a01 = a02 = a12 = b0 = 0.0
        a11, b1 = slope_weight, slope_weight * expected[0]
        a22, b2 = bend_weight, 0.0
        for i in range(n):
            x, y = device_s[i] - now_s, offset_s[i] - about
            f = 0.5 * x * x
            above = y - (o + s * x + c * f)
            w = weight[i] * (quantile if above > 0.0 else 1.0 - quantile) / max(abs(above), finest_s)
            a00 += w
            a01 += w * x
            a02 += w * f
            a11 += w * x * x
            a12 += w * x * f
            a22 += w * f * f
            b0 += w * y
            b1 += w * x * y
            b2 += w * f * y
        c11, c12, c22 = a11 - a01 * a01 / a00, a12 - a01 * a02 / a00, a22 - a02 * a02 / a00
        d1, d2 = b1 - a01 * b0 / a00, b2 - a02 * b0 / a00
        det = c11 * c22 - c12 * c12
        s, c = (d1 * c22 - d2 * c12) / det, (d2 * c11 - d1 * c12) / det
        o = (b0 - a01 * s - a02 * c) / a00
    return o + about, s, c
