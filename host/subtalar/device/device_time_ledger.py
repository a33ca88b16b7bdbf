"""What became of the samples, where every sample carries the device's own time: exact."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar.protocol import InertialSamples
from subtalar.types import IntArray

from .arrival_envelope import ArrivalEnvelope
from .returned_clock import ReturnedClock
from .timed_samples import joined, later_shifted, part_of, shifted, times_of

_PERIOD_WINDOW: Final = 128
_PERIOD_FIRST: Final = 16
_MOST_BEATS: Final = 8192
_SAME_RATE: Final = 0.1
_JUMP_US: Final = 5_000_000
"""A step this much beyond what the host's clock has seen is no gap but a clock that jumped, or damage."""
_BACK_US: Final = 1_000_000
"""A step back by more than this is a restart (or damage); by less, a sample that came late."""
_CONFIRM_US: Final = 1_000_000
_STALE_BATCHES: Final = 3
"""So many batches in a row that are older than the newest sample, and rise at the host's pace, are a clock that was
set back; a late or doubled datagram is followed by newer ones sooner."""


@dataclass
class Counts:
    """Counters. ``lost_over_restarts`` is the part of ``lost`` that only the host's clock tells.

    They only grow, but that samples which prove to be of a clock that jumped are lost or doubled no longer.
    """

    received: int = 0
    lost: int = 0
    duplicated: int = 0
    implausible: int = 0
    clock_restarts: int = 0
    clock_jumps: int = 0
    lost_over_restarts: int = 0


