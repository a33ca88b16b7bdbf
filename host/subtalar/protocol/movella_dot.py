"""Movella (Xsens) DOT over Bluetooth LE: one sample a notification, with the sensor's own microseconds.

Sources: Movella DOT BLE Service Specification XD0506P rev. C (layout, order of starting, rates), checked against
xsens/xsens_dot_server and adamkewley/xdc. Payload mode 21 (rate quantities: calibrated acceleration and angular
velocity) is used: the same values as the longer custom mode 5, in notifications that fit an MTU of 43.

Each notification is whole, so nothing is kept between two feeds but the clock. The clock is a u32 that wraps after
71.6 minutes and begins anew when the sensor is switched on.
"""

import struct
from math import pi
from typing import Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError
from subtalar.types import IntArray

from .base import DeviceProtocol, GattProfile, Pause, Read, Script, Send
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples


def _uuid(short: str) -> str:
    return f"1517{short}-4947-11e9-8646-d663bd873d93"


DEVICE_INFO: Final = _uuid("1001")
DEVICE_CONTROL: Final = _uuid("1002")
DEVICE_REPORT: Final = _uuid("1004")
MEASUREMENT: Final = _uuid("2001")
LONG_PAYLOAD: Final = _uuid("2002")
MEDIUM_PAYLOAD: Final = _uuid("2003")
BATTERY: Final = _uuid("3001")

RATE_QUANTITIES: Final = 21

# Acceleration and angular velocity stand at this offset; the lengths are exact ones, or padded with zeros.
_PAYLOADS: Final[dict[str, tuple[int, tuple[int, ...], int]]] = {
    MEDIUM_PAYLOAD: (4, (28, 34), 40),  # modes 21 and 20
    LONG_PAYLOAD: (20, (44,), 63),  # mode 26
}
_ACC_RANGE_G: Final = 16.0
_GYR_RANGE_DEG_S: Final = 2000.0
# Acceleration first, as on the wire, in m/s² and deg/s.
_SCALE: Final = np.array([1.0, pi / 180.0]).reshape(2, 1, 1)
_PLAUSIBLE: Final = 2 * np.array([_ACC_RANGE_G * GRAVITY_M_S2, _GYR_RANGE_DEG_S * pi / 180.0]).reshape(2, 1, 1)

_WRAP_US: Final = 1 << 32
_LONGEST_GAP_US: Final = 600_000_000
"""A clock that went back has wrapped if the gap would be no longer than this; otherwise it began anew."""
_LATE_US: Final = 1_000_000

_CONTROL_BYTES: Final = 32
_RATE_AT: Final = 24
_VISIT_IDENTIFY: Final = 0x01
_VISIT_TAG: Final = 0x08
_VISIT_RATE: Final = 0x10
_TAG_AT: Final = 7
_MAX_TAG: Final = 16
_NOT_IN_A_TAG: Final = "/\\:,"
"""The specification warns of these."""
_SETTLE_S: Final = 0.1

_REPORTS: Final[dict[int, tuple[str, bool]]] = {
    1: ("The sensor is switching itself off.", True),
    2: ("The sensor is busy and ignored a command.", True),
    3: ("The sensor refused a command.", True),
    4: ("The sensor goes to sleep, because it was left alone: shake it to wake it.", True),
    5: ("Its button was pressed.", False),
    6: ("Its button was pressed twice.", False),
    7: ("Its button was pressed three times.", False),
}


