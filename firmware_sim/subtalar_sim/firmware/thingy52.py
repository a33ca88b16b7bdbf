"""Nordic Thingy:52: motion, battery, LED and configuration characteristics; no clock, no counter, no start command.

Written from NordicSemiconductor/Nordic-Thingy52-FW 2.2.0, the device's own firmware. Not simulated: magnetometer (sent
as zeros, as between two of its samples), the other motion characteristics, advertising time-out, and the reboots that
Nordic lists under heavy load. Inferred, and in need of a check on hardware: the chip's range of 2 g and the rounding of
rates (Invensense's driver), and how long the motion processor takes to start.
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
from subtalar_sim.types import GRAVITY_M_S2, FloatArray, IntArray


def _uuid(short: str) -> str:
    return f"ef68{short}-9b35-4933-9b10-52ffa9740042"


DEVICE_NAME, FIRMWARE_VERSION = _uuid("0101"), _uuid("0107")
LED, BUTTON = _uuid("0301"), _uuid("0302")
MOTION_CONFIG, RAW_MOTION = _uuid("0401"), _uuid("0406")
BATTERY: Final = "00002a19-0000-1000-8000-00805f9b34fb"

_READ, _NOTIFY, _READ_WRITE = frozenset({"read"}), frozenset({"notify"}), frozenset({"read", "write"})
SERVICES: Final = (
    GattService(
        _uuid("0100"), (GattCharacteristic(DEVICE_NAME, _READ_WRITE), GattCharacteristic(FIRMWARE_VERSION, _READ))
    ),
    GattService(_uuid("0300"), (GattCharacteristic(LED, _READ_WRITE), GattCharacteristic(BUTTON, _NOTIFY))),
    GattService(
        _uuid("0400"), (GattCharacteristic(MOTION_CONFIG, _READ_WRITE), GattCharacteristic(RAW_MOTION, _NOTIFY))
    ),
    GattService("0000180f-0000-1000-8000-00805f9b34fb", (GattCharacteristic(BATTERY, frozenset({"read", "notify"})),)),
)

TRUE_RATES_HZ: Final = (5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0, 200.0)
_PROCESSOR_HZ: Final = 200
_START_S: Final = 0.15
"""Power, 20 ms of settling, and the motion processor's program over the wire."""
_MAX_NAME: Final = 10
_ONE_PERCENT_S: Final = 300.0

_READ_NOT_PERMITTED, _WRITE_NOT_PERMITTED = 0x02, 0x03
_DEFAULT_CONFIG: Final = (1000, 500, 500, 10, 1)
_CONFIG_LIMITS: Final = ((100, 5000), (100, 5000), (100, 1000), (5, 200), (0, 1))
_DEFAULT_LED: Final = bytes((2, 2, 20)) + struct.pack("<H", 3500)
_LED_BYTES: Final = {0: 1, 1: 4, 2: 5, 3: 3}


def _fixed_point(values: FloatArray, integer_bits: int) -> IntArray:
    """Values -> signed 16 bits, ``integer_bits`` of them before the point, clamped the way the firmware clamps.

    It looks at the whole part only: what reaches the largest loses its fraction, what falls below the smallest
    becomes that.
    """
    upper, lower = (1 << (integer_bits - 1)) - 1, -(1 << (integer_bits - 1))
    q16 = np.floor(values * 65536.0).astype(np.int64)
    whole = q16 >> 16
    q16 = np.where(whole >= upper, upper << 16, np.where(whole < lower, lower << 16, q16))
    return q16 >> integer_bits


def encode_raw(samples: ImuSamples) -> list[bytes]:
    """Samples -> notifications of 18 bytes: acceleration 6Q10 g (positive down), rate 11Q5 deg/s, zeros."""
    n = len(samples.t_s)
    words = np.zeros((n, 9), "<i2")
    words[:, 0:3] = _fixed_point(-samples.acc_m_s2 / GRAVITY_M_S2, 6)
    words[:, 3:6] = _fixed_point(np.degrees(samples.gyr_rad_s), 11)
    raw = words.tobytes()
    return [raw[18 * i : 18 * i + 18] for i in range(n)]


