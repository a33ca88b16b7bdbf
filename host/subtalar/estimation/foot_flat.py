"""Foot-flat: where in each stance the foot comes to rest, found causally from its angular rate alone.

The smoothed squared rate must fall below a rest level and later rise above a move level (Schmitt trigger, both
relative to the swing's own peak, so that slow and fast gait share one rule; the energy criterion is that of the
zero-velocity detectors compared by Skog et al. 2010, doi 10.1109/TBME.2010.2060723). The rest is reported when it
ends, at heel rise, with two instants: the stillest near its beginning (end of the stride before) and the stillest near
its end (start of the stride to come); in walking they are one, after standing they are far apart.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.compiled import compiled
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
        self._sos = np.ascontiguousarray(butter(2, parameters.smoothing_hz, fs=rate_hz, output="sos")[0])
        self._memory = np.zeros(2)
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
        p = self._p
        # Columns of a wider table come in strides, and one row of it does not: one kind for one compilation.
        gyr, acc = np.ascontiguousarray(gyr_rad_s), np.ascontiguousarray(acc_m_s2)
        weight, most = p.force_weight_rad_s_per_m_s2, p.most_unrest_rad_s**2
        self._power.append(_powers(gyr, acc, self._sos, self._memory, weight, most))

    def next_before(self, row: int) -> FootFlat | None:
        """The next rest that is known strictly before ``row``; None when there is none yet."""
        row = min(row, self._power.end)
        while self._seen < row:
            fresh = self._power.view(self._seen, row)
            if not self._resting:
                self._while_moving(fresh)
            elif (flat := self._while_resting(fresh)) is not None:
                return flat
        return None

    def _while_moving(self, fresh: FloatArray) -> None:
        """Look for the beginning of a rest: below a share of the highest power so far in this swing."""
        p = self._p
        stop, found, self._swing_power = _settles(
            fresh, self._swing_power, self._typical_power, p.least_rest_rad_s**2, p.rest_fraction**2
        )
        self._seen += stop
        if found:
            self._resting = True
            self._rest_start = self._seen - 1
            self._first = None

    def _while_resting(self, fresh: FloatArray) -> FootFlat | None:
        """Look for the end of the rest."""
        reference = max(self._typical_power, self._swing_power)
        level = max(self._p.least_move_rad_s**2, self._p.move_fraction**2 * reference)
        quiet = _rises(fresh, level)
        lasting = self._rest_start + round(_SEARCH_S * self._rate_hz)
        known = self._seen + quiet
        if self._first is None and known > lasting:
            self._first = self._stillest(self._rest_start, lasting)
            self._seen = lasting + 1
            return FootFlat(self._rest_start, self._first, self._first, lasting, ended=False)
        if quiet == len(fresh):
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
        return lo + _least(self._power.view(lo, stop), 2 * half + 1)


@compiled("(f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8, f8)")
def _powers(
    gyr_rad_s: FloatArray, acc_m_s2: FloatArray, sos: FloatArray, memory: FloatArray, weight: float, most: float
) -> FloatArray:
    """Unrest and smoothed squared rate (n, 2): a Butterworth low-pass in direct form II transposed."""
    out = np.empty((len(gyr_rad_s), 2))
    for i in range(len(gyr_rad_s)):
        x, y, z = acc_m_s2[i, 0], acc_m_s2[i, 1], acc_m_s2[i, 2]
        excess = weight * (np.sqrt(x * x + y * y + z * z) - GRAVITY_M_S2)
        unrest = excess * excess
        x, y, z = gyr_rad_s[i, 0], gyr_rad_s[i, 1], gyr_rad_s[i, 2]
        power = x * x + y * y + z * z
        value = power + min(unrest, most)
        smooth = sos[0] * value + memory[0]
        memory[0] = sos[1] * value - sos[4] * smooth + memory[1]
        memory[1] = sos[2] * value - sos[5] * smooth
        out[i, 0] = power + unrest
        out[i, 1] = smooth
    return out


@compiled("(f8[:,::1], f8, f8, f8, f8)")
def _settles(powers: FloatArray, highest: float, typical: float, least: float, share: float) -> tuple[int, bool, float]:
    """Rows up to and with the first below the rest level, whether there is one, the highest power up to there."""
    for i in range(len(powers)):
        smooth = powers[i, 1]
        highest = max(highest, smooth)
        if smooth < max(least, share * max(highest, typical)):
            return i + 1, True, highest
    return len(powers), False, highest


@compiled("(f8[:,::1], f8)")
def _rises(powers: FloatArray, level: float) -> int:
    """Rows before the first above the level."""
    i = 0
    while i < len(powers) and not powers[i, 1] > level:
        i += 1
    return i


@compiled("(f8[:,::1], i8)")
def _least(powers: FloatArray, n: int) -> int:
    """Middle of the ``n`` consecutive rows with the least unrest together."""
    n = min(n, len(powers))
    total = np.zeros(len(powers) + 1)
    for i in range(len(powers)):
        total[i + 1] = total[i] + powers[i, 0]
    best = 0
    for i in range(len(total) - n):
        if total[i + n] - total[i] < total[best + n] - total[best]:
            best = i
    return best + n // 2
