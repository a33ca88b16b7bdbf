"""Nordic Thingy:52 over Bluetooth LE: raw motion, without time or counter; subscribing is starting.

Source: NordicSemiconductor/Nordic-Thingy52-FW 2.2.0 (``ble_tms``, ``ble_uis``, ``ble_tcs``, ``m_motion``, ``m_ui``,
``drv_motion``), the device's own firmware. Three things of it decide how the numbers are read:

* The accelerometer is inverted on purpose ("positive when the axis is aligned with g (down)"), the gyroscope is not:
  specific force is minus what is sent. A sensor flat on a table sends +1 g on z (DevZone 47415).
* Values are clamped to 1023 deg/s and 31 g. The chip itself stays at 2 g, the start-up value of its driver
  (Invensense eMPL ``mpu_init``), which nothing changes: to be checked on hardware.
* The motion processor divides 200 Hz by a whole number: only such rates are true.
"""

import struct
from math import pi
from typing import Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError

from .base import DeviceProtocol, GattProfile, Pause, Read, Script, Send
from .events import BatteryLevel, DeviceReply, Event, InertialSamples


def _uuid(short: str) -> str:
    return f"ef68{short}-9b35-4933-9b10-52ffa9740042"


DEVICE_NAME: Final = _uuid("0101")
FIRMWARE_VERSION: Final = _uuid("0107")
LED: Final = _uuid("0301")
MOTION_CONFIG: Final = _uuid("0401")
RAW_MOTION: Final = _uuid("0406")
BATTERY: Final = "00002a19-0000-1000-8000-00805f9b34fb"

_RAW_BYTES: Final = 18
_ACC_RANGE_G: Final = 2.0
_GYR_RANGE_DEG_S: Final = 1023.0
# Acceleration first, as on the wire: 1024 to the g, 32 to the deg/s.
_SCALE: Final = np.array([-GRAVITY_M_S2 / 1024, pi / 180.0 / 32]).reshape(2, 1, 1)

_MAX_NAME: Final = 10
_CONFIG_BYTES: Final = 9
_RATE_AT: Final = 6
_LED_BYTES: Final = {0: 1, 1: 4, 2: 5, 3: 3}
"""LED mode -> length of its command: off, constant, breathe, one shot."""
_ONE_SHOT: Final = 3
_BLINK: Final = bytes((_ONE_SHOT, 7, 100))
"""White, full intensity, once."""
_BLINK_S: Final = 2.6


class Thingy52(DeviceProtocol):
    """Codec of one Thingy:52. Losses are invisible to it: the notifications carry neither counter nor time."""

    model = "thingy52"
    gatt = GattProfile(
        service=_uuid("0400"),
        notify=(RAW_MOTION, BATTERY),
        name_prefixes=("Thingy",),
    )
    default_rate_hz = 100.0
    acc_range_m_s2 = _ACC_RANGE_G * GRAVITY_M_S2
    gyr_range_rad_s = _GYR_RANGE_DEG_S * pi / 180.0
    has_device_time = False
    battery_poll_interval_s = 600.0  # it tells changes by itself, the first level only when asked

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._config = b""
        self._led = b""

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """200 Hz over a whole number; the device takes any from 5 to 200 Hz and rounds up to one of these."""
        return (5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0, 200.0)

    def reset(self) -> None:
        """Nothing is ever half received."""
        self._config = self._led = b""

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Without a source the data count as raw motion."""
        source = source.lower() or RAW_MOTION
        if source == RAW_MOTION:
            return self._take_samples(data)
        events: list[Event] = []
        if source == BATTERY and len(data) == 1 and data[0] <= 100:
            events.append(BatteryLevel(float(data[0])))
        elif source == MOTION_CONFIG and len(data) == _CONFIG_BYTES:
            self._config = data
            events.append(DeviceReply("outputrate", self._rate_of_device()))
        elif source == FIRMWARE_VERSION and len(data) == 3:
            events.append(DeviceReply("firmwareversion", ".".join(str(byte) for byte in data)))
        elif source == DEVICE_NAME and data:
            events.append(DeviceReply("devicename", data.split(b"\0")[0].decode("utf-8", "replace")))
        elif source == LED and data and len(data) >= _LED_BYTES.get(data[0], 6):
            self._led = data[: _LED_BYTES[data[0]]]
            self.health.skipped_frames += 1
            return []
        if events:
            self.health.frames += 1
        else:
            self.health.corrupt_bytes += len(data)
        return events

    def _take_samples(self, data: bytes) -> list[Event]:
        """One sample, or several on end."""
        n, rest = divmod(len(data), _RAW_BYTES)
        if rest or not n:
            self.health.corrupt_bytes += len(data)
            return []
        self.health.frames += n
        words = np.ndarray((2, n, 3), "<i2", data, 0, (6, _RAW_BYTES, 2))
        acc, gyr = np.multiply(words, _SCALE, order="C")
        return [InertialSamples(None, acc, gyr)]

    def _rate_of_device(self) -> int:
        return int.from_bytes(self._config[_RATE_AT : _RATE_AT + 2], "little")

    def configure(self) -> Script:
        """Set the rate if it differs, and read it back; the device already streams, since it was subscribed.

        The device keeps the rate over power-off, so it is not written without need. Raises LinkError if it keeps
        another one.
        """
        yield from self._read_config()
        if self._rate_of_device() != self.rate_hz:
            config = bytearray(self._config)
            config[_RATE_AT : _RATE_AT + 2] = struct.pack("<H", round(self.rate_hz))
            yield Send(bytes(config), MOTION_CONFIG, with_response=True)
            yield from self._read_config()
        if self._rate_of_device() != self.rate_hz:
            raise LinkError(
                f"The Thingy:52 stays at {self._rate_of_device()} Hz instead of {self.rate_hz:g} Hz: "
                "switch it off and on, or choose another rate."
            )

    def _read_config(self) -> Script:
        self._config = b""
        yield Read(MOTION_CONFIG)
        if not self._config:
            raise LinkError("The sensor does not answer as a Thingy:52 does: check the model= of its device spec.")

    def poll_battery(self) -> Script:
        """Read the level."""
        yield Read(BATTERY)

    def identify(self) -> Script:
        """Name, firmware version, and the rate it is set to."""
        for characteristic in (DEVICE_NAME, FIRMWARE_VERSION, MOTION_CONFIG):
            yield Read(characteristic)

    def save(self) -> Script:
        """Nothing to do: the device keeps what is set."""
        yield from ()

    def rename(self, name: str) -> Script:
        """Set the name it advertises, up to 10 bytes of UTF-8. Raises InputError on one that it does not take."""
        data = name.encode("utf-8")
        if not 0 < len(data) <= _MAX_NAME:
            raise InputError(f"A Thingy:52's name has 1 to {_MAX_NAME} letters (bytes of UTF-8): {name!r} will not do.")
        yield Send(data, DEVICE_NAME, with_response=True)

    def blink(self) -> Script:
        """The LED lights up white once, then does what it did before: the device would keep the new setting."""
        self._led = b""
        yield Read(LED)
        before = self._led
        yield Send(_BLINK, LED, with_response=True)
        yield Pause(_BLINK_S)
        if before and before[0] != _ONE_SHOT:
            yield Send(before, LED, with_response=True)
