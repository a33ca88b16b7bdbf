"""The values that travel through the shared memory of a live session, and the row of each."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np

from subtalar.acquisition.ring.channel import Rows
from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT
from subtalar.types import BodySite, GaitEvent, Ledger, Notice, SensorInfo, SensorStatus, Side, Stride

SessionState = Literal["starting", "running", "ended"]


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


ANGLE_ROW: Final = np.dtype(
    [
        ("time_s", "f8"),
        ("angles_deg", "f8", ANGLE_COUNT),
        ("angles_sd_deg", "f8", ANGLE_COUNT),
        ("zero_sd_deg", "f8"),
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
