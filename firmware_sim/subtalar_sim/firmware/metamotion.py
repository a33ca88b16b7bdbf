"""MbientLab MetaMotion: modules with registers behind one command and one notify characteristic.

Written from mbientlab/MetaWear-SDK-Cpp (the bytes that its tests expect and send). Two boards: MMR with a BMI160, MMS
with a BMI270, whose registers and range codes differ. A command to a register that is not there passes in silence;
streams go on when the link is lost and come back with it, also those of a host that is long gone. A packet that the
radio has no room for is gone: accelerometer and gyroscope lose theirs independently.
Inferred: start-up times, that answers take some 15 ms, and that both packets begin when their sensor delivers.
Not simulated: data processors, logging, and all that is neither accelerometer, gyroscope, LED, battery nor fusion.
"""

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from subtalar_sim.faults import NO_FAULTS, GapDrawer, SentLedger
from subtalar_sim.firmware.base import (
    FrameFeed,
    GattCharacteristic,
    GattService,
    Payload,
    RefusedByDevice,
    Unit,
)
from subtalar_sim.sensor import ImuSamples, quaternion_of
from subtalar_sim.types import GRAVITY_M_S2

COMMAND: Final = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NOTIFY: Final = "326a9006-85cb-9195-d9dd-464cfbbae75a"


def _short(number: str) -> str:
    return f"0000{number}-0000-1000-8000-00805f9b34fb"


MODEL, SERIAL, FIRMWARE, HARDWARE, MAKER = (_short(n) for n in ("2a24", "2a25", "2a26", "2a27", "2a29"))
_READ: Final = frozenset({"read"})
SERVICES: Final = (
    GattService(
        "326a9000-85cb-9195-d9dd-464cfbbae75a",
        (
            GattCharacteristic(COMMAND, frozenset({"write", "write_without_response"})),
            GattCharacteristic(NOTIFY, frozenset({"notify"})),
        ),
    ),
    GattService(
        _short("180a"), tuple(GattCharacteristic(u, _READ) for u in (MODEL, SERIAL, FIRMWARE, HARDWARE, MAKER))
    ),
)
Board = Literal["MMR", "MMS"]
LONGEST_COMMAND: Final = 18
RATES_HZ: Final = {6: 25.0, 7: 50.0, 8: 100.0, 9: 200.0, 10: 400.0}
_PER_PACKET: Final = 3
_ANSWER_S: Final = 0.015
_START_UP_S: Final = {0x03: 0.004, 0x13: 0.055}
_ONE_PERCENT_S: Final = 288.0
_FUSION_RATE_HZ: Final = 100.0

_MODULES: Final[dict[Board, dict[int, bytes]]] = {
    "MMR": {0x01: b"\0\0", 0x02: b"\0\0", 0x03: b"\x01\x01", 0x11: b"\0\x03", 0x13: b"\0\x01", 0x19: b"\0\0"},
    "MMS": {
        0x01: b"\0\0",
        0x02: b"\0\x01\x03\0",
        0x03: b"\x04\0",
        0x11: b"\0\x0a\x07\0",
        0x13: b"\x01\0",
        0x19: b"\0\x03",
    },
}
# Data registers, plain and packed.
_PLAIN: Final[dict[Board, dict[int, int]]] = {"MMR": {0x03: 0x04, 0x13: 0x05}, "MMS": {0x03: 0x04, 0x13: 0x04}}
_PACKED: Final[dict[Board, dict[int, int]]] = {"MMR": {0x03: 0x1C, 0x13: 0x07}, "MMS": {0x03: 0x05, 0x13: 0x05}}
_ACC_LSB_PER_G: Final[dict[Board, dict[int, float]]] = {
    "MMR": {0x03: 16384.0, 0x05: 8192.0, 0x08: 4096.0, 0x0C: 2048.0},
    "MMS": {0x00: 16384.0, 0x01: 8192.0, 0x02: 4096.0, 0x03: 2048.0},
}
_GYR_LSB_PER_DEG_S: Final = (16.4, 32.8, 65.6, 131.2, 262.4)


@dataclass
class _Sensor:
    """Accelerometer or gyroscope: its configuration, whether it runs, and the packet that it is filling."""

    config: bytes
    enabled: bool = False
    since_s: float | None = None
    filling: list[bytes] = field(default_factory=list)

    @property
    def rate_hz(self) -> float:
        return RATES_HZ.get(self.config[0] & 0x0F, 100.0)


