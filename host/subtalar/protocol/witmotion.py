"""WitMotion BLE 5.0 family (WT901BLE, BWT901BLE 5.0, WT9011DCL): 20-byte frames without checksum, time or counter.

Sources: WITMOTION/WitBluetooth_BWT901BLE5_0 and WITMOTION/WitStandardProtocol_JY901 (vendor code),
RGu0/WT901 ``docs/protocol.md`` (measured on hardware). The layout is known from two of them; that settings
need 100 ms between commands, that register 0x64 is the battery, and the rate codes come from both as well.

The radio link loses whole notifications, never single bytes, so in step a frame is taken on the strength of
its two header bytes. Once out of step, a header only counts if another one follows 20 bytes later.
"""

import struct
from collections.abc import Generator
from math import pi
from typing import Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import LinkError

from .base import DeviceProtocol, GattProfile, Pause, Script, Send, Step, ask
from .events import BatteryLevel, DeviceReply, Event, InertialSamples

FRAME_BYTES: Final = 20
_HEAD: Final = 0x55
_DATA: Final = 0x61
_REGISTERS: Final = 0x71
_WINDOW_BYTES: Final = 512 * FRAME_BYTES
"""Bounds what one loss of step makes us look at again."""

ACC_RANGE_M_S2: Final = 16.0 * GRAVITY_M_S2
GYR_RANGE_RAD_S: Final = 2000.0 * pi / 180.0
_SCALE: Final = np.array([ACC_RANGE_M_S2, GYR_RANGE_RAD_S]).reshape(2, 1, 1) / 32768

UNLOCK: Final = bytes.fromhex("FFAA6988B5")
SAVE: Final = bytes.fromhex("FFAA000000")
_SETTLE_S: Final = 0.1
_BUSY_AFTER_SAVE_S: Final = 0.5

REG_RATE: Final = 0x03
REG_VERSION: Final = 0x2E
REG_BATTERY: Final = 0x64
REG_SERIAL: Final = 0x7F

# 0x0A, nominally 125 Hz, measured 99.3 Hz on hardware: not offered.
RATE_CODES: Final[dict[float, int]] = {
    0.2: 0x01, 0.5: 0x02, 1.0: 0x03, 2.0: 0x04, 5.0: 0x05, 10.0: 0x06, 20.0: 0x07, 50.0: 0x08, 100.0: 0x09, 200.0: 0x0B,
}  # fmt: skip

_BATTERY_STEPS: Final = (
    (396, 100), (393, 90), (387, 75), (382, 60), (379, 50), (377, 40), (373, 30), (370, 20), (368, 15),
    (350, 10), (340, 5),
)  # fmt: skip


def battery_percent(centivolts: int) -> float:
    """The vendor's step table on hundredths of a volt."""
    return float(next((percent for least, percent in _BATTERY_STEPS if centivolts >= least), 0))


def write_register(register: int, value: int) -> bytes:
    """Command that sets a 16-bit register; the device must be unlocked."""
    return bytes((0xFF, 0xAA, register, value & 0xFF, value >> 8 & 0xFF))


def read_register(register: int) -> bytes:
    """Command that asks for registers from ``register`` on; the answer is a 0x71 frame."""
    return bytes((0xFF, 0xAA, 0x27, register, 0x00))


def register_reply(first: int, values: tuple[int, ...]) -> DeviceReply:
    """What four registers from ``first`` on tell. No source says how the words of the version are to be read."""
    if first == REG_VERSION:
        return DeviceReply("version", ", ".join(str(word & 0xFFFF) for word in values[:2] if word))
    if first == REG_SERIAL:
        raw = struct.pack(f"<{len(values)}h", *values).rstrip(b"\0")
        text = raw.decode("ascii", "replace")
        return DeviceReply("serial_number", (text if text.isprintable() and text.isascii() else raw.hex()) or None)
    return DeviceReply(f"register_{first:02x}", values)


