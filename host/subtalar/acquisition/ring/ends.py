"""The live session in shared memory: the acquisition process writes, any number of windows read.

One ``RingWriter`` per session; ``RingReader``\\ s come and go, and may be killed, without the writer noticing.
The name of the writer is all a reader needs; ``find_sessions`` lists those that run.
"""

import atexit
import os
import time
from collections.abc import Iterable
from typing import Literal, Self, cast

import numpy as np

from subtalar.acquisition.ring.layout import (
    ANGLE_ROW,
    EVENT_ROW,
    MAGIC,
    NOTICE_ROW,
    SESSION_ROW,
    STRIDE_ROW,
    TRUTH_ROW,
    Batch,
    Rows,
    SessionFacts,
    SessionState,
    fence,
    from_row,
    layout_checksum,
    map_channels,
    map_header,
    segment_size,
    sensor_from_row,
    sensor_to_row,
    to_row,
)
from subtalar.acquisition.ring.segment import Segment, clean_stale, live_names
from subtalar.errors import InputError
from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    FloatArray,
    GaitEvent,
    Notice,
    SensorStatus,
    Side,
    Stride,
)

__all__ = ["Batch", "RingReader", "RingWriter", "SessionFacts", "SessionState", "WriterState", "find_sessions"]

ANGLE_ROWS = 60 * 400 + 2400
"""A minute at 400 Hz, and some to spare while it is being read."""

WriterState = Literal["alive", "closed", "died"]


def find_sessions() -> tuple[str, ...]:
    """Names of the live sessions of this user, newest first; what dead ones left behind is removed."""
    clean_stale()
    return live_names()


class _End:
    """What both ends do: lay arrays over the memory, and let go of them before the memory goes."""

    def __init__(self, segment: Segment, buffer: memoryview, angle_rows: int) -> None:
        self._segment = segment
        self.name = segment.name
        self._header = map_header(buffer)
        self._channels = map_channels(buffer, angle_rows)
        self._open = True
        atexit.register(self.close)  # arrays must go before the memory does

    def close(self) -> None:
        """Let go of the shared memory."""
        if self._open:
            self._open = False
            atexit.unregister(self.close)
            del self._header
            self._channels.clear()
            self._segment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RingWriter(_End):
    """The writing end; not thread-safe. Use as a context manager, or ``close`` it."""

    def __init__(self, segment: Segment, angle_rows: int) -> None:
        super().__init__(segment, segment.buffer, angle_rows)
        self._header["checksum"] = layout_checksum()
        self._header["angle_rows"] = angle_rows
        self._header["pid"] = os.getpid()
        self._beat(time.monotonic_ns())
        fence()
        self._header["magic"] = MAGIC

    @classmethod
    def create(cls, name: str | None = None, *, angle_rows: int = ANGLE_ROWS) -> "RingWriter":
        """Make the shared memory (about 27 MB); ``name`` is chosen when None. ``angle_rows`` are kept per side.

        Raises SubtalarError when the name is taken or shared memory is full.
        """
        return cls(Segment.create(name, segment_size(angle_rows)), angle_rows)

    def publish(self, estimates: Estimates, arrival_ns: int | None = None) -> None:
        """Publish what one push of samples brought to light.

        ``arrival_ns`` (``time.monotonic_ns``) is when the newest of the samples reached the host, for latency
        measurements; now when None.
        """
        now_ns = time.monotonic_ns()
        for block in estimates.angles:
            if len(block):
                rows = _angle_rows(block, now_ns if arrival_ns is None else arrival_ns, now_ns)
                self._channels[f"angles_{block.side}"].append(rows)
        for event in estimates.events:
            self._channels["events"].append(to_row(EVENT_ROW, event))
        for stride in estimates.strides:
            self._channels["strides"].append(to_row(STRIDE_ROW, stride))
        for notice in estimates.notices:
            self._channels["notices"].append(to_row(NOTICE_ROW, notice, publish_ns=now_ns))
        self._beat(now_ns)

    def publish_truth(self, side: Side, time_s: FloatArray, ankle_deg: FloatArray) -> None:
        """Publish known angles (a simulator's), ``time_s`` (n,) on the session clock, ``ankle_deg`` (n, 3)."""
        rows = np.zeros(len(time_s), TRUTH_ROW)
        rows["time_s"], rows["ankle_deg"] = time_s, ankle_deg
        self._channels[f"truth_{side}"].append(rows)

    def publish_status(self, statuses: Iterable[SensorStatus]) -> None:
        """Publish the state of sensors; those not mentioned keep theirs."""
        now_ns = time.monotonic_ns()
        for status in statuses:
            self._channels[f"sensor_{status.info.site}"].append(sensor_to_row(status, now_ns))
        self._beat(now_ns)

    def publish_session(self, facts: SessionFacts) -> None:
        """Publish the facts of the session; call at least once a second while it runs."""
        now_ns = time.monotonic_ns()
        self._channels["session"].append(to_row(SESSION_ROW, facts, publish_ns=now_ns))
        self._beat(now_ns)

    def _beat(self, now_ns: int) -> None:
        """Say "still here". Without this for seconds, readers say the process hangs."""
        self._header["heartbeat_ns"] = now_ns

    def close(self) -> None:
        """End in order: readers keep what they have attached to and see that this was no crash."""
        if self._open:
            self._header["closed"] = 1
        super().close()


