"""One sensor from raw blocks to rows on the session clock with inclination: the streaming front end.

Inclination is VQF's six-axis quaternion (Laidig & Seel 2023), fed at the sensor's own rate. Lost samples up to
``longest_bridge_s`` are filled by interpolation so that the integration keeps its time, and flagged.
"""

from dataclasses import dataclass

import numpy as np
from vqf import VQF

from subtalar.estimation.clocks.sensor_clock import SensorClock
from subtalar.estimation.inclination.free_turning import FreeTurning, turn_at
from subtalar.estimation.inclination.resting_bias import RestingBias, rested_at
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.history import History
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.motion import ACC, FREE, GYR, TIME, Q
from subtalar.estimation.rows.raw_rows import ACC as _RAW_ACC
from subtalar.estimation.rows.raw_rows import (
    AFTER_GAP,
    FILLED,
    LONGEST_SILENCE_S,
    NEWEST_ARRIVAL,
    bridged,
    one_way,
    order_at_start,
    rows_until,
)
from subtalar.estimation.rows.raw_rows import ARRIVAL as _RAW_ARRIVAL
from subtalar.estimation.rows.raw_rows import CALM as _RAW_CALM
from subtalar.estimation.rows.raw_rows import EPOCH as _RAW_EPOCH
from subtalar.estimation.rows.raw_rows import GYR as _RAW_GYR
from subtalar.estimation.rows.raw_rows import STATE as _RAW_STATE
from subtalar.estimation.rows.raw_rows import TIME as _RAW_TIME
from subtalar.estimation.rows.raw_rows import WIDTH as _RAW_WIDTH
from subtalar.estimation.rows.sensor_rows import ARRIVAL, CLIPPED, REAL, STEP, TURN, WIDTH
from subtalar.types import FloatArray, SampleBlock, SensorInfo

