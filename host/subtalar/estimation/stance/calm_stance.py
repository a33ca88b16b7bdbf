"""The calmest part of one long rest of the foot, and what it is worth as zero: stillness is a matter of sd.

Foot and shank turn a little in any stance. What they turn about its mean makes the mean pose uncertain, less so the
longer it lasts; a steady turn means that the leg is on its way to somewhere else, one that changes that it sways.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import ZeroParameters
from subtalar.types import FloatArray

_LENGTHS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0)
"""Times the shortest stance."""


@dataclass(frozen=True)
class CalmStance:
    """Rows ``start`` to ``stop`` of those that were searched, and the sd of the zero that they give."""

    start: int
    stop: int
    sd_deg: float


def calmest_stance(rows: Records, parameters: ZeroParameters, rate_hz: float) -> CalmStance | None:
    """The part of a leg's ``rows`` (n,) that is worth most as zero; None where none is worth anything."""
    p = parameters
    usable = (rows["gap"] < 1).astype(np.float64)
    turned = [_turned_deg(rows[segment]["gyr_rad_s"], usable, rate_hz) for segment in ("foot", "shank")]
    best: CalmStance | None = None
    for times in _LENGTHS:
        n = round(times * p.shortest_stance_s * rate_hz)
        if n >= len(rows) or times * p.shortest_stance_s > p.longest_stance_s:
            break
        whole = _sums(usable[:, None], n)[:, 0] > n - 0.5
        variance = sum(_variance(t, n, p, rate_hz) for t in turned) + p.least_sd_deg**2
        variance = np.where(whole, variance + (p.brief_deg_s * rate_hz / n) ** 2, np.inf)
        k = int(np.argmin(variance))
        sd_deg = float(np.sqrt(variance[k]))
        if sd_deg < p.most_sd_deg and (best is None or sd_deg < best.sd_deg):
            best = CalmStance(k, k + n, sd_deg)
    return best


def _turned_deg(gyr_rad_s: FloatArray, usable: FloatArray, rate_hz: float) -> FloatArray:
    """How far a segment has turned about each of its axes since the first row (n, 3)."""
    return np.asarray(np.degrees(np.cumsum(np.where(usable[:, None] > 0, gyr_rad_s, 0.0), axis=0)) / rate_hz)


def _variance(turned_deg: FloatArray, n: int, p: ZeroParameters, rate_hz: float) -> FloatArray:
    """What the turning in each run of ``n`` rows adds to the variance of the zero (m,), in square degrees."""
    mean, square = _sums(turned_deg, n) / n, _sums(turned_deg * turned_deg, n) / n
    spread = np.sum(np.maximum(square - mean * mean, 0.0), axis=1)
    independent = max(1.0, n / rate_hz / p.sway_memory_s)
    m, half = len(turned_deg) - n + 1, n // 2
    first, middle, last = (turned_deg[k : k + m] for k in (0, half, n - 1))
    # A leg that sways is at rest where it turns back, too.
    on_the_way = (last - first) * (rate_hz / n * p.per_rate_s)
    turning_back = (last - 2.0 * middle + first) * (rate_hz / half * p.per_rate_s)
    return np.asarray(spread / independent + np.sum(on_the_way**2 + turning_back**2, axis=1))


def _sums(values: FloatArray, n: int) -> FloatArray:
    """Sums over each run of ``n`` rows (m, k) of values (n, k)."""
    total = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    return np.asarray(total[n:] - total[:-n])
