"""Lost samples made visible, and series brought to one clock, without inventing anything in a gap."""

import numpy as np

from subtalar.types import FloatArray

_LONGEST_STEP = 1.5
"""In periods: more than that from one sample to the next is a gap."""


class GapRows:
    """Rows in order of time, with a row of NaN in place of each lost one: for formats whose rows are evenly spaced.

    How many are missing follows from the step and the nominal rate. ``time_s`` of such a row divides the gap evenly.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._last_s: float | None = None

    def fill(self, time_s: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Times (m,) and rows (m, k) from times (n,) and rows (n, k), n ≤ m; what came before is remembered."""
        if len(time_s) == 0:
            return time_s, rows
        steps = np.diff(time_s, prepend=time_s[:1] if self._last_s is None else self._last_s)
        self._last_s = float(time_s[-1])
        missing = np.where(
            steps > _LONGEST_STEP * self._period_s, np.maximum(np.rint(steps / self._period_s) - 1.0, 1.0), 0.0
        ).astype(np.int64)
        if not missing.any():
            return time_s, rows
        at = np.arange(len(time_s)) + np.cumsum(missing)
        out = np.full((int(at[-1]) + 1, rows.shape[1]), np.nan)
        out[at] = rows
        times = np.empty(len(out))
        times[at] = time_s
        for k in np.flatnonzero(missing):
            count = int(missing[k])
            share = np.arange(1, count + 1) / (count + 1)
            times[at[k] - count : at[k]] = time_s[k] - steps[k] * (1.0 - share)
        return times, out


def on_grid(grid_s: FloatArray, time_s: FloatArray, rows: FloatArray, rate_hz: float) -> FloatArray:
    """Rows (n, k) at ascending ``time_s`` (n,), brought to other instants (m,) along straight lines: (m, k).

    Only between two neighbours with values that are no gap apart; NaN elsewhere.
    """
    out = np.full((len(grid_s), rows.shape[1]), np.nan)
    if len(time_s) == 0:
        return out
    right, left, share, inside = neighbours(grid_s, time_s, rate_hz)
    out[inside] = rows[left] + share[:, None] * (rows[right] - rows[left])
    return out


def neighbours(
    grid_s: FloatArray, time_s: FloatArray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray, FloatArray, np.ndarray]:
    """Right and left neighbour and the share of the right one, of the instants ``inside`` (m,) that have both.

    Neighbours in ascending ``time_s`` (n,), n > 0, that are no gap apart at ``rate_hz``.
    """
    right = np.searchsorted(time_s, grid_s, side="left")
    exact = (right < len(time_s)) & (time_s[np.minimum(right, len(time_s) - 1)] == grid_s)
    left = np.where(exact, right, right - 1)
    valid = (left >= 0) & (right < len(time_s))
    step = np.where(valid, time_s[np.minimum(right, len(time_s) - 1)] - time_s[np.maximum(left, 0)], np.inf)
    inside = valid & (step <= _LONGEST_STEP / rate_hz)
    right, left, step = right[inside], left[inside], step[inside]
    share = np.where(step > 0, (grid_s[inside] - time_s[left]) / np.where(step > 0, step, 1.0), 0.0)
    return right, left, share, inside


def nearest(grid_s: FloatArray, time_s: FloatArray, rate_hz: float) -> np.ndarray:
    """Index of the sample at ascending ``time_s`` (n,) that is nearest to each instant (m,); −1 where it is further
    than half a period of ``rate_hz`` (and a hundredth, for clocks that drift) away.
    """
    if len(time_s) == 0:
        return np.full(len(grid_s), -1)
    right = np.clip(np.searchsorted(time_s, grid_s), 0, len(time_s) - 1)
    left = np.maximum(right - 1, 0)
    best = np.where(np.abs(time_s[left] - grid_s) <= np.abs(time_s[right] - grid_s), left, right)
    return np.where(np.abs(time_s[best] - grid_s) <= 0.51 / rate_hz, best, -1)
