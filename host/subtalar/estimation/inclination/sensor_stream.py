"""One sensor from raw blocks to rows on the session clock with inclination: the streaming front end.

Here blocks are put in order, held until their clock is known, and cut where it has a knot; what happens to the rows of
a piece is in ``inclination_filter.py``. Lost samples up to ``longest_bridge_s`` are filled by interpolation so that the
integration keeps its time, and flagged.
"""

from dataclasses import dataclass, replace

import numpy as np

from subtalar.estimation.clocks.sensor_clock import SensorClock
from subtalar.estimation.inclination.inclination_filter import InclinationFilter
from subtalar.estimation.inclination.saturation import ACC, GYR
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.records import Records, opaque, record
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.raw_rows import (
    AFTER_GAP,
    LONGEST_SILENCE_S,
    RAW_ROW,
    SAMPLE_ORDER,
    bridged,
    in_order,
    rows_until,
)
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import FloatArray, SampleBlock, SensorInfo


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
    of rows already delivered is not delivered.
    """

    def __init__(self, info: SensorInfo, parameters: Parameters) -> None:
        self.info = info
        self.rows = History(SENSOR_ROW)
        self._counts = StreamCounts()
        self._p = parameters
        self._held = np.empty(0, RAW_ROW)
        self._clock: SensorClock | None = None
        self._period_s = 1.0 / info.rate_hz
        self._inclination: InclinationFilter | None = None
        self._has_arrivals = False
        self._samples_counted = 0
        self._first_device_s: float | None = None
        self._order = record(
            SAMPLE_ORDER, newest_s=-np.inf, newest_arrival_s=-np.inf, stirred_s=-np.inf, silent_until_s=-np.inf
        )
        self._last_raw = record(RAW_ROW, time_s=np.inf)
        self._earlier_raw = record(RAW_ROW, time_s=np.inf)
        self._last_time_s = 0.0
        self._resume_s = -np.inf
        """Rows up to that session time are not delivered."""

    @property
    def counts(self) -> StreamCounts:
        """What became of the samples so far."""
        order = self._order[0]
        left_out = {name: int(order[name]) for name in ("unusable", "repeated")}
        return replace(self._counts, clock_restarts=int(order["restarts"]), **left_out)

    @property
    def end_time_s(self) -> float:
        """Session time of the newest row; minus infinity before the first."""
        return self._last_time_s if self.rows.end else -np.inf

    @property
    def ranges_found(self) -> list[tuple[float, float | None, float | None]]:
        """Ranges that the data show and nobody declared: session time, range of the accelerometer (m/s²), of the
        gyroscope (rad/s); one of the two each.
        """
        if self._inclination is None:
            return []
        found = self._inclination.saturation[0]
        times, ranges = found["found_s"].tolist(), found["range"].tolist()
        both = ((times[ACC], ranges[ACC], None), (times[GYR], None, ranges[GYR]))
        return [each for each in both if np.isfinite(each[0])]

    @property
    def has_arrivals(self) -> bool:
        """Whether the computer's own clock stands beside the sensor's."""
        return self._has_arrivals

    @property
    def holding(self) -> bool:
        """Samples have come, but their clock is not known yet."""
        return self._clock is not None and not self._clock.ready

    @property
    def end_arrival_s(self) -> float:
        """Arrival of the newest sample that was pushed."""
        return float(self._order["newest_arrival_s"][0])

    def push(self, block: SampleBlock) -> None:
        """Take a block; every row that its data decide is delivered."""
        n = len(block)
        if n == 0:
            return
        self._counts.received += n
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
        self._has_arrivals = block.host_time_s is not None
        fresh = np.empty(n, RAW_ROW)
        kept = in_order(
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
            fresh,
        )
        if kept:
            fresh = fresh[:kept]
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

    def _drain(self, raw: Records, horizon_s: float) -> None:
        """Walk the rows from knot to knot of the clock; until it is known they are held."""
        clock = self._clock
        assert clock is not None or len(raw) == 0
        while clock is not None and len(raw):
            first_s, epoch = float(raw["time_s"][0]), int(raw["epoch"][0])
            if clock.epoch != epoch:
                clock.begin_epoch(epoch)
            anew = self._restarted
            if anew and not self._begin_anew(raw, clock, horizon_s):
                break
            inside, earliest, even = rows_until(raw, clock.next_knot(first_s), self._last_raw, 1.5 * self._period_s)
            complete = inside < len(raw)
            if not (clock.ready or anew or complete) and horizon_s < np.inf:
                break
            if inside:
                learnt_s = float(raw["time_s"][earliest])
                clock.learn(learnt_s, float(raw["arrival_s"][earliest]) - learnt_s)
                if not clock.ready:
                    clock.start(first_s)
                    if self._inclination is None:
                        self._inclination = self._begin_inclination(raw[:inside])
                self._deliver(raw[:inside] if complete else raw, clock, self._inclination, even=even)
            if complete and int(raw["epoch"][inside]) == epoch and clock.close_bin():
                # A sensor that does not turn misses nothing; in motion two moments must not be joined to one.
                rests = float(raw["calm_s"][inside]) >= self._p.calm_before_s
                self._resume_s = self._last_time_s + (0.0 if rests else self._p.longest_bridge_s)
            raw = raw[inside:]
        self._held = raw

    def _begin_anew(self, raw: Records, clock: SensorClock, horizon_s: float) -> bool:
        """Whether all of the first bin of a new epoch is there: what arrives within ``bin_s`` of its first sample.

        Not within ``bin_s`` of the device's time: on a busy computer all of that may come at once, and late.
        """
        until_s = float(raw["arrival_s"][0]) + self._p.clock.bin_s
        beyond = np.flatnonzero((raw["arrival_s"] >= until_s) | (raw["epoch"] != clock.epoch))
        if len(beyond) == 0 and horizon_s < until_s:
            return False
        last = int(beyond[0]) - 1 if len(beyond) else len(raw) - 1
        clock.end_first_bin(float(raw["time_s"][last]) + 0.5 * self._period_s)
        self._resume_s = self._last_time_s
        return True

    def _begin_inclination(self, raw: Records) -> InclinationFilter:
        """By the sensor's measured period."""
        if self._clock is not None and not self._clock.counted and len(raw) > 2:
            self._period_s = float(np.median(np.diff(raw["time_s"])))
        self._follow(raw[:1])
        return InclinationFilter(self._p, self.info, self._period_s)

    def _deliver(self, raw: Records, clock: SensorClock, inclination: InclinationFilter | None, *, even: bool) -> None:
        """Bridge short losses and append rows; after a gap inclination starts over from what the sensor feels.

        ``even``: no sample is missing.
        """
        assert inclination is not None
        earlier = opaque(raw[-2:-1] if len(raw) > 1 else self._last_raw).copy()
        if even:
            self._deliver_run(raw, clock, inclination)
        else:
            self._deliver_bridged(raw, clock, inclination)
        opaque(self._earlier_raw)[:] = earlier

    def _deliver_bridged(self, raw: Records, clock: SensorClock, inclination: InclinationFilter) -> None:
        p = self._p
        calm_s = p.longest_calm_bridge_s, p.calm_before_s
        filled, gaps = bridged(raw, self._last_raw, self._earlier_raw, self._period_s, p.longest_bridge_s, *calm_s)
        self._counts.bridged += len(filled) - len(raw)
        start = 0
        if gaps:
            for gap in np.flatnonzero(filled["state"] == AFTER_GAP).tolist():
                if gap > start:
                    self._deliver_run(filled[start:gap], clock, inclination)
                self._counts.gaps += 1
                inclination.restart()
                self._follow(filled[gap : gap + 1])
                start = gap
        self._deliver_run(filled[start:], clock, inclination)

    def _follow(self, row: Records) -> None:
        """What comes next follows this raw row (1,), as far as the rate's mean over a sample is concerned."""
        opaque(self._last_raw)[:] = opaque(row)

    def _deliver_run(self, filled: Records, clock: SensorClock, inclination: InclinationFilter) -> None:
        """Append rows without a gap between them nor before them."""
        # A sensor without a clock samples a little faster or slower than it says; the turn per sample scales with it.
        scale = clock.rate if clock.counted else 1.0
        while len(filled):
            inclined = inclination.push(filled, self._last_raw, scale)
            taken = len(inclined.gyr_rad_s)
            past = self._past(filled[:taken], clock)
            for begin, end in ((0, past), (past, taken)):
                if begin == end:
                    continue
                out = self.rows.room(end - begin) if end > past else np.empty(past, SENSOR_ROW)
                last_s = self._last_time_s if self.rows.end else np.nan
                part = slice(begin, end)
                self._counts.clipped += inclination.write(filled[part], inclined, part, clock.line, scale, last_s, out)
                if end > past:
                    self.rows.end += end - begin
                    self._last_time_s = float(out["time_s"][-1])
            filled = filled[taken:]

    def _past(self, filled: Records, clock: SensorClock) -> int:
        """How many of the rows, the first, fall into the time of rows already delivered."""
        if self._resume_s == -np.inf:
            return 0
        later = np.flatnonzero(clock.session_time(filled["time_s"]) > self._resume_s)
        if len(later) == 0:
            return len(filled)
        self._resume_s = -np.inf
        return int(later[0])


def _plain(values: FloatArray) -> FloatArray:
    """As the compiled functions take it."""
    return np.ascontiguousarray(values, dtype=np.float64)
