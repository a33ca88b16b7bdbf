"""The writing end of a live session's shared memory."""

import os
import time
from collections.abc import Iterable

import numpy as np

from subtalar.acquisition.ring.channel import Rows, fence
from subtalar.acquisition.ring.layout import MAGIC, layout_checksum, segment_size
from subtalar.acquisition.ring.ring_end import RingEnd
from subtalar.acquisition.ring.rows import (
    ANGLE_ROW,
    EVENT_ROW,
    NOTICE_ROW,
    SESSION_ROW,
    STRIDE_ROW,
    TRUTH_ROW,
    SessionFacts,
    sensor_to_row,
    to_row,
)
from subtalar.acquisition.ring.segment import Segment
from subtalar.types import AngleBlock, Estimates, FloatArray, SensorStatus, Side

ANGLE_ROWS = 60 * 400 + 2400
"""A minute at 400 Hz, and some to spare while it is being read."""


class RingWriter(RingEnd):
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


def _angle_rows(block: AngleBlock, arrival_ns: int, publish_ns: int) -> Rows:
    rows = np.zeros(len(block), ANGLE_ROW)
    rows["time_s"] = block.time_s
    rows["angles_deg"] = block.angles_deg
    rows["angles_sd_deg"] = block.angles_sd_deg
    rows["zero_sd_deg"] = block.zero_sd_deg
    rows["shank_orientation"] = block.shank_orientation
    rows["quality"] = block.quality
    rows["arrival_ns"] = arrival_ns
    rows["publish_ns"] = publish_ns
    return rows
