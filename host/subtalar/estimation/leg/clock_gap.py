"""Clocks of the two sensors that are far apart: rival to "one sits on the other leg", from the motion of both.

Foot and shank of one leg turn together, whatever the gait. Where their rates agree only with one of them moved in time,
either its clock is that far off, or it sits on the other leg, which does the same half a stride later; where the lag is
half a stride nothing tells the two apart.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import PlacementParameters
from subtalar.types import FloatArray

_STEP_S = 0.01
_SMOOTH = 5


@dataclass(frozen=True)
class ClockGap:
    """How much later the shank's clock shows an instant, and whether the other leg explains it as well."""

    offset_s: float
    could_be_other_leg: bool


def clock_gap(foot: Records, shank: Records, parameters: PlacementParameters) -> ClockGap | None:
    """From both sensors' newest rows (n,), (m,); None where no lag makes them agree."""
    p = parameters
    first_s, last_s = max(foot["time_s"][0], shank["time_s"][0]), min(foot["time_s"][-1], shank["time_s"][-1])
    t = np.arange(first_s, last_s, _STEP_S)
    if len(t) < 3 * p.longest_clock_gap_s / _STEP_S:
        return None
    a, b = (_vigour(rows, t) for rows in (foot, shank))
    most = round(p.longest_clock_gap_s / _STEP_S)
    lags = np.arange(-most, most + 1)
    agree = np.array([_correlation(a, b, int(k)) for k in lags])
    best = int(np.argmax(agree))
    if agree[best] < p.least_agreement:
        return None
    # The stride's time: where the foot agrees with itself again.
    own = np.array([_correlation(a, a, k) for k in range(round(0.5 / _STEP_S), round(2.5 / _STEP_S))])
    half_stride_s = 0.5 * (0.5 + _STEP_S * int(np.argmax(own)))
    offset_s = float(lags[best] * _STEP_S)
    return ClockGap(offset_s, abs(abs(offset_s) - half_stride_s) < p.half_stride_share * half_stride_s)


def _vigour(rows: Records, t: FloatArray) -> FloatArray:
    """Smoothed magnitude of the angular rate at instants (n,)."""
    gyr = rows["gyr_rad_s"]
    size = np.interp(t, rows["time_s"], np.sqrt(gyr[:, 0] ** 2 + gyr[:, 1] ** 2 + gyr[:, 2] ** 2))
    return np.convolve(size, np.ones(_SMOOTH) / _SMOOTH, "same")


def _correlation(a: FloatArray, b: FloatArray, lag: int) -> float:
    """Of ``a`` with ``b`` as many steps later."""
    n = len(a) - abs(lag)
    x, y = a[max(0, -lag) : max(0, -lag) + n], b[max(0, lag) : max(0, lag) + n]
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 1e-9 else 0.0
