"""What lies where in the shared memory of a live session, and the values that travel through it.

Everything is a *channel*: a ring of fixed-size rows with one writer. The writer announces how far it is going
to write, writes, then says how far it has written; a reader copies and then asks whether what it copied was
being overwritten meanwhile. No locks: a reader that dies in the middle holds nobody up, and a writer that dies
in the middle leaves every finished row readable.
"""

import dataclasses
import functools
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT
from subtalar.types import SIDES, BodySite, GaitEvent, Ledger, Notice, SensorInfo, SensorStatus, Side, Stride

SessionState = Literal["starting", "running", "ended"]
Rows = npt.NDArray[np.void]


@dataclass(frozen=True)
class SessionFacts:
    """What the screen says of the session itself.

    ``source`` is a phrase such as "simulated sensors" or "replay of walk_right"; ``started_unix_s`` wall clock;
    ``recording_path`` is empty when nothing is recorded; ``recording_error`` one sentence, empty when all is well;
    ``recording_note`` one sentence on a recording that goes on in another place than it began. ``participant`` is a
    pseudonymous code; it, ``visit`` and ``condition`` are empty where nobody said them.
    """

    state: SessionState = "starting"
    source: str = ""
    started_unix_s: float = 0.0
    elapsed_s: float = 0.0
    recording_path: str = ""
    recorded_bytes: int = 0
    recording_error: str = ""
    recording_note: str = ""
    participant: str = ""
    visit: str = ""
    condition: str = ""


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
ANGLE_ROW: Final = np.dtype(
    [
        ("time_s", "f8"),
        ("angles_deg", "f8", ANGLE_COUNT),
        ("angles_sd_deg", "f8", ANGLE_COUNT),
        ("shank_orientation", "f8", 4),
        ("arrival_ns", "i8"),
        ("publish_ns", "i8"),
        ("quality", "i8"),
    ]
)
TRUTH_ROW: Final = np.dtype([("time_s", "f8"), ("ankle_deg", "f8", ANKLE_COUNT)])

_TEXT_WIDTH: Final = {
    "text": 400,
    "recording_path": 1024,
    "recording_error": 400,
    "recording_note": 1500,
    "source": 300,
    "address": 200,
}
_SHORT_TEXT = 64


def _row_type(cls: type, without: tuple[str, ...] = (), **more: str) -> np.dtype[np.void]:
    """The row for a flat dataclass of text and numbers; None travels as "" or NaN."""
    kinds = {int: "i8", float: "f8", bool: "?"}
    columns = [
        (field.name, kinds.get(cast(type, field.type), f"U{_TEXT_WIDTH.get(field.name, _SHORT_TEXT)}"))
        for field in dataclasses.fields(cls)
        if field.name not in without and field.type != float | None
    ]
    columns += [(field.name, "f8") for field in dataclasses.fields(cls) if field.type == float | None]
    return np.dtype([*columns, *more.items()])


