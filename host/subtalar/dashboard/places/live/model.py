"""What the live place shows, without a screen: readings, sensors, strides and the instruction in words."""

import numpy as np

from subtalar.anatomy import columns_of, measured_sides, only_segment
from subtalar.dashboard.places.live.instruction import Instruction, choose_instruction
from subtalar.dashboard.places.live.reading import Reading
from subtalar.dashboard.places.live.sensor_rows import SensorRow, sensor_row
from subtalar.dashboard.places.live.session_owner import SessionOwner
from subtalar.dashboard.places.live.stride_means import StrideMean, stride_means
from subtalar.dashboard.stream import SessionStream
from subtalar.dashboard.wording import QUALITY_WORDS, SIGNALS_OF
from subtalar.types import SIDES, Quality, Segment, Side


class LiveModel:
    """Follows ``stream``: whenever that is refreshed, the attributes here are those of the same moment."""

    def __init__(self, stream: SessionStream) -> None:
        self.stream = stream
        self._strides_seen = 0
        self._moved_note, self._moved_ns = "", 0
        self._owner_after_end: SessionOwner | None = None
        self.sensor_rows: tuple[SensorRow, ...] = ()
        self.stride_means: tuple[StrideMean, ...] = ()
        self.instruction = Instruction("Getting ready", "", "info")
        stream.call_on_facts(self._refresh)

    @property
    def owner(self) -> SessionOwner:
        """Whose session it is."""
        facts = self.stream.facts
        if self._owner_after_end is not None and not self.stream.running:
            return self._owner_after_end
        return SessionOwner(facts.participant, facts.visit, facts.condition)

    @owner.setter
    def owner(self, owner: SessionOwner) -> None:
        """For after the end: a session that runs says it itself."""
        self._owner_after_end = None if self.stream.running else owner

    def _refresh(self) -> None:
        stream = self.stream
        self.sensor_rows = tuple(sensor_row(status, live=stream.running) for status in stream.sensors)
        if stream.stride_count != self._strides_seen:
            self._strides_seen = stream.stride_count
            self.stride_means = stride_means(stream.strides)
        self.instruction = choose_instruction(
            stream.writer,
            stream.writer_silent_s,
            stream.facts,
            stream.sensors,
            stream.notices,
            stream.now_s,
            self._uncalibrated(),
            self._fresh_qualities(),
            walks=stream.stride_count > 0,
            failed_because=stream.failed_because or "",
            recording_moved_s=self._recording_moved_s(),
        )

    def _recording_moved_s(self) -> float:
        if self.stream.facts.recording_note != self._moved_note:
            self._moved_note, self._moved_ns = self.stream.facts.recording_note, self.stream.now_ns
        return (self.stream.now_ns - self._moved_ns) / 1e9

    def _fresh_qualities(self) -> dict[Side, Quality]:
        return {side: trace.quality for side, trace in self.stream.sides.items() if self.stream.is_fresh(side)}

    def _uncalibrated(self) -> frozenset[Side]:
        """The sides that wait for calibration; none as soon as one has angles."""
        stream, streaming = self.stream, self._fresh_qualities()
        if any(quality is not Quality.NOT_CALIBRATED for quality in streaming.values()):
            return frozenset()
        started = any(trace.publish_ns is not None for trace in stream.sides.values())
        if not started and stream.sensors and all(status.link == "streaming" for status in stream.sensors):
            return frozenset(status.info.site.side for status in stream.sensors)  # the first rows are on their way
        return frozenset(streaming)

    def only_sensor(self, side: Side) -> Segment | None:
        """The segment that carries that leg's only sensor; None where both do, or none does."""
        return only_segment((status.info.site for status in self.stream.sensors), side)

    def signals_of(self, side: Side) -> tuple[int, ...]:
        """What that leg shows (of ``wording.SIGNALS``): ankle angles, or with one sensor those of its segment."""
        return SIGNALS_OF[self.only_sensor(side)]

    @property
    def signals(self) -> tuple[int, ...]:
        """What is to be shown of all legs that carry a sensor, ankle angles first."""
        sides = measured_sides(status.info.site for status in self.stream.sensors) or SIDES
        return tuple(sorted({signal for side in sides for signal in self.signals_of(side)}))

    def readings(self, side: Side) -> tuple[Reading, Reading, Reading]:
        """The three ankle angles of a side now."""
        dorsiflexion, inversion, rotation = (self.reading(side, k) for k in columns_of("ankle"))
        return dorsiflexion, inversion, rotation

    def reading(self, side: Side, index: int) -> Reading:
        """One of ``wording.SIGNALS`` of a side now."""
        if not self.stream.is_fresh(side):
            return Reading(None, None, self._why_stale(side))
        trace = self.stream.sides[side]
        words = QUALITY_WORDS[trace.quality]
        value, sd = (float(column[-1]) for column in trace.signal(index))
        if np.isfinite(value):
            return Reading(value, sd if np.isfinite(sd) else None, words)
        only = self.only_sensor(side)
        if only is not None and index not in SIGNALS_OF[only]:
            return Reading(None, None, f"{only} sensor only")
        return Reading(None, None, words or "not known")

    def _why_stale(self, side: Side) -> str:
        stream = self.stream
        if stream.sensors and side not in measured_sides(status.info.site for status in stream.sensors):
            return "no sensor"
        if not stream.running:
            return "stopped" if stream.writer == "died" else "ended"
        age_s = stream.age_s(side)
        return "no data yet" if age_s == float("inf") else f"no data for {age_s:.0f} s" if age_s >= 1 else "no data"
