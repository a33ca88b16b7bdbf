"""MbientLab MetaMotion over Bluetooth LE: packed accelerometer and gyroscope packets without time or counter.

Source: mbientlab/MetaWear-SDK-Cpp (``src/metawear`` for modules and registers; the bytes its tests expect). The SDK's
licence is proprietary: facts only. Which chip a board has decides registers and configuration bytes, so the modules
are asked first; the ranges are read back, and the decoder takes its scale from what it reads.

Accelerometer and gyroscope run at one rate and each sends three samples a notification. Nothing in a packet says when
it was measured or which it is. A gyroscope packet belongs to the accelerometer packet before it, if that is still
free; what finds no partner is dropped and counted in ``skipped_frames``. So the loss of either costs its own three
samples and shifts nothing. Where a gyroscope packet and the accelerometer packet after it are both lost, the two that
are left look like partners: three samples mate with strangers, and the next packets are in order again. Needs a check
on hardware: that both sensors begin their packets together; for all that the documents say, the gyroscope may lag the
accelerometer by up to three samples, the same all through a session.
"""

from collections.abc import Generator
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError

from .base import DeviceProtocol, GattProfile, Pause, Read, Script, Send, Step, ask
from .events import BatteryLevel, DeviceReply, Event, InertialSamples

COMMAND: Final = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NOTIFY: Final = "326a9006-85cb-9195-d9dd-464cfbbae75a"
_INFORMATION: Final = {
    f"0000{short}-0000-1000-8000-00805f9b34fb": key
    for short, key in (
        ("2a24", "model_number"),
        ("2a25", "serial_number"),
        ("2a26", "firmware_version"),
        ("2a27", "hardware_version"),
    )
}
_MODEL_NAMES: Final = {"5": "MetaMotion R", "8": "MetaMotion S"}

_LED, _ACC, _PROCESSOR, _SETTINGS, _GYR, _FUSION = 0x02, 0x03, 0x09, 0x11, 0x13, 0x19
_READ: Final = 0x80
_DISCOVER: Final = 0x80
_CONFIG, _BATTERY = 0x83, 0x8C
PACKET_BYTES: Final = 20
_PER_PACKET: Final = 3

ACC_RANGES_G: Final = (2.0, 4.0, 8.0, 16.0)
GYR_RANGES_DEG_S: Final = (2000.0, 1000.0, 500.0, 250.0, 125.0)
_ACC_LSB_PER_G: Final = {2.0: 16384.0, 4.0: 8192.0, 8.0: 4096.0, 16.0: 2048.0}
_GYR_LSB_PER_DEG_S: Final = (16.4, 32.8, 65.6, 131.2, 262.4)
_ODR: Final = {25.0: 6, 50.0: 7, 100.0: 8, 200.0: 9}


@dataclass(frozen=True)
class Chip:
    """What differs: data registers (plain, packed), filter bits of the accelerometer, its range codes."""

    name: str
    acc_plain: int
    acc_packed: int
    gyr_plain: int
    gyr_packed: int
    acc_filter: int
    acc_ranges: tuple[int, ...]


BMI160: Final = Chip("BMI160", 0x04, 0x1C, 0x05, 0x07, 0x20, (0x03, 0x05, 0x08, 0x0C))
BMI270: Final = Chip("BMI270", 0x04, 0x05, 0x04, 0x05, 0xA0, (0x00, 0x01, 0x02, 0x03))
_ACC_CHIPS: Final = {1: BMI160, 4: BMI270}
_GYR_CHIPS: Final = {0: BMI160, 1: BMI270}
_PACKED_SINCE_REVISION: Final = 1
"""On the BMI160; the BMI270 has packed data from its first."""

_LONGEST_NAME: Final = 8
_ANSWER_S: Final = 0.5
_SETTLE_S: Final = 0.1
_BLINK: Final = bytes.fromhex("02 03 02 02 1f 00 0000 3200 0000 f401 0000 0a")
"""Blue, 50 ms of every 500 ms, ten times."""
_PLAY, _LED_OFF = b"\x02\x01\x01", b"\x02\x02\x01"


