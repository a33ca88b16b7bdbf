"""Shimmer3 with LogAndStream firmware: one-byte commands in, acks, replies and packets out, over RFCOMM.

Written from ShimmerResearch/log-and-stream-common (``Comms/shimmer_bt_uart.c``): commands that are not known pass in
silence; settings are refused (FE) while it senses and kept at once otherwise; an ack and its reply go out in one piece
with one CRC; a lost link stops the stream, turns the CRC off and the ack prefix on; 255 bytes wait for the radio at
most and a packet that does not fit is gone. Inferred: how long commands take, that one which comes before the last is
done replaces it, and the radio's beat of 15 ms.
"""

import struct
from binascii import crc_hqx
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar_sim.faults import SentLedger
from subtalar_sim.firmware import shimmer3_sensors as sensors
from subtalar_sim.firmware.base import FrameFeed, Payload, Unit
from subtalar_sim.firmware.shimmer3_sensors import Chip, Response, Sensor
from subtalar_sim.sensor import ImuSamples

TICKS_PER_S: Final = 32768
BYTES_PER_S: Final = 11520.0
"""115200 baud between processor and radio."""
BUFFER_BYTES: Final = 255
BEAT_S: Final = 0.015
_COMMAND_S: Final = 0.004
_SETTING_S: Final = 0.020
_WARM_UP_S: Final = 0.06
_TIME_MASK: Final = (1 << 64) - 1

ACK, NACK, IN_STREAM = 0xFF, 0xFE, 0x8A
_ARGUMENTS: Final = {
    0x05: 2, 0x08: 3, 0x09: 1, 0x0E: 4, 0x11: 21, 0x14: 21, 0x17: 21, 0x1A: 21, 0x21: 1, 0x37: 1, 0x3A: 1, 0x40: 1,
    0x43: 1, 0x46: 1, 0x49: 1, 0x4C: 1, 0x4F: 1, 0x52: 1, 0x5E: 1, 0x79: 1,
    0x8B: 1, 0x8F: 8, 0xA3: 1,
}  # fmt: skip
_WITHOUT: Final = frozenset(
    (0x01, 0x03, 0x06, 0x07, 0x0B, 0x10, 0x20, 0x2C, 0x2E, 0x3E, 0x3F, 0x4B, 0x72, 0x7B, 0x91, 0x92, 0x93, 0x95, 0x96)
)
_SET_NAME: Final = 0x79
"""Its argument is the length of what follows."""
_NOT_WHILE_SENSING: Final = frozenset(_ARGUMENTS) - {0x8B, 0x8F, 0xA3}

_LN_ACCEL, _GYRO, _MAG, _WR_ACCEL, _BATTERY = 0x000080, 0x000040, 0x000020, 0x001000, 0x002000
_DEFAULT_SENSORS: Final = _LN_ACCEL | _GYRO | _MAG | _BATTERY


def crc(message: bytes) -> bytes:
    """Two bytes, low first: CCITT polynomial from B0CA, odd lengths padded with a zero."""
    value = crc_hqx(message + b"\0" * (len(message) % 2), 0xB0CA)
    return value.to_bytes(2, "little")


@dataclass
class _OnTheWire:
    """Bytes on their way to the radio, one after the other."""

    begin_s: float
    data: bytes
    samples: int
    gone: int = 0