class MetaMotion:
    """One board, a ``GattFirmware``. Boards with either chip are made by turns of the serial number, unless told."""

    services: tuple[GattService, ...] = SERVICES

    def __init__(self, unit: Unit, *, board: Board | None = None, percent: int = 93) -> None:
        codes = [code for code, hz in RATES_HZ.items() if hz == unit.rate_hz]
        if not codes:
            raise ValueError(f"a MetaMotion streams at 25, 50, 100, 200 or 400 Hz, not {unit.rate_hz:g}")
        self._unit = unit
        self._no_gaps = GapDrawer(NO_FAULTS, unit.rate_hz, 0, "")
        self._board: Board = board or ("MMR" if unit.serial_number % 2 else "MMS")
        self._serial, self._percent = unit.serial_number, percent
        self._default_odr = codes[0]
        self.ledger = SentLedger()
        self.max_payload = 244
        self._listening = False
        self.power_cycle(unit.start_s)

    def power_cycle(self, now_s: float) -> None:
        """Off and on: nothing is remembered."""
        acc = (
            bytes((0x20 | self._default_odr, 0x03)) if self._board == "MMR" else bytes((0xA0 | self._default_odr, 0x02))
        )
        self.name = "MetaWear"
        self.sensors = {0x03: _Sensor(acc), 0x13: _Sensor(bytes((0x20 | self._default_odr, 0x00)))}
        self.subscribed: set[tuple[int, int]] = set()
        self.fusion_on = self.led_on = False
        self.led_pattern = b""
        self._fusion_next_s = float("inf")
        self._answers: deque[tuple[float, bytes]] = deque()
        self._ready: list[Payload] = []
        self._acc_waits = self._acc_began = False
        self._tick, self._grid_hz = 0, 100.0
        self._feed: FrameFeed | None = None

    # Requests ---------------------------------------------------------------------------------------------

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """See ``GattFirmware``. What the modules send is another matter, and outlives the link."""
        if uuid == NOTIFY:
            self._listening = subscribed

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """See ``GattFirmware``."""
        known = {
            MODEL: "5" if self._board == "MMR" else "8",
            SERIAL: f"{self._serial & 0xFFFFFF:06X}",
            FIRMWARE: "1.5.0" if self._board == "MMR" else "1.7.3",
            HARDWARE: "0.3" if self._board == "MMR" else "0.1",
            MAKER: "MbientLab Inc",
        }
        if uuid not in known:
            raise RefusedByDevice(0x02)
        return known[uuid].encode()

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``. A command that is too long is refused, one that means nothing is not answered."""
        if uuid != COMMAND:
            raise RefusedByDevice(0x03)
        if len(data) > LONGEST_COMMAND:
            raise RefusedByDevice(0x0D)
        if len(data) < 2:
            return
        module, register, arguments = data[0], data[1], data[2:]
        if register == 0x80:
            self._answer(data[:2] + _MODULES[self._board].get(module, b""), now_s)
        elif (module, register) == (0x11, 0xCC):
            percent = round(max(1.0, self._percent - now_s / _ONE_PERCENT_S) * self._unit.charge_left(now_s))
            self._answer(struct.pack("<BBBH", 0x11, 0x8C, percent, 3300 + 9 * percent), now_s)
        elif (module, register) == (0x11, 0x01):
            self.name = arguments[:8].decode("latin-1")
        elif module in self.sensors:
            self._sensor_command(module, register, arguments, now_s)
        elif module == 0x19:
            self._fusion_command(register, arguments, now_s)
        elif module == 0x02:
            self._led_command(register, arguments)

    def _answer(self, data: bytes, now_s: float) -> None:
        self._answers.append((now_s + _ANSWER_S, data))

    def _sensor_command(self, module: int, register: int, arguments: bytes, now_s: float) -> None:
        sensor = self.sensors[module]
        if register == 0x83:
            self._answer(bytes((module, 0x83)) + sensor.config, now_s)
        elif register == 0x03 and len(arguments) >= 2:
            if arguments[0] & 0x0F in RATES_HZ:
                self._measure(now_s)
                sensor.config = arguments[:2]
                self._restart(now_s)
        elif register == 0x02 and len(arguments) == 2:
            sensor.enabled = (sensor.enabled or bool(arguments[0] & 1)) and not arguments[1] & 1
        elif register == 0x01 and arguments:
            self._measure(now_s)
            sensor.since_s = now_s + _START_UP_S[module] if arguments[0] else None
            sensor.filling.clear()
            if module == 0x03:
                self._acc_waits = self._acc_began = False
            if self._feed is None or not arguments[0]:
                self._restart(now_s)
        elif register in (_PLAIN[self._board][module], _PACKED[self._board][module]) and arguments:
            key = (module, register)
            self.subscribed = self.subscribed | {key} if arguments[0] else self.subscribed - {key}

    def _fusion_command(self, register: int, arguments: bytes, now_s: float) -> None:
        if register == 0x01 and arguments:
            self.fusion_on = bool(arguments[0])
            self._fusion_next_s = now_s + 1.0 / _FUSION_RATE_HZ if self.fusion_on else float("inf")
        elif 0x04 <= register <= 0x0A and arguments:
            key = (0x19, register)
            self.subscribed = self.subscribed | {key} if arguments[0] else self.subscribed - {key}

    def _led_command(self, register: int, arguments: bytes) -> None:
        if register == 0x03 and len(arguments) == 15:
            self.led_pattern = arguments
        elif register == 0x01 and arguments:
            self.led_on = bool(arguments[0]) and bool(self.led_pattern)
        elif register == 0x02:
            self.led_on = False
            if arguments[:1] == b"\x01":
                self.led_pattern = b""

    # Streams ----------------------------------------------------------------------------------------------

    @property
    def is_streaming(self) -> bool:
        """Whether a sensor runs, whoever started it."""
        return any(sensor.since_s is not None for sensor in self.sensors.values())

    def _restart(self, now_s: float) -> None:
        """One grid of sampling times for both sensors, at the faster rate."""
        rates = [s.rate_hz for s in self.sensors.values() if s.since_s is not None]
        for sensor in self.sensors.values():
            sensor.filling.clear()
        self._feed = None
        if rates:
            self._grid_hz = max(rates)
            self._feed = FrameFeed(
                self._unit.source,
                self._unit.clock,
                self._encode,
                self._no_gaps,
                SentLedger(),
                rate_hz=self._grid_hz,
                start_s=now_s,
                ahead_s=0.1,
            )
            self._tick = 0

    def _encode(self, samples: ImuSamples) -> list[bytes]:
        """Time, then the six words of each sample."""
        lsb = _ACC_LSB_PER_G[self._board].get(self.sensors[0x03].config[1], 2048.0)
        acc = samples.acc_m_s2 / GRAVITY_M_S2 * lsb
        gyr = np.degrees(samples.gyr_rad_s) * _GYR_LSB_PER_DEG_S[min(self.sensors[0x13].config[1] & 7, 4)]
        words = np.clip(np.round(np.hstack([acc, gyr])), -32768, 32767).astype("<i2")
        return [struct.pack("<d", t) + row.tobytes() for t, row in zip(samples.t_s.tolist(), words, strict=True)]

    def _measure(self, now_s: float) -> None:
        """Fill packets with the samples up to ``now_s``; those that are full are ready."""
        if self._feed is None:
            return
        for frame in self._feed.due(now_s, listening=True):
            t_s = struct.unpack_from("<d", frame)[0]
            self._tick += 1
            for module, body in ((0x03, frame[8:14]), (0x13, frame[14:20])):
                sensor = self.sensors[module]
                if sensor.since_s is None or t_s < sensor.since_s or not sensor.enabled:
                    continue
                if self._tick % round(self._grid_hz / sensor.rate_hz) == 0:
                    self._take_sample(module, sensor, body)

    def _take_sample(self, module: int, sensor: _Sensor, body: bytes) -> None:
        plain, packed = _PLAIN[self._board][module], _PACKED[self._board][module]
        if (module, plain) in self.subscribed:
            self._ready.append(Payload(bytes((module, plain)) + body, 0, NOTIFY))
        if (module, packed) not in self.subscribed:
            return
        sensor.filling.append(body)
        if len(sensor.filling) == _PER_PACKET:
            data = bytes((module, packed)) + b"".join(sensor.filling)
            sensor.filling.clear()
            goes_out = bool(self._unit.gaps.kept(1)[0])
            samples = self._samples_completed(module, goes_out=goes_out)
            if goes_out:
                self._ready.append(Payload(data, samples, NOTIFY))

    def _samples_completed(self, module: int, *, goes_out: bool) -> int:
        """A gyroscope packet makes three samples with the accelerometer packet before it, if both go out."""
        if module == 0x03:
            self._acc_waits, self._acc_began = goes_out, True
            return 0
        is_whole, self._acc_waits = self._acc_waits and goes_out, False
        if self._acc_began and not is_whole:
            self.ledger.lost += _PER_PACKET
        return _PER_PACKET if is_whole else 0

    def _fusion(self, now_s: float) -> list[bytes]:
        out = []
        while self._fusion_next_s <= now_s:
            if (0x19, 0x07) in self.subscribed:
                q = quaternion_of(self._unit.source.orientation(np.array([self._fusion_next_s])))[0]
                out.append(b"\x19\x07" + q.astype("<f4").tobytes())
            self._fusion_next_s += 1.0 / _FUSION_RATE_HZ
        return out

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """Notifications due by ``now_s``; a board that nobody listens to measures on."""
        heard = listening and self._listening
        out: list[Payload] = []
        while self._answers and self._answers[0][0] <= now_s:
            out.append(Payload(self._answers.popleft()[1], 0, NOTIFY))
        self._measure(now_s)
        out += self._ready
        self._ready = []
        out += [Payload(data, 0, NOTIFY) for data in self._fusion(now_s)]
        fitting = [payload for payload in out if len(payload.data) <= self.max_payload]
        n = sum(payload.samples for payload in fitting)
        if not heard:
            self.ledger.unsent += n
            return []
        self.ledger.sent += n
        self.ledger.payloads += len(fitting)
        return fitting

    def next_deadline_s(self) -> float:
        """When the next sample is measured or the next answer is ready."""
        answer_s = self._answers[0][0] if self._answers else float("inf")
        feed_s = self._feed.next_s if self._feed is not None else float("inf")
        return min(answer_s, feed_s, self._fusion_next_s)
