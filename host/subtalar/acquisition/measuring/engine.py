"""Where samples become angles while they arrive: estimator, recorder and shared memory behind one sink.

A recording that fails (disk full, stick pulled) is said at once and the session goes on without it.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from subtalar.acquisition.configuration import describe
from subtalar.acquisition.integrations.listeners import Listener, label_of
from subtalar.acquisition.measuring.estimation_thread import EstimationThread
from subtalar.acquisition.measuring.live_recording import LiveRecording, remove_owner_file
from subtalar.acquisition.ring import RingWriter, SessionFacts
from subtalar.device import SessionClock
from subtalar.estimation import GaitEstimator, Parameters
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.session import Annotation, Recorder
from subtalar.session.catalogue.assignment import CONFIGURATION_KEY, UNASSIGNED, Assignment
from subtalar.types import BodySite, Estimates, SampleBlock, SensorInfo, SensorStatus

ADVANCE_EVERY_S = 0.05
FACTS_EVERY_S = 0.25
SETTLED_S = 0.1
"""Arrivals older than this have passed through every queue on their way here."""


class Engine:
    """The sink of all sensors. Lives on the event loop; the estimator runs in a thread behind it."""

    def __init__(
        self,
        sensors: Mapping[BodySite, SensorInfo],
        clock: SessionClock,
        ring: RingWriter,
        *,
        source_text: str,
        record_path: Path | None,
        live: bool,
        subtalar_axis_deg: tuple[float, float] | None = None,
        assignment: Assignment | None = None,
    ) -> None:
        self._clock = clock
        self._live = live
        self._ring = ring
        self._statuses = {site: SensorStatus(info) for site, info in sensors.items()}
        self._recording: LiveRecording | None = None
        self._closed = False
        owner = vars(assignment or UNASSIGNED)
        self._facts = SessionFacts(source=source_text, started_unix_s=clock.wall_start.timestamp(), **owner)
        axis = SubtalarAxis() if subtalar_axis_deg is None else SubtalarAxis(*subtalar_axis_deg)
        parameters = Parameters(subtalar_axis=axis)
        estimator = GaitEstimator(sensors, parameters)  # which may refuse them: no recording is begun then
        self.strides = 0
        self._samples = 0
        self._listeners: tuple[Listener, ...] = ()
        if record_path is not None:
            configuration = {
                **describe(source_text, parameters),
                CONFIGURATION_KEY: (assignment or UNASSIGNED).as_json(),
            }
            self._recording = LiveRecording(
                record_path, list(sensors.values()), clock.wall_start, configuration, live=live
            )
            self._facts = replace(self._facts, recording_path=str(record_path))
        ring.publish_status(self._statuses.values())
        self.publish_facts()
        self._estimation = EstimationThread(estimator, self._publish)

    # What sensors deliver ---------------------------------------------------------------------------------

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        """Raw bytes."""
        self._record(lambda r: r.write_chunk(site, arrival_s, data))

    def on_block(self, block: SampleBlock) -> None:
        """Samples of one sensor."""
        self._samples += len(block)
        self._record(lambda r: r.write_block(block))
        self._estimation.push(block)

    def on_status(self, status: SensorStatus) -> None:
        """How a sensor does at this moment."""
        self._statuses[status.info.site] = status
        self._ring.publish_status([status])

    # What time brings -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Every sensor has delivered: the session runs."""
        self._facts = replace(self._facts, state="running")
        self.publish_facts()

    def advance(self, arrived_before_s: float) -> None:
        """Everything that arrived before this has been delivered."""
        self._estimation.advance(arrived_before_s)

    def publish_facts(self, elapsed_s: float | None = None) -> None:
        """Say how the session stands; several times a second."""
        elapsed = self._clock.now_s() if elapsed_s is None else elapsed_s
        self._record(lambda r: r.write_status(list(self._statuses.values()), elapsed))
        if self._recording is not None:
            self._recording.tick(elapsed)
        self._facts = replace(self._facts, elapsed_s=elapsed, **self._recording_facts())
        self._ring.publish_session(self._facts)

    def mark(self, text: str, time_s: float | None = None) -> None:
        """A marker at a session time; at the present moment where None. A text without a letter is no marker."""
        at_s = self._clock.now_s() if time_s is None else time_s
        label = label_of(text)
        if not label:
            return
        self._record(lambda r: r.write_marker(Annotation(label, at_s, at_s)))
        for listener in self._listeners:
            listener.on_marker(label, at_s)

    def add_listener(self, listener: Listener) -> None:
        """From now on it hears of everything."""
        listener.on_sites(frozenset(self._statuses))
        self._listeners = (*self._listeners, listener)

    @property
    def clock(self) -> SessionClock:
        """The session's clock."""
        return self._clock

    def record_to(self, place: Path) -> None:
        """Go on recording in this folder or file, after the disk failed; how that went is said in the facts."""
        if self._recording is not None:
            self._recording.continue_in(place)

    def set_owner(self, assignment: Assignment) -> None:
        """Whose session it is. Nothing once the session is over."""
        if self._closed:
            return
        self._facts = replace(self._facts, **vars(assignment))
        if self._recording is not None:
            self._recording.set_owner(assignment)
        self._ring.publish_session(self._facts)

    @property
    def backlog(self) -> int:
        """Samples that wait for the estimator."""
        return self._estimation.backlog

    def finish(self) -> None:
        """The end: last rows, last strides, recording closed. Blocks while the estimator works off what waits."""
        self._estimation.finish()
        self._record(lambda r: r.write_status(list(self._statuses.values()), self._clock.now_s()))
        self.close()
        self._facts = replace(self._facts, state="ended")
        self._ring.publish_status(replace(s, link="ended") for s in self._statuses.values())
        self._ring.publish_session(self._facts)

    def close(self) -> None:
        """Close the recording if it is open."""
        self._closed = True
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()
            self._facts = replace(self._facts, **_facts_of(recording))
            if not self._samples:
                # A session that never began leaves no empty recording behind.
                with contextlib.suppress(OSError):
                    recording.path.unlink()
                remove_owner_file(recording.path)
            if not os.path.exists(recording.path):  # nor does one whose stick was pulled: say nothing else
                self._facts = replace(self._facts, recording_path="", recorded_bytes=0)

    @property
    def start_s(self) -> float:
        """Zero of the session clock on the computer's monotonic clock."""
        return self._clock.start_ns * 1e-9

    @property
    def statuses(self) -> tuple[SensorStatus, ...]:
        """Every sensor's last state."""
        return tuple(self._statuses.values())

    @property
    def facts(self) -> SessionFacts:
        """The session as last published."""
        return self._facts

    def _publish(self, estimates: Estimates) -> None:
        """Called in the estimator's thread."""
        if not (estimates.angles or estimates.events or estimates.strides or estimates.notices):
            return
        self.strides += len(estimates.strides)
        self._ring.publish(estimates, self._taken_ns(estimates))
        for listener in self._listeners:
            listener.on_estimates(estimates)
        self._record(lambda r: r.write_estimates(estimates))

    def _taken_ns(self, estimates: Estimates) -> int | None:
        """When the newest row was measured, on the monotonic clock; None in a replay, whose clock is another day's."""
        if not self._live or not estimates.angles:
            return None
        newest_s = max(float(block.time_s[-1]) for block in estimates.angles)
        return self._clock.start_ns + int(newest_s * 1e9)

    def _record(self, write: Callable[[Recorder], None]) -> None:
        """Do it where there is a recording; the session never waits for it."""
        recording = self._recording
        if recording is not None:
            recording.write(write)

    def _recording_facts(self) -> dict[str, Any]:
        return {} if self._recording is None else _facts_of(self._recording)


def _facts_of(recording: LiveRecording) -> dict[str, Any]:
    return {
        "recording_path": str(recording.path),
        "recorded_bytes": recording.size,
        "recording_error": recording.error,
        "recording_note": recording.note,
    }