class RingReader(_End):
    """The reading end. All that it returns are copies; nothing blocks, and the writer does not notice."""

    def __init__(self, segment: Segment) -> None:
        buffer = segment.buffer.toreadonly()
        super().__init__(segment, buffer, int(map_header(buffer)["angle_rows"][0]))

    @classmethod
    def attach(cls, name: str, wait_s: float = 0.0) -> "RingReader":
        """Attach to a session, waiting up to ``wait_s`` for it to appear.

        Raises InputError when there is none of that name, or it runs another version of the software.
        """
        deadline = time.monotonic() + wait_s
        while True:
            try:
                segment = Segment.attach(name)
                if _is_ready(segment):
                    return cls(segment)
                segment.close()
                problem = InputError(f"the live session {name} has not finished starting; try again")
            except InputError as error:
                problem = error
            if time.monotonic() >= deadline:
                raise problem
            time.sleep(0.02)

    def angles_since(self, side: Side, cursor: int = 0) -> Batch:
        """Angle rows (``layout.ANGLE_ROW``) from ``cursor`` on that are still kept."""
        return self._channels[f"angles_{side}"].since(cursor)

    def truth_since(self, side: Side, cursor: int = 0) -> Batch:
        """True angles (``layout.TRUTH_ROW``), if the source knows them."""
        return self._channels[f"truth_{side}"].since(cursor)

    def stride_count(self) -> int:
        """Strides of the session so far."""
        return self._channels["strides"].count

    def strides(self, last: int = 1024) -> tuple[Stride, ...]:
        """The last strides, oldest first."""
        return tuple(from_row(Stride, row) for row in self._channels["strides"].last(last))

    def event_count(self) -> int:
        """Gait events of the session so far."""
        return self._channels["events"].count

    def events(self, last: int = 512) -> tuple[GaitEvent, ...]:
        """The last gait events, oldest first."""
        return tuple(from_row(GaitEvent, row) for row in self._channels["events"].last(last))

    def notices(self, last: int = 128) -> tuple[Notice, ...]:
        """The last notices, oldest first."""
        return tuple(from_row(Notice, row) for row in self._channels["notices"].last(last))

    def sensors(self) -> tuple[SensorStatus, ...]:
        """The newest state of every sensor that has one, in the order of ``BodySite``."""
        rows = [row for site in BodySite for row in self._channels[f"sensor_{site}"].last(1)]
        return tuple(sensor_from_row(row) for row in rows)

    def session(self) -> SessionFacts:
        """The newest facts of the session; those of a starting one before any were published."""
        rows = self._channels["session"].last(1)
        return cast(SessionFacts, from_row(SessionFacts, rows[0])) if len(rows) else SessionFacts()

    def session_published_ns(self) -> int | None:
        """When the facts of the session were published (``time.monotonic_ns``)."""
        rows = self._channels["session"].last(1)
        return int(rows["publish_ns"][0]) if len(rows) else None

    def heartbeat_ns(self) -> int:
        """When the writer last gave a sign of life (``time.monotonic_ns``, shared by all processes)."""
        return int(self._header["heartbeat_ns"][0])

    def writer_pid(self) -> int:
        """Process that writes."""
        return int(self._header["pid"][0])

    def writer_state(self) -> WriterState:
        """Whether the writer runs, ended in order, or died (known at once, however it died)."""
        if self._header["closed"][0]:
            return "closed"
        if self._segment.owner_alive():
            return "alive"
        return "closed" if self._header["closed"][0] else "died"


def _is_ready(segment: Segment) -> bool:
    """Whether the writer has finished the header. Raises InputError when it runs another version."""
    header = map_header(segment.buffer)
    ready, same = header["magic"][0] == MAGIC, header["checksum"][0] == layout_checksum()
    del header
    if ready and not same:
        segment.close()
        raise InputError(
            f"the live session {segment.name} runs another version of subtalar; update and start both anew"
        )
    return bool(ready)


def _angle_rows(block: AngleBlock, arrival_ns: int, publish_ns: int) -> Rows:
    rows = np.zeros(len(block), ANGLE_ROW)
    rows["time_s"] = block.time_s
    rows["angles_deg"] = block.angles_deg
    rows["angles_sd_deg"] = block.angles_sd_deg
    rows["shank_orientation"] = block.shank_orientation
    rows["quality"] = block.quality
    rows["arrival_ns"] = arrival_ns
    rows["publish_ns"] = publish_ns
    return rows
