"""x-IMU3: JSON commands in, binary or ASCII data messages out, the same byte stream on every transport.

Written from the x-IMU3 User Manual and the vendor's published encoder. The wording of error texts, and which commands
this unit refuses, are inferred; so is that earth and linear acceleration messages fall back to the quaternion.
The high-g accelerometer is not simulated: the manual contradicts itself about its rate.
"""

import json
from typing import Final

import numpy as np

from subtalar_sim.faults import NO_FAULTS, GapDrawer, SentLedger
from subtalar_sim.firmware import ximu3_messages as messages
from subtalar_sim.firmware.base import FrameFeed, Payload, SampleSource, Unit
from subtalar_sim.firmware.ximu3_settings import (
    DEFAULTS,
    KEYS,
    READ_ONLY,
    SAMPLE_RATE_HZ,
    Value,
    normalised,
    refusal,
)
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray, IntArray

APPLY_S: Final = 2.0
SAVE_S: Final = 0.3
SHUTDOWN_S: Final = 2.0
_INPUT_LIMIT: Final = 4096
_FLUSH_S: Final = 0.005
"""How often the transport takes what has gathered: the granularity of USB and TCP."""
_ECHOED: Final = frozenset({"blink", "strobe", "colour", "color", "initialise", "heading", "accessory", "time"})
_REFUSED: Final = frozenset({"factory", "erase", "bootloader", "format", "startlogging", "stoplogging", "test"})


def divisor_for(rate_hz: float) -> int:
    """Inertial divisor for a rate. Raises ValueError for a rate the device does not have."""
    divisor = round(400.0 / rate_hz)
    if divisor not in (1, 2, 4, 8, 16, 32) or abs(400.0 / divisor - rate_hz) > 1e-6:
        raise ValueError(f"an x-IMU3 streams at 400, 200, 100, 50, 25 or 12.5 Hz, not {rate_hz:g}")
    return divisor