class MetaMotion(DeviceProtocol):
    """Codec of one MetaMotion.

    Where both packets of a pair are lost nothing tells: there is neither counter nor time.
    """

    model = "metamotion"
    gatt = GattProfile(
        service="326a9000-85cb-9195-d9dd-464cfbbae75a",
        notify=(NOTIFY,),
        write=COMMAND,
        name_prefixes=("MetaWear", "MetaMotion"),
    )
    default_rate_hz = 100.0
    has_device_time = False
    battery_poll_interval_s = 60.0

    acc_range_m_s2 = 16.0 * GRAVITY_M_S2
    gyr_range_rad_s = 2000.0 * pi / 180.0
    acc_ranges_g = ACC_RANGES_G
    gyr_ranges_deg_s = GYR_RANGES_DEG_S

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._free: bytes | None = None
        self._forget()

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """What both chips have and a link carries: two notifications for every three samples."""
        return tuple(_ODR)

    def _forget(self) -> None:
        self._drop_free()
        self._acc_chip: Chip | None = None
        self._gyr_chip: Chip | None = None
        self._module: dict[int, bytes] = {}
        self._config: dict[int, bytes] = {}
        self._has_battery = False
        acc, gyr = self._wanted
        self._acc_scale = GRAVITY_M_S2 / _ACC_LSB_PER_G[ACC_RANGES_G[acc]]
        self._gyr_scale = pi / 180.0 / _GYR_LSB_PER_DEG_S[gyr]

    def reset(self) -> None:
        """Forget the board, and a packet that waits for its partner."""
        self._forget()

    @property
    def _wanted(self) -> tuple[int, int]:
        """Places of the ranges to be set."""
        acc_g, gyr_deg_s = round(self.acc_range_m_s2 / GRAVITY_M_S2), round(self.gyr_range_rad_s * 180.0 / pi)
        return ACC_RANGES_G.index(acc_g), GYR_RANGES_DEG_S.index(gyr_deg_s)

    def _drop_free(self) -> None:
        """An accelerometer packet that will find no partner any more."""
        self.health.skipped_frames += self._free is not None
        self._free = None

    # Decoding ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. ``data`` is one notification, or packed packets one behind the other."""
        events: list[Event] = []
        if source in _INFORMATION:
            self._take_information(data, _INFORMATION[source], events)
        elif source not in ("", NOTIFY):
            self.health.skipped_frames += 1
        elif data and len(data) % PACKET_BYTES == 0 and self._kind(data, 0):
            self._take_packets(data, events)
        elif data:
            self._take_message(data, events)
        return events

    def _kind(self, data: bytes, at: int) -> int:
        """Module whose packed packet begins at ``at``, 0 if none does. Before the board is known either may."""
        module, register = data[at], data[at + 1]
        acc, gyr = self._acc_chip, self._gyr_chip
        if module == _ACC and (register == acc.acc_packed if acc else register in (0x1C, 0x05)):
            return _ACC
        if module == _GYR and (register == gyr.gyr_packed if gyr else register in (0x07, 0x05)):
            return _GYR
        return 0

    def _take_packets(self, data: bytes, events: list[Event]) -> None:
        acc: list[bytes] = []
        gyr: list[bytes] = []
        for at in range(0, len(data), PACKET_BYTES):
            kind = self._kind(data, at)
            body = data[at + 2 : at + PACKET_BYTES]
            if kind == _ACC:
                self._drop_free()
                self._free = body
            elif kind == _GYR and self._free is not None:
                acc.append(self._free)
                gyr.append(body)
                self._free = None
            elif kind == _GYR:
                self.health.skipped_frames += 1
            else:
                self.health.corrupt_bytes += PACKET_BYTES
        if gyr:
            self.health.frames += 2 * len(gyr)
            events.append(InertialSamples(None, _words(acc) * self._acc_scale, _words(gyr) * self._gyr_scale))

    def _take_message(self, data: bytes, events: list[Event]) -> None:
        module, register, body = data[0], data[1] if len(data) > 1 else 0, data[2:]
        if len(data) < 2:
            self._drop(data)
        elif register == _DISCOVER:
            self._take_module(module, body, events)
        elif (module, register) == (_SETTINGS, _BATTERY):
            if len(body) == 3 and body[0] <= 100:
                self._has_battery = True
                events.append(BatteryLevel(float(body[0]), (body[1] | body[2] << 8) / 1000.0))
                self.health.frames += 1
            else:
                self._drop(data)
        elif module in (_ACC, _GYR) and register == _CONFIG:
            self._take_config(module, body, data)
        elif self._kind(data, 0) and self._is_wrong_length(module, register, len(data)):
            self._drop(data)
        else:
            self.health.skipped_frames += 1  # a stream that nobody here asked for, or a module of no use here

    def _is_wrong_length(self, module: int, register: int, n: int) -> bool:
        """A packed packet cut short; plain data of the other chip have the same register and eight bytes."""
        chip = self._acc_chip if module == _ACC else self._gyr_chip
        return chip is not None or n != 8 or register != 0x05

    def _drop(self, data: bytes) -> None:
        self.health.corrupt_bytes += len(data)

    def _take_module(self, module: int, body: bytes, events: list[Event]) -> None:
        """Implementation and revision; an empty answer means that the board has no such module."""
        if len(body) == 1:
            self._drop(bytes((module, _DISCOVER)) + body)
            return
        self._module[module] = body
        self.health.frames += 1
        implementation = body[0] if body else -1
        if module == _ACC:
            self._acc_chip = _ACC_CHIPS.get(implementation)
        elif module == _GYR:
            self._gyr_chip = _GYR_CHIPS.get(implementation)
        events.append(DeviceReply(f"module_{module:02x}", body.hex()))

    def _take_config(self, module: int, body: bytes, data: bytes) -> None:
        """Rate and range as the board has them: what it sends is scaled by these, whatever was wished for."""
        if len(body) < 2:
            self._drop(data)
            return
        self._config[module] = body[:2]
        self.health.frames += 1
        codes = (self._acc_chip or BMI160).acc_ranges
        if module == _ACC and body[1] in codes:
            self._acc_scale = GRAVITY_M_S2 / _ACC_LSB_PER_G[ACC_RANGES_G[codes.index(body[1])]]
        elif module == _GYR and body[1] & 7 < len(_GYR_LSB_PER_DEG_S):
            self._gyr_scale = pi / 180.0 / _GYR_LSB_PER_DEG_S[body[1] & 7]

    def _take_information(self, data: bytes, key: str, events: list[Event]) -> None:
        text = data.decode("latin-1").rstrip("\0")
        self.health.frames += 1
        events.append(DeviceReply(key, _MODEL_NAMES.get(text, text) if key == "model_number" else text))

    # Conversation -----------------------------------------------------------------------------------------

    def _discover(self, module: int) -> Script:
        self._module.pop(module, None)
        question = Send(bytes((module, _DISCOVER)))
        if not (yield from ask(question, lambda: module in self._module, _ANSWER_S, 3)):
            raise LinkError("The MetaMotion does not answer: take it out of its charger, or switch it off and on.")

    def _read_config(self, module: int) -> Generator[Step, bool, bool]:
        self._config.pop(module, None)
        return (yield from ask(Send(bytes((module, _CONFIG))), lambda: module in self._config, _ANSWER_S, 3))

    def _quiet(self, acc: Chip, gyr: Chip) -> Script:
        """End every stream that may have survived whoever was here before, wished for or not."""
        for command in (
            bytes((_FUSION, 0x01, 0x00)),
            bytes((_FUSION, 0x03, 0x00, 0x7F)),
            *(bytes((_FUSION, register, 0x00)) for register in range(0x04, 0x0B)),
            bytes((_PROCESSOR, 0x08)),
            *_stopped(_ACC, acc.acc_plain, acc.acc_packed),
            *_stopped(_GYR, gyr.gyr_plain, gyr.gyr_packed),
        ):
            yield Send(command)
        yield Pause(_SETTLE_S)

    def configure(self) -> Script:
        """Find out the chips, end what is left over, set rate and ranges, read them back, start both sensors.

        Raises LinkError if the board does not answer, has another chip or old firmware, or keeps other settings.
        """
        yield from self._discover(_ACC)
        yield from self._discover(_GYR)
        acc, gyr = self._acc_chip, self._gyr_chip
        if acc is None or gyr is None:
            raise LinkError("This board has no accelerometer and gyroscope that are known (BMI160, BMI270).")
        for module, chip in ((_ACC, acc), (_GYR, gyr)):
            if chip is BMI160 and self._module[module][1] < _PACKED_SINCE_REVISION:
                raise LinkError("The MetaMotion's firmware is too old to send packed data: update it.")
        yield from self._quiet(acc, gyr)
        odr, (acc_range, gyr_range) = _ODR[self.rate_hz], self._wanted
        wanted = {
            _ACC: bytes((acc.acc_filter | odr, acc.acc_ranges[acc_range])),
            _GYR: bytes((0x20 | odr, gyr_range)),
        }
        for module, config in wanted.items():
            yield Send(bytes((module, _CONFIG & ~_READ)) + config)
            if not (yield from self._read_config(module)) or self._config[module] != config:
                raise LinkError("The MetaMotion does not keep the settings it was given: switch it off and on again.")
        self._drop_free()
        packed = {_ACC: acc.acc_packed, _GYR: gyr.gyr_packed}
        for module, register in packed.items():
            yield Send(bytes((module, register, 0x01)))
        for module in packed:
            yield Send(bytes((module, 0x02, 0x01, 0x00)))
        for module in packed:
            yield Send(bytes((module, 0x01, 0x01)))

    def stop(self) -> Script:
        """Stop both sensors; the board goes on otherwise, connected or not."""
        acc, gyr = self._acc_chip or BMI160, self._gyr_chip or BMI160
        for command in (*_stopped(_ACC, acc.acc_packed), *_stopped(_GYR, gyr.gyr_packed)):
            yield Send(command)
        yield Pause(_SETTLE_S)

    def poll_battery(self) -> Script:
        """One reading; a silence is no failure."""
        self._has_battery = False
        yield from ask(Send(bytes((_SETTINGS, 0xCC))), lambda: self._has_battery, _ANSWER_S, 1)

    def identify(self) -> Script:
        """The Device Information service."""
        for uuid in _INFORMATION:
            yield Read(uuid)

    def rename(self, name: str) -> Script:
        """Set the name it advertises, until power-off. One that does not begin with MetaWear hides what it is from a
        scan. Raises InputError on a name that it does not take.
        """
        if not (0 < len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable()):
            raise InputError(f"A MetaMotion's name has 1 to {_LONGEST_NAME} plain letters: {name!r} will not do.")
        yield Send(bytes((_SETTINGS, 0x01)) + name.encode())

    def blink(self) -> Script:
        """Ten blue flashes in five seconds; a pattern that was there before is replaced."""
        yield Send(_LED_OFF)
        yield Send(_BLINK)
        yield Send(_PLAY)


def _stopped(module: int, *registers: int) -> list[bytes]:
    """Stop a sensor, take its interrupt away and unsubscribe its data."""
    return [
        bytes((module, 0x01, 0x00)),
        bytes((module, 0x02, 0x00, 0x01)),
        *(bytes((module, register, 0x00)) for register in registers),
    ]


def _words(bodies: list[bytes]) -> np.ndarray:
    """Bodies of 18 bytes, three times x, y, z, oldest first (that order needs a check on hardware): (3 n, 3)."""
    return np.frombuffer(b"".join(bodies), "<i2").reshape(_PER_PACKET * len(bodies), 3).astype(np.float64)
