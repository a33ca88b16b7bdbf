"""The MCAP side of a recording: channels, messages, totals. Not thread-safe; blocks on the disk."""

import json
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import CompressionType, Writer

from subtalar import __version__
from subtalar.session.recording.durable_file import DurableFile
from subtalar.session.recording.messages import ArrivedBlock, encode_sensor, encode_sensor_status
from subtalar.session.recording.schema import (
    FORMAT_VERSION,
    PACKAGE,
    SCHEMA_BYTES,
    SESSION_TOPIC,
    TOTALS_TOPIC,
    message_class,
    topics,
)
from subtalar.types import BodySite, SensorInfo, SensorStatus

PROFILE = "subtalar"
HEADER_METADATA = "subtalar.header"
_YIELD_NS = 500_000


class Totals:
    """Running totals of a recording, written as its last message."""

    def __init__(self) -> None:
        self.first_arrival_s: float | None = None
        self.last_arrival_s: float | None = None
        self.samples: Counter[BodySite] = Counter()
        self.status: dict[BodySite, SensorStatus] = {}
        self.strides = 0

    def add_block(self, arrived: ArrivedBlock) -> None:
        """Count a block."""
        self.add_blocks((arrived,))

    def add_blocks(self, arrived: Sequence[ArrivedBlock]) -> None:
        """Count consecutive blocks of one sensor."""
        lengths = [len(a.block.acc_m_s2) for a in arrived]
        if 0 in lengths:
            arrived = [a for a, n in zip(arrived, lengths, strict=True) if n]
        if not arrived:
            return
        hosts = arrived[0].block.host_time_s, arrived[-1].block.host_time_s
        first = arrived[0].arrival_s if hosts[0] is None else float(hosts[0][0])
        last = arrived[-1].arrival_s if hosts[1] is None else float(hosts[1][-1])
        self.first_arrival_s = first if self.first_arrival_s is None else min(first, self.first_arrival_s)
        self.last_arrival_s = last if self.last_arrival_s is None else max(last, self.last_arrival_s)
        self.samples[arrived[0].block.site] += sum(lengths)

    @property
    def duration_s(self) -> float:
        """From the first to the last arrival; 0 for a recording without samples."""
        if self.first_arrival_s is None or self.last_arrival_s is None:
            return 0.0
        return self.last_arrival_s - self.first_arrival_s

    def encode(self) -> bytes:
        """A ``Totals`` message."""
        sites = {**dict.fromkeys(self.samples), **dict.fromkeys(self.status)}
        message = message_class("Totals")(
            first_arrival_s=self.first_arrival_s, last_arrival_s=self.last_arrival_s, strides=self.strides
        )
        for site in sites:
            entry = message.sites.add(site=site.value, samples=self.samples[site])
            if site in self.status:
                entry.status.CopyFrom(encode_sensor_status(self.status[site]))
        return cast(bytes, message.SerializeToString())


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
