"""The floor of ``arrival − device time``: a slowly bending curve below nine tenths of each second's least delayed.

The least delay that ever occurred would be the wrong support: a radio that sends in turns shows the same least delay
for a minute, then once, by a hair, one that is milliseconds shorter; one of two sensors then seems milliseconds late,
and the line over the two rare points is tilted, too. A low quantile (Koenker & Bassett 1978, doi 10.2307/1913643) is
where both sensors agree, and its expected value differs from the least by a tenth of the scatter. Found by
reweighted least squares (Schlossmacher 1973, doi 10.1080/01621459.1973.10481436), begun where the last second ended.
The memory is many minutes long, for delays that wander as the beat of a radio's turns with the samples does; so the
curve has to bend as far as crystals do with the temperature, and what is older counts less.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.parameters import ClockParameters
from subtalar.types import FloatArray


class ArrivalFloor:
    """Offset (s), its slope and its bend (1/s) at a device time, from the bins up to there."""

    def __init__(self, parameters: ClockParameters) -> None:
        p = self._p = parameters
        self._curve = np.zeros(3)
        self._at_s = np.nan
        self._slope = np.array([0.0, p.drift_sd])
        """What the slope is expected to be, and how surely (standard deviation)."""

    @property
    def slope(self) -> float:
        """The drift at the newest fit."""
        return float(self._curve[1])

    def begin_anew(self) -> None:
        """The offset is void; the crystal is the same."""
        if np.isfinite(self._at_s):
            self._slope = np.array([self._curve[1], self._p.drift_again_sd])
            self._curve[2] = 0.0
        self._at_s = np.nan

    def fit(self, bins: FloatArray, now_s: float) -> tuple[float, float]:
        """Slope and intercept of the tangent at ``now_s``; ``bins`` (n, 2): device time, least offset of each."""
        p = self._p
        if np.isnan(self._at_s):
            self._curve[0] = bins[-1, 1]
        else:
            step_s = now_s - self._at_s
            self._curve[0] += self._curve[1] * step_s + 0.5 * self._curve[2] * step_s**2
            self._curve[1] += self._curve[2] * step_s
            # From far above, the rounds would come down by a part of the way each.
            if bins[-1, 1] < self._curve[0] - p.far_scatters * p.scatter_s:
                self._curve[0] = bins[-1, 1]
        self._at_s = now_s
        rule = np.array([p.floor_quantile, p.fade_s, p.scatter_s, p.finest_s, p.drift_change_sd_hz])
        _fit(bins, now_s, rule, self._slope, p.floor_rounds, self._curve)
        slope = min(max(self.slope, -p.max_drift), p.max_drift)
        return slope, float(self._curve[0]) - slope * now_s


@compiled("(f8[:,::1], f8, f8[::1], f8[::1], i8, f8[::1])")
def _fit(
    bins: FloatArray, now_s: float, rule: FloatArray, expected: FloatArray, rounds: int, curve: FloatArray
) -> None:
    """Improve ``curve`` (offset, slope, bend at ``now_s``).

    Least is the sum of pinball losses over the scatter, weighed by age, and of half the squares of slope and bend over
    their standard deviations.
    """
    quantile, fade_s, scatter_s, finest_s, bend_sd = rule
    n = len(bins)
    about = bins[n - 1, 1]  # offsets may be days: keep the digits
    weight = np.empty(n)
    for i in range(n):
        weight[i] = np.exp((bins[i, 0] - now_s) / fade_s) / scatter_s
    o, s, c = curve[0] - about, curve[1], curve[2]
    slope_weight, bend_weight = expected[1] ** -2, bend_sd**-2
    for _ in range(rounds):
        a00 = a01 = a02 = a12 = b0 = 0.0
        a11, b1 = slope_weight, slope_weight * expected[0]
        a22, b2 = bend_weight, 0.0
        for i in range(n):
            x, y = bins[i, 0] - now_s, bins[i, 1] - about
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
    curve[0], curve[1], curve[2] = o + about, s, c
