"""Foot-flat: where in each stance the foot comes to rest, found causally from its angular rate alone.

The smoothed squared rate must fall below a rest level and later rise above a move level (Schmitt trigger, both
relative to the swing's own peak, so that slow and fast gait share one rule; the energy criterion is that of the
zero-velocity detectors compared by Skog et al. 2010, doi 10.1109/TBME.2010.2060723). The rest is reported when it
ends, at heel rise, with two instants: the stillest near its beginning (end of the stride before) and the stillest near
its end (start of the stride to come); in walking they are one, after standing they are far apart.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.history import History
from subtalar.estimation.parameters import FootFlatParameters
from subtalar.types import FloatArray

_SEARCH_S = 0.5
"""The stillest instants are sought in this much of the rest's beginning and end."""
_MEMORY = 0.3
"""Weight of the newest swing in what counts as typical."""


@dataclass(frozen=True)
class FootFlat:
    """Row indices of one rest: its beginning, stillest near its start and end, and the row at which it was known.

    A rest that lasts is told twice: early, when its start is known (``ended`` False, ``last`` = ``first``), and when it
    ends, with the same ``begin``.
    """

    begin: int
    first: int
    last: int
    detected: int
    ended: bool


class FootFlatDetector:
    """Feed the foot's angular rate row by row, in blocks of any size; ask for the next rest in order."""

    def __init__(self, parameters: FootFlatParameters, rate_hz: float) -> None:
        self._p = parameters
        self._rate_hz = rate_hz
        self._sos = butter(2, parameters.smoothing_hz, fs=rate_hz, output="sos")
        self._zi: FloatArray | None = None
        self._power = History(2)  # unrest, smoothed squared rate
        self._seen = 0
        self._resting = False
        self._rest_start = 0
        self._swing_power = 0.0
        self._typical_power = 0.0
        self._first: int | None = None

    def push(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
        """Take angular rate and specific force (n, 3) of the next rows."""
        if len(gyr_rad_s) == 0:
            return
        force = np.sqrt(acc_m_s2[:, 0] ** 2 + acc_m_s2[:, 1] ** 2 + acc_m_s2[:, 2] ** 2)
        unrest = (self._p.force_weight_rad_s_per_m_s2 * (force - GRAVITY_M_S2)) ** 2
        power = gyr_rad_s[:, 0] ** 2 + gyr_rad_s[:, 1] ** 2 + gyr_rad_s[:, 2] ** 2
        if self._zi is None:
            self._zi = np.zeros((self._sos.shape[0], 2))
        smooth, self._zi = sosfilt(self._sos, power + np.minimum(unrest, self._p.most_unrest_rad_s**2), zi=self._zi)
        rows = np.empty((len(power), 2))
        rows[:, 0], rows[:, 1] = power + unrest, smooth
        self._power.append(rows)

    def next_before(self, row: int) -> FootFlat | None:
        """The next rest that is known strictly before ``row``; None when there is none yet."""
        row = min(row, self._power.end)
        while self._seen < row:
            smooth = self._power.view(self._seen, row)[:, 1]
            if not self._resting:
                self._while_moving(smooth)
            elif (flat := self._while_resting(smooth)) is not None:
                return flat
        return None

    def _while_moving(self, smooth: FloatArray) -> None:
        """Look for the beginning of a rest: below a share of the highest power so far in this swing."""
        highest = np.maximum.accumulate(np.maximum(smooth, self._swing_power))
        reference = np.maximum(highest, self._typical_power)
        level = np.maximum(self._p.least_rest_rad_s**2, self._p.rest_fraction**2 * reference)
        hits = np.flatnonzero(smooth < level)
        stop = int(hits[0]) + 1 if len(hits) else len(smooth)
        self._swing_power = float(highest[stop - 1])
        self._seen += stop
        if len(hits):
            self._resting = True
            self._rest_start = self._seen - 1
            self._first = None

    def _while_resting(self, smooth: FloatArray) -> FootFlat | None:
        """Look for the end of the rest."""
        reference = max(self._typical_power, self._swing_power)
        level = max(self._p.least_move_rad_s**2, self._p.move_fraction**2 * reference)
        hits = np.flatnonzero(smooth > level)
        lasting = self._rest_start + round(_SEARCH_S * self._rate_hz)
        known = self._seen + (int(hits[0]) if len(hits) else len(smooth))
        if self._first is None and known > lasting:
            self._first = self._stillest(self._rest_start, lasting)
            self._seen = lasting + 1
            return FootFlat(self._rest_start, self._first, self._first, lasting, ended=False)
        if len(hits) == 0:
            self._seen = known
            # A rest may last an hour; only its beginning, which is known, and its newest part matter.
            self._power.forget_before(known - 2 * round(_SEARCH_S * self._rate_hz))
            return None
        end = known
        self._seen = end + 1
        self._resting = False
        if end - self._rest_start < self._p.shortest_rest_s * self._rate_hz:
            return None  # the pitch rate passing through zero at initial contact is no rest
        flat = self._report(end)
        if self._swing_power > self._p.least_move_rad_s**2:
            weight = _MEMORY if self._typical_power > 0.0 else 1.0
            self._typical_power += weight * (self._swing_power - self._typical_power)
        self._swing_power = 0.0
        return flat

    def _report(self, end: int) -> FootFlat:
        span = round(_SEARCH_S * self._rate_hz)
        begin = self._rest_start
        first = self._stillest(begin, min(end, begin + span)) if self._first is None else self._first
        last = self._stillest(max(begin, end - span), end)
        self._power.forget_before(end - span)
        return FootFlat(begin, first, last, end, ended=True)

    def _stillest(self, start: int, stop: int) -> int:
        """Row in [start, stop) around which the mean unrest over ``window_s`` is least.

        A foot may also turn slowly in the air before it lands; only on the ground does it feel just gravity.
        """
        half = max(1, round(0.5 * self._p.window_s * self._rate_hz))
        lo = max(self._power.first, start - half)
        power = self._power.view(lo, stop)[:, 0]
        n = min(2 * half + 1, len(power))
        total = np.concatenate(([0.0], np.cumsum(power)))
        means = total[n:] - total[:-n]
        return lo + int(np.argmin(means)) + n // 2
