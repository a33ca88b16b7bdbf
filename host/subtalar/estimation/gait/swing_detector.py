"""Swings of the shank from its angular rate about the medio-lateral axis, found causally.

In swing the shank turns forward fastest: a peak above 50 °/s marks it (Salarian et al. 2004,
doi 10.1109/TBME.2004.827933). Around it the events are read as from the foot (``gait_events``): foot off where the
backward turning before the swing has fallen to half, initial contact at the shock after it. The shank follows the foot
loosely; both events are less exact than from a foot sensor.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.gait.gait_events import SwingEvents, events_of_rate
from subtalar.estimation.numerics.history import History
from subtalar.types import FloatArray

_ROW = np.dtype([("time_s", "f8"), ("rate_rad_s", "f8"), ("acc_m_s2", "f8", (3,))])
_LEAST_PEAK_RAD_S = np.radians(50.0)
_SHARE_OF_TYPICAL = 0.4
_MEMORY = 0.3
_CONTACT_S = 0.28
"""The shock of contact follows the end of the forward turning within this."""
_OFF_S = 0.6
"""Foot off precedes the beginning of the forward turning by at most this."""
_HELD_S = 4.0
_LOST_S = 0.2
"""A swing in which that much was lost is none."""


@dataclass(frozen=True)
class Swing:
    """One swing, and the row at which it was known."""

    events: SwingEvents
    detected: int


class SwingDetector:
    """Feed rates row by row in blocks of any size; ask for the next swing in order."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._rows = History(_ROW)
        self._seen = 0
        self._rise: int | None = None
        self._peak = 0.0
        self._typical = 0.0
        self._fall: int | None = None
        self._after_last = 0

    def push(self, time_s: FloatArray, rate_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
        """Take times, rates (n,), + forward swing, and specific force (n, 3)."""
        rows = self._rows.room(len(time_s))
        rows["time_s"], rows["rate_rad_s"], rows["acc_m_s2"] = time_s, rate_rad_s, acc_m_s2
        self._rows.end += len(rows)

    def next_before(self, row: int) -> Swing | None:
        """The next swing known strictly before ``row`` (counted from the first row pushed); None when there is none."""
        row = min(row, self._rows.end)
        while self._seen < row:
            if self._fall is not None:
                due = self._fall + round(_CONTACT_S * self._rate_hz)
                if due >= row:
                    return None
                self._seen = due + 1
                swing = self._swing(due)
                self._rise = self._fall = None
                self._rows.forget_before(due - round(_HELD_S * self._rate_hz))
                if swing is not None:
                    return swing
                continue
            rate = self._rows.view(self._seen, row)["rate_rad_s"]
            if self._rise is None:
                hits = np.flatnonzero(rate > 0)
                self._seen += int(hits[0]) if len(hits) else len(rate)
                if len(hits):
                    self._rise, self._peak = self._seen, 0.0
                else:
                    self._rows.forget_before(self._seen - round(_HELD_S * self._rate_hz))
                continue
            falls = np.flatnonzero(rate <= 0)
            stop = int(falls[0]) if len(falls) else len(rate)
            self._peak = max(self._peak, float(rate[:stop].max(initial=0.0)))
            self._seen += stop
            if len(falls):
                if self._peak > max(_LEAST_PEAK_RAD_S, _SHARE_OF_TYPICAL * self._typical):
                    self._fall = self._seen
                else:
                    self._rise = None
        return None

    def _swing(self, due: int) -> Swing | None:
        assert self._rise is not None
        assert self._fall is not None
        weight = _MEMORY if self._typical > 0.0 else 1.0
        self._typical += weight * (self._peak - self._typical)
        first = max(self._rise - round(_OFF_S * self._rate_hz), self._after_last, self._rows.first)
        self._after_last = self._fall
        rows = self._rows.view(first, due + 1)
        t, rate, acc = rows["time_s"], rows["rate_rad_s"], rows["acc_m_s2"]
        if t[-1] - t[0] > (due - first) / self._rate_hz + _LOST_S:
            return None
        events = events_of_rate(t, rate, acc)
        return None if events is None else Swing(events, due)
