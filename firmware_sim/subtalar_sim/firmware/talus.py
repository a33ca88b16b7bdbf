"""A board that speaks Talus: written from docs/protocol.md alone, over GATT or as a byte stream.

It is an ordinary board: the IMU needs a moment to start, flash makes it deaf for 0.3 s, settings are kept only if
saved, samples are numbered whether they reach the link or not, and a lost Bluetooth link ends the stream.
"""

import struct
from typing import Final

import numpy as np

from subtalar_sim.faults import SentLedger
from subtalar_sim.firmware.base import (
    FrameFeed,
    GattCharacteristic,
    GattService,
    Payload,
    RefusedByDevice,
    Unit,
)
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import GRAVITY_M_S2

SERVICE_UUID: Final = "13352089-70fe-4ecc-8436-6cede67b263d"
NOTIFY_UUID: Final = "1335208a-70fe-4ecc-8436-6cede67b263d"
WRITE_UUID: Final = "1335208b-70fe-4ecc-8436-6cede67b263d"
_CHARACTERISTICS: Final = (
    GattCharacteristic(NOTIFY_UUID, frozenset({"notify"})),
    GattCharacteristic(WRITE_UUID, frozenset({"write", "write_without_response"})),
)

RATES_HZ: Final = (25.0, 50.0, 100.0, 200.0, 400.0, 800.0)
ACC_RANGES_G: Final = (2.0, 4.0, 8.0, 16.0)
GYR_RANGES_DEG_S: Final = (250.0, 500.0, 1000.0, 2000.0)
BUSY_S: Final = 0.3
_IMU_START_S: Final = 0.03
_ANSWER_S: Final = 0.002
_BATTERY_EVERY_S: Final = 60.0
_ONE_PERCENT_S: Final = 288.0
"""Eight hours on a charge."""
_FRAME_LIMIT: Final = 250
_WRAP_US: Final = 1 << 64
_READ_NOT_PERMITTED: Final = 0x02

DONE, UNKNOWN_REQUEST, UNKNOWN_ITEM, NOT_POSSIBLE, NOT_NOW = range(5)
_NUMERIC_ITEMS: Final = {0x10: (RATES_HZ, 10), 0x11: (ACC_RANGES_G, 100), 0x12: (GYR_RANGES_DEG_S, 10)}
_NAME, _FRAME_SAMPLES, _BATTERY = 0x04, 0x13, 0x30


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740, bit by bit, as a small board does it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


_TABLE: Final = [crc16(bytes((byte,))) ^ crc16(b"\0") for byte in range(256)]


