"""What is on the screen, without a screen: pulls from the ring, keeps ten seconds, says how fresh it is.

Call ``refresh`` once a frame and read the attributes. Session time is on the session clock; freshness is judged
by the wall clock, so that a value from a stream that stopped can never look like a new one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from subtalar.acquisition.ring import RingReader, SessionFacts, WriterState
from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT, columns_of, measured_sides, only_segment
from subtalar.dashboard.instruction import MANY_LOST_RATIO, Instruction, choose_instruction
from subtalar.dashboard.wording import (
    LINK_WORDS,
    QUALITY_WORDS,
    SIGNALS_OF,
    STRIDE_COLUMNS,
    Severity,
    ledger_words,
    lost_share,
    site_words,
)
from subtalar.types import SIDES, FloatArray, Quality, Segment, SensorStatus, Side, Stride

WINDOW_S = 10.0
STALE_S = 0.5
FACTS_EVERY_S = 0.2
MEAN_OF_STRIDES = 10


@dataclass(frozen=True)
class Reading:
    """One angle now. ``value_deg`` is None unless it is known *and* fresh; ``note`` says why not, or what to doubt."""

    value_deg: float | None
    sd_deg: float | None
    note: str = ""


@dataclass(frozen=True)
class SensorRow:
    """One sensor in words; ``severity`` is the colour that goes with ``link``. ``lost_in_short`` is for where there is
    little room.
    """

    name: str
    link: str
    severity: Severity
    rate: str
    battery: str
    battery_low: bool
    lost: str
    lost_in_short: str
    lost_many: bool
    details: str


@dataclass(frozen=True)
class StrideMean:
    """Mean and standard deviation, in the order of ``STRIDE_COLUMNS``, over the last good strides of a side."""

    side: Side
    n: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class SideTrace:
    """The last ten seconds of one leg: ``time_s`` (n,), ``angles_deg`` and their sd (n, ``ANGLE_COUNT``)."""

    def __init__(self) -> None:
        self.cursor = self.truth_cursor = 0
        self.time_s: FloatArray = np.empty(0)
        self.angles_deg: FloatArray = np.empty((0, ANGLE_COUNT))
        self.angles_sd_deg: FloatArray = np.empty((0, ANGLE_COUNT))
        self.truth_time_s: FloatArray = np.empty(0)
        self.truth_deg: FloatArray = np.empty((0, ANKLE_COUNT))
        self.quality = Quality.NO_DATA
        self.shank_orientation: FloatArray = np.full(4, np.nan)
        self.arrival_ns: int | None = None
        self.publish_ns: int | None = None
        self.missed = 0

    def signal(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Values and sd (n,) of one of ``wording.SIGNALS``."""
        return self.angles_deg[:, index], self.angles_sd_deg[:, index]

    def pull(self, reader: RingReader, side: Side) -> None:
        """Take what is new; rows from before a jump back in time (another replay) are dropped."""
        batch = reader.angles_since(side, self.cursor)
        self.missed += batch.missed if self.cursor else 0
        self.cursor, rows = batch.cursor, batch.rows
        if len(rows):
            time_s = np.concatenate([self.time_s, rows["time_s"]])
            keep = _recent(time_s)
            self.time_s = time_s[keep:]
            self.angles_deg = np.concatenate([self.angles_deg, rows["angles_deg"]])[keep:]
            self.angles_sd_deg = np.concatenate([self.angles_sd_deg, rows["angles_sd_deg"]])[keep:]
            last = rows[-1]
            self.quality = Quality(int(last["quality"]))
            self.shank_orientation = last["shank_orientation"]
            self.arrival_ns, self.publish_ns = int(last["arrival_ns"]), int(last["publish_ns"])
        truth = reader.truth_since(side, self.truth_cursor)
        self.truth_cursor = truth.cursor
        if len(truth.rows):
            time_s = np.concatenate([self.truth_time_s, truth.rows["time_s"]])
            keep = _recent(time_s)
            self.truth_time_s = time_s[keep:]
            self.truth_deg = np.concatenate([self.truth_deg, truth.rows["ankle_deg"]])[keep:]


def _recent(time_s: FloatArray) -> int:
    back = np.flatnonzero(np.diff(time_s) < 0)
    first = int(back[-1]) + 1 if len(back) else 0
    return first + int(np.searchsorted(time_s[first:], time_s[-1] - WINDOW_S - 0.5))


