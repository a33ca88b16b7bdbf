"""Our frozen types to protobuf messages and back, bit for bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np

from subtalar.anatomy import ANGLE_COUNT, ANKLE
from subtalar.session.model import Annotation
from subtalar.session.recording.format.counts import NO_STEPS, Steps, as_counts, from_counts
from subtalar.session.recording.format.schema import ANGLE_FIELDS, ANGLE_SD_FIELDS, message_class
from subtalar.strides import STRIDE_NAMES
from subtalar.types import (
    AngleBlock,
    BodySite,
    Calibration,
    FloatArray,
    GaitEvent,
    Ledger,
    Notice,
    SampleBlock,
    SensorInfo,
    SensorStatus,
    Side,
    Stride,
)

_LEDGER_FIELDS = tuple(f.name for f in fields(Ledger))
_LEDGER_TIMING = ("clock_drift_ppm", "delay_ms")
_CALIBRATION_FIELDS = tuple(f.name for f in fields(Calibration))
LEDGER_COUNTS = tuple(f.name for f in fields(Ledger) if f.type is int)

_DOUBLE = np.dtype("<f8")
_LENGTH_DELIMITED = 2
_Samples = message_class("Samples")
_RawBytes = message_class("RawBytes")
_Angles = message_class("Angles")
_Event = message_class("Event")
_Stride = message_class("Stride")
_Notice = message_class("Notice")
_Status = message_class("Status")
_StatusSnapshot = message_class("StatusSnapshot")
_Calibration = message_class("Calibration")
_Marker = message_class("Marker")
_Sensor = message_class("Sensor")


class ArrivedBlock(NamedTuple):
    """A sample block as it was handed to the estimator.

    ``sequence`` orders blocks and chunks of all sensors among each other; ``arrival_s`` is the session time.
    """

    sequence: int
    arrival_s: float
    block: SampleBlock


class RawChunk(NamedTuple):
    """Bytes as a transport delivered them, before any decoding."""

    sequence: int
    site: BodySite
    arrival_s: float
    data: bytes


@dataclass(frozen=True)
class StatusSnapshot:
    """What was known of every sensor at one moment (session clock)."""

    time_s: float
    sensors: tuple[SensorStatus, ...]


def encode_sensor(info: SensorInfo) -> Any:
    """A ``Sensor`` message."""
    return _Sensor(
        site=info.site.value,
        rate_hz=info.rate_hz,
        acc_range_m_s2=info.acc_range_m_s2,
        gyr_range_rad_s=info.gyr_range_rad_s,
        model=info.model,
        address=info.address,
    )


def decode_sensor(m: Any) -> SensorInfo:
    """The inverse of ``encode_sensor``. Raises ValueError for a site that is not known."""
    return SensorInfo(
        BodySite(m.site),
        m.rate_hz,
        _optional(m, "acc_range_m_s2"),
        _optional(m, "gyr_range_rad_s"),
        m.model,
        m.address,
    )


def encode_blocks(group: int, arrived: Sequence[ArrivedBlock], steps: Steps = NO_STEPS) -> bytes:
    """Consecutive blocks of one sensor, all with the same time columns, as one ``Samples`` message.

    ``steps``: what a count stands for, where the sensor may count.
    """
    first = arrived[0].block
    message = _Samples(
        site=first.site.value,
        group=group,
        block_sequence=[a.sequence for a in arrived],
        block_length=[len(a.block.acc_m_s2) for a in arrived],
        block_arrival_s=[a.arrival_s for a in arrived],
        has_device_time=first.device_time_s is not None,
        has_host_time=first.host_time_s is not None,
    )
    blocks = [a.block for a in arrived]
    columns: dict[str, FloatArray] = {}
    if first.device_time_s is not None:
        columns["device_time_s"] = np.concatenate([b.device_time_s for b in blocks if b.device_time_s is not None])
    if first.host_time_s is not None:
        columns["host_time_s"] = np.concatenate([b.host_time_s for b in blocks if b.host_time_s is not None])
    acc, gyr = (np.concatenate(rows) for rows in ([b.acc_m_s2 for b in blocks], [b.gyr_rad_s for b in blocks]))
    if counts := as_counts(acc, steps[0]):
        message.acc_counts, message.acc_m_s2_per_count = counts, steps[0]
    else:
        columns["acc_m_s2"] = acc
    if counts := as_counts(gyr, steps[1]):
        message.gyr_counts, message.gyr_rad_s_per_count = counts, steps[1]
    else:
        columns["gyr_rad_s"] = gyr
    return _with_columns(message, columns)


def decode_blocks(m: Any) -> list[ArrivedBlock]:
    """The blocks of a ``Samples`` message, cut as they were handed over. Raises ValueError where lengths disagree."""
    device = np.array(m.device_time_s, dtype=np.float64) if m.has_device_time else None
    host = np.array(m.host_time_s, dtype=np.float64) if m.has_host_time else None
    acc = _rows(m.acc_counts, m.acc_m_s2_per_count, m.acc_m_s2)
    gyr = _rows(m.gyr_counts, m.gyr_rad_s_per_count, m.gyr_rad_s)
    if len(gyr) != len(acc):
        raise ValueError(f"{len(acc)} accelerations and {len(gyr)} angular velocities")
    found = []
    start = 0
    for sequence, length, arrival_s in zip(m.block_sequence, m.block_length, m.block_arrival_s, strict=True):
        stop = start + length
        block = SampleBlock(
            BodySite(m.site),
            None if device is None else device[start:stop],
            None if host is None else host[start:stop],
            acc[start:stop],
            gyr[start:stop],
        )
        found.append(ArrivedBlock(sequence, arrival_s, block))
        start = stop
    if start != len(acc):
        raise ValueError(f"{len(acc)} samples in blocks of {start}")
    return found


def _rows(counts: bytes, step: float, doubles: Any) -> FloatArray:
    """Rows of three, whichever way they were written."""
    return from_counts(counts, step) if counts else _array(doubles).reshape(-1, 3)


def encode_raw(chunks: Sequence[RawChunk]) -> bytes:
    """Chunks of one sensor as one ``RawBytes`` message."""
    message = _RawBytes(
        site=chunks[0].site.value,
        sequence=[c.sequence for c in chunks],
        arrival_s=[c.arrival_s for c in chunks],
        data=[c.data for c in chunks],
    )
    return cast(bytes, message.SerializeToString())


def decode_raw(m: Any) -> list[RawChunk]:
    """The inverse of ``encode_raw``."""
    return [
        RawChunk(sequence, BodySite(m.site), arrival_s, data)
        for sequence, arrival_s, data in zip(m.sequence, m.arrival_s, m.data, strict=True)
    ]


def encode_angles(blocks: Sequence[AngleBlock]) -> bytes:
    """Consecutive blocks of one side as one ``Angles`` message."""
    deg, sd_deg = (np.concatenate(of) for of in ([b.angles_deg for b in blocks], [b.angles_sd_deg for b in blocks]))
    columns = {
        "time_s": np.concatenate([b.time_s for b in blocks]),
        "angles_deg": deg[:, ANKLE],
        "sd_deg": sd_deg[:, ANKLE],
        "shank_orientation": np.concatenate([b.shank_orientation for b in blocks]),
    }
    for (name, angles), sd_name in zip(ANGLE_FIELDS.items(), ANGLE_SD_FIELDS, strict=True):
        if name not in columns and np.isfinite(deg[:, angles]).any():
            columns[name], columns[sd_name] = deg[:, angles], sd_deg[:, angles]
    zero_sd_deg = np.concatenate([b.zero_sd_deg for b in blocks])
    if np.isfinite(zero_sd_deg).any():
        columns["zero_sd_deg"] = zero_sd_deg
    quality = np.concatenate([b.quality for b in blocks]).astype(np.uint8, copy=False).tobytes()
    return _with_columns(_Angles(side=blocks[0].side, quality=quality), columns)


def _with_columns(message: Any, columns: Mapping[str, FloatArray]) -> bytes:
    """The message, then repeated doubles as they stand on the wire: a tag, a length, and the bytes of the array.

    Number by number, this would be half of what recording costs.
    """
    parts = [message.SerializeToString()]
    fields_of = message.DESCRIPTOR.fields_by_name
    for name, values in columns.items():
        data = values.astype(_DOUBLE, copy=False).tobytes()
        if data:
            parts += (_column_tag(fields_of[name].number), _varint(len(data)), data)
    return b"".join(parts)


@cache
def _column_tag(number: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_angles(m: Any) -> AngleBlock:
    """The inverse of ``encode_angles``, as one block."""
    time_s = _array(m.time_s)
    deg, sd_deg = (np.full((len(time_s), ANGLE_COUNT), np.nan) for _ in range(2))
    for table, fields_of in ((deg, ANGLE_FIELDS), (sd_deg, ANGLE_SD_FIELDS)):
        for name, angles in fields_of.items():
            values = _array(getattr(m, name))
            if len(values):  # empty in an older file, and where none was known
                table[:, angles] = values.reshape(-1, len(angles))
    return AngleBlock(
        cast(Side, m.side),
        time_s,
        deg,
        sd_deg,
        np.frombuffer(m.quality, dtype=np.uint8),
        _array(m.shank_orientation).reshape(-1, 4),
        _array(m.zero_sd_deg),  # empty in an older file
    )


def encode_event(event: GaitEvent) -> bytes:
    """An ``Event`` message."""
    message = _Event(side=event.side, kind=event.kind, time_s=event.time_s, detected_s=event.detected_s)
    return cast(bytes, message.SerializeToString())


def decode_event(m: Any) -> GaitEvent:
    """The inverse of ``encode_event``."""
    return GaitEvent(m.side, m.kind, m.time_s, m.detected_s)


def encode_stride(stride: Stride) -> bytes:
    """A ``Stride`` message."""
    message = _Stride(**{name: getattr(stride, name) for name in STRIDE_NAMES})
    return cast(bytes, message.SerializeToString())


def decode_stride(m: Any) -> Stride:
    """The inverse of ``encode_stride``; what an older file does not hold is NaN."""
    known = m.DESCRIPTOR.fields_by_name
    values: dict[str, Any] = {
        name: float("nan") if known[name].has_presence and not m.HasField(name) else getattr(m, name)
        for name in STRIDE_NAMES
        if name != "measured_by"
    }
    if m.HasField("measured_by"):
        values["measured_by"] = m.measured_by
    return Stride(**values)


def encode_calibration(calibration: Calibration) -> bytes:
    """A ``Calibration`` message."""
    message = _Calibration(**{name: getattr(calibration, name) for name in _CALIBRATION_FIELDS})
    return cast(bytes, message.SerializeToString())


def decode_calibration(m: Any) -> Calibration:
    """The inverse of ``encode_calibration``."""
    values: dict[str, Any] = {}
    for name in _CALIBRATION_FIELDS:
        described = m.DESCRIPTOR.fields_by_name[name]
        value = getattr(m, name)
        if described.has_presence and not m.HasField(name):
            value = float("nan")
        values[name] = tuple(value) if isinstance(getattr(Calibration, name, None), tuple) else value
    return Calibration(**values)


def encode_notice(notice: Notice) -> bytes:
    """A ``Notice`` message."""
    message = _Notice(
        time_s=notice.time_s,
        level=notice.level,
        code=notice.code,
        text=notice.text,
        side=notice.side,
        site=None if notice.site is None else notice.site.value,
    )
    return cast(bytes, message.SerializeToString())


def decode_notice(m: Any) -> Notice:
    """The inverse of ``encode_notice``."""
    site = _optional(m, "site")
    return Notice(m.time_s, m.level, m.code, m.text, _optional(m, "side"), None if site is None else BodySite(site))


def encode_sensor_status(status: SensorStatus) -> Any:
    """A ``Status`` message; what is known of the sensor itself stands in the header."""
    return _Status(
        site=status.info.site.value,
        link=status.link,
        rate_hz=status.rate_hz,
        battery_percent=status.battery_percent,
        **{name: getattr(status.ledger, name) for name in _LEDGER_FIELDS},
    )


def decode_ledger(m: Any) -> Ledger:
    """The ledger of a ``Status`` message."""
    timing = {name: _optional(m, name) for name in _LEDGER_TIMING}
    return Ledger(**{name: getattr(m, name) for name in _LEDGER_FIELDS if name not in timing}, **timing)


def counted_since(ledger: Ledger, begin: Ledger) -> Ledger:
    """What has been counted since ``begin``."""
    return replace(ledger, **{n: max(0, getattr(ledger, n) - getattr(begin, n)) for n in LEDGER_COUNTS})


def encode_status(snapshot: StatusSnapshot) -> bytes:
    """A ``StatusSnapshot`` message."""
    message = _StatusSnapshot(time_s=snapshot.time_s, sensors=[encode_sensor_status(s) for s in snapshot.sensors])
    return cast(bytes, message.SerializeToString())


def decode_status(m: Any, sensors: dict[BodySite, SensorInfo]) -> StatusSnapshot:
    """The inverse of ``encode_status``, given the sensors of the header."""
    return StatusSnapshot(
        m.time_s,
        tuple(
            SensorStatus(
                sensors[BodySite(s.site)],
                s.link,
                _optional(s, "rate_hz"),
                _optional(s, "battery_percent"),
                decode_ledger(s),
            )
            for s in m.sensors
        ),
    )


def encode_marker(marker: Annotation) -> bytes:
    """A ``Marker`` message."""
    return cast(bytes, _Marker(label=marker.label, start_s=marker.start_s, end_s=marker.end_s).SerializeToString())


def decode_marker(m: Any) -> Annotation:
    """The inverse of ``encode_marker``."""
    return Annotation(m.label, m.start_s, m.end_s)


def _optional(m: Any, name: str) -> Any:
    return getattr(m, name) if m.HasField(name) else None


def _array(values: Any) -> FloatArray:
    return np.array(values, dtype=np.float64)
