"""x-io x-IMU3: binary, ASCII and JSON messages, each ended by LF, over USB, serial, TCP or Bluetooth SPP.

Sources: xioTechnologies x-IMU3-User-Manual (communication protocol, device settings) and x-IMU3-Software
(``receiver.rs``). Escapes as in SLIP (RFC 1055), with LF as the end. There is no checksum: a binary message must
have the exact length of its kind, finite numbers and a plausible magnitude, or it counts as corrupt.
"""

import json
import re
from math import pi
from typing import Any, Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError

from .base import DeviceProtocol, Expect, Script, Send, ask
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples

MESSAGE_LIMIT: Final = 4096
"""The vendor's receiver buffer: a longer message is damage."""

SAMPLE_RATE_HZ: Final = 400.0
_DIVISORS: Final = (1, 2, 4, 8, 16, 32)

_ACC_RANGE_G: Final = 24.0
_GYR_RANGE_DEG_S: Final = 2000.0
_MAX_TIME_US: Final = 1 << 53

# Floats after id and timestamp; None = text or raw bytes of any length.
_ARGUMENTS: Final[dict[str, int | None]] = {
    "I": 6, "M": 3, "H": 3, "Q": 4, "R": 9, "A": 3, "L": 7, "E": 7, "U": 4, "T": 1, "B": 3, "W": 2, "Y": 1, "O": 1,
    "S": None, "N": None, "F": None, "C": None,
}  # fmt: skip
_HEADER_BYTES: Final = 9
_INERTIAL: Final = 0x80 + ord("I")
_INERTIAL_BYTES: Final = _HEADER_BYTES + 4 * 6
# Gyroscope first, as on the wire. Twice the range leaves room for the calibration that the device applies.
_SCALE: Final = np.array([pi / 180.0, GRAVITY_M_S2]).reshape(2, 1, 1)
_PLAUSIBLE: Final = 2 * _SCALE * np.array([_GYR_RANGE_DEG_S, _ACC_RANGE_G]).reshape(2, 1, 1)


def unstuff(message: bytes) -> bytes | None:
    """Undo the escapes of a binary message without its LF; None if an escape is followed by a wrong byte."""
    escapes = message.count(b"\xdb")
    if not escapes:
        return message
    if escapes != message.count(b"\xdb\xdc") + message.count(b"\xdb\xdd"):
        return None
    return message.replace(b"\xdb\xdc", b"\n").replace(b"\xdb\xdd", b"\xdb")


def command(key: str, value: object = None) -> bytes:
    """One command line: ``{"key":value}`` and LF."""
    return json.dumps({key: value}, separators=(",", ":")).encode() + b"\n"


