"""One sensor from raw blocks to rows on the session clock with inclination: the streaming front end.

Inclination is VQF's six-axis quaternion (Laidig & Seel 2023), fed at the sensor's own rate. Lost samples up to
``longest_bridge_s`` are filled by interpolation so that the integration keeps its time, and flagged.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vqf import VQF

from subtalar.estimation.clock import SensorClock
from subtalar.estimation.history import History
from subtalar.estimation.parameters import Parameters
from subtalar.types import FloatArray, SampleBlock, SensorInfo

# Columns of the rows that this stage delivers.
TIME, ARRIVAL, Q, GYR, ACC, REAL, CLIPPED, STEP = 0, 1, slice(2, 6), slice(6, 9), slice(9, 12), 12, 13, 14
WIDTH = 15
"""STEP: session seconds since the previous row; a gap shows as a large step."""

_RAW_TIME, _RAW_ARRIVAL, _RAW_ACC, _RAW_GYR, _RAW_EPOCH, _RAW_WIDTH = 0, 1, slice(2, 5), slice(5, 8), 8, 9
_BACKWARD_RESTART_S = 1.0
_FORWARD_RESTART_S = 2.0
_CLIP_SHARE = 0.998


@dataclass
class StreamCounts:
    """What happened to the samples of one sensor."""

    received: int = 0
    bridged: int = 0
    gaps: int = 0
    repeated: int = 0
    unusable: int = 0
    clock_restarts: int = 0
    clipped: int = 0


class SensorStream:
    """Feed blocks of any size; rows appear in ``rows`` once the clock is known (one second at the start)."""

    def __init__(self, info: SensorInfo, parameters: Parameters) -> None:
        self.info = info
        self.rows = History(WIDTH)
        self.counts = StreamCounts()
        self._p = parameters
        self._raw = History(_RAW_WIDTH)
        self._done = 0
        self._clock: SensorClock | None = None
        self._period_s = 1.0 / info.rate_hz
        self._vqf: VQF | None = None
        self._samples_counted = 0
        self._epoch = 0
        self._first_device_s: float | None = None
        self._newest_device_s = -np.inf
        self._newest_arrival_s = -np.inf
        self._device_shift_s = 0.0
        self._last_raw: FloatArray | None = None
        self._last_time_s = 0.0

    @property
    def end_time_s(self) -> float:
        """Session time of the newest row; minus infinity before the first."""
        return self._last_time_s if self.rows.end else -np.inf

    @property
    def holding(self) -> bool:
        """Samples have come, but their clock is not known yet."""
        return self._clock is not None and not self._clock.ready

    @property
    def end_arrival_s(self) -> float:
        """Arrival of the newest sample that was pushed."""
        return self._newest_arrival_s

    def push(self, block: SampleBlock) -> None:
        """Take a block; every row that its data decide is delivered."""
        n = len(block)
        if n == 0:
            return
        self.counts.received += n
        counted = block.device_time_s is None
        if self._clock is None:
            self._clock = SensorClock(self._p.clock, counted=counted)
        if block.device_time_s is not None:
            device = block.device_time_s
        else:
            device = (self._samples_counted + np.arange(n, dtype=np.float64)) * self._period_s
        self._samples_counted += n
        if self._first_device_s is None:
            self._first_device_s = float(device[0])
        # Without arrivals all that can be said is that the sensors were started together.
        arrival = device - self._first_device_s if block.host_time_s is None else block.host_time_s
        raw = np.empty((n, _RAW_WIDTH))
        raw[:, _RAW_TIME] = device
        raw[:, _RAW_TIME] += self._device_shift_s
        raw[:, _RAW_ARRIVAL] = arrival
        raw[:, _RAW_ACC], raw[:, _RAW_GYR] = block.acc_m_s2, block.gyr_rad_s
        raw[:, _RAW_EPOCH] = self._epoch
        measured = np.isfinite(raw).all(axis=1)
        measured &= np.abs(raw[:, _RAW_ACC]).max(axis=1) < self._p.most_acc_m_s2
        measured &= np.abs(raw[:, _RAW_GYR]).max(axis=1) < self._p.most_gyr_rad_s
        if not measured.all():
            # What is no number, or no foot can reach, is a lost sample: it must not stay in the filters' memory.
            raw = raw[measured]
            self.counts.unusable += n - len(raw)
            if len(raw) == 0:
                return
        self._raw.append(self._one_way(raw))
        self._drain(final=False)

    def finish(self) -> None:
        """No more samples: deliver what was still held back."""
        self._drain(final=True)

    def _one_way(self, raw: FloatArray) -> FloatArray:
        """Make device time advance: repeats are dropped, a clock that began anew is carried on by the arrivals."""
        device, arrival = raw[:, _RAW_TIME], raw[:, _RAW_ARRIVAL]
        step = device[1:] - device[:-1]
        orderly = bool(np.all((step > 0) & (step <= arrival[1:] - arrival[:-1] + _FORWARD_RESTART_S)))
        # The very first sample has nothing before it to agree with.
        if orderly and np.isfinite(self._newest_device_s):
            first_step = float(device[0]) - self._newest_device_s
            orderly = 0 < first_step <= float(arrival[0]) - self._newest_arrival_s + _FORWARD_RESTART_S
        if not orderly:
            raw = self._one_way_slowly(raw)
        if len(raw):
            self._newest_device_s = float(raw[-1, _RAW_TIME])
            self._newest_arrival_s = float(raw[-1, _RAW_ARRIVAL])
        return raw

    def _one_way_slowly(self, raw: FloatArray) -> FloatArray:
        """The same, row by row, where something is out of order."""
        keep = np.ones(len(raw), dtype=bool)
        newest, arrived, extra = self._newest_device_s, self._newest_arrival_s, 0.0
        for i in range(len(raw)):
            t, a = float(raw[i, _RAW_TIME]) + extra, float(raw[i, _RAW_ARRIVAL])
            if t <= newest - _BACKWARD_RESTART_S or t > newest + (a - arrived) + _FORWARD_RESTART_S:
                carried_on = newest + max(a - arrived, self._period_s)
                if np.isfinite(carried_on):
                    extra += carried_on - t
                    t = carried_on
                    self._epoch += 1
                    self.counts.clock_restarts += 1
            elif t <= newest:
                keep[i] = False
                self.counts.repeated += 1
                continue
            raw[i, _RAW_TIME], raw[i, _RAW_EPOCH] = t, self._epoch
            newest, arrived = t, a
        self._device_shift_s += extra
        return np.asarray(raw[keep])

    def _drain(self, *, final: bool) -> None:
        """Walk the held rows from knot to knot of the clock."""
        clock = self._clock
        while clock is not None and self._raw.end > self._done:
            raw = self._raw.view(self._done, self._raw.end)
            if clock.epoch != raw[0, _RAW_EPOCH]:
                clock.begin_epoch(int(raw[0, _RAW_EPOCH]))
            same = len(raw)
            if raw[-1, _RAW_EPOCH] != raw[0, _RAW_EPOCH]:
                same = int(np.searchsorted(raw[:, _RAW_EPOCH], raw[0, _RAW_EPOCH], side="right"))
            knot = clock.next_knot(float(raw[0, _RAW_TIME]))
            inside = int(np.searchsorted(raw[:same, _RAW_TIME], knot, side="left"))
            complete = inside < len(raw)
            if not clock.ready and not complete and not final:
                return
            if inside:
                offsets = raw[:inside, _RAW_ARRIVAL] - raw[:inside, _RAW_TIME]
                best = int(np.argmin(offsets))
                clock.learn(float(raw[best, _RAW_TIME]), float(offsets[best]))
                if not clock.ready:
                    clock.start(float(raw[0, _RAW_TIME]))
                    self._begin_inclination(raw[:inside])
                self._deliver(raw[:inside], clock)
                self._done += inside
                self._raw.forget_before(self._done)
            if complete and inside < same:
                clock.close_bin()

    def _begin_inclination(self, raw: FloatArray) -> None:
        """Set VQF up with the sensor's measured period."""
        if self._clock is not None and not self._clock.counted and len(raw) > 2:
            self._period_s = float(np.median(np.diff(raw[:, _RAW_TIME])))
        self._vqf = VQF(self._period_s, biasClip=self._p.inclination.bias_clip_deg_s)

    def _deliver(self, raw: FloatArray, clock: SensorClock) -> None:
        """Append rows; after a gap in which the sensor may have turned, inclination starts over from what it feels."""
        start = 0
        for gap in self._unknown_turns(raw):
            if gap > start:
                self._deliver_run(raw[start:gap], clock)
            self._restart_inclination()
            start = gap
        self._deliver_run(raw[start:], clock)

    def _unknown_turns(self, raw: FloatArray) -> list[int]:
        """Indices of rows before which samples were lost while the sensor turned, too many to be bridged."""
        before = self._last_raw
        first = 0.0 if before is None else float(raw[0, _RAW_TIME] - before[_RAW_TIME])
        step = np.concatenate(([first], raw[1:, _RAW_TIME] - raw[:-1, _RAW_TIME]))
        gaps = []
        for k in np.flatnonzero(step > max(self._p.longest_bridge_s, 1.5 * self._period_s)).tolist():
            left = raw[k - 1] if k else before
            assert left is not None
            if not self._calm(float(step[k]), left, raw[k]):
                gaps.append(k)
        return gaps

    def _calm(self, step_s: float, left: FloatArray, right: FloatArray) -> bool:
        limit = self._p.calm_rad_s**2
        turning = max(float(np.sum(left[_RAW_GYR] ** 2)), float(np.sum(right[_RAW_GYR] ** 2)))
        return step_s <= self._p.longest_calm_bridge_s and turning < limit

    def _restart_inclination(self) -> None:
        self.counts.gaps += 1
        if self._vqf is not None:
            bias, sigma = self._vqf.getBiasEstimate()
            self._vqf.resetState()
            self._vqf.setBiasEstimate(np.ascontiguousarray(bias), sigma)

    def _deliver_run(self, raw: FloatArray, clock: SensorClock) -> None:
        """Bridge short losses, run VQF, append rows."""
        filled, real = self._bridged(raw)
        time_s = clock.session_time(filled[:, _RAW_TIME])
        # A sensor without a clock samples a little faster or slower than it says; the turn per sample scales with it.
        scale = clock.rate if clock.counted else 1.0
        gyr = np.ascontiguousarray(filled[:, _RAW_GYR] * scale)
        acc = np.ascontiguousarray(filled[:, _RAW_ACC])
        assert self._vqf is not None
        out = self._vqf.updateBatch(gyr, acc)
        rows = np.empty((len(filled), WIDTH))
        rows[:, TIME] = time_s
        rows[:, ARRIVAL] = filled[:, _RAW_ARRIVAL]
        rows[:, Q] = out["quat6D"]
        rows[:, GYR] = filled[:, _RAW_GYR] - out["bias"] / scale
        rows[:, ACC] = acc
        rows[:, REAL] = real
        touched = clipped(acc, self.info.acc_range_m_s2) | clipped(filled[:, _RAW_GYR], self.info.gyr_range_rad_s)
        rows[:, CLIPPED] = touched
        rows[1:, STEP] = time_s[1:] - time_s[:-1]
        rows[0, STEP] = time_s[0] - self._last_time_s if self.rows.end else 0.0
        self.counts.clipped += int(touched.sum())
        self._last_time_s = float(time_s[-1])
        self._last_raw = raw[-1].copy()
        self.rows.append(rows)

    def _bridged(self, raw: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows with short losses filled by straight lines, and 1 where a row was measured, 0 where filled."""
        before = raw[0] if self._last_raw is None else self._last_raw
        step = np.empty(len(raw))
        step[0] = raw[0, _RAW_TIME] - before[_RAW_TIME]
        step[1:] = raw[1:, _RAW_TIME] - raw[:-1, _RAW_TIME]
        losses = np.flatnonzero(step > 1.5 * self._period_s)
        if len(losses) == 0:
            return raw, np.ones(len(raw))
        parts: list[FloatArray] = []
        real: list[FloatArray] = []
        start = 0
        for k in losses.tolist():
            parts.append(raw[start:k])
            real.append(np.ones(k - start))
            start = k
            left = raw[k - 1] if k else before
            if step[k] > self._p.longest_bridge_s and not self._calm(float(step[k]), left, raw[k]):
                continue
            missing = round(float(step[k]) / self._period_s) - 1
            f = (np.arange(1, missing + 1) / (missing + 1))[:, None]
            parts.append(left * (1 - f) + raw[k] * f)
            real.append(np.zeros(missing))
            self.counts.bridged += missing
        parts.append(raw[start:])
        real.append(np.ones(len(raw) - start))
        return np.ascontiguousarray(np.concatenate(parts)), np.concatenate(real)


def clipped(values: npt.NDArray[np.float64], limit: float | None) -> npt.NDArray[np.bool_]:
    """Rows in which any channel touches its range."""
    if limit is None:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(np.abs(values).max(axis=1) >= _CLIP_SHARE * limit)
