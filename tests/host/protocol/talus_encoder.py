"""Talus as docs/protocol.md describes it, written down once more: the codec and the firmware are checked with this."""

import struct
from collections.abc import Sequence
from itertools import pairwise

ZERO = b"\x00"
PERIOD_NS = {100: 10_000_000, 200: 5_000_000}


def crc(data: bytes) -> int:
    """By polynomial division of the message, one bit after another, start value 0xFFFF."""
    register = 0xFFFF
    for bit in (byte >> i & 1 for byte in data for i in range(7, -1, -1)):
        overflow = (register >> 15) ^ bit
        register = (register << 1 & 0xFFFF) ^ (0x1021 if overflow else 0)
    return register


def with_crc(frame: bytes) -> bytes:
    return frame + crc(frame).to_bytes(2, "little")


def wire(frame: bytes) -> bytes:
    """COBS by the words of the page: a zero before, a zero behind, each zero but the last the distance to the next."""
    raw = [0, *with_crc(frame), 0]
    zeros = [i for i, byte in enumerate(raw) if byte == 0]
    for here, following in pairwise(zeros):
        raw[here] = following - here
    return bytes(raw)


def stream(number: int = 65535, time_us: int = 1_000_000, boot: int = 7, rate_hz: int = 200, scale: int = 1) -> bytes:
    """16 g and 2000 °/s; ``scale`` divides both."""
    counts = round(16e9 / 32768 / scale), round(2000e9 / 32768 / scale)
    return wire(b"\x41" + struct.pack("<HQIIII", number % 65536, time_us, boot, PERIOD_NS[rate_hz], *counts))


def samples(number: int, time_us: int, rows: Sequence[Sequence[int]]) -> bytes:
    head = struct.pack("<BHI", 0x40, number % 65536, time_us % 2**32)
    return wire(head + b"".join(struct.pack("<6h", *row) for row in rows))


def answer(kind: int, tag: int, status: int = 0, data: bytes = b"") -> bytes:
    return wire(bytes((kind, tag, status)) + data)


def request(kind: int, tag: int, data: bytes = b"") -> bytes:
    return wire(bytes((0x80 | kind, tag)) + data)