_Q, _GYR, _ACC, _FREE, _TURN = Q.start, GYR.start, ACC.start, FREE.start, TURN.start

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
    """Feed blocks of any size; rows appear in ``rows`` once the clock is known (one second at the start, and again
    after the device's clock began anew: the first to arrive may have waited long).

    Where late arrivals made the session times too late by more than can be steered back, what would fall into the time
    already told is not delivered.
    """

    def __init__(self, info: SensorInfo, parameters: Parameters) -> None:
        self.info = info
        self.rows = History(WIDTH)
        self.counts = StreamCounts()
        self._p = parameters
        self._limits = _limit(info.acc_range_m_s2), _limit(info.gyr_range_rad_s)
        self._held = np.empty((0, _RAW_WIDTH))
        self._clock: SensorClock | None = None
        self._period_s = 1.0 / info.rate_hz
        self._vqf: VQF | None = None
        self._free: FreeTurning | None = None
        self._resting: RestingBias | None = None
        self._samples_counted = 0
        self._first_device_s: float | None = None
        self._order = order_at_start()
        self._last_raw: FloatArray | None = None
        self._last_raw_s = np.inf
        self._last_time_s = 0.0
        self._resume_s = -np.inf
        """Rows up to that session time are not delivered."""

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
        return float(self._order[NEWEST_ARRIVAL])

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
        first_s = self._first_device_s if block.host_time_s is None else np.nan
        raw, kept, unusable, repeated, restarts = one_way(
            _plain(device),
            _plain(device if block.host_time_s is None else block.host_time_s),
            _plain(block.acc_m_s2),
            _plain(block.gyr_rad_s),
            self._order,
            self._period_s,
            first_s,
            self._p.most_acc_m_s2,
            self._p.most_gyr_rad_s,
            self._p.calm_rad_s,
            LONGEST_SILENCE_S if counted else np.inf,
        )
        self.counts.unusable += unusable
        self.counts.repeated += repeated
        self.counts.clock_restarts += restarts
        if kept:
            fresh = raw[:kept]
            self._drain(np.concatenate((self._held, fresh)) if len(self._held) else fresh, -np.inf)

    def advance(self, horizon_s: float) -> None:
        """Nothing that arrived before ``horizon_s`` is still to come."""
        if self._restarted and len(self._held):
            self._drain(self._held, horizon_s)

    def finish(self) -> None:
        """No more samples: deliver what was still held back."""
        self._drain(self._held, np.inf)

    @property
    def _restarted(self) -> bool:
        """The device's clock began anew, and the new one is not known yet."""
        return self._clock is not None and self._clock.epoch > 0 and not self._clock.ready

    def _drain(self, raw: FloatArray, horizon_s: float) -> None:
        """Walk the rows from knot to knot of the clock; until it is known they are held."""
        clock = self._clock
        assert clock is not None or len(raw) == 0
        while clock is not None and len(raw):
            epoch = int(raw[0, _RAW_EPOCH])
            if clock.epoch != epoch:
                clock.begin_epoch(epoch)
            anew = self._restarted
            if anew and not self._begin_anew(raw, clock, horizon_s):
                break
            inside, same, earliest, even = rows_until(
                raw, clock.next_knot(float(raw[0, _RAW_TIME])), self._last_raw_s, 1.5 * self._period_s
            )
            complete = inside < len(raw)
            if not (clock.ready or anew or complete) and horizon_s < np.inf:
                break
            if inside:
                learnt_s = float(raw[earliest, _RAW_TIME])
                clock.learn(learnt_s, float(raw[earliest, _RAW_ARRIVAL]) - learnt_s)
                if not clock.ready:
                    clock.start(float(raw[0, _RAW_TIME]))
                    if self._vqf is None:
                        self._begin_inclination(raw[:inside])
                self._deliver(raw[:inside] if complete else raw, clock, even=even)
            if complete and inside < same and clock.close_bin():
                # A sensor that does not turn misses nothing; in motion two moments must not be joined to one.
                rests = raw[inside, _RAW_CALM] >= self._p.calm_before_s
                self._resume_s = self._last_time_s + (0.0 if rests else self._p.longest_bridge_s)
            raw = raw[inside:]
        self._held = raw

    def _begin_anew(self, raw: FloatArray, clock: SensorClock, horizon_s: float) -> bool:
        """Whether all of the first bin of a new epoch is there: what arrives within ``bin_s`` of its first sample.

        Not within ``bin_s`` of the device's time: on a busy computer all of that may come at once, and late.
        """
        until_s = float(raw[0, _RAW_ARRIVAL]) + self._p.clock.bin_s
        beyond = np.flatnonzero((raw[:, _RAW_ARRIVAL] >= until_s) | (raw[:, _RAW_EPOCH] != clock.epoch))
        if len(beyond) == 0 and horizon_s < until_s:
            return False
        last = int(beyond[0]) - 1 if len(beyond) else len(raw) - 1
        clock.end_first_bin(float(raw[last, _RAW_TIME]) + 0.5 * self._period_s)
        self._resume_s = self._last_time_s
        return True

    def _begin_inclination(self, raw: FloatArray) -> None:
        """Set VQF up with the sensor's measured period."""
        if self._clock is not None and not self._clock.counted and len(raw) > 2:
            self._period_s = float(np.median(np.diff(raw[:, _RAW_TIME])))
        p = self._p.inclination
        self._vqf = VQF(self._period_s, biasClip=p.bias_clip_deg_s)
        self._free = FreeTurning(self._period_s)
        self._resting = RestingBias(self._p.resting_bias, 1.0 / self._period_s)

    def _deliver(self, raw: FloatArray, clock: SensorClock, *, even: bool) -> None:
        """Bridge short losses and append rows; after a gap inclination starts over from what the sensor feels.

        ``even``: no sample is missing.
        """
        before = raw[0] if self._last_raw is None else self._last_raw
        self._last_raw, self._last_raw_s = raw[-1].copy(), float(raw[-1, _RAW_TIME])
        if even:
            self._deliver_run(raw, before, clock)
            return
        p = self._p
        filled, gaps = bridged(
            raw, before, self._period_s, p.longest_bridge_s, p.longest_calm_bridge_s, p.calm_before_s
        )
        self.counts.bridged += len(filled) - len(raw)
        start = 0
        if gaps:
            for gap in np.flatnonzero(filled[:, _RAW_STATE] == AFTER_GAP).tolist():
                if gap > start:
                    self._deliver_run(filled[start:gap], before, clock)
                self._restart_inclination()
                start, before = gap, filled[gap]
        self._deliver_run(filled[start:], before, clock)

    def _restart_inclination(self) -> None:
        self.counts.gaps += 1
        if self._vqf is not None and self._free is not None:
            self._free.restart()
            bias, sigma = self._vqf.getBiasEstimate()
            self._vqf.resetState()
            self._vqf.setBiasEstimate(np.ascontiguousarray(bias), sigma)

    def _deliver_run(self, filled: FloatArray, before: FloatArray, clock: SensorClock) -> None:
        """Run VQF over rows without a gap, which follow the raw row ``before``, and append them."""
        # A sensor without a clock samples a little faster or slower than it says; the turn per sample scales with it.
        scale = clock.rate if clock.counted else 1.0
        assert self._vqf is not None
        assert self._free is not None
        assert self._resting is not None
        while len(filled):
            gyr, acc, taken, rested = _motion(filled, before, scale, self._resting.memory, self._resting.rule)
            inclined = self._vqf.updateBatch(gyr, acc)
            bias = inclined["bias"]
            past = self._past(filled[:taken], clock)
            for begin, end in ((0, past), (past, taken)):
                if begin == end:
                    continue
                out = self.rows.room(end - begin) if end > past else np.empty((past, WIDTH))
                last_s = self._last_time_s if self.rows.end else np.nan
                self.counts.clipped += _rows(
                    filled[begin:end],
                    gyr[begin:end],
                    inclined["quat6D"][begin:end],
                    bias[begin:end],
                    clock.line,
                    scale,
                    last_s,
                    self._limits,
                    *self._free.turning,
                    out,
                )
                if end > past:
                    self.rows.end += end - begin
                    self._last_time_s = float(out[-1, TIME])
            if rested:
                self._learn_bias(self._resting.mean_rad_s, bias[-1])
            before, filled = filled[taken - 1], filled[taken:]

    def _past(self, filled: FloatArray, clock: SensorClock) -> int:
        """How many of the rows, the first, fall into the time already told."""
        if self._resume_s == -np.inf:
            return 0
        later = np.flatnonzero(clock.session_time(filled[:, _RAW_TIME]) > self._resume_s)
        if len(later) == 0:
            return len(filled)
        self._resume_s = -np.inf
        return int(later[0])

    def _learn_bias(self, mean_rad_s: FloatArray, bias_rad_s: FloatArray) -> None:
        """A rest shows a bias (3,); VQF is corrected where its own is far from it."""
        p = self._p.resting_bias
        if self._vqf is not None and float(np.abs(mean_rad_s - bias_rad_s).max()) > p.far_rad_s:
            self._vqf.setBiasEstimate(mean_rad_s, float(np.radians(p.sd_deg_s)))


