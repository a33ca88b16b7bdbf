"""Movella DOT: a Bluetooth LE sensor with device control, measurement and battery services, and a clock that wraps.

Written from the vendor's BLE Service Specification XD0506P rev. C and user manual. Simulated are the payload modes 5
(quaternion), 20 and 21 (rate quantities, with and without magnetic field) and 26 (custom mode 5); not the message
service (recording, synchronisation) nor the heading reset. Inferred, and in need of a check on hardware: a setting that
may not be changed while measuring, and a mode that does not exist, are ignored without an error; measuring goes on when
the link is lost; a notification that does not fit the MTU is not sent at all.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
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
from subtalar_sim.sensor import ImuSamples, quaternion_of
from subtalar_sim.types import FloatArray


def _uuid(short: str) -> str:
    return f"1517{short}-4947-11e9-8646-d663bd873d93"


DEVICE_INFO, DEVICE_CONTROL, DEVICE_REPORT = _uuid("1001"), _uuid("1002"), _uuid("1004")
MEASUREMENT, BATTERY = _uuid("2001"), _uuid("3001")
LONG_PAYLOAD, MEDIUM_PAYLOAD, SHORT_PAYLOAD = _uuid("2002"), _uuid("2003"), _uuid("2004")
PAYLOAD_BYTES: Final = {LONG_PAYLOAD: 63, MEDIUM_PAYLOAD: 40, SHORT_PAYLOAD: 20}

_READ, _NOTIFY, _READ_WRITE = frozenset({"read"}), frozenset({"notify"}), frozenset({"read", "write"})
SERVICES: Final = (
    GattService(
        _uuid("1000"),
        (
            GattCharacteristic(DEVICE_INFO, _READ),
            GattCharacteristic(DEVICE_CONTROL, _READ_WRITE),
            GattCharacteristic(DEVICE_REPORT, _NOTIFY),
        ),
    ),
    GattService(
        _uuid("2000"),
        (
            GattCharacteristic(MEASUREMENT, _READ_WRITE),
            *(GattCharacteristic(uuid, _NOTIFY) for uuid in PAYLOAD_BYTES),
        ),
    ),
    GattService(_uuid("3000"), (GattCharacteristic(BATTERY, frozenset({"read", "notify"})),)),
)

LIVE_RATES_HZ: Final = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
_RECORDING_RATE_HZ: Final = 120
IDENTIFY_S: Final = 10.0
_ONE_PERCENT_S: Final = 216.0
"""Six hours of measuring on a charge."""
_MOVED_COS: Final = float(np.cos(np.radians(2.0)))

_INVALID_LENGTH, _READ_NOT_PERMITTED, _WRITE_NOT_PERMITTED, _UNLIKELY = 0x0D, 0x02, 0x03, 0x0E
_REPORT_OFF, _REPORT_ASLEEP = 1, 4
_MAG_FIELD: Final = np.array([0.42, 0.0, -0.9])
"""World frame, in the sensor's arbitrary units: 1 near the factory's field."""


@dataclass(frozen=True)
class _Mode:
    characteristic: str
    fields: Callable[[ImuSamples], list[FloatArray]]
    has_mag: bool = False


def _rate_fields(samples: ImuSamples) -> list[FloatArray]:
    return [samples.acc_m_s2, np.degrees(samples.gyr_rad_s)]


_MODES: Final[dict[int, _Mode]] = {
    5: _Mode(SHORT_PAYLOAD, lambda s: [quaternion_of(s.orientation)]),
    20: _Mode(MEDIUM_PAYLOAD, _rate_fields, has_mag=True),
    21: _Mode(MEDIUM_PAYLOAD, _rate_fields),
    26: _Mode(LONG_PAYLOAD, lambda s: [quaternion_of(s.orientation), *_rate_fields(s)]),
}


def encode_payloads(samples: ImuSamples, time_us: FloatArray, mode: int) -> list[bytes]:
    """Samples and the sensor's time (n,) in µs -> notifications of ``mode``, padded with zeros to their full length."""
    kind = _MODES[mode]
    n, size = len(samples.t_s), PAYLOAD_BYTES[kind.characteristic]
    floats = np.concatenate(kind.fields(samples), axis=1).astype("<f4")
    frames = np.zeros((n, size), np.uint8)
    frames[:, :4] = (time_us.astype(np.int64) % (1 << 32)).astype("<u4").view(np.uint8).reshape(n, 4)
    end = 4 + 4 * floats.shape[1]
    frames[:, 4:end] = floats.view(np.uint8).reshape(n, -1)
    if kind.has_mag:
        field = np.round(4096.0 * np.einsum("nji,j->ni", samples.orientation, _MAG_FIELD)).astype("<i2")
        frames[:, end : end + 6] = field.view(np.uint8).reshape(n, 6)
    raw = frames.tobytes()
    return [raw[size * i : size * (i + 1)] for i in range(n)]


