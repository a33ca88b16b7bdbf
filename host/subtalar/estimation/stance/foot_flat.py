"""Foot-flat: where in each stance the foot comes to rest, found causally from its angular rate alone.

The smoothed squared rate must fall below a rest level and later rise above a move level (Schmitt trigger, both
relative to the swing's own peak, so that slow and fast gait share one rule; the energy criterion is that of the
zero-velocity detectors compared by Skog et al. 2010, doi 10.1109/TBME.2010.2060723). The rest is reported when it
ends, at heel rise, with two instants: the stillest near its beginning (end of the stride before) and the stillest near
its end (start of the stride to come); in walking they are one, after standing they are far apart. A runner's foot may
turn slowly in the air, too: there it is as good as weightless, and not at rest.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.low_pass import second_order
from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.rows.motion import ACC, GYR
from subtalar.types import FloatArray

_SEARCH_S = 0.5
"""The stillest instants are sought in this much of the rest's beginning and end."""
_MEMORY = 0.3
"""Weight of the newest swing in what counts as typical."""
NOTHING, LASTS, ENDED = 0, 1, 2
_RESTING, _START, _SWING, _TYPICAL, _TOLD = 2, 3, 4, 5, 6
_GYR, _ACC = GYR.start, ACC.start


@dataclass(frozen=True)
class FootFlat:
    """Row indices of one rest: its beginning, stillest near its start and end, and the row at which it was known.

    A rest that lasts is told twice: early, when its start is known (``ended`` False, ``last`` = ``first``), and when it
    ends, with the same ``begin``. ``is_next`` False: at least one before it was missed, and what lies between is more
    than one stride.
    """

    begin: int
    first: int
    last: int
    detected: int
    ended: bool
    is_next: bool = True


class FootFlatDetector:
    """Feed the foot's rows in blocks of any size; ask for the next rest in order.

    A compiled loop over rows may do the feeding itself: ``unrest_at`` for each row into ``power``, then ``rest_at``,
    and ``report`` what that told; both change ``state`` (7,) by ``rule`` (13,).
    """

    def __init__(self, parameters: FootFlatParameters, rate_hz: float) -> None:
        p = parameters
        self._span = round(_SEARCH_S * rate_hz)
        self._most_rest = p.max_unrest_rad_s**2
        self._half_window = max(1, round(0.5 * p.window_s * rate_hz))
        levels = p.least_rest_rad_s**2, p.rest_fraction**2, p.least_move_rad_s**2, p.move_fraction**2
        low_pass = second_order(p.smoothing_hz / rate_hz)
        weight, most = p.force_weight_rad_s_per_m_s2, p.most_unrest_rad_s**2
        self.rule = np.array([*low_pass, weight, most, *levels, self._span, p.shortest_rest_s * rate_hz])
        self.state = np.zeros(7)
        self.power = History(2)
        """Unrest, smoothed squared rate."""
        self._seen = 0
        self._first: int | None = None
        self._in_air = 0

    def push(self, samples: FloatArray) -> None:
        """Take the next rows (n, ``motion.WIDTH`` or more)."""
        _powers(samples, self.state, self.rule, self.power.room(len(samples)))
        self.power.end += len(samples)

    def next_before(self, row: int) -> FootFlat | None:
        """The next rest that is known strictly before ``row``; None when there is none yet."""
        row = min(row, self.power.end)
        while self._seen < row:
            taken, told = _scan(self.power.view(self._seen, row), self._seen, self.state, self.rule)
            self._seen += taken
            flat = None if told == NOTHING else self.report(self._seen - 1, told)
            if flat is not None:
                return flat
        self.forget(row)
        return None

    def forget(self, row: int) -> None:
        """Rows up to ``row`` were fed. A rest may last an hour; only its beginning, which is known then, and its newest
        part matter.
        """
        if self.state[_RESTING]:
            self.power.forget_before(row - 2 * self._span)

    def report(self, row: int, told: int) -> FootFlat | None:
        """What ``rest_at`` told at this row; None where the foot was in the air, and the swing goes on."""
        begin = int(self.state[_START])
        if told == LASTS:
            self._first, _ = self._stillest(begin, row)
            return FootFlat(begin, self._first, self._first, row, ended=False, is_next=self._swung_once())
        if self._first is None:
            first, unrest = self._stillest(begin, min(row, begin + self._span))
            if unrest > self._most_rest:
                self._in_air += 1
                self.power.forget_before(row - self._span)
                return None
        else:
            first, self._first = self._first, None
        highest, typical = self.state[_SWING], self.state[_TYPICAL]
        if highest > self.rule[9]:
            self.state[_TYPICAL] += (_MEMORY if typical > 0.0 else 1.0) * (highest - typical)
        self.state[_SWING] = 0.0
        last, _ = self._stillest(max(begin, row - self._span), row)
        self.power.forget_before(row - self._span)
        return FootFlat(begin, first, last, row, ended=True, is_next=self._swung_once())

    def _swung_once(self) -> bool:
        """Whether the foot was as high as it comes but once since the last rest."""
        times, self._in_air = self._in_air, 0
        return times <= 1

    def _stillest(self, start: int, stop: int) -> tuple[int, float]:
        """Row in [start, stop) around which the mean unrest over ``window_s`` is least, and that unrest.

        A foot may also turn slowly in the air before it lands; only on the ground does it feel just gravity.
        """
        lo = max(self.power.first, start - self._half_window)
        row, unrest = _least(self.power.view(lo, stop), 2 * self._half_window + 1)
        return lo + row, unrest