def _plain(values: FloatArray) -> FloatArray:
    """As the compiled functions take it."""
    return np.ascontiguousarray(values, dtype=np.float64)


@compiled("(f8[:,::1], f8[::1], f8, f8[::1], f8[::1])")
def _motion(
    raw: FloatArray, before: FloatArray, scale: float, resting: FloatArray, rest_rule: FloatArray
) -> tuple[FloatArray, FloatArray, int, bool]:
    """Angular rate, scaled, and specific force (n, 3), as VQF takes them, of the rows up to one that completes a rest;
    how many these are, and whether the last does.

    VQF turns by the rate it is given for a whole sample. The mean of the rates at both ends of the sample (trapezoidal
    rule) brings it to the orientation at the sample's instant; the newest rate alone would run half a sample ahead,
    which is 1° at 400 °/s and 200 Hz, and not the same for sensors of different rates.
    """
    gyr, acc = np.empty((len(raw), 3)), np.empty((len(raw), 3))
    for i in range(len(raw)):
        left = raw[i - 1] if i > 0 else before
        for k in range(3):
            gyr[i, k] = 0.5 * (left[_RAW_GYR + k] + raw[i, _RAW_GYR + k]) * scale
            acc[i, k] = raw[i, _RAW_ACC + k]
        if rested_at(gyr, i, resting, rest_rule):
            return gyr[: i + 1], acc[: i + 1], i + 1, True
    return gyr, acc, len(raw), False


@compiled(
    "(f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], UniTuple(f8, 3), f8, f8, UniTuple(f8, 2),"
    " f8[::1], f8[::1], f8[:,::1], f8[:,::1])"
)
def _rows(
    raw: FloatArray,
    gyr: FloatArray,
    q: FloatArray,
    bias: FloatArray,
    line: tuple[float, float, float],
    scale: float,
    last_s: float,
    limits: tuple[float, float],
    turning: FloatArray,
    turning_rule: FloatArray,
    turning_memory: FloatArray,
    out: FloatArray,
) -> int:
    """Write rows (n, WIDTH) on the session clock; in how many of them a channel touches its range.

    ``gyr`` (n, 3) is the rate that VQF was given, ``line`` that of the clock, ``last_s`` the session time of the row
    before, NaN for the very first.
    """
    acc_limit, gyr_limit = limits
    touched = 0
    for i in range(len(out)):
        session_s = line[1] + line[2] * (raw[i, _RAW_TIME] - line[0])
        out[i, TIME] = session_s
        out[i, ARRIVAL] = raw[i, _RAW_ARRIVAL]
        at_limit = False
        for k in range(4):
            out[i, _Q + k] = q[i, k]
        for k in range(3):
            out[i, _GYR + k] = raw[i, _RAW_GYR + k] - bias[i, k] / scale
            out[i, _ACC + k] = raw[i, _RAW_ACC + k]
            if abs(raw[i, _RAW_GYR + k]) >= gyr_limit or abs(raw[i, _RAW_ACC + k]) >= acc_limit:
                at_limit = True
        out[i, REAL] = 0.0 if raw[i, _RAW_STATE] == FILLED else 1.0
        out[i, CLIPPED] = 1.0 if at_limit else 0.0
        touched += at_limit
        out[i, STEP] = 0.0 if np.isnan(last_s) else session_s - last_s
        last_s = session_s
        turn_at(gyr, bias, i, turning, turning_rule, turning_memory, out, _FREE, _TURN)
    return touched


def _limit(range_of_channel: float | None) -> float:
    """From which magnitude on a channel touches its range; infinity where that is not known."""
    return np.inf if range_of_channel is None else _CLIP_SHARE * range_of_channel
