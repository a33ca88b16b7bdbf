"""WitMotion BLE 5.0 family (WT901BLE and kin): 20-byte frames, register file, 5-byte commands.

Written from the vendor's SDK sources and third-party measurements on a WT901BLE67: real rates, batching of four
frames a notification, some 300 ms of silence of the battery register after a save. The device has no timestamp, no
counter, no checksum and no stop command. What happens to writes while it is busy is not documented: here they are
ignored (inferred, needs a check on hardware).
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
from subtalar_sim.firmware.witmotion_registers import REG_READ, REG_SAVE, RegisterFile, euler_deg
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import GRAVITY_M_S2

SERVICE_UUID: Final = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFY_UUID: Final = "0000ffe4-0000-1000-8000-00805f9a34fb"
WRITE_UUID: Final = "0000ffe9-0000-1000-8000-00805f9a34fb"

SERVICES: Final[tuple[GattService, ...]] = (
    GattService(
        SERVICE_UUID,
        (
            GattCharacteristic(NOTIFY_UUID, frozenset({"notify"})),
            GattCharacteristic(WRITE_UUID, frozenset({"write", "write_without_response"})),
        ),
    ),
)

RATE_HZ: Final[dict[int, float]] = {
    0x01: 0.2, 0x02: 0.5, 0x03: 1.0, 0x04: 2.0, 0x05: 5.0,
    0x06: 10.05, 0x07: 19.86, 0x08: 49.45, 0x09: 99.26, 0x0A: 99.29, 0x0B: 198.43,
}  # fmt: skip
"""Rate register -> samples a second: nominal up to 5 Hz, measured above (0x0A is sold as 125 Hz, 0x0B as 200 Hz)."""

REG_RATE, REG_BANDWIDTH, REG_ALGORITHM = 0x03, 0x1F, 0x24
REG_VERSION, REG_MAG, REG_TEMPERATURE, REG_QUATERNION = 0x2E, 0x3A, 0x40, 0x51
REG_BATTERY, REG_MAG_TYPE, REG_SERIAL = 0x64, 0x72, 0x7F
_DEFAULTS: Final = {REG_RATE: 0x06, REG_BANDWIDTH: 0x00, REG_ALGORITHM: 0x00}
_WRITABLE: Final = frozenset({0x01, 0x02, REG_RATE, REG_BANDWIDTH, REG_ALGORITHM, 0x20, 0x21, 0x96})

_REPLY_S: Final = 0.012
_BATCH: Final = 4
_FULL_SCALE: Final = 32768.0
_READ_NOT_PERMITTED: Final = 0x02


def rate_code(rate_hz: float) -> int:
    """Register value for a nominal rate. Raises ValueError for a rate the device does not have."""
    nominal = {10.0: 0x06, 20.0: 0x07, 50.0: 0x08, 100.0: 0x09, 200.0: 0x0B}
    if rate_hz not in nominal:
        raise ValueError(f"a WitMotion BLE sensor runs at 10, 20, 50, 100 or 200 Hz, not {rate_hz:g}")
    return nominal[rate_hz]


def encode_frames(samples: ImuSamples) -> list[bytes]:
    """Samples -> 20-byte 0x61 frames: acceleration /16 g, angular rate /2000 deg/s, roll, pitch, yaw /180 deg."""
    n = len(samples.t_s)
    full = np.concatenate(
        [
            samples.acc_m_s2 / (16.0 * GRAVITY_M_S2),
            np.degrees(samples.gyr_rad_s) / 2000.0,
            euler_deg(samples.orientation) / 180.0,
        ],
        axis=1,
    )
    words = np.clip(np.round(full * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
    frames = np.empty((n, 20), dtype=np.uint8)
    frames[:, 0], frames[:, 1] = 0x55, 0x61
    frames[:, 2:] = words.view(np.uint8).reshape(n, 18)
    raw = frames.tobytes()
    return [raw[20 * i : 20 * i + 20] for i in range(n)]


class WitMotionBle:
    """One sensor, a ``GattFirmware``. A ``max_payload`` of less than a batch splits frames."""

    services: tuple[GattService, ...] = SERVICES

    def __init__(self, unit: Unit, *, volts: float = 3.97, name: str = "WT901BLE67") -> None:
        self.name, self._unit = name, unit
        self.ledger = SentLedger()
        self.max_payload = 244
        self.registers = RegisterFile({**_DEFAULTS, REG_RATE: rate_code(unit.rate_hz)}, _WRITABLE)
        self._volts = volts
        self._replies: list[tuple[float, bytes]] = []
        self._batch: list[bytes] = []
        self._feed = self._new_feed(unit.start_s)

    @property
    def _per_payload(self) -> int:
        return _BATCH if RATE_HZ.get(self.registers[REG_RATE], 0.0) >= 49.0 else 1

    def _new_feed(self, now_s: float) -> FrameFeed | None:
        """None for the register values that stream nothing (one-shot, none)."""
        rate = RATE_HZ.get(self.registers[REG_RATE])
        if rate is None:
            return None
        return self._unit.feed(encode_frames, self.ledger, rate_hz=rate, start_s=now_s)

    def power_cycle(self, now_s: float) -> None:
        """Switched off and on: what was not saved is forgotten."""
        self.registers.power_cycle()
        self._replies.clear()
        self._batch.clear()
        self._feed = self._new_feed(now_s)

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See ``GattFirmware``."""
        if uuid == WRITE_UUID:
            self.on_bytes(data, now_s)

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """Nothing can be read: registers are asked for by command."""
        raise RefusedByDevice(_READ_NOT_PERMITTED)

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """It streams to whoever listens, unasked: who does, ``poll`` is told."""

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """Commands to the registers."""
        for register, value in self.registers.take(data, now_s):
            if register == REG_READ:
                self._replies.append((now_s + _REPLY_S, self._read_frame(value & 0xFF, now_s)))
            elif register == REG_SAVE:
                if value == 0:
                    self.registers.save(now_s)
            else:
                before = self.registers.get(register)
                self.registers[register] = value
                if register == REG_RATE and value != before:
                    self._feed = self._new_feed(now_s)

    def _read_frame(self, register: int, now_s: float) -> bytes:
        values = [self._register(r & 0xFF, now_s) for r in range(register, register + 8)]
        return struct.pack("<BBH8H", 0x55, 0x71, register, *(v & 0xFFFF for v in values))

    def _register(self, register: int, now_s: float) -> int:
        if register == REG_BATTERY:
            # Some 100 mV an hour near full charge; reads zero while the flash is being written.
            volts = 3.3 + (self._volts - 3.3) * self._unit.charge_left(now_s)
            return 0 if self.registers.is_busy(now_s) else max(330, round(100 * volts - now_s / 360.0))
        fixed = {REG_VERSION: 0x2B3D, REG_VERSION + 1: 0x0001, REG_TEMPERATURE: 2950, REG_MAG_TYPE: 5}
        if register in fixed:
            return fixed[register]
        return self.registers.get(register, 0)

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """Notifications due by ``now_s``: batches of samples, and register answers between them."""
        out: list[Payload] = []
        if self._feed is not None:
            for frame in self._feed.due(now_s, listening=listening):
                self._batch.append(frame)
                if len(self._batch) >= self._per_payload:
                    out += self._cut(b"".join(self._batch), len(self._batch))
                    self._batch.clear()
        while self._replies and self._replies[0][0] <= now_s:
            out += self._cut(self._replies.pop(0)[1], 0)
        if not listening:
            self.ledger.unsent += len(self._batch)
            self._batch.clear()
            return []
        self.ledger.payloads += len(out)
        self.ledger.sent += sum(p.samples for p in out)
        return out

    def _cut(self, data: bytes, samples: int) -> list[Payload]:
        parts = [data[i : i + self.max_payload] for i in range(0, len(data), self.max_payload)]
        return [Payload(p, samples if i == len(parts) - 1 else 0, NOTIFY_UUID) for i, p in enumerate(parts)]

    def next_deadline_s(self) -> float:
        """When the next notification is full or the next answer is ready."""
        reply = self._replies[0][0] if self._replies else float("inf")
        if self._feed is None:
            return reply
        waiting = self._per_payload - len(self._batch) - 1
        return min(reply, self._feed.next_s + waiting / self._feed.frame_rate)