class WitMotionBle(DeviceProtocol):
    """Codec of one WitMotion BLE sensor. Losses are invisible to it: the frames carry neither counter nor time."""

    model = "witmotion"
    # The tail is ...9a34fb: these are not short UUIDs on the Bluetooth base (...9b34fb).
    gatt = GattProfile(
        service="0000ffe5-0000-1000-8000-00805f9a34fb",
        notify=("0000ffe4-0000-1000-8000-00805f9a34fb",),
        write="0000ffe9-0000-1000-8000-00805f9a34fb",
        name_prefixes=("WT",),
    )
    default_rate_hz = 100.0
    acc_range_m_s2 = ACC_RANGE_M_S2
    gyr_range_rad_s = GYR_RANGE_RAD_S
    has_device_time = False
    battery_poll_interval_s = 60.0

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._buffer = b""
        self._in_step = True
        self._awaited_register: int | None = None
        self._answer = 0

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """0.2 to 200 Hz."""
        return tuple(RATE_CODES)

    def reset(self) -> None:
        """Forget a half-received frame."""
        self.health.corrupt_bytes += len(self._buffer)
        self._buffer = b""
        self._in_step = True

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Batches the 0x61 frames between two register answers."""
        buffer = self._buffer + data if self._buffer else data
        events: list[Event] = []
        at = 0
        while True:
            if not self._in_step:
                at = self._find_step(buffer, at)
                if not self._in_step:
                    break
            n_whole = min(len(buffer) - at, _WINDOW_BYTES) // FRAME_BYTES
            if n_whole:
                at += FRAME_BYTES * self._decode(buffer, at, n_whole, events)
            elif not self._head_fits(buffer, at):
                self._lose_step()
            else:
                break
        self._buffer = bytes(buffer[at:])
        return events

    def _head_fits(self, buffer: bytes, at: int) -> bool:
        """Whether the incomplete frame at ``at`` may still become one."""
        head = buffer[at : at + 2]
        return head[:1] in (b"", b"\x55") and head[1:] in (b"", b"\x61", b"\x71")

    def _lose_step(self) -> None:
        self._in_step = False
        self.health.resyncs += 1

    def _decode(self, buffer: bytes, at: int, n_whole: int, events: list[Event]) -> int:
        """Decode the leading well-formed frames; how many they were. Loses step at the first that is not."""
        end = at + n_whole * FRAME_BYTES
        heads, kinds = buffer[at:end:FRAME_BYTES], buffer[at + 1 : end : FRAME_BYTES]
        start = n = 0
        if heads.count(_HEAD) == n_whole and kinds.count(_DATA) == n_whole:
            n = n_whole
        else:
            for n, (head, kind) in enumerate(zip(heads, kinds, strict=True)):
                if head != _HEAD or kind not in (_DATA, _REGISTERS):
                    self._lose_step()
                    break
                if kind == _REGISTERS:
                    self._append_samples(buffer, at + start * FRAME_BYTES, n - start, events)
                    self._append_registers(buffer, at + n * FRAME_BYTES, events)
                    start = n + 1
            else:
                n = n_whole
        self.health.frames += n
        self._append_samples(buffer, at + start * FRAME_BYTES, n - start, events)
        return n

    def _append_samples(self, buffer: bytes, at: int, n: int, events: list[Event]) -> None:
        if n:
            # One strided view (quantity, frame, axis) and one product: this is the hot path.
            words = np.ndarray((2, n, 3), "<i2", buffer, at + 2, (6, FRAME_BYTES, 2))
            acc, gyr = np.multiply(words, _SCALE, order="C")
            events.append(InertialSamples(None, acc, gyr))

    def _append_registers(self, buffer: bytes, at: int, events: list[Event]) -> None:
        # The manual shows eight registers; only the first four agree between the sources.
        first, *values = struct.unpack_from("<H4h", buffer, at + 2)
        if first == self._awaited_register:
            self._awaited_register, self._answer = None, values[0]
        events.append(register_reply(first, tuple(values)))
        # While the device saves its settings it answers 0 V in a well-formed frame.
        if first == REG_BATTERY and values[0] > 0:
            events.append(BatteryLevel(battery_percent(values[0]), values[0] / 100))

    def _find_step(self, buffer: bytes, at: int) -> int:
        """Move to the next confirmed header, or to the first byte that may still become one."""
        begin, last = at, len(buffer)
        while True:
            at = buffer.find(b"\x55", at)
            if at < 0:
                at = last
                break
            if self._head_fits(buffer, at):
                if not self._head_fits(buffer, at + FRAME_BYTES):
                    at += 1
                    continue
                self._in_step = at + FRAME_BYTES + 2 <= last
                break
            at += 1
        self.health.corrupt_bytes += at - begin
        return at

    def _query(self, register: int, tries: int) -> Generator[Step, bool, bool]:
        """Read one register. One at a time: parallel reads can hang the device."""
        self._awaited_register = register
        return (yield from ask(Send(read_register(register)), lambda: self._awaited_register is None, 0.5, tries))

    def configure(self) -> Script:
        """Unlock, set the rate, read it back. Nothing is saved: the setting lasts until power-off.

        Data flow without a start command. A sensor that does not answer is given the benefit of the doubt (the
        data will show); raises LinkError if it answers that it keeps another rate.
        """
        code = RATE_CODES[self.rate_hz]
        for _ in range(2):
            yield Send(UNLOCK)
            yield Pause(_SETTLE_S)
            yield Send(write_register(REG_RATE, code))
            yield Pause(_SETTLE_S)
            if not (yield from self._query(REG_RATE, tries=2)) or self._answer == code:
                return
        raise LinkError(
            f"The WitMotion sensor does not take the rate {self.rate_hz:g} Hz (its register reads {self._answer}): "
            "switch it off and on again, or choose another rate."
        )

    def save(self) -> Script:
        """Keep the present settings over power-off."""
        yield Send(UNLOCK)
        yield Pause(_SETTLE_S)
        yield Send(SAVE)
        yield Pause(_BUSY_AFTER_SAVE_S)

    def poll_battery(self) -> Script:
        """One read of the voltage; a silence is no failure."""
        yield from self._query(REG_BATTERY, tries=1)

    def identify(self) -> Script:
        """Firmware version words and serial number; a silence is no failure."""
        for register in (REG_VERSION, REG_SERIAL):
            yield from self._query(register, tries=2)
