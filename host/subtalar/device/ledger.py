"""What became of the samples, where every sample carries the device's own time: exact."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar.protocol import InertialSamples
from subtalar.types import IntArray

_PERIOD_WINDOW: Final = 128
_PERIOD_FIRST: Final = 16
_MOST_BEATS: Final = 8192
_SAME_RATE: Final = 0.1
_JUMP_US: Final = 5_000_000
"""A step this much beyond what the host's clock has seen is no gap but a clock that jumped, or damage."""
_BACK_US: Final = 1_000_000
"""A step back by more than this is a restart (or damage); by less, a sample that came late."""
_CONFIRM_US: Final = 1_000_000


@dataclass
class Counts:
    """Counters that only grow. ``lost_over_restarts`` is the part of ``lost`` that only the host's clock tells."""

    received: int = 0
    lost: int = 0
    duplicated: int = 0
    implausible: int = 0
    clock_restarts: int = 0
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
    otherwise the one sample was damaged and is dropped. Where it restarted while the link was down, what would have
    come meanwhile counts as lost, by the host's clock: a hole in the data is a hole, whoever made it.
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
        self._down_since_s: float | None = None
        self._counts = Counts()

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
        if self._down_since_s is None and self._last_us is not None:
            self._down_since_s = self._last_arrival_s

    def take(self, batch: InertialSamples, arrival_s: float) -> list[InertialSamples]:
        """Account for a batch that arrived at ``arrival_s``; what of it is good, split where the clock restarted."""
        if self._held is not None:
            batch, self._held = _joined(self._held, batch), None
        time_us = batch.device_time_us
        if time_us is None:
            raise ValueError("this ledger needs device times")
        steps = np.diff(time_us, prepend=time_us[0] if self._last_us is None else self._last_us)
        first = self._last_us is None
        allowed_us = _JUMP_US + (0.0 if first else 1e6 * max(arrival_s - self._last_arrival_s, 0.0))
        self._last_arrival_s = arrival_s
        restarts = self._counts.clock_restarts
        good = self._take(batch, time_us, steps, first, allowed_us)
        if good and self._down_since_s is not None:
            if self._counts.clock_restarts > restarts:
                missed = round((arrival_s - self._down_since_s) * 1e6 / self.period_us) - sum(map(len, good))
                self._counts.lost += max(missed, 0)
                self._counts.lost_over_restarts += max(missed, 0)
            self._down_since_s = None
        return good

    def _take(
        self, batch: InertialSamples, time_us: IntArray, steps: IntArray, first: bool, allowed_us: float
    ) -> list[InertialSamples]:
        ordinary = (steps > 0) & (steps <= allowed_us)
        ordinary[0] |= first
        if ordinary.all():
            self._account(steps[1:] if first else steps, len(time_us))
            self._last_us = int(time_us[-1])
            return [batch]
        return self._take_one_by_one(batch, time_us, allowed_us)

    def _take_one_by_one(self, batch: InertialSamples, time_us: IntArray, allowed_us: float) -> list[InertialSamples]:
        runs: list[list[int]] = [[]]
        n = len(time_us)
        i = 0
        while i < n:
            now = int(time_us[i])
            step = None if self._last_us is None else now - self._last_us
            if step is None or 0 < step <= allowed_us:
                self._account(np.array([] if step is None else [step], np.int64), 1)
            elif -_BACK_US <= step <= 0:
                self._counts.duplicated += 1
                i += 1
                continue
            elif i + 1 == n:
                self._held = _part(batch, [i])
                break
            elif 0 < int(time_us[i + 1]) - now <= _CONFIRM_US:
                self._counts.clock_restarts += 1
                self._counts.received += 1
                runs.append([])
            else:
                self._counts.implausible += 1
                i += 1
                continue
            self._last_us = now
            runs[-1].append(i)
            i += 1
        return [_part(batch, run) for run in runs if run]

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


def _part(batch: InertialSamples, rows: list[int]) -> InertialSamples:
    times = batch.device_time_us
    return InertialSamples(None if times is None else times[rows], batch.acc_m_s2[rows], batch.gyr_rad_s[rows])


def _joined(a: InertialSamples, b: InertialSamples) -> InertialSamples:
    if a.device_time_us is None or b.device_time_us is None:
        raise ValueError("this ledger needs device times")
    return InertialSamples(
        np.concatenate([a.device_time_us, b.device_time_us]),
        np.concatenate([a.acc_m_s2, b.acc_m_s2]),
        np.concatenate([a.gyr_rad_s, b.gyr_rad_s]),
    )
