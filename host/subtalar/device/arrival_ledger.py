"""What became of the samples, where nothing but their arrival tells: an estimate, and a careful one.

A sample cannot arrive before it was measured, so arrival time minus sample number times period has a lower envelope
that only the rate error of the sensor's clock tilts. Jitter, batching and a busy host push points up and let them fall
back; a notification that never came lifts the envelope by whole periods for good. A lift is taken for a loss only if

* the least delay of each of three spells lies above the greatest of the three spells before,
* by more than the envelope is seen to wander, and by more than half a notification,
* and it is not one of a regular series: the sensor's clock beating against the radio's connection interval makes the
  envelope a saw, whose teeth look like losses but come evenly.

So a loss is counted some seconds late, and taken back if it turns out to have been a tooth. Losses so frequent that no
spell is without one look like a slower clock and are missed in part.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar.types import FloatArray

from .device_time_ledger import Counts

_SPELL_S: Final = 0.5
_MIN_NOTIFICATIONS: Final = 4
_SIDE: Final = 3
_HISTORY: Final = 40
_ENOUGH: Final = 10
_MAX_RATE_ERROR: Final = 0.015
_OTHER_RATE: Final = 0.1
_UNBROKEN_QUANTILE: Final = 0.3
_NOISE_FACTOR: Final = 4.0
_LEAST_STEP: Final = 0.6

_HOLD_S: Final = 15.0
_TEETH: Final = 5
_EVEN: Final = 0.2
_BEAT_LASTS_TEETH: Final = 10.0


@dataclass
class _Lift:
    """A rise of the envelope by ``size`` periods."""

    at_s: float
    size: int
    is_settled: bool = False
    counted: int = 0


class ArrivalLedger:
    """Estimates losses from arrivals alone. ``take`` is cheap; the judgement falls about twice a second."""

    def __init__(self, nominal_rate_hz: float) -> None:
        self._period_s = 1.0 / nominal_rate_hz
        self._counts = Counts()
        self._last_arrival_s: float | None = None
        self._was_down = False
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._number = 0
        self._first_arrival_s, self._first_number = 0.0, 0
        self._spell_end_s: float | None = None
        self._spell_notifications = 0
        self._spell_least = (0.0, np.inf)
        self._least: deque[tuple[float, float]] = deque(maxlen=_HISTORY)
        self._sizes: deque[int] = deque(maxlen=32)
        self._lifts: deque[_Lift] = deque(maxlen=64)
        self._beat_until_s = -np.inf

    def counts(self) -> Counts:
        """A copy of the counters; ``lost`` is an estimate and may go down when it proves mistaken."""
        return Counts(**vars(self._counts))

    def reconnected(self) -> None:
        """The link was down: what would have come since the last sample counts as lost when the next one arrives."""
        self._begin_epoch()
        self._was_down = True

    def take(self, n: int, arrival_s: float) -> None:
        """``n`` samples arrived together at ``arrival_s``."""
        if self._was_down and self._last_arrival_s is not None:
            self._counts.lost += max(round((arrival_s - self._last_arrival_s) / self._period_s) - n, 0)
        self._was_down = False
        self._last_arrival_s = arrival_s
        self._counts.received += n
        self._number += n
        if self._spell_end_s is None:
            self._first_arrival_s, self._first_number = arrival_s, self._number
            self._spell_end_s = arrival_s + _SPELL_S
        # The last sample of a notification has waited least.
        delay_s = arrival_s - self._number * self._period_s
        if delay_s < self._spell_least[1]:
            self._spell_least = (arrival_s, delay_s)
        self._spell_notifications += 1
        if arrival_s >= self._spell_end_s and self._spell_notifications >= _MIN_NOTIFICATIONS:
            self._sizes.append(n)
            self._least.append(self._spell_least)
            self._spell_end_s, self._spell_notifications, self._spell_least = arrival_s + _SPELL_S, 0, (0.0, np.inf)
            self._judge_spells()

    def _judge_spells(self) -> None:
        n = len(self._least)
        if n < _ENOUGH:
            return
        if n == _ENOUGH:
            if self._runs_at_another_rate():
                return
            for at in range(_SIDE, n - _SIDE):
                self._judge(at)
        self._judge(n - _SIDE)
        self._count_lifts()

    def _slopes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        times, least = np.array(self._least).T
        return times, least, np.diff(least) / np.maximum(np.diff(times), 1e-3)

    def _runs_at_another_rate(self) -> bool:
        """No clock is so wrong: the device keeps another rate than it was told. Begin again with the measured one."""
        _, _, slopes = self._slopes()
        if abs(float(np.quantile(slopes, _UNBROKEN_QUANTILE))) < _OTHER_RATE or self._last_arrival_s is None:
            return False
        period_s = (self._last_arrival_s - self._first_arrival_s) / (self._number - self._first_number)
        self._begin_epoch()
        self._period_s = period_s
        return True

    def _judge(self, at: int) -> None:
        """Whether the envelope is lifted between the spells ``at - 1`` and ``at``."""
        times, least, slopes = self._slopes()
        # Losses only ever add to a rise: the tilt is read from the spells that rose least.
        tilt = float(np.clip(np.quantile(slopes, _UNBROKEN_QUANTILE), -_MAX_RATE_ERROR, _MAX_RATE_ERROR))
        level = least - tilt * (times - times[at])
        rises = np.diff(level)
        wander = 1.4826 * float(np.median(np.abs(rises - np.median(rises))))
        step = level[at : at + _SIDE].min() - level[at - _SIDE : at].max()
        notification_s = float(np.median(self._sizes)) * self._period_s
        if step > max(_LEAST_STEP * notification_s, _NOISE_FACTOR * wander):
            lost = max(round(step / self._period_s), 1)
            self._lifts.append(_Lift(float(times[at]), lost))
            # The envelope is lowered again whether or not this proves to be a loss: each lift is seen once.
            self._number += lost
            for i in range(at, len(least)):
                self._least[i] = (self._least[i][0], self._least[i][1] - lost * self._period_s)

    def _is_sawtooth(self, lifts: list[_Lift]) -> bool:
        """Even gaps, and no steeper than a wrong clock can make it."""
        if len(lifts) < _TEETH:
            return False
        gaps = np.diff([lift.at_s for lift in lifts])
        slope = sum(lift.size for lift in lifts[1:]) * self._period_s / gaps.sum()
        return bool(gaps.std() < _EVEN * gaps.mean() and slope < 2 * _MAX_RATE_ERROR)

    def _count_lifts(self) -> None:
        now_s = self._least[-1][0]
        last = list(self._lifts)[-_TEETH:]
        if self._is_sawtooth(last):
            gaps = np.diff([lift.at_s for lift in last])
            self._beat_until_s = now_s + _BEAT_LASTS_TEETH * float(gaps.mean())
            for lift in last:
                self._settle(lift, 0)
        for lift in self._lifts:
            if now_s <= self._beat_until_s:
                lift.is_settled = True
            elif not lift.is_settled and now_s - lift.at_s > _HOLD_S:
                self._settle(lift, lift.size)

    def _settle(self, lift: _Lift, lost: int) -> None:
        self._counts.lost += lost - lift.counted
        lift.is_settled, lift.counted = True, lost