class DashboardModel:
    """The state of the screen. ``clock_ns`` is ``time.monotonic_ns`` except in tests.

    ``failure`` as in ``run_dashboard``; ``failed_because`` is its answer.
    """

    def __init__(
        self,
        reader: RingReader,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        *,
        failure: Callable[[], str | None] = lambda: "",
    ) -> None:
        self._reader = reader
        self._clock_ns = clock_ns
        self._failure = failure
        self.failed_because: str | None = None
        self._facts_ns: int | None = None
        self._stride_count = self._event_count = 0
        self._moved_note, self._moved_ns = "", 0
        self.sides: dict[Side, SideTrace] = {side: SideTrace() for side in SIDES}
        self.writer: WriterState = "alive"
        self.facts = SessionFacts()
        self._recordings: tuple[str, ...] = ()
        self._said_after: tuple[str, str, str] | None = None
        self.elapsed_s = 0.0
        self.sensors: tuple[SensorStatus, ...] = ()
        self.sensor_rows: tuple[SensorRow, ...] = ()
        self.strides: tuple[Stride, ...] = ()
        self.stride_means: tuple[StrideMean, ...] = ()
        self.contacts_s: dict[Side, FloatArray] = {side: np.empty(0) for side in SIDES}
        self.instruction = Instruction("Getting ready", "", "info")
        self.now_ns = clock_ns()

    @property
    def about(self) -> tuple[str, str, str]:
        """Participant, visit and condition; empty where nobody said them."""
        if self._said_after is not None and not self.running:
            return self._said_after
        return self.facts.participant, self.facts.visit, self.facts.condition

    @about.setter
    def about(self, said: tuple[str, str, str]) -> None:
        """For after the end: a session that runs says it itself."""
        self._said_after = None if self.running else said

    @property
    def recordings(self) -> tuple[str, ...]:
        """Files of the session that were seen while it was watched, the newest first; one, unless a disk failed."""
        newest = self.facts.recording_path
        return (newest, *(path for path in self._recordings if path != newest)) if newest else ()

    @property
    def running(self) -> bool:
        """Whether new values are to be expected."""
        return self.writer == "alive" and self.facts.state != "ended"

    @property
    def stride_count(self) -> int:
        """Strides of the session so far; changes when ``strides`` does."""
        return self._stride_count

    @property
    def now_s(self) -> float:
        """The present on the session clock: runs on while a stream is silent, stands still once the session ended."""
        newest = [s for s in self.sides.values() if s.publish_ns is not None]
        if not newest:
            return self.elapsed_s
        trace = max(newest, key=lambda s: s.publish_ns or 0)
        silent_ns = self.now_ns - (trace.publish_ns or 0) if self.running else 0
        return float(trace.time_s[-1]) + max(silent_ns, 0) / 1e9

    @property
    def arrival_ns(self) -> int | None:
        """Arrival of the newest sample that is shown."""
        return max((s.arrival_ns for s in self.sides.values() if s.arrival_ns is not None), default=None)

    def refresh(self) -> bool:
        """Pull what is new. True when the slow facts (sensors, strides, session, instruction) were renewed, too."""
        self.now_ns = self._clock_ns()
        for side, trace in self.sides.items():
            trace.pull(self._reader, side)
        if self._facts_ns is not None and self.now_ns - self._facts_ns < FACTS_EVERY_S * 1e9:
            return False
        self._facts_ns = self.now_ns
        self._refresh_facts()
        return True

    def _refresh_facts(self) -> None:
        self.writer = self._reader.writer_state()
        self.facts = self._reader.session()
        self._recordings = self.recordings or self._recordings
        published_ns = self._reader.session_published_ns()
        since_s = (self.now_ns - published_ns) / 1e9 if published_ns and self.facts.state == "running" else 0.0
        self.elapsed_s = self.facts.elapsed_s + (min(max(since_s, 0.0), 1.0) if self.running else 0.0)
        self.sensors = self._reader.sensors()
        self.sensor_rows = tuple(sensor_row(status, live=self.running) for status in self.sensors)
        if self._reader.stride_count() != self._stride_count:
            self._stride_count = self._reader.stride_count()
            self.strides = tuple(sorted(self._reader.strides(last=100), key=lambda s: s.initial_contact_s))
            self.stride_means = stride_means(self.strides)
        if self._reader.event_count() != self._event_count:
            self._event_count = self._reader.event_count()
            contacts = [e for e in self._reader.events(last=128) if e.kind == "initial_contact"]
            self.contacts_s = {side: np.array([e.time_s for e in contacts if e.side == side]) for side in SIDES}
        if self.facts.state == "ended" and self.failed_because is None:
            self.failed_because = self._failure()
        self.instruction = choose_instruction(
            self.writer,
            (self.now_ns - self._reader.heartbeat_ns()) / 1e9,
            self.facts,
            self.sensors,
            self._reader.notices(last=32),
            self.now_s,
            self._uncalibrated(),
            {side: trace.quality for side, trace in self.sides.items() if self.is_fresh(side)},
            walks=self._stride_count > 0,
            failed_because=self.failed_because or "",
            recording_moved_s=self._recording_moved_s(),
        )

    def _recording_moved_s(self) -> float:
        if self.facts.recording_note != self._moved_note:
            self._moved_note, self._moved_ns = self.facts.recording_note, self.now_ns
        return (self.now_ns - self._moved_ns) / 1e9

    def _uncalibrated(self) -> frozenset[Side]:
        """The sides that wait for calibration; none as soon as one has angles."""
        streaming = {side: trace.quality for side, trace in self.sides.items() if self.is_fresh(side)}
        if any(quality is not Quality.NOT_CALIBRATED for quality in streaming.values()):
            return frozenset()
        started = any(trace.publish_ns is not None for trace in self.sides.values())
        if not started and self.sensors and all(status.link == "streaming" for status in self.sensors):
            return frozenset(status.info.site.side for status in self.sensors)  # the first rows are on their way
        return frozenset(streaming)

    def age_s(self, side: Side) -> float:
        """Seconds since that side's newest row, by the wall clock or the session's; infinite when there is none.

        The session's clock tells when one side fell silent in a replay that runs faster than the wall.
        """
        trace = self.sides[side]
        if trace.publish_ns is None:
            return float("inf")
        return max((self.now_ns - trace.publish_ns) / 1e9, self.now_s - float(trace.time_s[-1]), 0.0)

    def is_fresh(self, side: Side) -> bool:
        """Whether that side's newest values may be shown as the present."""
        return self.running and self.age_s(side) <= STALE_S

    def one_sensor(self, side: Side) -> Segment | None:
        """The segment that carries that leg's only sensor; None where both do, or none does."""
        return only_segment((status.info.site for status in self.sensors), side)

    def signals_of(self, side: Side) -> tuple[int, ...]:
        """What that leg shows (of ``wording.SIGNALS``): ankle angles, or with one sensor those of its segment."""
        return SIGNALS_OF[self.one_sensor(side)]

    @property
    def signals(self) -> tuple[int, ...]:
        """What is to be shown of all legs that carry a sensor, ankle angles first."""
        sides = measured_sides(status.info.site for status in self.sensors) or SIDES
        return tuple(sorted({signal for side in sides for signal in self.signals_of(side)}))

    def readings(self, side: Side) -> tuple[Reading, Reading, Reading]:
        """The three ankle angles of a side now."""
        dorsiflexion, inversion, rotation = (self.reading(side, k) for k in columns_of("ankle"))
        return dorsiflexion, inversion, rotation

    def reading(self, side: Side, index: int) -> Reading:
        """One of ``wording.SIGNALS`` of a side now."""
        if not self.is_fresh(side):
            return Reading(None, None, self._why_stale(side))
        trace = self.sides[side]
        words = QUALITY_WORDS[trace.quality]
        value, sd = (float(column[-1]) for column in trace.signal(index))
        if np.isfinite(value):
            return Reading(value, sd if np.isfinite(sd) else None, words)
        only = self.one_sensor(side)
        if only is not None and index not in SIGNALS_OF[only]:
            return Reading(None, None, f"{only} sensor only")
        return Reading(None, None, words or "not known")

    def _why_stale(self, side: Side) -> str:
        if self.sensors and side not in measured_sides(status.info.site for status in self.sensors):
            return "no sensor"
        if not self.running:
            return "stopped" if self.writer == "died" else "ended"
        age_s = self.age_s(side)
        return "no data yet" if age_s == float("inf") else f"no data for {age_s:.0f} s" if age_s >= 1 else "no data"