class Shimmer3:
    """One unit. ``calibrated`` units carry their own calibration, others the firmware's defaults; ``chip`` is the
    wide-range accelerometer of the board's revision. ``version`` below 0.15.4 knows no ack prefix, ``has_crc`` no CRC.
    """

    def __init__(
        self,
        unit: Unit,
        *,
        chip: Chip = "LSM303DLHC",
        calibrated: bool = True,
        version: tuple[int, int, int] = (0, 16, 9),
        has_crc: bool = True,
        hardware: int = 3,
        volts: float = 4.05,
    ) -> None:
        self._unit, self._clock = unit, unit.clock
        self._serial, self._chip, self._calibrated = unit.serial_number, chip, calibrated
        self._version, self._has_crc, self._hardware, self._volts = version, has_crc, hardware, volts
        self.ledger = SentLedger()
        self.name = f"Shimmer_{unit.serial_number & 0xFFFF:04X}"
        self.ticks = self._ticks_for(unit.rate_hz)
        self.sensors = _DEFAULT_SENSORS
        self.wr_range, self.wr_rate, self.wr_low_power, self.wr_high_resolution = 0, 5, 0, 0
        self.gyro_range, self.gyro_divider, self.mag_range, self.mag_rate = 1, 0x9B, 1, 6
        self.docked = self.logging = False
        self._wire: deque[_OnTheWire] = deque()
        self._boot(zero_s=0.0)

    @staticmethod
    def _ticks_for(rate_hz: float) -> int:
        ticks = round(TICKS_PER_S / rate_hz)
        if not 8 <= ticks < 1 << 16:
            raise ValueError(f"a Shimmer3 samples at 32768 Hz over a whole number, not at {rate_hz:g} Hz")
        return ticks

    def power_cycle(self, now_s: float) -> None:
        """Off and on: settings are kept, the clock starts at zero."""
        self._boot(zero_s=self._unit.clock_s(now_s))

    def _boot(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._clock_set = 0
        self.led_on = False
        self._hang_up()

    def _hang_up(self) -> None:
        """What a lost link leaves behind."""
        self._connected = False
        self._feed: FrameFeed | None = None
        self.ledger.unsent += sum(w.samples for w in self._wire)
        self._wire.clear()
        self._wire_free_s = self._beat_s = -1.0
        self._input = bytearray()
        self._command: tuple[float, bytes] | None = None
        self.crc_on = False
        self.ack_prefix = True

    @property
    def rate_hz(self) -> float:
        """What it was set to: 32768 over a whole number."""
        return TICKS_PER_S / self.ticks

    @property
    def streaming(self) -> bool:
        """Whether packets go out."""
        return self._feed is not None

    def dock(self, now_s: float, *, docked: bool) -> None:
        """Put into the dock or taken out: the device says so unasked."""
        self.docked = docked
        if self._connected:
            self._write(b"\xff" * self.ack_prefix + self._status(), 0, now_s)

    # What the host says -----------------------------------------------------------------------------------

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """Commands and their arguments, cut anywhere; a byte that is no command is passed over."""
        self._connected = True
        self._input += data
        while self._input:
            code = self._input[0]
            known = code in _WITHOUT or code in _ARGUMENTS
            if (code == 0x8B and not self._has_crc) or (code == 0xA3 and self._version < (0, 15, 4)):
                known = False
            n = 1 + (_ARGUMENTS.get(code, 0) if known else 0)
            if len(self._input) < n:
                return
            if code == _SET_NAME:
                n += self._input[1]
                if len(self._input) < n:
                    return
            if known:
                wait_s = _SETTING_S if code in _NOT_WHILE_SENSING else _COMMAND_S
                self._command = (now_s + wait_s, bytes(self._input[:n]))
            del self._input[:n]

    def _perform(self, command: bytes, now_s: float) -> None:
        code, arguments = command[0], command[1:]
        if (self.streaming or self.logging) and code in _NOT_WHILE_SENSING:
            self._write(bytes((NACK,)), 0, now_s)
            return
        self._act(code, arguments, now_s)
        answer = self._answers().get(code)
        self._write(bytes((ACK,)) + (answer(now_s) if answer is not None else b""), 0, now_s)

    def _act(self, code: int, arguments: bytes, now_s: float) -> None:
        value = int.from_bytes(arguments, "little")
        if code == 0x05:
            self.ticks = max(value, 1)
        elif code == 0x08:
            self.sensors = value
        elif code == 0x09:
            self.wr_range = value if value < 4 else 0
        elif code == 0x40:
            self.wr_rate = value if value <= 9 else 5
        elif code == 0x43:
            self.wr_low_power = int(value == 1)
        elif code == 0x46:
            self.wr_high_resolution = int(value == 1)
        elif code == 0x49:
            self.gyro_range = value if value < 4 else 1
        elif code == 0x4C:
            self.gyro_divider = value
        elif code == 0x37:
            self.mag_range = value if value <= 7 else 1
        elif code == _SET_NAME:
            self.name = arguments[1:13].decode("latin-1")
        elif code == 0x06:
            self.led_on = not self.led_on
        elif code == 0x8B:
            self.crc_on = value == 2  # one byte is possible too, and not simulated
        elif code == 0xA3:
            self.ack_prefix = bool(value)
        elif code == 0x8F:
            self._clock_set = value - self._now_ticks(now_s)
        elif code in (0x92, 0x93):
            self.logging = code == 0x92
        elif code == 0x07 and self.channels and not self.streaming:
            self._feed = self._new_feed(now_s)
        elif code == 0x20:
            self._feed = None

    def _answers(self) -> dict[int, Callable[[float], bytes]]:
        return {
            0x01: lambda _: self._inquiry(),
            0x03: lambda _: b"\x04" + self.ticks.to_bytes(2, "little"),
            0x0B: lambda _: bytes((0x0A, self.wr_range)),
            0x10: lambda _: b"\x0f" + self._setup(),
            0x2C: lambda _: b"\x2d" + b"".join(self._block(s) for s in sensors.SENSORS),
            0x2E: lambda _: struct.pack("<BHHBB", 0x2F, 3, *self._version),
            0x3E: lambda _: b"\x3d" + self._serial.to_bytes(8, "little"),
            0x3F: lambda _: bytes((0x25, self._hardware)),
            0x4B: lambda _: bytes((0x4A, self.gyro_range)),
            0x72: lambda _: self._status(),
            0x7B: lambda _: bytes((0x7A, len(self.name))) + self.name.encode("latin-1"),
            0x91: lambda now_s: struct.pack("<BQ", 0x90, (self._now_ticks(now_s) + self._clock_set) & _TIME_MASK),
            0x95: lambda now_s: struct.pack("<BBHB", IN_STREAM, 0x94, self._battery_adc(now_s), 0x80),
        }

    def _status(self) -> bytes:
        sensing = self.streaming or self.logging
        bits = (self.docked, sensing, self._clock_set != 0, self.logging, self.streaming, True, False, self.led_on)
        return bytes((IN_STREAM, 0x71, sum(bit << i for i, bit in enumerate(bits))))

    def _battery_adc(self, now_s: float) -> int:
        volts = max(3.5, 3.5 + (self._volts - now_s / 72_000.0 - 3.5) * self._unit.charge_left(now_s))
        return round(volts / 1.988 / 3.0 * 4095.0)

    def _setup(self) -> bytes:
        zero = self.wr_high_resolution | self.wr_low_power << 1 | self.wr_range << 2 | self.wr_rate << 4
        return bytes((zero, self.gyro_divider, self.gyro_range | self.mag_rate << 2 | self.mag_range << 5, 0x08))

    @property
    def channels(self) -> bytes:
        """Ids in the order of the packet: analogue ones first, then gyroscope, accelerometer, magnetometer."""
        out = b""
        for bit, ids in (
            (_LN_ACCEL, b"\x00\x01\x02"),
            (_BATTERY, b"\x03"),
            (_GYRO, b"\x0a\x0b\x0c"),
            (_WR_ACCEL, b"\x04\x05\x06"),
            (_MAG, b"\x07\x09\x08" if self._chip == "LSM303DLHC" else b"\x07\x08\x09"),
        ):
            out += ids if self.sensors & bit else b""
        return out

    def _inquiry(self) -> bytes:
        channels = self.channels
        return b"\x02" + self.ticks.to_bytes(2, "little") + self._setup() + bytes((len(channels), 1)) + channels

    # What it measures -------------------------------------------------------------------------------------

    def _range_code(self, sensor: Sensor) -> int:
        return {"ln_accel": 0, "gyro": self.gyro_range, "mag": self.mag_range, "wr_accel": self.wr_range}[sensor]

    def _block(self, sensor: Sensor) -> bytes:
        code = self._range_code(sensor)
        stored = self.response(sensor) if self._calibrated else sensors.default_response(sensor, code)
        return stored.block(sensors.per_lsb(sensor))

    def response(self, sensor: Sensor) -> Response:
        """What the sensor does in truth in its present range."""
        code = self._range_code(sensor)
        if self._calibrated:
            return sensors.one_unit(sensor, code, self._chip, self._serial)
        return sensors.real_response(sensor, code, self._chip)

    def _now_ticks(self, now_s: float) -> int:
        return round((self._unit.clock_s(now_s) - self._zero_s) * TICKS_PER_S)

    def _new_feed(self, now_s: float) -> FrameFeed:
        rate_hz, start_s = TICKS_PER_S / self.ticks, now_s + _WARM_UP_S
        return self._unit.feed(self._encode, self.ledger, rate_hz=rate_hz, start_s=start_s)

    def _encode(self, samples: ImuSamples) -> list[bytes]:
        """Packets without CRC, each with the time in front at which it is written."""
        device_s = self._clock.reading(samples.t_s) - self._zero_s
        stamps = np.round(device_s * TICKS_PER_S).astype("<i8")
        n = len(stamps)
        columns = [np.zeros((n, 1), np.uint8), stamps.view(np.uint8).reshape(n, 8)[:, :3]]
        gyr_deg_s = np.degrees(samples.gyr_rad_s)
        if self.sensors & _LN_ACCEL:
            raw = self.response("ln_accel").raw(samples.acc_m_s2)
            columns.append(sensors.words(raw, 0, 4095).astype("<i2").view(np.uint8))
        if self.sensors & _BATTERY:
            adc = self._battery_adc(float(samples.t_s[0]))
            columns.append(np.full((n, 1), adc, "<i2").view(np.uint8))
        if self.sensors & _GYRO:
            raw = sensors.held(self.response("gyro").raw(gyr_deg_s), device_s, 8000.0 / (1 + self.gyro_divider))
            columns.append(sensors.words(raw, -32768, 32767).astype(">i2").view(np.uint8))
        if self.sensors & _WR_ACCEL:
            rate_hz = sensors.wr_rate_hz(self._chip, self.wr_rate)
            raw = sensors.held(self.response("wr_accel").raw(samples.acc_m_s2), device_s, rate_hz)
            # Twelve bits in the upper part of the word, ten without high resolution; the AH has fourteen.
            step = (16 if self.wr_high_resolution else 64) if self._chip == "LSM303DLHC" else 4
            columns.append(sensors.words(raw, -32768, 32768 - step, step).astype("<i2").view(np.uint8))
        if self.sensors & _MAG:
            columns.append(np.zeros((n, 6), np.uint8))
        packets = np.ascontiguousarray(np.hstack(columns))
        return [struct.pack("<d", t) + row.tobytes() for t, row in zip(samples.t_s.tolist(), packets, strict=True)]

    # What goes out ----------------------------------------------------------------------------------------

    def _write(self, message: bytes, samples: int, now_s: float) -> None:
        """Into the buffer before the radio, or nowhere if that is full."""
        data = message + crc(message) if self.crc_on else message
        waiting = max(0.0, self._wire_free_s - now_s) * BYTES_PER_S
        if waiting + len(data) > BUFFER_BYTES:
            self.ledger.lost += samples
            return
        begin_s = max(self._wire_free_s, now_s)
        self._wire_free_s = begin_s + len(data) / BYTES_PER_S
        self._wire.append(_OnTheWire(begin_s, data, samples))

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """At each beat of the radio what has reached it, cut where the beat fell."""
        if not listening:
            if self._connected:
                self._hang_up()
            return []
        self._connected = True
        if self._command is not None and self._command[0] <= now_s:
            at_s, command = self._command
            self._command = None
            self._measure(at_s)
            self._perform(command, at_s)
        self._measure(now_s)
        if now_s < self._beat_s:
            return []
        out, samples = b"", 0
        while self._wire:
            first = self._wire[0]
            reached = min(len(first.data), int((now_s - first.begin_s) * BYTES_PER_S + 1e-6))
            if reached <= first.gone and first.data:
                break
            out += first.data[first.gone : reached]
            first.gone = reached
            if reached < len(first.data):
                break
            samples += first.samples
            self._wire.popleft()
        if not out:
            return []
        self._beat_s = now_s + BEAT_S
        self.ledger.sent += samples
        self.ledger.payloads += 1
        return [Payload(out, samples)]

    def _measure(self, now_s: float) -> None:
        if self._feed is not None:
            for frame in self._feed.due(now_s, listening=True):
                self._write(frame[8:], 1, struct.unpack_from("<d", frame)[0])

    def next_deadline_s(self) -> float:
        """The next beat at which something is ready, or the next command done."""
        command_s = self._command[0] if self._command is not None else float("inf")
        packet_s = self._feed.next_s if self._feed is not None else float("inf")
        wire_s = self._wire[0].begin_s + 1.0 / BYTES_PER_S if self._wire else float("inf")
        return min(command_s, max(min(packet_s, wire_s), self._beat_s))
