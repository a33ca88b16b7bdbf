"""Shimmer3 with LogAndStream firmware over Bluetooth Classic (a serial port): commands, acks, 32768 Hz packets.

Sources: ShimmerResearch/log-and-stream-common (``Comms/shimmer_bt_uart.c``, ``Sensing/shimmer_sensing.c``,
``Configuration/shimmer_config.h``), ShimmerResearch/shimmer3 (``i2c.c``), seemoo-lab/pyshimmer (captures, issues).
The decoder needs nothing but the bytes: the inquiry's reply tells the layout and the ranges, the calibration block
the scale. The Shimmer3R is refused: its gyroscope's byte order needs a check on hardware.
"""

from collections.abc import Generator
from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError
from subtalar.types import IntArray

from . import shimmer3_calibration as calibration
from . import shimmer3_frames as frames
from .base import DeviceProtocol, Pause, Script, Send, Step, ask
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples
from .shimmer3_calibration import GYRO_RANGES_DEG_S, WR_RANGES_G
from .shimmer3_frames import LONGEST_STEP_TICKS, TIME_WRAP, FrameCutter

TICKS_PER_S: Final = 32768
_HALF_WRAP: Final = TIME_WRAP // 2
_TICKS: Final = (656, 640, 328, 320, 256, 164, 160, 128, 64)

_LN, _WR, _GYRO = bytes((0, 1, 2)), bytes((4, 5, 6)), bytes((10, 11, 12))
# Only the LSM303DLHC sends its magnetometer as x, z, y, and the channel list says so.
_MAG_OF_DLHC, _MAG_OF_OTHERS = bytes((7, 9, 8)), bytes((7, 8, 9))
_PRESSURE, _LAST_CHANNEL = 0x1B, 0x1C

_STOP, _START, _TOGGLE_LED = b"\x20", b"\x07", b"\x06"
_SENSORS_LN, _SENSORS_WR, _SENSORS_WR_MAG = b"\x08\xc0\x00\x00", b"\x08\x40\x10\x00", b"\x08\x60\x10\x00"
_INQUIRE, _GET_CALIBRATION, _GET_FIRMWARE, _GET_HARDWARE = b"\x01", b"\x2c", b"\x2e", b"\x3f"
_GET_SERIAL, _GET_NAME, _GET_CLOCK, _GET_STATUS, _GET_BATTERY = b"\x3e", b"\x7b", b"\x91", b"\x72", b"\x95"
_CRC_OFF, _CRC_ON, _NO_ACK_PREFIX = b"\x8b\x00", b"\x8b\x02", b"\xa3\x00"
_ACK_PREFIX_SINCE: Final = (0, 15, 4)
_SHIMMER3R: Final = 0x0A

# Codes of the LSM303DLHC; the LSM303AH is at least as fast at each.
_WR_RATES_HZ: Final = ((100.0, 5), (200.0, 6), (400.0, 7), (1344.0, 9))
_WR_OVERSAMPLING: Final = 1.9
_GYRO_1_KHZ: Final = b"\x4c\x07"  # 8 kHz / (1 + 7)

_ANSWER_S: Final = 1.0
_QUIET_S: Final = 0.3
_BLINK_S: Final = 0.4
_EMPTY_V, _FULL_V = 3.65, 4.17
_LONGEST_NAME: Final = 12


def battery_percent(voltage_v: float) -> float:
    """A straight line from the firmware's cut-off (3.65 V) to a full cell: an estimate, the device tells volts only."""
    return round(100.0 * min(max((voltage_v - _EMPTY_V) / (_FULL_V - _EMPTY_V), 0.0), 1.0), 1)