class DeviceTimeLedger:
    """Exact losses from device timestamps: a gap of k periods has cost k - 1 samples.

    The period is measured, since a device may keep another rate than it was told: as the mean of the steps that the
    median of recent ones shows to be single. The median alone is as coarse as the clock, which over a hole of minutes
    is whole samples (10 ms for 10.07 ms with a clock of milliseconds). Until enough steps are seen their gaps wait
    uncounted (``counts()`` then judges them by the nominal period). Where a device that was started again begins in
    mid-period the hole is rounded to whole periods.

    Samples with the time of an earlier one are dropped (a repeated or late datagram). A jump that neither the host's
    clock nor a gap explains is held until the next sample: if that follows the new clock the device restarted,
    otherwise the one sample was damaged and is dropped. Where it restarted, what would have come meanwhile counts as
    lost, by the host's clock: a hole in the data is a hole, whoever made it.

    A clock that jumps by less than a restart (5 s forward, 1 s back) while the device measures on is told from losses
    and late samples by the arrivals (``arrival_envelope.py``), beyond their jitter. The times that are given out stay
    on one axis: what comes after a jump is shifted to follow the beat.
    """

    def __init__(self, nominal_rate_hz: float) -> None:
        self._nominal_us = 1e6 / nominal_rate_hz
        self._steps: deque[int] = deque(maxlen=_PERIOD_WINDOW)
        self._early: list[int] = []
        self._period_us: float | None = None
        self._beats, self._beats_us = 0, 0
        self._last_us: int | None = None
        self._last_arrival_s = 0.0
        self._held: InertialSamples | None = None
        self._envelope = ArrivalEnvelope()
        self._shift_us = 0
        self._stale: list[tuple[InertialSamples, float]] = []
        self._late_gap: tuple[float, float, int] | None = None
        self._returned = ReturnedClock()
        self._is_back = False
        self._last_good_s = 0.0
        self._counts = Counts()
        self.restarts_unannounced = 0
        """Those that left a hole though the link stood."""

    @property
    def period_us(self) -> float:
        """The measured sampling period, nominal until there is one."""
        return self._nominal_us if self._period_us is None else self._period_us

    def counts(self) -> Counts:
        """A copy of the counters, with the gaps of a short stream judged by the nominal period."""
        extra = 0 if self._period_us is not None else _lost_in(np.array(self._early, np.int64), self._nominal_us)
        return Counts(**{**vars(self._counts), "lost": self._counts.lost + extra})

    def reconnected(self) -> None:
        """The link was down since the last sample."""
        self._is_back = self._last_us is not None

    def take(self, batch: InertialSamples, arrival_s: float) -> list[InertialSamples]:
        """Account for a batch that arrived at ``arrival_s``; what of it is good, split where the clock restarted."""
        if self._held is not None:
            batch, self._held = joined([self._held, batch]), None
        batch = self._after_return(shifted(batch, self._shift_us), arrival_s)
        if not len(batch):
            return []
        first = self._last_us is None
        allowed_us = _JUMP_US + (0.0 if first else 1e6 * max(arrival_s - self._last_arrival_s, 0.0))
        self._last_arrival_s = arrival_s
        good_before_s = self._last_good_s
        restarts = self._counts.clock_restarts
        good = self._take(self._after_setback(batch, arrival_s), first, allowed_us, arrival_s)
        if self._counts.clock_restarts > restarts:
            self._count_hole(arrival_s - good_before_s, sum(map(len, good)))
            self._envelope.restart()
        if good:
            self._is_back, self._last_good_s = False, arrival_s
        if good and self._last_us is not None:
            self._find_hidden_jump(arrival_s)
            self._envelope.take(self._last_us, arrival_s)
        return good

    def _after_return(self, batch: InertialSamples, arrival_s: float) -> InertialSamples:
        """What to go on with, maybe nothing yet; a new clock that has overtaken the old one is set back, to show."""
        known = self._is_back and self._envelope.is_catalogued and self._last_us is not None
        if not known or not len(batch) or (times_of(batch)[0] <= self._last_us and not self._returned.waits):
            return batch
        batch, began_anew = self._returned.decide(batch, arrival_s, self._last_good_s, self._envelope.late_s)
        if began_anew and self._last_us is not None:
            by_us = self._last_us - 2 * _BACK_US - int(times_of(batch)[0])
            self._shift_us += by_us
            batch = shifted(batch, by_us)
        return batch

    def _count_hole(self, silent_s: float, came: int) -> None:
        """The device began anew: what would have come while it was silent counts, ``came`` samples of that did.

        Where the link stood all the time, a clock that jumped far looks the same, and no sample need be missing:
        only silence beyond the usual delays tells.
        """
        missed = round(silent_s * 1e6 / self.period_us) - came
        usual_s = self._envelope.latest_s if self._envelope.is_catalogued else 0.0
        if missed > 0 and (self._is_back or missed * self.period_us > 1e6 * usual_s + self.period_us):
            self._counts.lost += missed
            self._counts.lost_over_restarts += missed
            self.restarts_unannounced += not self._is_back

    def _take(self, batch: InertialSamples, first: bool, allowed_us: float, arrival_s: float) -> list[InertialSamples]:
        time_us = times_of(batch)
        if not len(time_us):
            return []
        steps = np.diff(time_us, prepend=time_us[0] if self._last_us is None else self._last_us)
        ordinary = (steps > 0) & (steps <= allowed_us)
        ordinary[0] |= first
        largest_us = int(steps.max())
        if ordinary.all() and (largest_us <= 1.5 * self.period_us or not self._is_early(time_us, arrival_s)):
            before = self._counts.lost
            self._account(steps[1:] if first else steps, len(time_us))
            self._last_us = int(time_us[-1])
            if self._counts.lost > before and self._envelope.is_catalogued:
                self._late_gap = arrival_s, 1e-6 * largest_us, self._counts.lost - before
            return [batch]
        return self._take_one_by_one(batch, allowed_us, arrival_s)

    def _take_one_by_one(self, batch: InertialSamples, allowed_us: float, arrival_s: float) -> list[InertialSamples]:
        runs: list[list[int]] = [[]]
        time_us = times_of(batch)
        is_early = self._is_early(time_us, arrival_s)
        n = len(time_us)
        i = 0
        while i < n:
            now = int(time_us[i])
            step = None if self._last_us is None else now - self._last_us
            is_jump = is_early and step is not None and 1.5 * self.period_us < step <= allowed_us
            if step is None or (0 < step <= allowed_us and not is_jump):
                self._account(np.array([] if step is None else [step], np.int64), 1)
            elif -_BACK_US <= step <= 0:
                self._counts.duplicated += 1
                i += 1
                continue
            elif i + 1 == n:
                self._held = shifted(part_of(batch, [i]), -self._shift_us)
                break
            elif 0 < int(time_us[i + 1]) - now <= _CONFIRM_US:
                self._counts.received += 1
                if is_jump:
                    by_us = self._jumped(now, int(time_us[-1]), arrival_s)
                    batch = later_shifted(batch, i, -by_us)
                    time_us = times_of(batch)
                    self._counts.lost += _lost_in(np.array([(step or 0) - by_us], np.int64), self.period_us)
                    now, is_early = int(time_us[i]), False
                else:
                    self._counts.clock_restarts += 1
                    runs.append([])
            else:
                self._counts.implausible += 1
                i += 1
                continue
            self._last_us = now
            runs[-1].append(i)
            i += 1
        return [part_of(batch, run) for run in runs if run]

    # A clock that jumps -----------------------------------------------------------------------------------

    def _is_early(self, time_us: IntArray, arrival_s: float) -> bool:
        """Whether the newest sample came before it can have been measured, by more than the arrivals scatter."""
        if not self._envelope.is_settled:
            return False
        return self._envelope.late_s(int(time_us[-1]), arrival_s) < -self._margin_s()

    def _margin_s(self) -> float:
        return max(0.5e-6 * self.period_us, self._envelope.usual_late_s[0])

    def _jumped(self, first_us: int, newest_us: int, arrival_s: float) -> int:
        """The clock jumped before the sample ``first_us``: by how much.

        The beat goes on: one period after the last sample, unless the arrivals then came later than they ever do. What
        that leaves out is lost, and for the caller to account for.
        """
        assert self._last_us is not None
        period_us = self.period_us
        steps = 1
        newest_then_us = round(self._last_us + period_us + newest_us - first_us)
        if self._envelope.is_catalogued:
            late_s = self._envelope.late_s(newest_then_us, arrival_s)
            median_s, usual_s = self._envelope.usual_late_s
            if late_s > usual_s + 1e-6 * period_us:
                steps += round((late_s - median_s) * 1e6 / period_us)
        elif self._is_back:  # it was there too shortly to say how late it usually is
            late_s = arrival_s - self._last_good_s - 1e-6 * (newest_then_us - self._last_us)
            steps += max(round(late_s * 1e6 / period_us), 0)
        by_us = first_us - round(self._last_us + steps * period_us)
        self._counts.lost_over_restarts += steps - 1
        self._counts.clock_jumps += 1
        self._shift_us -= by_us
        return by_us

    def _after_setback(self, batch: InertialSamples, arrival_s: float) -> InertialSamples:
        """The batch, or what remains of it and those before where a clock was set back by less than a restart."""
        time_us, last = times_of(batch), self._last_us
        back = np.flatnonzero(np.diff(time_us) <= 0) + 1
        if last is None or not len(time_us):
            return batch
        if len(back):  # the setback may be within the batch
            tail = part_of(batch, list(range(back[-1], len(time_us))))
            newest = max(last, int(time_us[: back[-1]].max()))
            is_stale = newest - _BACK_US <= int(times_of(tail)[0]) and int(times_of(tail)[-1]) <= newest
            self._stale = [(tail, arrival_s)] if is_stale else []
            return batch
        if int(time_us[-1]) > last or int(time_us[0]) < last - _BACK_US:
            self._stale.clear()
            return batch
        if self._stale and int(time_us[0]) <= int(times_of(self._stale[-1][0])[-1]):
            self._stale.clear()  # doubled once more
        self._stale.append((batch, arrival_s))
        if len(self._stale) < _STALE_BATCHES:
            return batch
        first_s = self._stale[0][1]
        parts = [part for part, _ in self._stale]
        told_s = 1e-6 * int(time_us[-1] - times_of(parts[0])[-1])
        if not 0.5 * told_s < arrival_s - first_s < 2.0 * told_s:
            self._stale.pop(0)  # a burst of late ones, so far
            return batch
        self._stale.clear()
        self._counts.duplicated -= sum(map(len, parts[:-1]))
        whole = joined(parts)
        by_us = self._jumped(int(times_of(whole)[0]), int(time_us[-1]), arrival_s)
        return shifted(whole, -by_us)

    def _find_hidden_jump(self, arrival_s: float) -> None:
        """Behind a stall a jump passes for a loss, until what comes after it is early."""
        if self._late_gap is None or self._last_us is None:
            return
        gap_at_s, gap_s, lost = self._late_gap
        if arrival_s - gap_at_s > 1e-6 * _JUMP_US:
            self._late_gap = None
        elif self._envelope.is_settled:
            early_s = -self._envelope.late_s(self._last_us, arrival_s)
            if early_s > self._margin_s() and early_s < gap_s + self._margin_s():
                self._counts.lost -= lost
                self._counts.clock_jumps += 1
                self._envelope.restart()
                self._late_gap = None

    def _account(self, steps: IntArray, n: int) -> None:
        self._counts.received += n
        if not len(steps):
            return
        self._steps.extend(steps[-_PERIOD_WINDOW:].tolist())
        if self._period_us is None:
            self._early.extend(steps.tolist())
            if len(self._early) < _PERIOD_FIRST:
                return
            steps = np.array(self._early, np.int64)
            self._early.clear()
        # A gap is judged by the period before it, unless there is none yet.
        period_us = self._period_us or self._measured(steps)
        if steps.max() > 1.5 * period_us:
            self._counts.lost += _lost_in(steps, period_us)
        self._period_us = self._measured(steps) if self._period_us else period_us

    def _measured(self, steps: IntArray) -> float:
        """The period with these steps taken in."""
        median_us = float(np.median(self._steps))
        single = steps[(steps > 0.5 * median_us) & (steps < 1.5 * median_us)]
        if self._beats and abs(self._beats_us / self._beats / median_us - 1.0) > _SAME_RATE:
            self._beats = self._beats_us = 0  # it samples at another rate now
        self._beats += len(single)
        self._beats_us += int(single.sum())
        if self._beats > _MOST_BEATS:
            self._beats_us = round(self._beats_us * 0.5 * _MOST_BEATS / self._beats)
            self._beats = _MOST_BEATS // 2
        return self._beats_us / self._beats if self._beats else median_us


def _lost_in(steps: IntArray, period_us: float) -> int:
    return int(np.maximum(np.rint(steps / period_us) - 1, 0).sum())
