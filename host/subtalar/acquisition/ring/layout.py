"""What lies where in the shared memory of a live session: a header, then the channels."""

import zlib
from typing import Final

import numpy as np

from subtalar.acquisition.ring.channel import Channel, Rows
from subtalar.acquisition.ring.rows import (
    ANGLE_ROW,
    EVENT_ROW,
    NOTICE_ROW,
    SENSOR_ROW,
    SESSION_ROW,
    STRIDE_ROW,
    TRUTH_ROW,
)
from subtalar.types import SIDES, BodySite

MAGIC: Final = b"SUBTALR1"
HEADER: Final = np.dtype(
    [
        ("magic", "S8"),  # written last: a header without it is not finished
        ("checksum", "i8"),  # of the layout: reader and writer must be the same version
        ("angle_rows", "i8"),
        ("pid", "i8"),
        ("heartbeat_ns", "i8"),
        ("closed", "i8"),
    ]
)


def channel_plan(angle_rows: int) -> dict[str, tuple[np.dtype[np.void], int]]:
    """Row type and capacity of every channel."""
    return {
        **{f"angles_{side}": (ANGLE_ROW, angle_rows) for side in SIDES},
        **{f"truth_{side}": (TRUTH_ROW, angle_rows) for side in SIDES},
        **{f"sensor_{site}": (SENSOR_ROW, 4) for site in BodySite},
        "strides": (STRIDE_ROW, 1024),
        "events": (EVENT_ROW, 512),
        "notices": (NOTICE_ROW, 128),
        "session": (SESSION_ROW, 4),
    }


def layout_checksum() -> int:
    """Changes whenever a row type or capacity does."""
    return zlib.crc32(repr([(name, d.descr, n) for name, (d, n) in channel_plan(1).items()]).encode())


def _round_up(size: int) -> int:
    return -(-size // 64) * 64


def segment_size(angle_rows: int) -> int:
    """Bytes needed in all."""
    channels = channel_plan(angle_rows).values()
    return _round_up(HEADER.itemsize) + sum(64 + _round_up(2 * n * dtype.itemsize) for dtype, n in channels)


def map_header(buffer: memoryview) -> Rows:
    """The header, shape (1,), as a view."""
    return np.frombuffer(buffer, HEADER, count=1)


def map_channels(buffer: memoryview, angle_rows: int) -> "dict[str, Channel]":
    """Every channel as views into the buffer."""
    channels, offset = {}, _round_up(HEADER.itemsize)
    for name, (dtype, capacity) in channel_plan(angle_rows).items():
        head = np.frombuffer(buffer, np.int64, count=2, offset=offset)
        rows = np.frombuffer(buffer, dtype, count=2 * capacity, offset=offset + 64)
        channels[name] = Channel(head, rows)
        offset += 64 + _round_up(2 * capacity * dtype.itemsize)
    return channels
