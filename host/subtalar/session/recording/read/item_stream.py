"""What a recording holds, in the order in which it was written, past whatever damage there is."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from google.protobuf.message import DecodeError
from mcap.records import Channel, Header, Message, Metadata

from subtalar.errors import InputError
from subtalar.session.recording.format import messages as msg
from subtalar.session.recording.format.schema import (
    FORMAT_VERSION,
    HEADER_METADATA,
    PROFILE,
    SESSION_TOPIC,
    message_class,
    topics,
)
from subtalar.session.recording.read.container import MAGIC, ChunkEnd, Scanner, begins_damaged
from subtalar.types import AngleBlock, BodySite, SensorInfo


@dataclass(frozen=True)
class RecordingHeader:
    """What stands at the beginning of a recording. ``raw`` is its ``SessionHeader`` message as written.

    ``origin`` is empty for a whole recording; else its "kind" is ``continuation`` or ``trimmed``.
    """

    software_version: str
    start_utc: datetime
    sensors: dict[BodySite, SensorInfo]
    configuration: dict[str, Any]
    recording_id: str
    origin: dict[str, Any]
    topics: dict[str, str] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def is_later_part(self) -> bool:
        """Whether it continues another recording: its ledgers then count from the beginning of the session."""
        return self.origin.get("kind") == "continuation"


@dataclass(frozen=True)
class TopicMessage:
    """One message, not decoded yet."""

    topic: str
    log_time_ns: int
    sequence: int
    data: bytes


def open_file(path: Path) -> IO[bytes]:
    """Open for reading. Raises InputError where that fails."""
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def read_header(path: Path) -> RecordingHeader:
    """The header of a recording of ours. Raises InputError for anything else.

    It stands in the first chunk, and as metadata at the beginning and, in a closed file, at the end.
    """
    with open_file(path) as file:
        if file.read(len(MAGIC)) != MAGIC and not begins_damaged(path):
            raise InputError(f"{path} is not a recording: it does not begin like an MCAP file.")
        profile, found = _first_header(Scanner(file))
        foreign = profile != PROFILE and profile != "" and profile.isprintable()
        if not found and not foreign:
            found = _last_header(Scanner(file))
    if not found:
        if profile != PROFILE:
            raise InputError(f"{path} is an MCAP file but not a recording made by subtalar.")
        raise InputError(f"{path} ends or is damaged before the first sample: nothing can be read from it.")
    return _decode_header(path, found)


def _first_header(scanner: Scanner) -> tuple[str, bytes]:
    """The profile of the file, and the header in or before its first chunk."""
    profile, spare = "", b""
    channels: dict[int, str] = {}
    for record in scanner:
        match record:
            case Header():
                profile = record.profile
            case Metadata() if record.name == HEADER_METADATA:
                spare = _spare_header(record.metadata)
            case Channel():
                channels[record.id] = record.topic
            case Message() if channels.get(record.channel_id) == SESSION_TOPIC:
                return profile, record.data
            case Message() | ChunkEnd():
                break
            case _:
                pass
    return profile, spare


def _last_header(scanner: Scanner) -> bytes:
    for record in scanner:
        if isinstance(record, Metadata) and record.name == HEADER_METADATA:
            found = _spare_header(record.metadata)
            if found:
                return found
    return b""


def scan_messages(scanner: Scanner, header: RecordingHeader) -> Iterator[TopicMessage | ChunkEnd]:
    """All messages in order. A damaged channel list is made good by the header's."""
    channels = dict(enumerate(header.topics, start=1))
    for record in scanner:
        if isinstance(record, Channel):
            channels[record.id] = record.topic
        elif isinstance(record, Message):
            topic = channels.get(record.channel_id)
            if topic is not None:
                yield TopicMessage(topic, record.log_time, record.sequence, record.data)
        elif isinstance(record, ChunkEnd):
            yield record


RecordedItem = msg.ArrivedBlock | msg.RawChunk | AngleBlock | msg.StatusSnapshot | Any
"""Also GaitEvent, Stride, Calibration, Notice and Annotation."""


def decode_items(header: RecordingHeader, message: TopicMessage) -> list[RecordedItem]:
    """The values in a message; empty for topics of a later version. Raises ValueError for a broken message."""
    name = header.topics.get(message.topic)
    if name is None:
        return []
    parsed = message_class(name).FromString(message.data)
    match name:
        case "Samples":
            return list(msg.decode_blocks(parsed))
        case "RawBytes":
            return list(msg.decode_raw(parsed))
        case "Angles":
            return [msg.decode_angles(parsed)]
        case "Event":
            return [msg.decode_event(parsed)]
        case "Stride":
            return [msg.decode_stride(parsed)]
        case "Notice":
            return [msg.decode_notice(parsed)]
        case "StatusSnapshot":
            return [msg.decode_status(parsed, header.sensors)]
        case "Calibration":
            return [msg.decode_calibration(parsed)]
        case "Marker":
            return [msg.decode_marker(parsed)]
        case _:
            return []


def read_items(path: Path) -> Iterator[RecordedItem]:
    """Everything in a recording of ours, decoded, as it was written; damaged stretches are left out.

    Raises InputError where the file is not a recording.
    """
    header = read_header(path)
    with open_file(path) as file:
        for message in scan_messages(Scanner(file), header):
            if isinstance(message, TopicMessage):
                yield from decode_items(header, message)


def _spare_header(metadata: dict[str, str]) -> bytes:
    """The copy of the header outside the chunks; empty where it is damaged."""
    try:
        raw = bytes.fromhex(metadata["session_header_hex"])
        return raw if zlib.crc32(raw) == int(metadata["crc32"]) else b""
    except (KeyError, ValueError):
        return b""


def _decode_header(path: Path, raw: bytes) -> RecordingHeader:
    try:
        m = message_class("SessionHeader").FromString(raw)
        if m.format_version > FORMAT_VERSION:
            raise InputError(
                f"{path} was made by subtalar {m.software_version} in format version {m.format_version}, and this "
                f"software knows versions up to {FORMAT_VERSION}: update subtalar."
            )
        sensors = [msg.decode_sensor(s) for s in m.sensors]
        return RecordingHeader(
            m.software_version,
            datetime.fromisoformat(m.start_utc),
            {s.site: s for s in sensors},
            json.loads(m.configuration_json or "{}"),
            m.recording_id,
            json.loads(m.origin_json or "{}"),
            topics([s.site.value for s in sensors]),
            raw,
        )
    except (DecodeError, ValueError) as error:
        raise InputError(f"The header of {path} is damaged ({error}): nothing can be read from it.") from error
