"""Walk through the records of an MCAP file that may be cut or damaged, in bounded memory.

The ordinary readers of the ``mcap`` package stop at the first surprise. This one checks each chunk's CRC, skips what
is damaged, finds the next chunk by its shape and goes on (MCAP specification, https://mcap.dev/spec).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Header, Message, Metadata, Schema

MAGIC = b"\x89MCAP0\r\n"
RECORD_HEAD = struct.Struct("<BQ")
_OPCODES = frozenset(int(o) for o in Opcode)
_LARGEST_RECORD = 64 * 2**20
_LARGEST_CHUNK = 64 * 2**20
"""Unpacked; ours stay below the half. A file that wants more wants to fill the memory."""
_SEARCH_STEP = 2**20

# A chunk record: head (9), start and end time (16), size (8), CRC (4), compression (4 + 4), size of the data (8).
_CHUNK_MARK = b"\x04\x00\x00\x00zstd"
_MARK_OFFSET = RECORD_HEAD.size + 28
_CHUNK_FIXED = 28 + len(_CHUNK_MARK) + 8


@dataclass(frozen=True)
class Damage:
    """Bytes that could not be used. ``at_end``: nothing readable follows, as after a cut."""

    offset: int
    length: int
    at_end: bool


@dataclass(frozen=True)
class ChunkEnd:
    """Stands after the messages of each intact chunk."""

    offset: int


Found = Header | Metadata | Schema | Channel | Message | ChunkEnd


def begins_damaged(path: Path) -> bool:
    """Whether this may be a recording of which the first bytes were overwritten. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(_SEARCH_STEP)
    return not start.startswith(MAGIC) and _CHUNK_MARK in start


class Scanner:
    """Iterate once over the data section; afterwards the attributes tell how it went.

    ``closed``: the closing magic is there. ``data_end_offset``: where the DataEnd record starts; None where a cut or
    damage took it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self.chunks = 0
        self.damages: list[Damage] = []
        self.data_end_offset: int | None = None
        self.closed = False

    def __iter__(self) -> Iterator[Found]:
        self.closed = self._size > len(MAGIC) and self._read(self._size - len(MAGIC), len(MAGIC)) == MAGIC
        position = len(MAGIC)
        if self._size >= position and self._read(0, position) != MAGIC:
            self.damages.append(Damage(0, position, at_end=False))
        while position < self._size:
            head = self._head(position)
            if head is None:
                position = self._skip_damage(position)
                continue
            opcode, length = head
            if opcode == Opcode.DATA_END:
                self.data_end_offset = position
                return
            end = position + RECORD_HEAD.size + length
            # A length that is wrong leads to something that is no record.
            sound_length = end == self._size or self._head(end) is not None
            if opcode not in (Opcode.CHUNK, Opcode.HEADER, Opcode.METADATA):
                position = end if sound_length else self._skip_damage(position)
                continue
            records, used = self._decode(opcode, self._read(position + RECORD_HEAD.size, length))
            if records is None:
                position = self._skip_damage(position, end if sound_length else None)
                continue
            yield from records
            if opcode == Opcode.CHUNK:
                self.chunks += 1
                yield ChunkEnd(position)
            # Where the content is right and the length is another, the length is wrong.
            position = end if used == length else self._skip_damage(position, position + RECORD_HEAD.size + used)

    def _head(self, position: int) -> tuple[int, int] | None:
        """Opcode and length of the record there; None where no whole record can be."""
        data = self._read(position, RECORD_HEAD.size)
        if len(data) < RECORD_HEAD.size:
            return None
        opcode, length = RECORD_HEAD.unpack(data)
        fits = length <= _LARGEST_RECORD and position + RECORD_HEAD.size + length <= self._size
        return (opcode, length) if opcode in _OPCODES and fits else None

    def _read(self, position: int, length: int) -> bytes:
        self._file.seek(position)
        return self._file.read(length)

    @staticmethod
    def _decode(opcode: int, content: bytes) -> tuple[list[Any] | None, int]:
        """The records in this one, None where it is damaged; and how long its content says that it is."""
        stream = ReadDataStream(io.BytesIO(content))
        try:
            if opcode == Opcode.HEADER:
                return [Header.read(stream)], stream.count
            if opcode == Opcode.METADATA:
                return [Metadata.read(stream)], stream.count
            return _records_in(Chunk.read(stream)), stream.count
        except Exception:  # damaged bytes make the decoders fail in every way there is, MemoryError included
            return None, 0

    def _skip_damage(self, position: int, known_end: int | None = None) -> int:
        """Note the damage that starts here and return where to go on."""
        end = known_end if known_end is not None else self._next_chunk(position + 1)
        self.damages.append(Damage(position, (end or self._size) - position, at_end=end is None))
        return self._size if end is None else end

    def _next_chunk(self, start: int) -> int | None:
        """Offset of the next thing that has the shape of a whole chunk record."""
        position = start
        while position < self._size:
            window = self._read(position, _SEARCH_STEP + _MARK_OFFSET + len(_CHUNK_MARK))
            found = window.find(_CHUNK_MARK, _MARK_OFFSET)
            while found >= 0:
                candidate = position + found - _MARK_OFFSET
                if self._is_chunk(candidate):
                    return candidate
                found = window.find(_CHUNK_MARK, found + 1)
            position += _SEARCH_STEP
        return None

    def _is_chunk(self, position: int) -> bool:
        head = self._head(position)
        if head is None or head[0] != Opcode.CHUNK or head[1] < _CHUNK_FIXED:
            return False
        data = self._read(position + RECORD_HEAD.size + _CHUNK_FIXED - 8, 8)
        return len(data) == 8 and struct.unpack("<Q", data)[0] == head[1] - _CHUNK_FIXED


def _records_in(chunk: Chunk) -> list[Schema | Channel | Message]:
    """Of one chunk. Raises ValueError and others where it is damaged, or unpacks to more than any chunk of ours."""
    data = _unpacked(chunk)
    if zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("the checksum of the chunk does not fit")
    stream = ReadDataStream(io.BytesIO(data))
    records: list[Schema | Channel | Message] = []
    while stream.count < len(data):
        opcode, length = stream.read1(), stream.read8()
        match opcode:
            case Opcode.MESSAGE:
                records.append(Message.read(stream, length))
            case Opcode.CHANNEL:
                records.append(Channel.read(stream))
            case Opcode.SCHEMA:
                records.append(Schema.read(stream))
            case 0:
                raise ValueError("no record begins with 0")
            case _:
                stream.read(length)
    return records


def _unpacked(chunk: Chunk) -> bytes:
    """Its content, in bounded memory."""
    claims = [chunk.uncompressed_size]
    if chunk.compression == "zstd":
        claims.append(zstandard.frame_content_size(chunk.data))
    if max(claims) > _LARGEST_CHUNK:
        raise ValueError(f"a chunk of {max(claims)} bytes")
    match chunk.compression:
        case "zstd":
            return zstandard.decompress(chunk.data, chunk.uncompressed_size)
        case "":
            return chunk.data
        case name:  # nothing of ours, and not to be unpacked without a bound
            raise ValueError(f"compression {name}")
