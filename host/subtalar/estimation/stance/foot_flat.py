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
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW

_SEARCH_S = 0.5
"""The stillest instants are sought in this much of the rest's beginning and end."""
_MEMORY = 0.3
"""Weight of the newest swing in what counts as typical."""
NOTHING, LASTS, ENDED, GOES_ON = 0, 1, 2, 3
"""What a row shows of a rest: nothing new, that one lasts, that it ended, that one which lasts still goes on."""

FOOT_FLAT = np.dtype(
    [
        ("b", "f8", (3,)),
        ("a", "f8", (2,)),
        ("force_weight", "f8"),
        ("most_unrest", "f8"),
        ("least_rest", "f8"),
        ("rest_share", "f8"),
        ("least_move", "f8"),
        ("move_share", "f8"),
        ("span_rows", "f8"),
        ("shortest_rest_rows", "f8"),
        ("again_rows", "i8"),
        ("memory", "f8", (2,)),
        ("start_row", "i8"),
        ("swing_power", "f8"),
        ("typical_power", "f8"),
        ("resting", "b1"),
        ("reported", "b1"),
    ]
)
"""Constants: the low-pass filter, what disturbs a rest beside turning, levels of squared rate, lengths in rows. State:
the filter's memory, where the present rest began, the highest power since the last one, that of a typical swing,
whether the foot rests, and whether that was reported."""

REST_POWER = np.dtype([("unrest", "f8"), ("smooth", "f8")])
"""Of a row: unrest, and the smoothed squared rate."""


@dataclass(frozen=True)
class FootFlat:
    """Row indices of one rest: its beginning, stillest near its start and end, and the row at which it was known.

    A rest that lasts is reported twice: early, when its start is known (``ended`` False, ``last`` = ``first``), and
    when it ends, with the same ``begin``. ``is_next`` False: at least one before it was missed, and what lies between
    is more than one stride.
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
    and ``report`` what that showed; both change ``filter``.
    """

    def __init__(self, parameters: FootFlatParameters, rate_hz: float, again_s: float = 0.0) -> None:
        """``again_s``: how often ``rest_at`` shows that a rest goes on; 0 for never."""
        p = parameters
        self._span = round(_SEARCH_S * rate_hz)
        self._most_rest = p.max_unrest_rad_s**2
        self._half_window = max(1, round(0.5 * p.window_s * rate_hz))
        low_pass = second_order(p.smoothing_hz / rate_hz)
        self.filter = record(
            FOOT_FLAT,
            b=low_pass[:3],
            a=low_pass[3:],
            force_weight=p.force_weight_rad_s_per_m_s2,
            most_unrest=p.most_unrest_rad_s**2,
            least_rest=p.least_rest_rad_s**2,
            rest_share=p.rest_fraction**2,
            least_move=p.least_move_rad_s**2,
            move_share=p.move_fraction**2,
            span_rows=self._span,
            shortest_rest_rows=p.shortest_rest_s * rate_hz,
            again_rows=round(again_s * rate_hz),
        )
        self.power = History(REST_POWER)
        self._seen = 0
        self._first: int | None = None
        self._in_air = 0

    def push(self, samples: Records) -> None:
        """Take the next rows (n,)."""
        _powers(samples, self.filter, self.power.room(len(samples)))
        self.power.end += len(samples)

    def next_before(self, row: int) -> FootFlat | None:
        """The next rest that is known strictly before ``row``; None when there is none yet."""
        row = min(row, self.power.end)
        while self._seen < row:
            taken, shown = _scan(self.power.view(self._seen, row), self._seen, self.filter)
            self._seen += taken
            flat = None if shown == NOTHING else self.report(self._seen - 1, shown)
            if flat is not None:
                return flat
        self.forget(row)
        return None

    def forget(self, row: int) -> None:
        """Rows up to ``row`` were fed. A rest may last an hour; only its beginning, which is known then, and its newest
        part matter.
        """
        if self.filter["resting"][0]:
            self.power.forget_before(row - 2 * self._span)

    @property
    def resting_since(self) -> int | None:
        """Row at which the present rest began; None while the foot moves."""
        return int(self.filter["start_row"][0]) if self.filter["resting"][0] else None

    def report(self, row: int, shown: int) -> FootFlat | None:
        """What ``rest_at`` showed at this row; None where the foot was in the air, and the swing goes on."""
        begin = int(self.filter["start_row"][0])
        if shown == LASTS:
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
        highest, typical = float(self.filter["swing_power"][0]), float(self.filter["typical_power"][0])
        if highest > self.filter["least_move"][0]:
            self.filter["typical_power"] = typical + (_MEMORY if typical > 0.0 else 1.0) * (highest - typical)
        self.filter["swing_power"] = 0.0
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