class MovellaDot(DeviceProtocol):
    """Codec of one DOT. Losses are exact: gaps in the sensor's own time."""

    model = "movella-dot"
    gatt = GattProfile(
        service=_uuid("2000"),
        notify=(MEDIUM_PAYLOAD, BATTERY, DEVICE_REPORT),
        name_prefixes=("Movella D", "Xsens D"),
    )
    default_rate_hz = 60.0
    # Product data; the specification does not tell the full scale.
    acc_range_m_s2 = _ACC_RANGE_G * GRAVITY_M_S2
    gyr_range_rad_s = _GYR_RANGE_DEG_S * pi / 180.0
    has_device_time = True
    battery_poll_interval_s = 600.0  # it tells changes by itself, the first level only when asked

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._last_us: int | None = None
        self._offset_us = 0
        self._control = b""
        self._is_measuring: bool | None = None
        self._mode = 0

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """1 to 60 Hz; 120 Hz is for recordings inside the sensor only."""
        return (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)

    def reset(self) -> None:
        """Nothing is half received. The clock goes on over a reconnect."""
        self._control, self._is_measuring = b"", None

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Without a source the data count as the medium payload."""
        source = source.lower() or MEDIUM_PAYLOAD
        if source in _PAYLOADS:
            return self._take_samples(data, *_PAYLOADS[source])
        events: list[Event] = []
        known = False
        if source == BATTERY:
            known = len(data) == 2 and data[0] <= 100
            if known:
                events.append(BatteryLevel(float(data[0])))
        elif source == DEVICE_REPORT:
            known = bool(data)
            if known and data[0] in _REPORTS:
                events.append(DeviceMessage(*_REPORTS[data[0]]))
        elif source == MEASUREMENT:
            known = len(data) == 3 and data[0] == 1
            if known:
                self._is_measuring, self._mode = data[1] == 1, data[2]
                events.append(DeviceReply("measurement", f"{'on' if data[1] == 1 else 'off'}, mode {data[2]}"))
        elif source == DEVICE_CONTROL:
            known = len(data) == _CONTROL_BYTES
            if known:
                self._control = data
                events += _control_replies(data)
        elif source == DEVICE_INFO:
            known = len(data) >= 34
            if known:
                events += _info_replies(data)
        if not known:
            self.health.corrupt_bytes += len(data)
        elif events:
            self.health.frames += 1
        else:
            self.health.skipped_frames += 1
        return events

    # Samples ----------------------------------------------------------------------------------------------

    def _take_samples(self, data: bytes, offset: int, exact: tuple[int, ...], padded: int) -> list[Event]:
        """One sample, or several padded ones on end."""
        size = len(data) if len(data) in exact else padded
        n, rest = divmod(len(data), size)
        if rest or not n:
            self.health.corrupt_bytes += len(data)
            return []
        floats = np.ndarray((2, n, 3), "<f4", data, offset, (12, size, 4))
        raw_us = np.ndarray((n,), "<u4", data, 0, (size,))
        with np.errstate(invalid="ignore"):
            values = np.multiply(floats, _SCALE, order="C")
        plausible = np.abs(values) <= _PLAUSIBLE  # false for NaN
        if not plausible.all():
            sane = plausible.all(axis=(0, 2))
            n_bad = n - int(np.count_nonzero(sane))
            self.health.corrupt_bytes += n_bad * size
            n -= n_bad
            if not n:
                return []
            raw_us, values = raw_us[sane], np.ascontiguousarray(values[:, sane])
        self.health.frames += n
        return [InertialSamples(self._unwrapped(raw_us.astype(np.int64)), values[0], values[1])]

    def _unwrapped(self, raw_us: IntArray) -> IntArray:
        last_us = int(raw_us[0]) if self._last_us is None else self._last_us
        self._last_us = int(raw_us[-1])
        # The hot path: time only goes forward.
        if len(raw_us) == 1 and raw_us[0] >= last_us:
            return raw_us + self._offset_us
        time_us = np.empty_like(raw_us)
        begin = 0
        steps = np.diff(raw_us, prepend=last_us)
        for at in np.flatnonzero(steps < -_LATE_US).tolist():
            time_us[begin:at] = raw_us[begin:at] + self._offset_us
            self._offset_us = self._offset_us + _WRAP_US if steps[at] + _WRAP_US <= _LONGEST_GAP_US else 0
            begin = at
        time_us[begin:] = raw_us[begin:] + self._offset_us
        return time_us

    # Conversation -----------------------------------------------------------------------------------------

    def configure(self) -> Script:
        """Stop what still runs, set the rate if it differs, start, and see that it did.

        The sensor keeps the rate over power-off. It cannot be changed while the sensor measures. Raises LinkError
        if the sensor keeps another rate or does not start.
        """
        yield Read(MEASUREMENT)
        if self._is_measuring:
            yield from self.stop()
            yield Pause(_SETTLE_S)
        yield from self._read_control()
        if self._rate_of_device() != self.rate_hz:
            yield self._change(_VISIT_RATE, _RATE_AT, struct.pack("<H", round(self.rate_hz)))
            yield Pause(_SETTLE_S)
            yield from self._read_control()
        if self._rate_of_device() != self.rate_hz:
            raise LinkError(
                f"The Movella DOT stays at {self._rate_of_device()} Hz instead of {self.rate_hz:g} Hz, as it does "
                "while it is synchronised or recording: end that in the app it was begun with, or switch it off and on."
            )
        yield Send(bytes((1, 1, RATE_QUANTITIES)), MEASUREMENT, with_response=True)
        yield Read(MEASUREMENT)
        if not self._is_measuring or self._mode != RATE_QUANTITIES:
            raise LinkError(
                "The Movella DOT does not start measuring: switch it off and on, and update its firmware if that "
                "does not help."
            )

    def _rate_of_device(self) -> int:
        return int.from_bytes(self._control[_RATE_AT : _RATE_AT + 2], "little")

    def _read_control(self) -> Script:
        self._control = b""
        yield Read(DEVICE_CONTROL)
        if not self._control:
            raise LinkError("The sensor does not answer as a Movella DOT does: check the model= of its device spec.")

    def _change(self, visit: int, at: int, value: bytes) -> Send:
        """The settings as they were read, with one of them changed and only that one to be applied."""
        control = bytearray(self._control)
        control[0] = visit
        control[at : at + len(value)] = value
        return Send(bytes(control), DEVICE_CONTROL, with_response=True)

    def stop(self) -> Script:
        """Stop measuring."""
        yield Send(bytes((1, 0, RATE_QUANTITIES)), MEASUREMENT, with_response=True)

    def poll_battery(self) -> Script:
        """Read level and charging state."""
        yield Read(BATTERY)

    def identify(self) -> Script:
        """Versions, serial number and address, and the name and rate it is set to."""
        yield Read(DEVICE_INFO)
        yield Read(DEVICE_CONTROL)

    def save(self) -> Script:
        """Nothing to do: the sensor keeps what is set."""
        yield from ()

    def rename(self, name: str) -> Script:
        """Set the name (tag), up to 16 bytes of UTF-8; it advertises under its maker's name all the same.

        Raises InputError on a name that it does not take, LinkError if it keeps the old one.
        """
        tag = name.encode("utf-8")
        if not 0 < len(tag) <= _MAX_TAG or set(name) & set(_NOT_IN_A_TAG):
            raise InputError(
                f"A Movella DOT's name has 1 to {_MAX_TAG} letters (bytes of UTF-8) and none of {_NOT_IN_A_TAG}: "
                f"{name!r} will not do."
            )
        yield from self._read_control()
        yield self._change(_VISIT_TAG, _TAG_AT, bytes((len(tag),)) + tag.ljust(_MAX_TAG, b"\0"))
        yield Pause(_SETTLE_S)
        yield from self._read_control()
        if _tag(self._control) != name:
            raise LinkError(f"The Movella DOT keeps its name {_tag(self._control)!r}.")

    def blink(self) -> Script:
        """The LED blinks red and fast for ten seconds."""
        yield from self._read_control()
        yield self._change(_VISIT_IDENTIFY, 1, b"\x01")


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _tag(control: bytes) -> str:
    return _text(control[_TAG_AT + 1 : _TAG_AT + 1 + min(control[_TAG_AT], _MAX_TAG)])


def _control_replies(data: bytes) -> list[Event]:
    return [
        DeviceReply("devicename", _tag(data)),
        DeviceReply("outputrate", int.from_bytes(data[_RATE_AT : _RATE_AT + 2], "little")),
    ]


def _info_replies(data: bytes) -> list[Event]:
    return [
        DeviceReply("macaddress", ":".join(f"{byte:02X}" for byte in reversed(data[:6]))),
        DeviceReply("firmwareversion", ".".join(str(byte) for byte in data[6:9])),
        DeviceReply("serialnumber", f"{int.from_bytes(data[20:28], 'little'):016X}"),
        DeviceReply("hardwareversion", _text(data[28:34])),
    ]
