"""The reading end of a live session's shared memory, and which sessions there are to read."""

import time
from typing import Literal, cast

from subtalar.acquisition.ring.channel import Batch
from subtalar.acquisition.ring.layout import MAGIC, layout_checksum, map_header
from subtalar.acquisition.ring.live_folder import live_names
from subtalar.acquisition.ring.ring_end import RingEnd
from subtalar.acquisition.ring.rows import SessionFacts, from_row, sensor_from_row
from subtalar.acquisition.ring.segment import Segment, clean_stale
from subtalar.errors import InputError
from subtalar.types import BodySite, GaitEvent, Notice, SensorStatus, Side, Stride

WriterState = Literal["alive", "closed", "died"]


def find_sessions() -> tuple[str, ...]:
    """Names of the live sessions of this user, newest first; what dead ones left behind is removed."""
    clean_stale()
    return live_names()


class RingReader(RingEnd):
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
        """Angle rows (``rows.ANGLE_ROW``) from ``cursor`` on that are still kept."""
        return self._channels[f"angles_{side}"].since(cursor)

    def truth_since(self, side: Side, cursor: int = 0) -> Batch:
        """True angles (``rows.TRUTH_ROW``), if the source knows them."""
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
