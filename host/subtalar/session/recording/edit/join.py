"""One recording of the parts into which a session fell because a disk failed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from subtalar.errors import InputError
from subtalar.session.opening import is_recording
from subtalar.session.recording.edit.cut import Cut
from subtalar.session.recording.edit.rewrite import changed_header, write_new
from subtalar.session.recording.format.counts import steps_of
from subtalar.session.recording.format.messages import ArrivedBlock, RawChunk, StatusSnapshot, encode_blocks, encode_raw
from subtalar.session.recording.format.schema import SESSION_TOPIC, TOTALS_TOPIC, message_class
from subtalar.session.recording.format.totals import Totals
from subtalar.session.recording.read.container import Scanner
from subtalar.session.recording.read.item_stream import (
    RecordingHeader,
    TopicMessage,
    decode_items,
    open_file,
    read_header,
    scan_messages,
)
from subtalar.session.recording.repair.verify import VerifyReport
from subtalar.session.recording.write.mcap_writer import RecordingWriter
from subtalar.types import BodySite


def join_parts(parts: Sequence[str | Path], out: str | Path) -> VerifyReport:
    """Write the new recording ``out`` of the parts of one session, in their order; what two parts share comes once.

    Raises InputError where a part does not continue the one before it, RecordingError where ``out`` cannot be written.
    """
    paths = [Path(part).expanduser() for part in parts]
    for path in paths:
        if not is_recording(path):
            raise InputError(f"{path} is no recording made by subtalar: check the name and the folder.")
    headers = [read_header(path) for path in paths]
    for before, after, path in zip(headers, headers[1:], paths[1:], strict=False):
        if after.origin.get("kind") != "continuation" or after.origin.get("of_id") != before.recording_id:
            raise InputError(f"{path} does not continue the recording named before it: {_why_not(before, after)}.")
    origin = {"kind": "joined", "of": [path.name for path in paths], "of_id": [h.recording_id for h in headers]}

    def fill(writer: RecordingWriter) -> None:
        joiner = _Joiner(writer)
        for path, header in zip(paths, headers, strict=True):
            joiner.add(path, header)
        writer.finish(joiner.totals)

    return write_new(
        Path(out), changed_header(headers[0], origin), list(headers[0].sensors), headers[0].start_utc, fill
    )


def _why_not(before: RecordingHeader, after: RecordingHeader) -> str:
    for header in (before, after):
        if header.origin.get("kind") == "trimmed":
            return f"one of them was cut out of {header.origin.get('of')}; join whole parts, and cut what came of them"
    of = after.origin.get("of")
    return f"it continues {of}" if of else "it begins a session of its own"


class _Joiner:
    """Copies parts and knows what was copied."""

    def __init__(self, writer: RecordingWriter) -> None:
        self._writer = writer
        self._newest: dict[tuple[str, BodySite], int] = {}
        self._angles_until_s: dict[str, float] = {}
        self._seen: set[tuple[str, bytes]] = set()
        self._group = self._groups_before = 0
        self.totals = Totals()

    def add(self, path: Path, header: RecordingHeader) -> None:
        """One more part."""
        self._groups_before = self._group
        with open_file(path) as file:
            for message in scan_messages(Scanner(file), header):
                if not isinstance(message, TopicMessage):
                    self._writer.flush()
                elif message.topic not in (SESSION_TOPIC, TOTALS_TOPIC):
                    data = self._new(header, message)
                    if data:
                        self._writer.add_at(message.topic, message.log_time_ns, data, message.sequence)
        self._writer.flush()

    def _new(self, header: RecordingHeader, message: TopicMessage) -> bytes:
        """What of a message no part before this one holds."""
        match header.topics.get(message.topic):
            case "Samples":
                group = message_class("Samples").FromString(message.data).group + self._groups_before
                self._group = max(self._group, group)
                items = decode_items(header, message)
                arrived = [item for item in items if isinstance(item, ArrivedBlock)]
                blocks = [b for b in arrived if self._is_next("samples", b.block.site, b)]
                for block in blocks:
                    self.totals.add_block(block)
                if not blocks:
                    return b""
                return encode_blocks(group, blocks, steps_of(header.sensors[blocks[0].block.site]))
            case "RawBytes":
                raw = [item for item in decode_items(header, message) if isinstance(item, RawChunk)]
                chunks = [c for c in raw if self._is_next("raw", c.site, c)]
                return encode_raw(chunks) if chunks else b""
            case "Angles":
                return self._angles(message.data)
            case "StatusSnapshot":
                for snapshot in decode_items(header, message):
                    if isinstance(snapshot, StatusSnapshot):
                        self.totals.status.update({s.info.site: s for s in snapshot.sensors})
                return message.data
            case None:
                return b""
            case name:
                key = message.topic, message.data
                if key in self._seen:
                    return b""
                self._seen.add(key)
                self.totals.strides += name == "Stride"
                return message.data

    def _is_next(self, kind: str, site: BodySite, item: ArrivedBlock | RawChunk) -> bool:
        if item.sequence <= self._newest.get((kind, site), -1):
            return False
        self._newest[kind, site] = item.sequence
        return True

    def _angles(self, data: bytes) -> bytes:
        message: Any = message_class("Angles").FromString(data)
        time_s = np.array(message.time_s)
        until_s = self._angles_until_s.get(message.side, -np.inf)
        if len(time_s):
            self._angles_until_s[message.side] = max(until_s, float(time_s.max()))
        if not (time_s <= until_s).any():
            return data
        return Cut(float(np.nextafter(until_s, np.inf)), np.inf).message("Angles", data)