class Thingy52:
    """One device, a ``GattFirmware``. What it is told it keeps in flash: it survives ``power_cycle``."""

    services: tuple[GattService, ...] = SERVICES

    def __init__(self, unit: Unit) -> None:
        if unit.rate_hz not in TRUE_RATES_HZ:
            rates = ", ".join(f"{r:g}" for r in TRUE_RATES_HZ)
            raise ValueError(f"a Thingy:52 runs at {rates} Hz, not {unit.rate_hz:g}")
        self._unit = unit
        self.ledger = SentLedger()
        self.max_payload = 20
        self.name = "Thingy"
        self.config = (*_DEFAULT_CONFIG[:3], round(unit.rate_hz), _DEFAULT_CONFIG[4])
        self.led = _DEFAULT_LED
        self._subscribed: set[str] = set()
        self._feed: FrameFeed | None = None
        self._told_percent = -1
        self.power_cycle(unit.start_s)

    def power_cycle(self, now_s: float) -> None:
        """Off and on: nobody is subscribed, so nothing is measured."""
        self._subscribed.clear()
        self._feed = None

    @property
    def is_measuring(self) -> bool:
        """Whether the motion processor runs."""
        return self._feed is not None

    @property
    def true_rate_hz(self) -> float:
        """What comes of the rate it is set to."""
        return _PROCESSOR_HZ / (_PROCESSOR_HZ // self.config[3])

    def _start(self, now_s: float) -> None:
        self._feed = self._unit.feed(encode_raw, self.ledger, rate_hz=self.true_rate_hz, start_s=now_s + _START_S)

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """See ``GattFirmware``. The raw characteristic is the switch of the motion processor."""
        if subscribed:
            self._subscribed.add(uuid)
        else:
            self._subscribed.discard(uuid)
        if uuid == RAW_MOTION and subscribed != self.is_measuring:
            if subscribed:
                self._start(now_s)
            else:
                self._feed = None

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """See ``GattFirmware``."""
        if uuid == DEVICE_NAME:
            return self.name.encode("utf-8")
        if uuid == FIRMWARE_VERSION:
            return bytes((2, 2, 0))
        if uuid == LED:
            return self.led.ljust(5, b"\0")
        if uuid == MOTION_CONFIG:
            return struct.pack("<4HB", *self.config)
        if uuid == BATTERY:
            return bytes((self._percent(now_s),))
        raise RefusedByDevice(_READ_NOT_PERMITTED)

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``. What is out of range is refused and changes nothing."""
        if uuid == MOTION_CONFIG and len(data) == 9:
            config = struct.unpack("<4HB", data)
            if all(low <= value <= high for value, (low, high) in zip(config, _CONFIG_LIMITS, strict=True)):
                self.config = config
                if self.is_measuring:
                    self._start(now_s)
                return
        elif uuid == LED and data and self._is_led_command(data):
            self.led = data
            return
        elif uuid == DEVICE_NAME and 0 < len(data) <= _MAX_NAME:
            self.name = data.decode("utf-8", "replace")
            return
        raise RefusedByDevice(_WRITE_NOT_PERMITTED)

    @staticmethod
    def _is_led_command(data: bytes) -> bool:
        if len(data) != _LED_BYTES.get(data[0]):
            return False
        if data[0] < 2:
            return True
        delay_ms = struct.unpack_from("<H", data, 3)[0] if data[0] == 2 else 50
        return 1 <= data[1] <= 7 and 1 <= data[2] <= 100 and 50 <= delay_ms <= 10_000

    def _percent(self, now_s: float) -> int:
        return round(max(1, 93 - int(now_s / _ONE_PERCENT_S)) * self._unit.charge_left(now_s))

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """Notifications due by ``now_s``, one sample each, and the battery when it has changed."""
        out: list[Payload] = []
        if self._feed is not None:
            out += [Payload(frame, 1, RAW_MOTION) for frame in self._feed.due(now_s, listening=listening)]
        if not listening:
            return []
        percent = self._percent(now_s)
        if BATTERY in self._subscribed and percent != self._told_percent:
            if self._told_percent >= 0:
                out.append(Payload(bytes((percent,)), 0, BATTERY))
            self._told_percent = percent
        self.ledger.payloads += len(out)
        self.ledger.sent += sum(payload.samples for payload in out)
        return out

    def next_deadline_s(self) -> float:
        """The next sample."""
        return self._feed.next_s if self._feed is not None else float("inf")
