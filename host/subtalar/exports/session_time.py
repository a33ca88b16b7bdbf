"""When each sample was measured, on the session clock: as the estimator tells it, to the last bit."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from subtalar.estimation import Parameters
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.session.interleave import cut
from subtalar.types import FloatArray, SampleBlock, SensorInfo

_SILENCE_S, _DOUBT_S = 1.0, 10.0
"""Wider than what the estimator goes by: where there is nothing to doubt, asking costs time and changes nothing."""


@dataclass(frozen=True)
class TimedBlock:
    """Samples and when they were measured: ``time_s`` (n,) on the session clock.

    NaN where the estimator leaves a sample out: one that repeats another, or holds what no foot can reach.
    """

    samples: SampleBlock
    time_s: FloatArray

    def used(self) -> "TimedBlock":
        """Only the samples with a time."""
        keep = np.isfinite(self.time_s)
        if keep.all():
            return self
        s = self.samples
        return TimedBlock(
            SampleBlock(
                s.site,
                None if s.device_time_s is None else s.device_time_s[keep],
                None if s.host_time_s is None else s.host_time_s[keep],
                s.acc_m_s2[keep],
                s.gyr_rad_s[keep],
            ),
            self.time_s[keep],
        )


class SessionTimes:
    """One sensor. A block comes back when all its samples have their times: the clock lags by up to a second."""

    def __init__(self, info: SensorInfo) -> None:
        self._p = Parameters()
        self._stream = SensorStream(info, self._p)
        self._waiting: deque[tuple[SampleBlock, np.ndarray]] = deque()
        self._times = np.empty(0)
        self._newest_device_s = -np.inf
        self._arrived_s = np.inf
        self._silent_until_s = -np.inf

    def push(self, block: SampleBlock) -> list[TimedBlock]:
        """Take the sensor's next samples; the blocks that are now known, in their order."""
        if len(block) == 0:
            return []
        self._waiting.append((block, self._kept(block)))
        return self._known()

    def finish(self) -> list[TimedBlock]:
        """No more samples: the rest."""
        self._stream.finish()
        return self._known()

    def _kept(self, block: SampleBlock) -> np.ndarray:
        """Which samples (n,) the estimator uses.

        It tells how many it left out, not which; where there may be any it is asked sample by sample. Its output does
        not depend on the cutting.
        """
        kept = np.ones(len(block), dtype=bool)
        if not self._doubtful(block):
            before = self._left_out
            self._stream.push(block)
            assert self._left_out == before
            return kept
        for k in range(len(block)):
            before = self._left_out
            self._stream.push(cut(block, k, k + 1))
            kept[k] = self._left_out == before
        return kept

    @property
    def _left_out(self) -> int:
        return self._stream.counts.repeated + self._stream.counts.unusable

    def _doubtful(self, block: SampleBlock) -> bool:
        p = self._p
        # Written so that NaN is doubtful.
        sound = bool(
            (np.abs(block.acc_m_s2) < p.most_acc_m_s2).all() and (np.abs(block.gyr_rad_s) < p.most_gyr_rad_s).all()
        )
        if block.host_time_s is not None:
            sound = sound and bool(np.isfinite(block.host_time_s).all())
            if block.device_time_s is None:
                sound = sound and not self._after_silence(block.host_time_s)
        if block.device_time_s is not None:
            steps = np.diff(block.device_time_s, prepend=self._newest_device_s)
            sound = sound and bool((steps > 0).all() and np.isfinite(block.device_time_s).all())
            if np.isfinite(block.device_time_s).any():
                back = np.flatnonzero(steps < -1.0)
                newest = float(np.nanmax(block.device_time_s[back[-1] if len(back) else 0 :]))
                self._newest_device_s = newest if len(back) else max(self._newest_device_s, newest)
        return not sound

    def _after_silence(self, host_time_s: FloatArray) -> bool:
        """Of a sensor without a clock, what was held up while its link was silent may be left out when it comes."""
        steps = np.diff(host_time_s, prepend=self._arrived_s)
        silent = np.flatnonzero(steps > _SILENCE_S)
        if len(silent):
            self._silent_until_s = float(host_time_s[silent[-1]])
        self._arrived_s = float(host_time_s[-1])
        return len(silent) > 0 or bool((host_time_s < self._silent_until_s + _DOUBT_S).any())

    def _known(self) -> list[TimedBlock]:
        rows = self._stream.rows
        fresh = rows.view(rows.first, rows.end)
        times = fresh["time_s"][fresh["real"] > 0]
        rows.forget_before(rows.end)
        self._times = np.concatenate((self._times, times)) if len(times) else self._times
        found = []
        while self._waiting:
            block, kept = self._waiting[0]
            count = int(kept.sum())
            if count > len(self._times):
                break
            self._waiting.popleft()
            time_s = np.full(len(block), np.nan)
            time_s[kept] = self._times[:count]
            self._times = self._times[count:]
            found.append(TimedBlock(block, time_s))
        return found
