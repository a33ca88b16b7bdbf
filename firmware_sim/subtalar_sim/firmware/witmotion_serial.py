"""WitMotion standard protocol (WT901, BWT901CL): 11-byte frames with a checksum, register file, 5-byte commands.

Written from the vendor's register list, C code and manuals. The same bytes go over a serial port and, on the dual-mode
BWT901CL, over Bluetooth LE. Inferred, and in need of a check on hardware: rates are the nominal ones; writes are
ignored while a save is under way (measured for how long on the BLE family); samples that the baud rate cannot carry are
left out whole; the calendar begins anew at power-on. Ports, pressure and positions are not simulated.
"""

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from subtalar_sim.faults import SentLedger
from subtalar_sim.firmware.base import (
    FrameFeed,
    GattCharacteristic,
    GattService,
    Payload,
    RefusedByDevice,
    Unit,
)
from subtalar_sim.firmware.witmotion_registers import REG_READ, REG_SAVE, RegisterFile, euler_deg
from subtalar_sim.sensor import ImuSamples, quaternion_of
from subtalar_sim.types import GRAVITY_M_S2, FloatArray

NOTIFY_UUID: Final = "49535343-1e4d-4bd9-ba61-23c647249616"
WRITE_UUID: Final = "49535343-8841-43f4-a8d4-ecbe34729bb3"
SERVICES: Final = (
    GattService(
        "49535343-fe7d-4ae5-8fa9-9fafd205e455",
        (
            GattCharacteristic(NOTIFY_UUID, frozenset({"notify"})),
            GattCharacteristic(WRITE_UUID, frozenset({"write", "write_without_response"})),
        ),
    ),
)

FRAME_BYTES: Final = 11
TIME, ACC, GYR, ANGLE, MAG, QUATERNION, ANSWER = 0x50, 0x51, 0x52, 0x53, 0x54, 0x59, 0x5F
_KINDS: Final = {0: TIME, 1: ACC, 2: GYR, 3: ANGLE, 4: MAG, 9: QUATERNION}
"""Bit of the content register -> frame type."""

RATE_HZ: Final[dict[int, float]] = {
    0x01: 0.2, 0x02: 0.5, 0x03: 1.0, 0x04: 2.0, 0x05: 5.0, 0x06: 10.0, 0x07: 20.0, 0x08: 50.0, 0x09: 100.0, 0x0B: 200.0,
}  # fmt: skip
BAUD: Final[dict[int, int]] = {
    1: 4800, 2: 9600, 3: 19200, 4: 38400, 5: 57600, 6: 115200, 7: 230400, 8: 460800, 9: 921600,
}  # fmt: skip
_BITS_A_BYTE: Final = 10

REG_CONTENT, REG_RATE, REG_BAUD, REG_LED_OFF = 0x02, 0x03, 0x04, 0x1B
REG_VERSION, REG_CALENDAR, REG_SERIAL = 0x2E, 0x30, 0x7F
_WRITABLE: Final = frozenset({0x01, REG_CONTENT, REG_RATE, REG_BAUD, REG_LED_OFF, 0x1F, 0x20, 0x21, 0x24})
_RESTART: Final = 0xFF
_DEFAULT_CONTENT: Final = 0x1E
_REPLY_S: Final = 0.005
_FLUSH_S: Final = 0.005
_POWER_ON: Final = np.datetime64("2015-01-01T00:00:00", "ms")
_READ_NOT_PERMITTED: Final = 0x02


def _frames(kind: int, words: FloatArray) -> npt.NDArray[np.uint8]:
    """Words (n, 4), rounded and saturated -> frames (n, 11)."""
    out = np.empty((len(words), FRAME_BYTES), np.uint8)
    out[:, 0], out[:, 1] = 0x55, kind
    out[:, 2:10] = np.clip(np.round(words), -32768, 32767).astype("<i2").view(np.uint8).reshape(-1, 8)
    out[:, 10] = out[:, :10].sum(axis=1, dtype=np.uint8)
    return out