@compiled("(f8[:,::1], f8[::1], f8[::1], f8[:,::1])")
def _powers(samples: FloatArray, state: FloatArray, rule: FloatArray, out: FloatArray) -> None:
    for i in range(len(samples)):
        out[i, 0], out[i, 1] = unrest_at(samples, i, state, rule)


@compiled("(f8[:,::1], i8, f8[::1], f8[::1])")
def _scan(powers: FloatArray, first: int, state: FloatArray, rule: FloatArray) -> tuple[int, int]:
    """How many rows, of which the first is stream row ``first``, were taken, and what the last of them told."""
    for i in range(len(powers)):
        told = rest_at(powers[i, 1], first + i, state, rule)
        if told != NOTHING:
            return i + 1, told
    return len(powers), NOTHING


@inlined
def unrest_at(samples: FloatArray, i: int, state: FloatArray, rule: FloatArray) -> tuple[float, float]:
    """Unrest and smoothed squared rate in one row: a Butterworth low-pass in direct form II transposed."""
    x, y, z = quat.vector_at(samples, i, _ACC)
    excess = rule[5] * (np.sqrt(x * x + y * y + z * z) - GRAVITY_M_S2)
    unrest = excess * excess
    x, y, z = quat.vector_at(samples, i, _GYR)
    power = x * x + y * y + z * z
    value = power + min(unrest, rule[6])
    smooth = rule[0] * value + state[0]
    state[0] = rule[1] * value - rule[3] * smooth + state[1]
    state[1] = rule[2] * value - rule[4] * smooth
    return power + unrest, smooth


@inlined
def rest_at(smooth: float, row: int, state: FloatArray, rule: FloatArray) -> int:
    """What the next row tells: ``NOTHING`` new, that a rest ``LASTS``, or that it has ``ENDED``."""
    highest, typical = state[_SWING], state[_TYPICAL]
    if not state[_RESTING]:
        # A rest begins below a share of the highest power so far in this swing.
        highest = max(highest, smooth)
        state[_SWING] = highest
        if smooth < max(rule[7], rule[8] * max(highest, typical)):
            state[_RESTING], state[_START], state[_TOLD] = 1.0, row, 0.0
        return NOTHING
    rested = row - state[_START]
    if not smooth > max(rule[9], rule[10] * max(typical, highest)):
        if state[_TOLD] or rested < rule[11]:
            return NOTHING
        state[_TOLD] = 1.0
        return LASTS
    state[_RESTING] = 0.0
    if rested < rule[12]:
        return NOTHING  # the pitch rate passing through zero at initial contact is no rest
    return ENDED


@compiled("(f8[:,::1], i8)")
def _least(powers: FloatArray, n: int) -> tuple[int, float]:
    """Middle of the ``n`` consecutive rows with the least unrest together, and their mean."""
    n = min(n, len(powers))
    total = np.zeros(len(powers) + 1)
    for i in range(len(powers)):
        total[i + 1] = total[i] + powers[i, 0]
    best = 0
    for i in range(len(total) - n):
        if total[i + n] - total[i] < total[best + n] - total[best]:
            best = i
    return best + n // 2, (total[best + n] - total[best]) / n