def sensor_row(status: SensorStatus, live: bool = True) -> SensorRow:
    """A sensor's state in words; when the session is not ``live`` any more, nothing streams."""
    link, severity = LINK_WORDS[status.link if live else "ended"]
    ledger, battery = status.ledger, status.battery_percent
    share = lost_share(ledger)
    counted = ledger.received + ledger.lost > 0 and severity != "problem"  # what is missing now is counted afterwards
    about = "≈ " if ledger.lost_is_estimated else ""
    in_short = f"{about}{100 * share:.{1 if share >= 0.01 else 2}f} %" if share else f"{about}0 %"
    in_full = f"{about}{100 * share:.2f} % ({ledger.lost:,})".replace(",", " ")
    return SensorRow(
        name=site_words(status.info.site),
        link=link,
        severity=severity,
        rate="–" if status.rate_hz is None or not live else f"{status.rate_hz:.0f} Hz",
        battery="–" if battery is None else f"{battery:.0f} %",
        battery_low=battery is not None and battery <= 20,
        lost="–" if not counted else in_short if about and not share else in_full,
        lost_in_short=in_short if counted else "–",
        lost_many=share >= MANY_LOST_RATIO and counted,
        details=ledger_words(ledger),
    )


def stride_means(strides: tuple[Stride, ...]) -> tuple[StrideMean, ...]:
    """Mean ± sd of each side's last good strides; a side without any is left out."""
    means = []
    for side in SIDES:
        good = [s for s in strides if s.side == side and s.quality in ("ok", "")][-MEAN_OF_STRIDES:]
        if good:
            table = np.array([[column.value(s) for column in STRIDE_COLUMNS] for s in good])
            known = [column[np.isfinite(column)] for column in table.T]
            mean = tuple(float(c.mean()) if len(c) else float("nan") for c in known)
            sd = tuple(float(c.std(ddof=1)) if len(c) > 1 else float("nan") for c in known)
            means.append(StrideMean(side, len(good), mean, sd))
    return tuple(means)
