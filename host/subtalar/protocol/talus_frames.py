"""Talus frame by frame: types, items, stuffing, what an answer tells. Source: docs/protocol.md, version 1.0."""

import struct
from binascii import crc_hqx
from typing import Final, NamedTuple

import numpy as np

MAJOR_VERSION: Final = 1
PIECE_LIMIT: Final = 251
"""The longest frame (250 bytes) as stuffed, without its final zero."""

HELLO, GET, SET, START, STOP, BLINK, SAVE = 1, 2, 3, 4, 5, 6, 7
SAMPLES, STREAM, BATTERY, NOTE = 0x40, 0x41, 0x42, 0x43
TO_DEVICE: Final = 0x80

MODEL, SERIAL_NUMBER, FIRMWARE_VERSION, NAME = 0x01, 0x02, 0x03, 0x04
RATE, ACC_RANGE, GYR_RANGE, FRAME_SAMPLES = 0x10, 0x11, 0x12, 0x13
OFFERED_RATES, OFFERED_ACC_RANGES, OFFERED_GYR_RANGES, BATTERY_ITEM = 0x20, 0x21, 0x22, 0x30
TEXTS: Final = {
    MODEL: "model",
    SERIAL_NUMBER: "serial_number",
    FIRMWARE_VERSION: "firmware_version",
    NAME: "name",
}
# Item -> key, counts a unit: the device counts in tenths and hundredths.
NUMBERS: Final = {RATE: ("rate_hz", 10), ACC_RANGE: ("acc_range_g", 100), GYR_RANGE: ("gyr_range_deg_s", 10)}
LISTS: Final = {
    OFFERED_RATES: ("offered_rates_hz", 10),
    OFFERED_ACC_RANGES: ("offered_acc_ranges_g", 100),
    OFFERED_GYR_RANGES: ("offered_gyr_ranges_deg_s", 10),
}
NAME_LIMIT: Final = 20
DONE: Final = 0
NOT_NOW: Final = 4
STATUS: Final = {
    1: "unknown request",
    2: "unknown item",
    3: "value not possible",
    4: "not now",
    5: "not fitted",
    6: "failed",
}

STREAM_FIELDS: Final = struct.Struct("<HQIIII")
HEAD_BYTES, SAMPLE_BYTES, CRC_BYTES = 7, 12, 2
LATEST_TIME_US: Final = 1 << 53


def stuffed(frame: bytes) -> bytes:
    """Type and payload -> bytes for the wire: CRC, COBS, final zero."""
    out = bytearray(b"\0" + frame + crc_hqx(frame, 0xFFFF).to_bytes(2, "little") + b"\0")
    last = 0
    while (at := out.find(0, last + 1)) >= 0:
        out[last] = at - last
        last = at
    return bytes(out)


def unstuffed(piece: bytes) -> bytearray | None:
    """A piece between two zeros -> type, payload and CRC; None for a piece that is damaged."""
    out = bytearray(piece)
    at, n = 0, len(out)
    while at < n:
        step = out[at]
        out[at] = 0
        at += step
    del out[0]
    if at != n or n < 4 or crc_hqx(out[:-2], 0xFFFF) != out[-2] | out[-1] << 8:
        return None
    return out


class StreamFrame(NamedTuple):
    """What a STREAM frame tells."""

    number: int
    time_us: int
    boot: int
    period_ns: int
    acc_count_ng: int
    gyr_count_ndeg_s: int

    @property
    def is_usable(self) -> bool:
        """A device that says nonsense must not make us divide by it."""
        return min(self.period_ns, self.acc_count_ng, self.gyr_count_ndeg_s) > 0 and self.time_us < LATEST_TIME_US


class Answer(NamedTuple):
    """Status and the rest of an answer."""

    status: int
    data: bytes


def told_by(kind: int, data: bytes) -> tuple[str, object]:
    """Key and value of an answer; the value is None for an acknowledgement or what is not understood."""
    if kind == HELLO:
        return "protocol_version", f"{data[0]}.{data[1]}" if len(data) >= 2 else None
    if kind not in (GET, SET):
        return {START: "start", STOP: "stop", BLINK: "blink", SAVE: "save"}[kind], None
    item, value = (data[0], data[1:]) if data else (0, b"")
    if item in TEXTS:
        return TEXTS[item], value.decode("utf-8", "replace")
    words = np.frombuffer(value, "<u2", len(value) // 2)
    if item in NUMBERS:
        key, counts = NUMBERS[item]
        return key, float(words[0]) / counts if len(words) else None
    if item in LISTS:
        key, counts = LISTS[item]
        return key, tuple((words / counts).tolist())
    return {FRAME_SAMPLES: "samples_a_frame", BATTERY_ITEM: "battery"}.get(item, f"item_{item:02x}"), value.hex()