@compiled("(row[::1], filter[::1], power[::1])", row=SENSOR_ROW, filter=FOOT_FLAT, power=REST_POWER)
def _powers(samples: Records, flat: Records, out: Records) -> None:
    for i in range(len(samples)):
        unrest_at(samples[i], flat[0], out[i])


@compiled("(power[::1], i8, filter[::1])", power=REST_POWER, filter=FOOT_FLAT)
def _scan(powers: Records, first: int, flat: Records) -> tuple[int, int]:
    """How many rows, of which the first is stream row ``first``, were taken, and what the last of them showed."""
    for i in range(len(powers)):
        shown = rest_at(powers[i]["smooth"], first + i, flat[0])
        if shown != NOTHING:
            return i + 1, shown
    return len(powers), NOTHING


@inlined
def unrest_at(sample: Record, flat: Record, out: Record) -> None:
    """Unrest and smoothed squared rate of one row: a Butterworth low-pass in direct form II transposed."""
    b, a, memory = flat["b"], flat["a"], flat["memory"]
    x, y, z = quat.vector_of(sample["acc_m_s2"])
    excess = flat["force_weight"] * (np.sqrt(x * x + y * y + z * z) - GRAVITY_M_S2)
    unrest = excess * excess
    x, y, z = quat.vector_of(sample["gyr_rad_s"])
    power = x * x + y * y + z * z
    value = power + min(unrest, flat["most_unrest"])
    smooth = b[0] * value + memory[0]
    memory[0] = b[1] * value - a[0] * smooth + memory[1]
    memory[1] = b[2] * value - a[1] * smooth
    out["unrest"], out["smooth"] = power + unrest, smooth


@inlined
def rest_at(smooth: float, row: int, flat: Record) -> int:
    """What the next row shows: ``NOTHING`` new, that a rest ``LASTS``, ``GOES_ON``, or has ``ENDED``."""
    highest, typical = flat["swing_power"], flat["typical_power"]
    if not flat["resting"]:
        # A rest begins below a share of the highest power so far in this swing.
        highest = max(highest, smooth)
        flat["swing_power"] = highest
        if smooth < max(flat["least_rest"], flat["rest_share"] * max(highest, typical)):
            flat["resting"], flat["reported"] = True, False
            flat["start_row"] = row
        return NOTHING
    rested = row - flat["start_row"]
    if not smooth > max(flat["least_move"], flat["move_share"] * max(typical, highest)):
        if flat["reported"] and flat["again_rows"] > 0 and rested % flat["again_rows"] == 0:
            return GOES_ON
        if flat["reported"] or rested < flat["span_rows"]:
            return NOTHING
        flat["reported"] = True
        return LASTS
    flat["resting"] = False
    if rested < flat["shortest_rest_rows"]:
        return NOTHING  # the pitch rate passing through zero at initial contact is no rest
    return ENDED


@compiled("(power[::1], i8)", power=REST_POWER)
def _least(powers: Records, n: int) -> tuple[int, float]:
    """Middle of the ``n`` consecutive rows with the least unrest together, and their mean."""
    n = min(n, len(powers))
    total = np.zeros(len(powers) + 1)
    for i in range(len(powers)):
        total[i + 1] = total[i] + powers[i]["unrest"]
    best = 0
    for i in range(len(total) - n):
        if total[i + n] - total[i] < total[best + n] - total[best]:
            best = i
    return best + n // 2, (total[best + n] - total[best]) / n