def normalise_key(key: str) -> str:
    """The device matches keys without regard to case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


class XImu3(DeviceProtocol):
    """Codec of one x-IMU3."""

    model = "ximu3"
    default_rate_hz = 100.0
    acc_range_m_s2 = _ACC_RANGE_G * GRAVITY_M_S2
    gyr_range_rad_s = _GYR_RANGE_DEG_S * pi / 180.0
    has_device_time = True
    streams_unasked = True

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._tail = b""
        self._overlong = False
        self._inertial: list[bytes] = []
        self._replies: dict[str, Any] = {}

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """400 Hz over a power of two: that the device takes other divisors is not certain."""
        return tuple(SAMPLE_RATE_HZ / divisor for divisor in _DIVISORS)

    def reset(self) -> None:
        """Forget a half-received message."""
        self.health.corrupt_bytes += len(self._tail)
        self._tail = b""
        self._overlong = False

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Batches the inertial messages between two others."""
        events: list[Event] = []
        *messages, tail = (self._tail + data).split(b"\n")
        if self._overlong and messages:
            self.health.corrupt_bytes += len(messages.pop(0)) + 1
            self._overlong = False
        inertial = self._inertial
        for message in messages:
            # The hot path: an inertial message without escapes.
            if len(message) == _INERTIAL_BYTES and message[0] == _INERTIAL and 0xDB not in message:
                inertial.append(message)
            else:
                self._take(message, events)
        self._flush(events)
        if self._overlong or len(tail) > MESSAGE_LIMIT:
            self.health.corrupt_bytes += len(tail)
            self.health.resyncs += not self._overlong
            self._overlong = True
            tail = b""
        self._tail = tail
        return events

    def _drop(self, message: bytes) -> None:
        self.health.corrupt_bytes += len(message) + 1
        self.health.resyncs += 1

    def _take(self, message: bytes, events: list[Event]) -> None:
        """One message without its LF, of any kind."""
        first = message[0] if message else 0
        if len(message) > MESSAGE_LIMIT:
            self._drop(message)
        elif first > 0x80:
            self._take_binary(message, events)
        elif 0x41 <= first <= 0x5A:
            self._take_ascii(message, events)
        elif first == ord("{"):
            self._take_json(message, events)
        elif first == ord("^") and len(message) > 2:
            self.health.skipped_frames += 1  # a device behind this one
        else:
            self._drop(message)

    def _take_binary(self, message: bytes, events: list[Event]) -> None:
        plain = unstuff(message)
        # An escaped byte in front may stand for one that begins no binary message.
        if plain is None or len(plain) < _HEADER_BYTES or plain[0] <= 0x80:
            self._drop(message)
            return
        if plain[0] == _INERTIAL and len(plain) == _INERTIAL_BYTES:
            self._inertial.append(plain)
            return
        kind = chr(plain[0] - 0x80)
        arguments = _ARGUMENTS.get(kind, -1)
        if arguments == -1:
            self.health.skipped_frames += 1
        elif arguments is None:
            self._take_text(kind, plain[_HEADER_BYTES:].decode("latin-1"), events)
        elif len(plain) != _HEADER_BYTES + 4 * arguments:
            self._drop(message)
        else:
            # Damage may read as a number that signals when it is touched; it stays "not a number".
            with np.errstate(invalid="ignore"):
                values = np.frombuffer(plain, "<f4", arguments, _HEADER_BYTES).astype(np.float64)
            self._take_values(kind, values.tolist(), message, events)

    def _take_ascii(self, message: bytes, events: list[Event]) -> None:
        kind, *fields = message.decode("latin-1").split(",")
        arguments = _ARGUMENTS.get(kind, -1)
        if arguments == -1:
            # An unknown letter is a message from newer firmware; anything longer is damage.
            if len(kind) == 1 and fields:
                self.health.skipped_frames += 1
            else:
                self._drop(message)
            return
        try:
            time_us = int(fields[0])
            if not 0 <= time_us < 1 << 64:
                raise ValueError(time_us)
            values = [] if arguments is None else [float(text) for text in fields[1:]]
        except (ValueError, IndexError):
            self._drop(message)
            return
        if arguments is None:
            self._take_text(kind, ",".join(fields[1:]), events)
        elif len(values) != arguments:
            self._drop(message)
        elif kind == "I":
            head = bytes((_INERTIAL,)) + time_us.to_bytes(8, "little")
            with np.errstate(over="ignore"):
                self._inertial.append(head + np.asarray(values).astype("<f4").tobytes())
        else:
            self._take_values(kind, values, message, events)

    def _take_values(self, kind: str, values: list[float], message: bytes, events: list[Event]) -> None:
        if kind == "B":
            percent, voltage_v, _status = values
            if not (-1 <= percent <= 101 and 0 <= voltage_v <= 10):
                self._drop(message)
                return
            self._flush(events)
            events.append(BatteryLevel(min(max(percent, 0.0), 100.0), voltage_v))
            self.health.frames += 1
        else:
            self.health.skipped_frames += 1

    def _take_text(self, kind: str, text: str, events: list[Event]) -> None:
        if kind in "NF":
            self._flush(events)
            events.append(DeviceMessage(text, is_error=kind == "F"))
            self.health.frames += 1
        else:
            self.health.skipped_frames += 1

    def _take_json(self, message: bytes, events: list[Event]) -> None:
        try:
            reply = json.loads(message)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict) or len(reply) != 1:
            self._drop(message)
            return
        ((name, value),) = reply.items()
        key = normalise_key(name)
        error = str(value["error"]) if isinstance(value, dict) and "error" in value else None
        if key in self._replies:
            self._replies[key] = DeviceReply(key, value, error)
        self._flush(events)
        events.append(DeviceReply(key, value, error))
        self.health.frames += 1

    def _flush(self, events: list[Event]) -> None:
        """Turn the collected inertial messages into one batch, without those that cannot be true."""
        if not self._inertial:
            return
        raw, n = b"".join(self._inertial), len(self._inertial)
        self._inertial.clear()
        # Strided views (quantity, message, axis) and one product: this is the hot path.
        time_us = np.ndarray((n,), "<u8", raw, 1, (_INERTIAL_BYTES,))
        floats = np.ndarray((2, n, 3), "<f4", raw, _HEADER_BYTES, (12, _INERTIAL_BYTES, 4))
        with np.errstate(invalid="ignore"):
            values = np.multiply(floats, _SCALE, order="C")
        plausible = np.abs(values) <= _PLAUSIBLE  # false for NaN
        if not plausible.all() or time_us.max() >= _MAX_TIME_US:
            sane = plausible.all(axis=(0, 2)) & (time_us < _MAX_TIME_US)
            n_bad = n - int(np.count_nonzero(sane))
            self.health.corrupt_bytes += n_bad * (_INERTIAL_BYTES + 1)
            n -= n_bad
            time_us, values = time_us[sane], np.ascontiguousarray(values[:, sane])
        if n:
            self.health.frames += n
            events.append(InertialSamples(time_us.astype(np.int64), values[1], values[0]))

    def _request(self, key: str, value: object = None, *, tries: int = 3) -> Script:
        """One command; raises LinkError on silence (the vendor's API waits 500 ms, three times) or a refusal."""
        name = normalise_key(key)
        self._replies[name] = None
        answered = yield from ask(Send(command(key, value)), lambda: self._replies[name] is not None, 0.5, tries)
        reply: DeviceReply | None = self._replies.pop(name)
        if not answered:
            raise LinkError(
                f"The x-IMU3 does not answer to {key!r}: check that it is switched on and that this is its port."
            )
        if reply is not None and reply.error is not None:
            raise LinkError(f"The x-IMU3 refused {key} = {json.dumps(value)}: {reply.error}.")

    def configure(self) -> Script:
        """Binary inertial messages at the rate, battery at 1 Hz, nothing else. Nothing is saved in the device.

        Raises LinkError if the device does not answer or refuses the rate.
        """
        divisor = round(SAMPLE_RATE_HZ / self.rate_hz)
        yield from self._request("ping")
        yield from self._request("binary_mode_enabled", True)
        yield from self._request("inertial_message_rate_divisor", divisor)
        for key, value in (
            ("ahrs_message_rate_divisor", 0),
            ("magnetometer_message_rate_divisor", 0),
            # The name differs between the manual's tables; the device refuses the one it does not know.
            ("high_g_message_rate_divisor", 0),
            ("high_g_accelerometer_message_rate_divisor", 0),
            ("temperature_message_rate_divisor", 0),
            ("battery_message_rate_divisor", 5),
        ):
            yield from self._ask_quietly(key, value)
        yield from self._ask_quietly("apply")

    def _ask_quietly(self, key: str, value: object = None) -> Script:
        """A command whose answer is worth waiting for, but not worth failing for."""
        name = normalise_key(key)
        self._replies[name] = None
        yield Send(command(key, value))
        yield Expect(lambda: self._replies[name] is not None, 0.5)
        del self._replies[name]

    def identify(self) -> Script:
        """Name, serial number and versions, as ``DeviceReply`` events."""
        for key in ("device_name", "serial_number", "firmware_version", "hardware_version"):
            yield from self._ask_quietly(key)

    def save(self) -> Script:
        """Keep the present settings over power-off; the device may take 300 ms."""
        yield from self._request("save")

    def rename(self, name: str) -> Script:
        """Set the device's name; how long one may be it says itself."""
        if not name:
            raise InputError("The name for the x-IMU3 is empty: give one.")
        yield from self._request("device_name", name)
        yield from self._ask_quietly("apply")

    def blink(self) -> Script:
        """Blink the LED once."""
        yield from self._request("blink")
