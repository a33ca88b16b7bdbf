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


@dataclass(frozen=True)
class FootFlat:
    """Row indices of one rest: its beginning, stillest near its start and end, and the row at which it was known."""

    begin: int
    first: int
    last: int
    detected: int
    swing_peak_rad_s: float


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
        self._swing_peak = 0.0
        self._typical_peak = 0.0

    def push(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
        """Take angular rate and specific force (n, 3) of the next rows."""
        if len(gyr_rad_s) == 0:
            return
        force = np.sqrt(acc_m_s2[:, 0] ** 2 + acc_m_s2[:, 1] ** 2 + acc_m_s2[:, 2] ** 2)
        unrest = (self._p.force_weight_rad_s_per_m_s2 * (force - GRAVITY_M_S2)) ** 2
        power = gyr_rad_s[:, 0] ** 2 + gyr_rad_s[:, 1] ** 2 + gyr_rad_s[:, 2] ** 2
        if self._zi is None:
            self._zi = np.zeros((self._sos.shape[0], 2))
        smooth, self._zi = sosfilt(self._sos, power, zi=self._zi)
        rows = np.empty((len(power), 2))
        rows[:, 0], rows[:, 1] = power + unrest, smooth
        self._power.append(rows)

    def next_before(self, row: int) -> FootFlat | None:
        """The next rest that is known strictly before ``row``; None when there is none yet."""
        row = min(row, self._power.end)
        while self._seen < row:
            smooth = self._power.view(self._seen, row)[:, 1]
            rest_level, move_level = self._levels()
            if self._resting:
                hits = np.flatnonzero(smooth > move_level)
                if len(hits) == 0:
                    self._seen = row
                    break
                end = self._seen + int(hits[0])
                self._seen = end + 1
                self._resting = False
                if end - self._rest_start < self._p.shortest_rest_s * self._rate_hz:
                    continue  # the pitch rate passing through zero at initial contact is no rest
                flat = self._report(end)
                self._typical_peak += 0.3 * (self._swing_peak - self._typical_peak) if self._typical_peak else 0.0
                self._typical_peak = self._typical_peak or self._swing_peak
                self._swing_peak = 0.0
                return flat
            hits = np.flatnonzero(smooth < rest_level)
            stop = int(hits[0]) + 1 if len(hits) else len(smooth)
            self._swing_peak = max(self._swing_peak, float(np.sqrt(max(0.0, smooth[:stop].max()))))
            if len(hits):
                self._resting = True
                self._rest_start = self._seen + int(hits[0])
            self._seen += stop
        return None

    def _levels(self) -> tuple[float, float]:
        peak = max(self._typical_peak, self._swing_peak)
        rest = max(self._p.least_rest_rad_s, self._p.rest_fraction * peak)
        move = max(self._p.least_move_rad_s, self._p.move_fraction * peak)
        return rest**2, move**2

    def _report(self, end: int) -> FootFlat:
        span = round(0.5 * self._rate_hz)
        begin = max(self._rest_start, self._power.first)
        first = self._stillest(begin, min(end, begin + span))
        last = self._stillest(max(begin, end - span), end)
        self._power.forget_before(end - span)
        return FootFlat(begin, first, last, end, self._swing_peak)

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