STRIDE_ROW: Final = _row_type(Stride)
EVENT_ROW: Final = _row_type(GaitEvent)
NOTICE_ROW: Final = _row_type(Notice, publish_ns="i8")
SESSION_ROW: Final = _row_type(SessionFacts, publish_ns="i8")
SENSOR_ROW: Final = np.dtype(
    [
        ("info", _row_type(SensorInfo)),
        ("status", _row_type(SensorStatus, without=("info", "ledger"))),
        ("ledger", _row_type(Ledger)),
        ("publish_ns", "i8"),
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


_fence_lock = threading.Lock()


def fence() -> None:
    """Keep the stores before from passing those after, on processors that reorder (ARM).

    Python has no fence; releasing a lock and taking it again is one.
    """
    with _fence_lock:
        pass
    with _fence_lock:
        pass


@dataclass(frozen=True)
class Batch:
    """Rows copied out of a channel. ``cursor``: where to go on; ``missed``: rows overwritten before they were read."""

    rows: Rows
    cursor: int
    missed: int


class Channel:
    """One ring. Every row is stored twice, a capacity apart, so any window is one contiguous slice."""

    _RESERVED, _COUNT = 0, 1

    def __init__(self, head: npt.NDArray[np.int64], rows: Rows) -> None:
        self._head = head
        self._rows = rows
        self.capacity = len(rows) // 2

    @property
    def count(self) -> int:
        """Rows written since the start."""
        return int(self._head[self._COUNT])

    def append(self, rows: Rows) -> None:
        """Write rows (one writer only). Of more rows than fit, the last ones stay."""
        end = self.count + len(rows)
        rows = rows[-self.capacity :]
        self._head[self._RESERVED] = end
        fence()
        start = (end - len(rows)) % self.capacity
        until_wrap = self.capacity - start
        for part, at in ((rows[:until_wrap], start), (rows[until_wrap:], 0)):
            self._rows[at : at + len(part)] = part
            self._rows[at + self.capacity : at + self.capacity + len(part)] = part
        fence()
        self._head[self._COUNT] = end

    def since(self, cursor: int) -> Batch:
        """All rows from number ``cursor`` on that are still there."""
        while True:
            count = self.count
            fence()
            first = max(min(cursor, count), count - self.capacity, 0)
            at = first % self.capacity
            rows = self._rows[at : at + count - first].copy()
            fence()
            oldest_whole = int(self._head[self._RESERVED]) - self.capacity
            if first >= oldest_whole or not len(rows):
                return Batch(rows, count, max(first - cursor, 0))
            if oldest_whole < count:
                return Batch(rows[oldest_whole - first :], count, max(oldest_whole - cursor, 0))

    def last(self, n: int) -> Rows:
        """The newest ``n`` rows, or as many as there are."""
        return self.since(max(self.count - n, 0)).rows


def to_row(dtype: np.dtype[np.void], value: Any, **more: int) -> Rows:
    """One row from a flat dataclass; text that is too long is cut with an ellipsis."""
    row = np.zeros(1, dtype)
    for name in dtype.names or ():
        kind = dtype[name].kind
        item = more[name] if name in more else getattr(value, name)
        if kind == "U":
            text, width = "" if item is None else str(item), dtype[name].itemsize // 4
            row[name] = text if len(text) <= width else text[: width - 1] + "…"
        else:
            row[name] = np.nan if item is None else item
    return row


def sensor_to_row(status: SensorStatus, publish_ns: int) -> Rows:
    """One row of ``SENSOR_ROW``."""
    row = np.zeros(1, SENSOR_ROW)
    row["info"] = to_row(SENSOR_ROW["info"], status.info)
    row["status"] = to_row(SENSOR_ROW["status"], status)
    row["ledger"] = to_row(SENSOR_ROW["ledger"], status.ledger)
    row["publish_ns"] = publish_ns
    return row


def sensor_from_row(row: Mapping[str, Any]) -> SensorStatus:
    """The inverse of ``sensor_to_row``."""
    info, ledger = from_row(SensorInfo, row["info"]), from_row(Ledger, row["ledger"])
    return cast(SensorStatus, from_row(SensorStatus, row["status"], info=info, ledger=ledger))


def from_row(cls: type, row: Mapping[str, Any], **ready: Any) -> Any:
    """The dataclass of a row; the inverse of ``to_row``."""
    values = {name: convert(row[name].item()) for name, convert in _converters(cls) if name not in ready}
    return cls(**values, **ready)


@functools.cache
def _converters(cls: type) -> list[tuple[str, Callable[[Any], Any]]]:
    """How each field comes back: looked up once, because rows are read many times a second."""
    back: dict[Any, Callable[[Any], Any]] = {
        float | None: lambda v: None if v != v else v,
        BodySite: BodySite,
        BodySite | None: lambda v: BodySite(v) if v else None,
        Side | None: lambda v: v or None,
    }
    return [(field.name, back.get(field.type, lambda v: v)) for field in dataclasses.fields(cls)]