def _calendar_words(clock_s: FloatArray) -> FloatArray:
    """Seconds since power-on -> the four words of a time frame: YY MM, DD hh, mm ss, ms."""
    t = _POWER_ON + np.floor(1000.0 * clock_s).astype("timedelta64[ms]")
    day, month, year = (t.astype(f"datetime64[{unit}]") for unit in "DMY")
    ms_of_day = (t - day).astype(np.int64)
    seconds, ms = ms_of_day // 1000, ms_of_day % 1000
    low_high = (
        ((year.astype(np.int64) - 30), (month - year).astype(np.int64) + 1),
        ((day - month).astype(np.int64) + 1, seconds // 3600),
        (seconds // 60 % 60, seconds % 60),
    )
    return np.stack([*(low + 256 * high for low, high in low_high), ms], axis=1).astype(np.float64)


def encode_samples(samples: ImuSamples, clock_s: FloatArray, content: int) -> list[bytes]:
    """Samples -> the frames that ``content`` asks for, in the order of their types, in one piece a sample."""
    n = len(samples.t_s)
    pad = np.full((n, 1), 2500.0)  # temperature, hundredths of a degree
    R = samples.orientation
    full_scale = 32768.0
    words: dict[int, Callable[[], FloatArray]] = {
        TIME: lambda: _calendar_words(clock_s),
        ACC: lambda: np.hstack([samples.acc_m_s2 * (full_scale / 16.0 / GRAVITY_M_S2), pad]),
        GYR: lambda: np.hstack([np.degrees(samples.gyr_rad_s) * (full_scale / 2000.0), 0.0 * pad]),
        ANGLE: lambda: np.hstack([euler_deg(R) * (full_scale / 180.0), np.full((n, 1), 0x2B3D)]),
        MAG: lambda: np.hstack([np.einsum("nji,j->ni", R, [160.0, 0.0, -340.0]), pad]),
        QUATERNION: lambda: quaternion_of(R) * full_scale,
    }
    kinds = [kind for bit, kind in _KINDS.items() if content >> bit & 1]
    if not kinds:
        return [b""] * n
    size = FRAME_BYTES * len(kinds)
    raw = np.hstack([_frames(kind, words[kind]()) for kind in kinds]).tobytes()
    return [raw[size * i : size * (i + 1)] for i in range(n)]


class WitMotionSerial:
    """One sensor: a ``Firmware`` on a serial port, a ``GattFirmware`` over ``ble``."""

    services: tuple[GattService, ...] = SERVICES
    name = "WT901CL"

    def __init__(self, unit: Unit, *, baud: int = 115200) -> None:
        rates, bauds = {rate: code for code, rate in RATE_HZ.items()}, {rate: code for code, rate in BAUD.items()}
        if unit.rate_hz not in rates or baud not in bauds:
            given = f"{unit.rate_hz:g}, {baud}"
            raise ValueError(f"a WitMotion sensor has neither every rate nor every baud rate: not {given}")
        self._unit, self._clock, self._over_ble = unit, unit.clock, unit.interface == "ble"
        self.ledger = SentLedger()
        self.max_payload = 244
        saved = {REG_CONTENT: _DEFAULT_CONTENT, REG_RATE: rates[unit.rate_hz], REG_BAUD: bauds[baud], REG_LED_OFF: 0}
        self.registers = RegisterFile(saved, _WRITABLE)
        self.power_cycle(unit.start_s)

    def power_cycle(self, now_s: float) -> None:
        """Off and on: what was not saved is forgotten, and the calendar begins anew."""
        self.registers.power_cycle()
        self._zero_s = self._unit.clock_s(now_s)
        self._replies: list[tuple[float, bytes]] = []
        self._flush_s = now_s
        self._start(now_s)

    def _start(self, now_s: float) -> None:
        """Begin to measure as the registers say; a code without a rate (one-shot, none) streams nothing."""
        self._feed: FrameFeed | None = None
        self._number, self._every, self._makes_samples = 0, 1, False
        content, rate_hz = self.registers[REG_CONTENT], RATE_HZ.get(self.registers[REG_RATE])
        if rate_hz is None:
            return
        n_frames = sum(content >> bit & 1 for bit in _KINDS)
        bits_a_s = rate_hz * n_frames * FRAME_BYTES * _BITS_A_BYTE
        baud = BAUD[self.registers[REG_BAUD]]
        self._every = 1 if self._over_ble else max(1, int(np.ceil(bits_a_s / baud)))
        self._makes_samples = content & 0b110 == 0b110
        self._feed = self._unit.feed(
            lambda samples: encode_samples(samples, self._clock.reading(samples.t_s) - self._zero_s, content),
            self.ledger,
            rate_hz=rate_hz,
            start_s=now_s,
        )

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """Commands to the registers."""
        for register, value in self.registers.take(data, now_s):
            if register == REG_READ:
                self._replies.append((now_s + _REPLY_S, self._answer(value, now_s)))
            elif register == REG_SAVE:
                if value == _RESTART:
                    self.power_cycle(now_s)
                elif value == 0:
                    self.registers.save(now_s)
            elif register != REG_BAUD or value in BAUD:
                changed = self.registers.get(register) != value
                self.registers[register] = value
                if changed and register in (REG_CONTENT, REG_RATE, REG_BAUD):
                    self._start(now_s)

    def _answer(self, register: int, now_s: float) -> bytes:
        words = struct.pack("<4H", *(self._register(register + i, now_s) & 0xFFFF for i in range(4)))
        body = bytes((0x55, ANSWER)) + words
        return body + bytes((sum(body) & 0xFF,))

    def _register(self, register: int, now_s: float) -> int:
        if REG_CALENDAR <= register < REG_CALENDAR + 4:
            words = _calendar_words(self._clock.reading(np.array([now_s])) - self._zero_s)
            return int(words[0, register - REG_CALENDAR])
        fixed = {REG_VERSION: 0x2B3D, REG_SERIAL: 0x5457, REG_SERIAL + 1: 0x3930}
        return fixed.get(register, self.registers.get(register, 0))

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """All frames that have gathered, in the order they arose; over Bluetooth cut to the MTU."""
        out: list[bytes] = []
        samples = 0
        if self._feed is not None:
            for frame in self._feed.due(now_s, listening=listening):
                self._number += 1
                if self._number % self._every:
                    self.ledger.lost += 1
                    continue
                out.append(frame)
                samples += self._makes_samples
        while self._replies and self._replies[0][0] <= now_s:
            out.append(self._replies.pop(0)[1])
        self._flush_s = now_s + _FLUSH_S
        data = b"".join(out)
        if not listening or not data:
            return []
        size = self.max_payload if self._over_ble else len(data)
        parts = [data[i : i + size] for i in range(0, len(data), size)]
        self.ledger.payloads += len(parts)
        self.ledger.sent += samples
        source = NOTIFY_UUID if self._over_ble else ""
        return [Payload(part, samples if i == len(parts) - 1 else 0, source) for i, part in enumerate(parts)]

    def next_deadline_s(self) -> float:
        """The next flush at which something is ready."""
        reply = self._replies[0][0] if self._replies else float("inf")
        return max(min(reply, self._feed.next_s if self._feed is not None else float("inf")), self._flush_s)

    # Over Bluetooth LE ------------------------------------------------------------------------------------

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``."""
        if uuid == WRITE_UUID:
            self.on_bytes(data, now_s)

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """Nothing can be read: registers are asked for by command."""
        raise RefusedByDevice(_READ_NOT_PERMITTED)

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """It streams to whoever listens, unasked."""