class MovellaDot:
    """One sensor, a ``GattFirmware``. ``name`` is what it advertises; the tag is a name that the user gives it."""

    services: tuple[GattService, ...] = SERVICES
    name = "Movella DOT"

    def __init__(self, unit: Unit) -> None:
        if unit.rate_hz not in LIVE_RATES_HZ:
            raise ValueError(f"a DOT streams at {', '.join(f'{r:g}' for r in LIVE_RATES_HZ)} Hz, not {unit.rate_hz:g}")
        self._unit, self._clock = unit, unit.clock
        self._address, self._serial = unit.address or "D4:22:CD:00:AA:01", unit.serial_number
        self.ledger = SentLedger()
        self.max_payload = 244
        tag = b"Movella DOT"
        self.control = bytearray(32)
        self.control[3:8] = bytes((10, 0, 30, 0, len(tag)))
        self.control[8 : 8 + len(tag)] = tag
        self.control[24:26] = struct.pack("<H", round(unit.rate_hz))
        self._subscribed: set[str] = set()
        self._zero_s = 0.0
        self._boot(unit.start_s)

    def _boot(self, now_s: float) -> None:
        self.is_off = self.is_asleep = False
        self.mode = 0
        self.identified_until_s = -1.0
        self._feed: FrameFeed | None = None
        self._reports: list[bytes] = []
        self._told_percent = -1
        self._used_s = self._looked_s = now_s

    @property
    def is_measuring(self) -> bool:
        """Whether it has been started."""
        return self._feed is not None

    @property
    def rate_hz(self) -> int:
        """What the device control holds."""
        return int.from_bytes(self.control[24:26], "little")

    def power_cycle(self, now_s: float) -> None:
        """Switched off and on: settings stay, the clock begins at zero, nothing is measured."""
        self._zero_s = self._unit.clock_s(now_s)
        self._subscribed.clear()
        self._boot(now_s)

    # Requests ---------------------------------------------------------------------------------------------

    def _must_be_awake(self, now_s: float) -> None:
        if self.is_off or self.is_asleep:
            raise RefusedByDevice(_UNLIKELY)
        self._used_s = now_s

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """See ``GattFirmware``."""
        self._used_s = now_s
        if subscribed:
            self._subscribed.add(uuid)
        else:
            self._subscribed.discard(uuid)

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """See ``GattFirmware``."""
        self._must_be_awake(now_s)
        if uuid == DEVICE_INFO:
            mac = bytes.fromhex(self._address.replace(":", ""))[::-1]
            built = struct.pack("<H5B", 2023, 7, 14, 9, 30, 0)
            return mac + bytes((2, 4, 0)) + built + struct.pack("<IQ", 7020, self._serial) + b"XS-T02"
        if uuid == DEVICE_CONTROL:
            return bytes(self.control)
        if uuid == MEASUREMENT:
            return bytes((1, self.is_measuring, self.mode))
        if uuid == BATTERY:
            return self._battery(now_s)
        raise RefusedByDevice(_READ_NOT_PERMITTED)

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``."""
        self._must_be_awake(now_s)
        if uuid == DEVICE_CONTROL:
            if len(data) != len(self.control):
                raise RefusedByDevice(_INVALID_LENGTH)
            self._apply_control(data, now_s)
        elif uuid == MEASUREMENT:
            if len(data) != 3:
                raise RefusedByDevice(_INVALID_LENGTH)
            self._apply_measurement(data[0], data[1], data[2], now_s)
        else:
            raise RefusedByDevice(_WRITE_NOT_PERMITTED)

    def _apply_control(self, data: bytes, now_s: float) -> None:
        """Only the fields whose visit bit is set."""
        visit = data[0]
        if visit & 0x01 and data[1] == 1:
            self.identified_until_s = now_s + IDENTIFY_S
        if visit & 0x04 and max(data[3], data[5]) <= 30 and max(data[4], data[6]) <= 60:
            self.control[3:7] = data[3:7]
        if visit & 0x08 and data[7] <= 16:
            self.control[7:24] = data[7:24]
        if not self.is_measuring:
            rate_hz = int.from_bytes(data[24:26], "little")
            if visit & 0x10 and (rate_hz in LIVE_RATES_HZ or rate_hz == _RECORDING_RATE_HZ):
                self.control[24:26] = data[24:26]
            if visit & 0x20 and data[26] <= 1:
                self.control[26] = data[26]
        if visit & 0x02:
            if data[2] & 1:
                self._switch_off()
            else:
                self.control[2] = data[2] & 2

    def _switch_off(self) -> None:
        self._reports.append(bytes((_REPORT_OFF,)) + bytes(35))
        self.is_off, self._feed = True, None

    def _apply_measurement(self, kind: int, action: int, mode: int, now_s: float) -> None:
        if kind != 1:
            return
        if action == 0:
            self._feed = None
        elif action == 1 and not self.is_measuring and mode in _MODES and self.rate_hz in LIVE_RATES_HZ:
            self.mode = mode
            self._feed = self._unit.feed(
                lambda samples: encode_payloads(samples, self._time_us(samples.t_s), mode),
                self.ledger,
                rate_hz=float(self.rate_hz),
                start_s=now_s,
                ahead_s=max(0.4, 1.0 / self.rate_hz),
            )

    def _time_us(self, t_s: FloatArray) -> FloatArray:
        return np.asarray(np.round(1e6 * (self._clock.reading(t_s) - self._zero_s)), dtype=np.float64)

    # Time -------------------------------------------------------------------------------------------------

    def _percent(self, now_s: float) -> int:
        return round(max(2, 97 - int(now_s / _ONE_PERCENT_S)) * self._unit.charge_left(now_s))

    def _battery(self, now_s: float) -> bytes:
        return bytes((self._percent(now_s), 0))

    def _mind_sleep(self, now_s: float) -> None:
        """Asleep after ten minutes alone or thirty connected, if nothing moves; awake again as soon as it is moved."""
        if self.is_measuring or self.is_off:
            self._used_s = now_s
            return
        minutes, seconds = self.control[5:7] if self._subscribed else self.control[3:5]
        patience_s = 60.0 * minutes + seconds
        if self.is_asleep:
            if self._moved(self._looked_s, now_s):
                self.is_asleep, self._used_s = False, now_s
        elif patience_s and now_s - self._used_s >= patience_s:
            if self._moved(self._used_s, now_s):
                self._used_s = now_s
            else:
                self._reports.append(bytes((_REPORT_ASLEEP,)) + bytes(35))
                self.is_asleep = True
        self._looked_s = now_s

    def _moved(self, begin_s: float, end_s: float) -> bool:
        R = self._unit.source.orientation(np.linspace(begin_s, end_s, 32))
        cosine = 0.5 * (np.einsum("ij,nij->n", R[0], R) - 1.0)
        return bool(cosine.min() < _MOVED_COS)

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """Notifications due by ``now_s``: samples to whoever has subscribed to the mode's characteristic."""
        out: list[Payload] = []
        self._mind_sleep(now_s)
        if self._feed is not None:
            uuid = _MODES[self.mode].characteristic
            fits = self.max_payload >= PAYLOAD_BYTES[uuid]
            heard = listening and uuid in self._subscribed and fits
            out += [Payload(frame, 1, uuid) for frame in self._feed.due(now_s, listening=heard)]
        reports, self._reports = self._reports, []
        if not listening:
            return []
        if DEVICE_REPORT in self._subscribed and self.max_payload >= 36:
            out += [Payload(report, 0, DEVICE_REPORT) for report in reports]
        percent = self._percent(now_s)
        if BATTERY in self._subscribed and percent != self._told_percent and not (self.is_off or self.is_asleep):
            if self._told_percent >= 0:
                out.append(Payload(self._battery(now_s), 0, BATTERY))
            self._told_percent = percent
        self.ledger.payloads += len(out)
        self.ledger.sent += sum(payload.samples for payload in out)
        return out

    def next_deadline_s(self) -> float:
        """The next sample; without measuring, the next look at the idle timer is the server's own."""
        if self._reports:
            return 0.0
        return self._feed.next_s if self._feed is not None else float("inf")
