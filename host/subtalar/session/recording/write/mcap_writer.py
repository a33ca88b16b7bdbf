"""The MCAP side of a recording: channels, messages, totals. Not thread-safe; blocks on the disk."""

import json
import time
import uuid
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import CompressionType, Writer

from subtalar import __version__
from subtalar.session.durable_file import DurableFile
from subtalar.session.recording.format.messages import encode_sensor
from subtalar.session.recording.format.schema import (
    FORMAT_VERSION,
    HEADER_METADATA,
    PACKAGE,
    PROFILE,
    SCHEMA_BYTES,
    SESSION_TOPIC,
    TOTALS_TOPIC,
    message_class,
    topics,
)
from subtalar.session.recording.format.totals import Totals
from subtalar.types import BodySite, SensorInfo

_YIELD_NS = 500_000


class EncodedHeader(NamedTuple):
    """The message, and the id in it."""

    data: bytes
    recording_id: str


def encode_header(
    sensors: Sequence[SensorInfo],
    start_utc: datetime,
    configuration_json: str,
    origin: Mapping[str, Any] | None = None,
    recording_id: str = "",
) -> "EncodedHeader":
    """A ``SessionHeader`` message; a new id unless one is given."""
    recording_id = recording_id or uuid.uuid4().hex
    message = message_class("SessionHeader")(
        format_version=FORMAT_VERSION,
        software_version=__version__,
        start_utc=start_utc.isoformat(),
        sensors=[encode_sensor(s) for s in sensors],
        configuration_json=configuration_json,
        recording_id=recording_id,
        origin_json=json.dumps(dict(origin), sort_keys=True) if origin else "",
    )
    return EncodedHeader(cast(bytes, message.SerializeToString()), recording_id)


class RecordingWriter:
    """One MCAP file in the making.

    The header goes out at once in a chunk of its own (and as metadata, should that chunk be damaged; at the end once
    more), so that a file is readable from its first moment on.
    """

    def __init__(self, file: DurableFile, header_bytes: bytes, sites: Sequence[BodySite], start_utc: datetime) -> None:
        self._writer: Any = Writer(cast(Any, file), compression=CompressionType.ZSTD, enable_data_crcs=True)
        self._yielded_ns = 0
        self._start_ns = round(start_utc.timestamp() * 1e9)
        table = topics([site.value for site in sites])
        self._writer.start(profile=PROFILE, library=f"subtalar {__version__}")
        self._spare = {"session_header_hex": header_bytes.hex(), "crc32": str(zlib.crc32(header_bytes))}
        self._writer.add_metadata(HEADER_METADATA, self._spare)
        schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        for topic, name in table.items():
            if name not in schemas:
                schemas[name] = self._writer.register_schema(f"{PACKAGE}.{name}", SchemaEncoding.Protobuf, SCHEMA_BYTES)
            self._channels[topic] = self._writer.register_channel(topic, MessageEncoding.Protobuf, schemas[name])
        self.add(SESSION_TOPIC, 0.0, header_bytes)
        self.flush()

    def add(self, topic: str, time_s: float, data: bytes, sequence: int = 0) -> None:
        """Add a message at a session time. Raises KeyError for a topic that these sensors do not have."""
        self.add_at(topic, max(0, self._start_ns + round(time_s * 1e9)), data, sequence)

    def add_at(self, topic: str, log_time: int, data: bytes, sequence: int = 0) -> None:
        """Add a message at a time in ns since 1970."""
        self._writer.add_message(self._channels[topic], log_time, data, log_time, sequence)
        if time.monotonic_ns() - self._yielded_ns > _YIELD_NS:
            time.sleep(0)  # lets a waiting event loop have the interpreter now instead of after the switch interval
            self._yielded_ns = time.monotonic_ns()

    def flush(self) -> None:
        """Close the chunk in progress and write it."""
        self._writer.flush()

    def finish(self, totals: Totals) -> None:
        """Write the totals, the index and the end mark."""
        self.finish_with(totals.encode(), totals.last_arrival_s or 0.0)

    def finish_with(self, totals: bytes, time_s: float) -> None:
        """The same, with a ``Totals`` message that is made already."""
        self.add(TOTALS_TOPIC, time_s, totals)
        self.flush()
        self._writer.add_metadata(HEADER_METADATA, self._spare)  # what befalls the beginning seldom befalls the end
        self._writer.finish()
