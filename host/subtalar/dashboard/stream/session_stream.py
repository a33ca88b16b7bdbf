"""The live session as every place of the window reads it: pulled from the ring, ten seconds of it kept.

Session time is on the session clock; freshness is judged by the wall clock, so that a value from a stream that stopped
can never look like a new one.
"""

import time
from collections.abc import Callable

import numpy as np

from subtalar.acquisition.ring import RingReader, SessionFacts, WriterState
from subtalar.dashboard.stream.leg_trace import LegTrace
from subtalar.types import SIDES, FloatArray, Notice, SensorStatus, Side, Stride

STALE_S = 0.5
FACTS_EVERY_S = 0.2


class SessionStream:
    """Call ``refresh`` once a frame and read the attributes. ``clock_ns`` is ``time.monotonic_ns`` except in tests.

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
        self._on_facts: list[Callable[[], None]] = []
        self.failed_because: str | None = None
        self._facts_ns: int | None = None
        self._stride_count = self._event_count = 0
        self.sides: dict[Side, LegTrace] = {side: LegTrace() for side in SIDES}
        self.writer: WriterState = "alive"
        self.facts = SessionFacts()
        self._recordings: tuple[str, ...] = ()
        self.elapsed_s = 0.0
        self.sensors: tuple[SensorStatus, ...] = ()
        self.strides: tuple[Stride, ...] = ()
        self.notices: tuple[Notice, ...] = ()
        self.contacts_s: dict[Side, FloatArray] = {side: np.empty(0) for side in SIDES}
        self.now_ns = clock_ns()

    def call_on_facts(self, refresh: Callable[[], None]) -> None:
        """Have this called whenever the slow facts were renewed, before ``refresh`` returns."""
        self._on_facts.append(refresh)

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
    def died(self) -> bool:
        """Whether the measuring process ended without ending the session."""
        return self.writer == "died" and self.facts.state != "ended"

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

    @property
    def writer_silent_s(self) -> float:
        """Seconds since the measuring process last gave a sign of life."""
        return (self.now_ns - self._reader.heartbeat_ns()) / 1e9

    def refresh(self) -> bool:
        """Pull what is new. True when the slow facts (sensors, strides, session, notices) were renewed, too."""
        self.now_ns = self._clock_ns()
        for side, trace in self.sides.items():
            trace.pull(self._reader, side)
        if self._facts_ns is not None and self.now_ns - self._facts_ns < FACTS_EVERY_S * 1e9:
            return False
        self._facts_ns = self.now_ns
        self._refresh_facts()
        for refresh in self._on_facts:
            refresh()
        return True

    def _refresh_facts(self) -> None:
        self.writer = self._reader.writer_state()
        self.facts = self._reader.session()
        self._recordings = self.recordings or self._recordings
        published_ns = self._reader.session_published_ns()
        since_s = (self.now_ns - published_ns) / 1e9 if published_ns and self.facts.state == "running" else 0.0
        self.elapsed_s = self.facts.elapsed_s + (min(max(since_s, 0.0), 1.0) if self.running else 0.0)
        self.sensors = self._reader.sensors()
        self.notices = self._reader.notices(last=32)
        if self._reader.stride_count() != self._stride_count:
            self._stride_count = self._reader.stride_count()
            self.strides = tuple(sorted(self._reader.strides(last=100), key=lambda s: s.initial_contact_s))
        if self._reader.event_count() != self._event_count:
            self._event_count = self._reader.event_count()
            contacts = [e for e in self._reader.events(last=128) if e.kind == "initial_contact"]
            self.contacts_s = {side: np.array([e.time_s for e in contacts if e.side == side]) for side in SIDES}
        if self.facts.state == "ended" and self.failed_because is None:
            self.failed_because = self._failure()

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