class _OrientationOnly:
    """A source whose samples carry nothing but the orientation, for messages without inertial data."""

    def __init__(self, source: SampleSource) -> None:
        self._source = source

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        nothing = np.zeros((len(t_s), 3))
        return ImuSamples(t_s, nothing, nothing, self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return self._source.orientation(t_s)


class XImu3:
    """One device on one transport; a pseudo-terminal stands for its USB port."""

    def __init__(self, unit: Unit, *, name: str = "x-IMU3") -> None:
        self._unit, self._clock = unit, unit.clock
        self._no_gaps = GapDrawer(NO_FAULTS, unit.rate_hz, 0, "")
        digits = f"{unit.serial_number:016X}"
        self._serial = "-".join(digits[i : i + 4] for i in range(0, 16, 4))
        self._interface = unit.interface if unit.interface in ("tcp", "udp") else "usb"
        self.ledger = SentLedger()
        self.saved: dict[str, Value] = {
            **DEFAULTS,
            "device_name": name,
            "inertial_message_rate_divisor": divisor_for(unit.rate_hz),
        }
        self.settings = dict(self.saved)
        self._zero_s = 0.0
        self._off_s = float("inf")
        self._clock_text = "2000-01-01 00:00:00"
        self._boot(unit.start_s)

    def _boot(self, now_s: float) -> None:
        self.applied: dict[str, Value] = {}
        self._input = bytearray()
        self._replies: list[tuple[float, bytes]] = []
        self._slow: dict[str, float] = {}
        self._feeds: dict[str, FrameFeed] = {}
        self._apply(now_s)
        self._flush_s = now_s

    @property
    def _binary(self) -> bool:
        return bool(self.applied["binary_mode_enabled"])

    def _divisor(self, key: str) -> int:
        return int(self.applied[f"{key}_message_rate_divisor"])

    def _apply(self, now_s: float) -> None:
        changed = {k for k, v in self.settings.items() if self.applied.get(k) != v}
        self.applied = dict(self.settings)
        self._apply_s = float("inf")
        for key in ("inertial", "ahrs", "magnetometer"):
            if changed & {f"{key}_message_rate_divisor", "binary_mode_enabled", "ahrs_message_type"}:
                self._feeds.pop(key, None)
                if self._divisor(key):
                    self._feeds[key] = self._new_feed(key, now_s)
        for key in ("temperature", "battery", "rssi"):
            if self._divisor(key):
                self._slow.setdefault(key, now_s)
            else:
                self._slow.pop(key, None)

    def _new_feed(self, key: str, now_s: float) -> FrameFeed:
        divisor, rate = self._divisor(key), SAMPLE_RATE_HZ[f"{key}_message_rate_divisor"]
        if key == "inertial":
            return self._unit.feed(self._encode_inertial, self.ledger, rate_hz=rate, group=divisor, start_s=now_s)
        encode = self._encode_ahrs if key == "ahrs" else self._encode_magnetometer
        still = _OrientationOnly(self._unit.source)
        return FrameFeed(still, self._clock, encode, self._no_gaps, SentLedger(), rate_hz=rate / divisor, start_s=now_s)

    def _timestamps_us(self, t_s: FloatArray) -> IntArray:
        return np.round(1e6 * (self._clock.reading(t_s) - self._zero_s)).astype(np.int64)

    def _timestamp_us(self, t_s: float) -> int:
        return max(0, int(self._timestamps_us(np.array([t_s]))[0]))

    def _encode_inertial(self, samples: ImuSamples) -> list[bytes]:
        divisor = self._divisor("inertial")
        values = messages.inertial_values(samples, divisor)
        stamps = self._timestamps_us(samples.t_s[divisor - 1 :: divisor])
        return messages.many("I", stamps, values, binary=self._binary)

    def _encode_ahrs(self, samples: ImuSamples) -> list[bytes]:
        letter, values = messages.ahrs_values(int(self.applied["ahrs_message_type"]), samples.orientation)
        return messages.many(letter, self._timestamps_us(samples.t_s), values, binary=self._binary)

    def _encode_magnetometer(self, samples: ImuSamples) -> list[bytes]:
        values = messages.magnetometer_values(samples.orientation)
        return messages.many("M", self._timestamps_us(samples.t_s), values, binary=self._binary)

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """JSON commands ended by LF, cut anywhere; a line that is too long is dropped whole."""
        self._input += data
        while (end := self._input.find(b"\n")) >= 0:
            line = bytes(self._input[:end])
            del self._input[: end + 1]
            if line.startswith(b"{"):
                self._command(line, now_s)
        if len(self._input) > _INPUT_LIMIT:
            self._input.clear()

    def _reply(self, at_s: float, key: str, value: object) -> None:
        self._replies.append((at_s, json.dumps({key: value}, separators=(",", ":")).encode() + b"\n"))
        self._replies.sort(key=lambda r: r[0])

    def _error(self, now_s: float, reason: str) -> None:
        self._replies.append((now_s, messages.text("F", self._timestamp_us(now_s), reason, binary=self._binary)))

    def _command(self, line: bytes, now_s: float) -> None:
        try:
            command = json.loads(line)
        except (ValueError, UnicodeDecodeError):
            self._error(now_s, "Invalid JSON")
            return
        if not isinstance(command, dict) or len(command) != 1:
            self._error(now_s, "Command must be an object with one key")
            return
        key, value = next(iter(command.items()))
        name = normalised(key)
        if name in KEYS:
            self._setting(key, KEYS[name], value, now_s)
        else:
            self._action(key, name, value, now_s)

    def _setting(self, key: str, setting: str, value: object, now_s: float) -> None:
        current: Value = self._serial if setting == "serial_number" else self._current(setting)
        if value is not None:
            reason = refusal(setting, value)
            if reason is not None:
                self._reply(now_s, key, {"error": reason})
                return
            assert isinstance(value, str | int | float | bool)
            self.settings[setting] = current = value
            self._apply_s = now_s + APPLY_S
        self._reply(now_s, key, current)

    def _current(self, setting: str) -> Value:
        return READ_ONLY[setting] if setting in READ_ONLY else self.settings[setting]

    def _action(self, key: str, name: str, value: object, now_s: float) -> None:
        if name == "ping":
            label = self._interface.upper() if len(self._interface) < 4 else self._interface.capitalize()
            content = {"interface": label, "name": self.settings["device_name"], "sn": self._serial}
            self._reply(now_s, key, content)
        elif name == "apply":
            self._apply(now_s)
            self._reply(now_s, key, None)
        elif name == "save":
            self.saved = dict(self.settings)
            self._reply(now_s + SAVE_S, key, None)
        elif name == "default":
            self.settings = dict(DEFAULTS)
            self._apply_s = now_s + APPLY_S
            self._reply(now_s, key, None)
        elif name == "note":
            if not isinstance(value, str) or len(value) > 127:
                self._reply(now_s, key, {"error": "Expected string of up to 127 characters"})
                return
            self._reply(now_s, key, value)
            self._replies.append((now_s, messages.text("N", self._timestamp_us(now_s), value, binary=self._binary)))
        elif name == "reset":
            self.power_cycle(now_s)
            self._reply(now_s, key, None)
        elif name == "shutdown":
            self._off_s = now_s + SHUTDOWN_S
            self._reply(now_s, key, None)
        elif name == "time" and isinstance(value, str):
            self._clock_text = value
            self._reply(now_s, key, value)
        elif name in _ECHOED:
            self._reply(now_s, key, self._clock_text if name == "time" else value)
        elif name in _REFUSED:
            self._reply(now_s, key, {"error": "Not available on this device"})
        else:
            self._reply(now_s, key, {"error": "Unknown command"})

    def power_cycle(self, now_s: float) -> None:
        """Off and on: settings that were not saved are forgotten, the timestamp starts at zero."""
        self.settings = dict(self.saved)
        self._zero_s = self._unit.clock_s(now_s)
        self._off_s = float("inf")
        self._boot(now_s)

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """At most one payload: all messages and replies that have gathered, in the order they arose."""
        if now_s >= self._off_s:
            return []
        if now_s >= self._apply_s:
            self._apply(now_s)
        enabled = listening and bool(self.applied.get(f"{self._interface}_data_messages_enabled", True))
        out: list[bytes] = []
        samples = 0
        for key, feed in self._feeds.items():
            frames = feed.due(now_s, listening=enabled)
            samples += len(frames) if key == "inertial" else 0
            out += frames
        out += self._slow_messages(now_s, enabled)
        while self._replies and self._replies[0][0] <= now_s:
            out.append(self._replies.pop(0)[1])
        self._flush_s = now_s + _FLUSH_S
        if not listening or not out:
            return []
        self.ledger.sent += samples
        self.ledger.payloads += 1
        return [Payload(b"".join(out), samples)]

    def _slow_messages(self, now_s: float, enabled: bool) -> list[bytes]:
        out = []
        for key, due in self._slow.items():
            period = self._divisor(key) / SAMPLE_RATE_HZ[f"{key}_message_rate_divisor"]
            missed = max(0, int((now_s - due) // period))
            if due <= now_s:
                self._slow[key] = due + (missed + 1) * period
                if enabled:
                    out.append(self._slow_message(key, due + missed * period))
        return out

    def _slow_message(self, key: str, t_s: float) -> bytes:
        left = self._unit.charge_left(t_s)
        letter, values = {
            "battery": ("B", [max(5.0, 96.0 - t_s / 300.0) * left, 3.3 + 0.75 * left, 0.0]),
            "temperature": ("T", [29.5]),
            "rssi": ("W", [80.0, -55.0]),
        }[key]
        return messages.numeric(letter, self._timestamp_us(t_s), values, binary=self._binary)

    def next_deadline_s(self) -> float:
        """The next flush at which something is ready."""
        feeds = [f.next_s for f in self._feeds.values()]
        soonest = min([self._apply_s, *(r[0] for r in self._replies), *self._slow.values(), *feeds])
        return max(soonest, self._flush_s)