class Shimmer3(DeviceProtocol):
    """Codec of one Shimmer3. A range of 2 g takes the low-noise accelerometer; 4, 8 and 16 g the wide-range one."""

    model = "shimmer3"
    default_rate_hz = TICKS_PER_S / 160
    has_device_time = True
    battery_poll_interval_s = 60.0

    acc_range_m_s2 = 16.0 * GRAVITY_M_S2
    gyr_range_rad_s = 2000.0 * pi / 180.0
    acc_ranges_g = WR_RANGES_G[True]
    gyr_ranges_deg_s = GYRO_RANGES_DEG_S

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._ticks = round(TICKS_PER_S / self.rate_hz)
        self._cutter = FrameCutter(self.health)
        self._last_ticks: int | None = None
        self._clock: int | None = None
        self._clock_lead: int | None = None
        self._is_dlhc = True
        self._blocks: bytes | None = None
        self._name = ""
        self._forget()

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """Any 32768 / n is possible; these are what studies use, and what is nearest to 50, 100 and 200 Hz."""
        return tuple(TICKS_PER_S / ticks for ticks in _TICKS)

    def _forget(self) -> None:
        self._acks = self._nacks = 0
        self._seen: set[int] = set()
        self._rate_ticks, self._setup, self._channels = 0, bytes(4), b""
        self._acc_ids, self._acc_at, self._gyro_at = _LN, -1, -1
        self._version, self._hardware, self._status = (0, 0, 0), 0, 0

    def reset(self) -> None:
        """Forget a half-received frame and, as the device does when the link ends, CRC and layout. The device's clock
        runs on, and so does ours.
        """
        self._cutter.restart()
        self._forget()

    # Decoding ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Batches the packets between two other frames."""
        events: list[Event] = []
        for kind, piece in self._cutter.cut(data):
            if kind == "packets":
                self._take_packets(piece, events)
            elif kind == "reply":
                self.health.frames += 1
                self._seen.add(piece[1] if piece[0] == frames.IN_STREAM else piece[0])
                self._take_reply(piece, events)
            else:
                self._acks += kind == "ack"
                self._nacks += kind == "nack"
        return events

    def _take_packets(self, raw: bytes, events: list[Event]) -> None:
        size = self._cutter.packet_bytes
        n = len(raw) // size
        if self._acc_at < 0 or self._gyro_at < 0:
            self.health.skipped_frames += n
            return
        # Strided views (packet, axis): this is the hot path.
        stamps = np.ndarray((n, 3), np.uint8, raw, 1, (size, 1)).astype(np.int64) @ (1, 1 << 8, 1 << 16)
        acc = np.ndarray((n, 3), "<i2", raw, self._acc_at, (size, 2)).astype(np.float64)
        gyr = np.ndarray((n, 3), ">i2", raw, self._gyro_at, (size, 2)).astype(np.float64)
        if not stamps.all():
            good = self._believable(stamps)
            self.health.corrupt_bytes += (n - int(np.count_nonzero(good))) * size
            stamps, acc, gyr = stamps[good], acc[good], gyr[good]
        if len(stamps):
            self.health.frames += len(stamps)
            # 1 / 32768 s is 15625 / 512 µs.
            time_us = (self._unwrapped(stamps) * 15625 + 256) // 512
            events.append(InertialSamples(time_us, self._acc.apply(acc), self._gyr.apply(gyr)))

    def _believable(self, stamps: IntArray) -> npt.NDArray[np.bool_]:
        """Firmware 1.00 to 1.01.003 marks an invalid record by a time of exactly 0 far from any wrap."""
        good = np.ones(len(stamps), dtype=np.bool_)
        for i in np.flatnonzero(stamps == 0).tolist():
            last = int(stamps[i - 1]) if i else self._last_ticks
            good[i] = last is None or last == 0 or 0 < -last % TIME_WRAP <= LONGEST_STEP_TICKS
        return good

    def _unwrapped(self, stamps: IntArray) -> IntArray:
        """Ticks that never wrap, by modular distance: a packet that comes late is a small step back, not a wrap."""
        last = int(stamps[0]) if self._last_ticks is None else self._last_ticks
        steps = np.diff(stamps, prepend=last)
        ticks = last + np.cumsum((steps + _HALF_WRAP) % TIME_WRAP - _HALF_WRAP)
        self._last_ticks = int(ticks[-1])
        if self._clock is not None and self._clock_lead is None:
            self._clock_lead = int(ticks[0]) - self._clock
        return ticks

    def _take_reply(self, reply: bytes, events: list[Event]) -> None:
        """A whole reply without ack and CRC."""
        head, value = reply[0], int.from_bytes(reply[1:], "little")
        if head == frames.INQUIRY:
            self._take_inquiry(reply, events)
        elif head == frames.CALIBRATION:
            self._take_calibration(reply, events)
        elif head == frames.RATE:
            events.append(DeviceReply("sampling_rate_hz", TICKS_PER_S / value if value else 0.0))
        elif head == frames.HARDWARE:
            self._hardware = value
            events.append(DeviceReply("hardware_version", value))
        elif head == frames.FIRMWARE:
            family, self._version = value & 0xFFFF, (reply[3] | reply[4] << 8, reply[5], reply[6])
            name = "LogAndStream" if family == 3 else f"type {family}"
            events.append(DeviceReply("firmware_version", f"{name} {'.'.join(map(str, self._version))}"))
        elif head == frames.SERIAL:
            events.append(DeviceReply("serial_number", reply[1:].hex()))
        elif head == frames.NAME:
            self._name = reply[2:].decode("latin-1")
            events.append(DeviceReply("device_name", self._name))
        elif head == frames.CLOCK:
            self._take_clock(value)
            events.append(DeviceReply("clock_s", value / TICKS_PER_S))
        elif reply[1] == frames.STATUS:
            self._status = reply[2]
            events.append(DeviceReply("status", reply[2]))
        else:
            voltage_v = (reply[2] | reply[3] << 8) * 3.0 / 4095.0 * 1.988
            events.append(BatteryLevel(battery_percent(voltage_v), voltage_v))

    def _take_clock(self, clock: int) -> None:
        """The long clock bridges a link that was down for more than half a wrap; less than before is a restart."""
        if self._clock is not None and clock < self._clock:
            self._last_ticks = self._clock_lead = None
        elif self._last_ticks is not None and self._clock_lead is not None:
            self._last_ticks = max(self._last_ticks, clock + self._clock_lead)
        self._clock = clock

    def _take_inquiry(self, reply: bytes, events: list[Event]) -> None:
        before = self._ranges
        self._rate_ticks, self._setup, self._channels = reply[1] | reply[2] << 8, reply[3:7], reply[9:]
        at, offsets = 4, {}
        for channel in self._channels:
            if channel > _LAST_CHANNEL:
                at = 0
                events.append(DeviceMessage(f"The Shimmer3 sends a channel 0x{channel:02X} of unknown size.", True))
                break
            offsets[channel] = at
            at += 3 if channel == _PRESSURE else 2
        self._cutter.body_bytes = at
        self._acc_ids = _WR if _WR in self._channels else _LN
        self._acc_at = offsets.get(self._acc_ids[0], -1) if self._acc_ids in self._channels else -1
        self._gyro_at = offsets.get(_GYRO[0], -1) if _GYRO in self._channels else -1
        if _MAG_OF_DLHC in self._channels or _MAG_OF_OTHERS in self._channels:
            self._is_dlhc = _MAG_OF_DLHC in self._channels
        listed = {"rate_hz": TICKS_PER_S / max(self._rate_ticks, 1), "setup": self._setup.hex()}
        events.append(DeviceReply("inquiry", {**listed, "channels": list(self._channels)}))
        if self._ranges != before:
            self._blocks = None  # the block holds what belongs to the ranges of the moment it was read
        self._use_calibration()

    @property
    def _ranges(self) -> tuple[int, int]:
        """Codes of the wide-range accelerometer and the gyroscope."""
        return self._setup[0] >> 2 & 3, self._setup[2] & 3

    def _use_calibration(self) -> None:
        wr_code, gyro_code = self._ranges
        self._gyr = calibration.gyro(self._blocks, gyro_code)
        if self._acc_ids == _WR:
            self._acc = calibration.wr_accel(self._blocks, wr_code, is_dlhc=self._is_dlhc)
        else:
            self._acc = calibration.ln_accel(self._blocks)

    def _take_calibration(self, reply: bytes, events: list[Event]) -> None:
        self._blocks = reply[1:]
        events.append(DeviceReply("calibration", self._blocks.hex()))
        self._use_calibration()
        if self._channels and (self._acc.is_nominal or self._gyr.is_nominal):
            text = "The calibration stored in this Shimmer3 does not fit its sensors: nominal values are used."
            events.append(DeviceMessage(text, is_error=True))

    # Conversation -----------------------------------------------------------------------------------------

    def _get(self, command: bytes, reply: int, tries: int = 2) -> Generator[Step, bool, bool]:
        self._seen.discard(reply)
        return (yield from ask(Send(command), lambda: reply in self._seen, _ANSWER_S, tries))

    def _must_get(self, command: bytes, reply: int) -> Script:
        if not (yield from self._get(command, reply)):
            raise LinkError(
                "The Shimmer3 does not answer: check that it is switched on, undocked, and that this is its port."
            )

    def _set(self, command: bytes, tries: int = 2) -> Generator[Step, bool, bool]:
        """Send a setting. False if nobody answers; raises LinkError if it is refused."""
        acks, nacks = self._acks, self._nacks
        taken = yield from ask(Send(command), lambda: self._acks > acks or self._nacks > nacks, _ANSWER_S, tries)
        if self._nacks > nacks:
            yield from self._get(_GET_STATUS, frames.STATUS)
            why = "while it records to its SD card: stop that first" if self._status & 0x08 else "(it is busy sensing)"
            raise LinkError(f"The Shimmer3 refuses to be set up {why}.")
        return taken

    @property
    def _wanted_g(self) -> float:
        return round(self.acc_range_m_s2 / GRAVITY_M_S2)

    @property
    def _wanted_gyro_code(self) -> int:
        return GYRO_RANGES_DEG_S.index(round(self.gyr_range_rad_s * 180.0 / pi))

    def _begin(self) -> Script:
        """Quiet, without CRC, and known: what an earlier conversation left behind is undone. Raises LinkError."""
        yield Send(_STOP)
        yield Pause(_QUIET_S)  # packets on their way, and those of a stream whose layout nobody here knows
        self.reset()
        yield Send(_CRC_OFF)
        yield Pause(_QUIET_S / 3)
        self.reset()
        yield from self._must_get(_GET_FIRMWARE, frames.FIRMWARE)
        if self._version >= _ACK_PREFIX_SINCE:
            yield from self._set(_NO_ACK_PREFIX, tries=1)
        yield from self._must_get(_GET_HARDWARE, frames.HARDWARE)
        if self._hardware == _SHIMMER3R:
            raise LinkError("This is a Shimmer3R, which is not supported: use a Shimmer3.")
        yield from self._set(_CRC_ON)  # firmware that has none stays silent, as does a line that lost the ack

    def configure(self) -> Script:
        """Rates, ranges, sensors and calibration, CRC where the firmware has it; then start.

        The sensors behind the packets sample on their own, and a packet takes what they had last: they are set faster
        than the packets, or values would repeat and be late. Raises LinkError if the device does not answer, refuses,
        or reports other settings back.
        """
        yield from self._begin()
        wr_rate = next(code for rate_hz, code in _WR_RATES_HZ if rate_hz >= _WR_OVERSAMPLING * self.rate_hz)
        for command in (
            b"\x05" + self._ticks.to_bytes(2, "little"),
            _GYRO_1_KHZ,
            bytes((0x40, wr_rate)),
            b"\x46\x01",  # wide-range accelerometer with 12 bits, not 10
            bytes((0x49, self._wanted_gyro_code)),
        ):
            yield from self._set(command)
        if self._wanted_g > 2.0:
            yield from self._set(_SENSORS_WR_MAG)
            yield from self._must_get(_INQUIRE, frames.INQUIRY)
            yield from self._set(bytes((0x09, WR_RANGES_G[self._is_dlhc].index(self._wanted_g))))
            yield from self._set(_SENSORS_WR)
        else:
            yield from self._set(_SENSORS_LN)
        yield from self._must_get(_INQUIRE, frames.INQUIRY)
        self._check_settings()
        yield from self._must_get(_GET_CALIBRATION, frames.CALIBRATION)
        yield from self._get(_GET_CLOCK, frames.CLOCK, tries=1)
        if not (yield from self._set(_START)):
            raise LinkError("The Shimmer3 does not start streaming: switch it off and on again.")

    def _check_settings(self) -> None:
        is_wide = self._wanted_g > 2.0
        is_right = (
            self._rate_ticks == self._ticks
            and self._ranges[1] == self._wanted_gyro_code
            and self._channels in (_GYRO + _WR if is_wide else _LN + _GYRO,)
            and (not is_wide or WR_RANGES_G[self._is_dlhc][self._ranges[0]] == self._wanted_g)
        )
        if not is_right:
            raise LinkError("The Shimmer3 does not keep the settings it was given: switch it off and on again.")

    def stop(self) -> Script:
        """Stop streaming; the packets before the ack are samples like any other."""
        acks = self._acks
        yield from ask(Send(_STOP), lambda: self._acks > acks, _ANSWER_S, 2)

    def poll_battery(self) -> Script:
        """One reading of the voltage, also while streaming; a silence is no failure."""
        yield from self._get(_GET_BATTERY, frames.BATTERY, tries=1)

    def identify(self) -> Script:
        """Name, serial number of the processor and versions; a silence is no failure."""
        for command, reply in (
            (_GET_NAME, frames.NAME),
            (_GET_SERIAL, frames.SERIAL),
            (_GET_FIRMWARE, frames.FIRMWARE),
            (_GET_HARDWARE, frames.HARDWARE),
        ):
            yield from self._get(command, reply, tries=1)

    def save(self) -> Script:
        """Nothing to do: the device keeps every setting as soon as it has it."""
        yield from ()

    def rename(self, name: str) -> Script:
        """Set the name it tells when asked; its Bluetooth name stays. It takes no setting while it streams: a pause.

        Raises InputError on a name that it does not take, LinkError if it keeps the old one.
        """
        if not (0 < len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable()):
            raise InputError(f"A Shimmer3's name has 1 to {_LONGEST_NAME} plain letters: {name!r} will not do.")
        yield from self.stop()
        yield from self._set(b"\x79" + bytes((len(name),)) + name.encode())
        yield from self._get(_GET_NAME, frames.NAME)
        yield from self._set(_START)
        if self._name != name:
            raise LinkError(f"The Shimmer3 keeps its name {self._name!r}.")

    def blink(self) -> Script:
        """Switch the red LED on and off three times; an even number of toggles leaves it as it was."""
        for _ in range(6):
            yield from self._set(_TOGGLE_LED, tries=1)
            yield Pause(_BLINK_S)