def _crc(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _TABLE[crc >> 8 ^ byte]
    return crc


def wire(frame: bytes) -> bytes:
    """Type and payload -> CRC, COBS, final zero."""
    body = frame + struct.pack("<H", _crc(frame))
    return b"".join(bytes((len(part) + 1,)) + part for part in body.split(b"\0")) + b"\0"


def unwire(piece: bytes) -> bytes | None:
    """A piece without its zero -> type and payload; None where it is damaged."""
    parts, at = [], 0
    while at < len(piece):
        step = piece[at]
        parts.append(piece[at + 1 : at + step])
        at += step
    body = b"\0".join(parts)
    if at != len(piece) or len(body) < 3 or _crc(body[:-2]) != int.from_bytes(body[-2:], "little"):
        return None
    return body[:-2]


class Talus:
    """One board, a ``Firmware`` on a byte stream and a ``GattFirmware`` over ``ble``.

    ``imu_error`` is how much faster than nominal the IMU's own oscillator runs, as a fraction.
    """

    services: tuple[GattService, ...] = (GattService(SERVICE_UUID, _CHARACTERISTICS),)

    def __init__(self, unit: Unit, *, name: str = "board", imu_error: float = 0.0) -> None:
        if unit.rate_hz not in RATES_HZ:
            raise ValueError(f"the simulated Talus board runs at {', '.join(f'{r:g}' for r in RATES_HZ)} Hz")
        self._unit, self._clock, self._imu_error = unit, unit.clock, imu_error
        self._is_gatt = unit.interface == "ble"
        self.ledger = SentLedger()
        self.max_payload = 244
        self._texts = {0x01: "simulated + IMU", 0x02: f"{unit.serial_number:016X}", 0x03: "1.2.0"}
        self._saved: dict[int, int | str] = {
            0x10: round(unit.rate_hz * 10),
            0x11: 1600,
            0x12: 20000,
            _FRAME_SAMPLES: 0,
            _NAME: name,
        }
        self._boot, self._zero_us = 0x5EED0000, 0
        self._power_on(unit.start_s)

    def _power_on(self, now_s: float) -> None:
        self.settings = dict(self._saved)
        self._boot += 1
        self._input = b""
        self._out: list[tuple[float, bytes, int]] = []
        self._feed: FrameFeed | None = None
        self._batch: list[bytes] = []
        self._greeted = False
        self._busy_until = self._blink_until = now_s
        self._battery_s = self._stream_s = float("inf")

    @property
    def name(self) -> str:
        """The name in the advertisement."""
        return f"Talus-{self.settings[_NAME]}"

    def is_blinking(self, now_s: float) -> bool:
        """Whether the LED blinks."""
        return now_s < self._blink_until

    def power_cycle(self, now_s: float) -> None:
        """Off and on: the clock begins anew, what was not saved is forgotten, nothing streams."""
        self._count_unsent()
        self._zero_us += self._time_us(now_s)
        self._power_on(now_s)

    def _time_us(self, t_s: float) -> int:
        """A clock that is set back below zero goes round."""
        return (round(1e6 * self._unit.clock_s(t_s)) - self._zero_us) % _WRAP_US

    def _number(self, item: int) -> int:
        return int(self.settings[item])

    # Samples ----------------------------------------------------------------------------------------------

    @property
    def _frame_samples(self) -> int:
        """As told, or as many as 20 ms bring."""
        return self._number(_FRAME_SAMPLES) or max(1, min(20, self._number(0x10) // 500))

    def _start(self, now_s: float) -> None:
        rate_hz = self._number(0x10) / 10.0 * (1.0 + self._imu_error)
        self._taken, self._newest_us = 0, self._time_us(now_s)
        self._counts = round(self._number(0x11) * 1e7 / 32768), round(self._number(0x12) * 1e8 / 32768)
        self._feed = self._unit.feed(self._encode, self.ledger, rate_hz=rate_hz, start_s=now_s + _IMU_START_S)
        self._encoded = 0

    def _encode(self, samples: ImuSamples) -> list[bytes]:
        """Number and time in front of each sample's twelve bytes."""
        acc_g = samples.acc_m_s2 / GRAVITY_M_S2
        full = np.concatenate([acc_g / self._counts[0], np.degrees(samples.gyr_rad_s) / self._counts[1]], axis=1)
        words = np.clip(np.round(full * 1e9), -32768, 32767).astype("<i2")
        stamps = np.round(1e6 * self._clock.reading(samples.t_s)).astype(np.int64) - self._zero_us
        first, self._encoded = self._encoded, self._encoded + len(stamps)
        return [
            struct.pack("<QQ", first + i, us % _WRAP_US) + row.tobytes()
            for i, (us, row) in enumerate(zip(stamps.tolist(), words, strict=True))
        ]

    def _sample(self, now_s: float, *, listening: bool) -> None:
        """Take what is due, and close frames: full ones, and those before a gap."""
        if self._feed is None:
            return
        for record in self._feed.due(now_s, listening=listening):
            number, self._newest_us = struct.unpack_from("<QQ", record)
            if number != self._taken:
                self._close_frame(now_s)
            self._taken = number + 1
            self._batch.append(record)
            if len(self._batch) >= self._frame_samples:
                self._close_frame(now_s)

    def _close_frame(self, now_s: float) -> None:
        if self._batch:
            number, time_us = struct.unpack_from("<QQ", self._batch[-1])
            head = struct.pack("<BHI", 0x40, number & 0xFFFF, time_us & 0xFFFFFFFF)
            frame = head + b"".join(record[16:] for record in self._batch)
            self._out.append((now_s, wire(frame), len(self._batch)))
            self._batch.clear()

    def _say_stream(self, at_s: float) -> None:
        self._stream_s = at_s + 1.0
        period_ns = round(1e10 / self._number(0x10))
        fields = (self._taken - 1) & 0xFFFF, self._newest_us, self._boot, period_ns, *self._counts
        self._out.append((at_s, wire(b"\x41" + struct.pack("<HQIIII", *fields)), 0))

    def _stop(self, now_s: float) -> None:
        self._sample(now_s, listening=True)
        self._close_frame(now_s)
        self._feed, self._stream_s = None, float("inf")

    def _count_unsent(self) -> None:
        self.ledger.unsent += len(self._batch) + sum(n for _, _, n in self._out)
        self._batch.clear()
        self._out.clear()

    # Requests ---------------------------------------------------------------------------------------------

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """A link that is lost turns the notifications off."""
        if not subscribed:
            self.on_link_lost(now_s)

    def on_link_lost(self, now_s: float) -> None:
        """The stream and the conversation have ended."""
        self._feed, self._stream_s, self._battery_s = None, float("inf"), float("inf")
        self._greeted, self._input = False, b""
        self._count_unsent()

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``: the other half of the byte stream."""
        if uuid == WRITE_UUID:
            self.on_bytes(data, now_s)

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """Nothing is read."""
        raise RefusedByDevice(_READ_NOT_PERMITTED)

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """Stuffed requests, cut anywhere; damage is dropped without a word."""
        *pieces, self._input = (self._input + data).split(b"\0")
        if len(self._input) > _FRAME_LIMIT + 1:
            self._input = self._input[: _FRAME_LIMIT + 2]  # too long, and stays too long until the next zero
        for piece in pieces:
            frame = unwire(piece) if 4 <= len(piece) <= _FRAME_LIMIT + 1 else None
            if frame is not None and len(frame) >= 2 and frame[0] & 0x80:
                self._request(frame[0] & 0x7F, frame[1], frame[2:], now_s)

    def _answer(self, at_s: float, kind: int, tag: int, status: int, data: bytes = b"") -> None:
        self._out.append((at_s, wire(bytes((kind, tag, status)) + data), 0))

    def _request(self, kind: int, tag: int, data: bytes, now_s: float) -> None:
        at_s = now_s + _ANSWER_S
        if kind == 1:
            self._hello(tag, data, at_s)
        elif now_s < self._busy_until:
            self._answer(at_s, kind, tag, NOT_NOW)
        elif kind == 2:
            self._get(tag, data, at_s)
        elif kind == 3:
            self._set(tag, data, at_s)
        elif kind == 4:
            if self._feed is None:
                self._start(now_s)
            self._answer(at_s, kind, tag, DONE)
            self._say_stream(at_s)
        elif kind == 5:
            self._stop(now_s)
            self._answer(at_s, kind, tag, DONE)
        elif kind == 6 and data:
            self._blink_until = now_s + data[0]
            self._answer(at_s, kind, tag, DONE)
        elif kind == 7 and self._feed is not None:
            self._answer(at_s, kind, tag, NOT_NOW)
        elif kind == 7:
            self._saved = dict(self.settings)
            self._busy_until = now_s + BUSY_S
            self._answer(self._busy_until, kind, tag, DONE)
        else:
            self._answer(at_s, kind, tag, NOT_POSSIBLE if kind == 6 else UNKNOWN_REQUEST)

    def _hello(self, tag: int, data: bytes, at_s: float) -> None:
        status = DONE if data and data[0] >= 1 else NOT_POSSIBLE
        self._answer(at_s, 1, tag, status, struct.pack("<BBIQ", 1, 0, self._boot, self._time_us(at_s)))
        # A board on a serial line is not told of connections: each HELLO may be the first of one.
        if not self._greeted or self._unit.interface == "pty":
            self._greeted, self._battery_s = True, at_s

    def _value(self, item: int, at_s: float) -> bytes | None:
        if item in self._texts:
            return self._texts[item].encode()
        if item == _NAME:
            return str(self.settings[_NAME]).encode()
        if item in _NUMERIC_ITEMS:
            return struct.pack("<H", self._number(item))
        if item == _FRAME_SAMPLES:
            return bytes((self._number(item),))
        if item - 0x10 in _NUMERIC_ITEMS:
            values, counts = _NUMERIC_ITEMS[item - 0x10]
            return struct.pack(f"<{len(values)}H", *(round(v * counts) for v in values))
        return self._battery(at_s) if item == _BATTERY else None

    def _get(self, tag: int, data: bytes, at_s: float) -> None:
        value = self._value(data[0], at_s) if data else None
        self._answer(at_s, 2, tag, UNKNOWN_ITEM if value is None else DONE, data[:1] + (value or b""))

    def _set(self, tag: int, data: bytes, at_s: float) -> None:
        item, value = (data[0], data[1:]) if data else (0, b"")
        now = self._value(item, at_s)
        if now is None:
            status = UNKNOWN_ITEM
        elif self._feed is not None and item != _NAME:
            status = NOT_NOW
        else:
            status = self._take_value(item, value)
        self._answer(at_s, 3, tag, status, data[:1] + (self._value(item, at_s) or b""))

    def _take_value(self, item: int, value: bytes) -> int:
        number = int.from_bytes(value, "little")
        if item == _NAME:
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError:
                return NOT_POSSIBLE
            if not 1 <= len(value) <= 20:
                return NOT_POSSIBLE
            self.settings[item] = text
        elif item in _NUMERIC_ITEMS and len(value) == 2:
            values, counts = _NUMERIC_ITEMS[item]
            if number not in [round(v * counts) for v in values]:
                return NOT_POSSIBLE
            self.settings[item] = number
        elif item == _FRAME_SAMPLES and len(value) == 1 and number <= 20:
            self.settings[item] = number
        else:
            return NOT_POSSIBLE
        return DONE

    def _battery(self, now_s: float) -> bytes:
        percent = max(1.0, 87.0 - now_s / _ONE_PERCENT_S) * self._unit.charge_left(now_s)
        return struct.pack("<BHB", round(percent), round(3254 + 8 * percent), 0)

    # Serving ----------------------------------------------------------------------------------------------

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """What is due by ``now_s``, cut to the notification where there are any."""
        self._sample(now_s, listening=listening)
        if now_s >= self._stream_s:
            self._say_stream(now_s)
        if now_s >= self._battery_s:
            self._battery_s = now_s + _BATTERY_EVERY_S
            self._out.append((now_s, wire(b"\x42" + self._battery(now_s)), 0))
        if not listening:
            self._count_unsent()
            return []
        due = [entry for entry in self._out if entry[0] <= now_s]
        self._out = [entry for entry in self._out if entry[0] > now_s]
        payloads = [payload for _, data, n in due for payload in self._cut(data, n)]
        self.ledger.payloads += len(payloads)
        self.ledger.sent += sum(payload.samples for payload in payloads)
        return payloads

    def _cut(self, data: bytes, samples: int) -> list[Payload]:
        if not self._is_gatt:
            return [Payload(data, samples)]
        parts = [data[i : i + self.max_payload] for i in range(0, len(data), self.max_payload)]
        return [Payload(part, samples * (part is parts[-1]), NOTIFY_UUID) for part in parts]

    def next_deadline_s(self) -> float:
        """When the next frame is full or the next answer is ready."""
        soonest = min([self._stream_s, self._battery_s, *(at_s for at_s, _, _ in self._out)])
        if self._feed is None:
            return soonest
        waiting = self._frame_samples - len(self._batch) - 1
        return min(soonest, self._feed.next_s + waiting / self._feed.frame_rate)
