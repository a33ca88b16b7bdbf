"""The devices that can be simulated, by name. A new one is a firmware file beside this one and one entry in SIMULATED.

A maker turns one ``Unit`` into firmware. What is served over ``ble`` must be a ``GattFirmware``; what is served over
``pty``, ``tcp`` or ``udp`` a ``Firmware``. Where the two differ the maker looks at ``unit.interface``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import GapDrawer
from subtalar_sim.firmware.base import Firmware, GattFirmware, SampleSource
from subtalar_sim.firmware.metamotion import MetaMotion
from subtalar_sim.firmware.movella_dot import LIVE_RATES_HZ as DOT_RATES_HZ
from subtalar_sim.firmware.movella_dot import MovellaDot
from subtalar_sim.firmware.shimmer3 import Shimmer3
from subtalar_sim.firmware.talus import RATES_HZ as TALUS_RATES_HZ
from subtalar_sim.firmware.talus import Talus
from subtalar_sim.firmware.thingy52 import TRUE_RATES_HZ as THINGY_RATES_HZ
from subtalar_sim.firmware.thingy52 import Thingy52
from subtalar_sim.firmware.witmotion_ble import WitMotionBle
from subtalar_sim.firmware.witmotion_serial import WitMotionSerial
from subtalar_sim.firmware.ximu3 import XImu3
from subtalar_sim.types import GRAVITY_M_S2

_2000_DEG_S: Final = float(np.radians(2000.0))


@dataclass(frozen=True)
class Unit:
    """What one unit is made from.

    ``rate_hz`` is what it was set to before; ``serial_number`` 64 bits, for the device to show in its own way;
    ``address`` the Bluetooth address, empty on other routes; ``interface`` one of the device's transports.
    ``start_s``: when it was switched on, in session seconds; ``empty_s``: when its battery will be empty.
    """

    source: SampleSource
    clock: SensorClock
    gaps: GapDrawer
    rate_hz: float
    serial_number: int = 0x0123_4567_89AB_CDEF
    address: str = ""
    interface: str = ""
    start_s: float = 0.0
    empty_s: float = inf


@dataclass(frozen=True)
class SimulatedDevice:
    """A device family: ``name`` as in device specs, ``transports`` with the usual one first.

    ``rates_hz`` are those ``make`` takes (it raises ValueError for others); ``default_rate_hz`` is what is simulated
    if nothing is said. Ranges are those at which the sensors clip. ``has_device_time``: whether its samples carry the
    device's own time or a number, so that every loss can be known.
    """

    name: str
    title: str
    transports: tuple[str, ...]
    rates_hz: tuple[float, ...]
    default_rate_hz: float
    acc_range_m_s2: float
    gyr_range_rad_s: float
    has_device_time: bool
    make: Callable[[Unit], Firmware | GattFirmware]


def _witmotion(unit: Unit) -> GattFirmware:
    return WitMotionBle(
        *(unit.source, unit.clock, unit.gaps), rate_hz=unit.rate_hz, start_s=unit.start_s, empty_s=unit.empty_s
    )


def _witmotion_serial(unit: Unit) -> Firmware | GattFirmware:
    return WitMotionSerial(
        unit.source,
        unit.clock,
        unit.gaps,
        rate_hz=unit.rate_hz,
        over_ble=unit.interface == "ble",
        start_s=unit.start_s,
    )


def _movella_dot(unit: Unit) -> GattFirmware:
    return MovellaDot(
        unit.source,
        unit.clock,
        unit.gaps,
        rate_hz=unit.rate_hz,
        address=unit.address or "D4:22:CD:00:AA:01",
        serial_number=unit.serial_number,
        start_s=unit.start_s,
        empty_s=unit.empty_s,
    )


def _thingy52(unit: Unit) -> GattFirmware:
    return Thingy52(
        unit.source, unit.clock, unit.gaps, rate_hz=unit.rate_hz, start_s=unit.start_s, empty_s=unit.empty_s
    )


def _ximu3(unit: Unit) -> Firmware:
    digits = f"{unit.serial_number:016X}"
    return XImu3(
        unit.source,
        unit.clock,
        unit.gaps,
        rate_hz=unit.rate_hz,
        serial_number="-".join(digits[i : i + 4] for i in range(0, 16, 4)),
        interface={"tcp": "tcp", "udp": "udp"}.get(unit.interface, "usb"),
        start_s=unit.start_s,
        empty_s=unit.empty_s,
    )


def _talus(unit: Unit) -> Talus:
    return Talus(
        unit.source,
        unit.clock,
        unit.gaps,
        rate_hz=unit.rate_hz,
        serial_number=f"{unit.serial_number:016X}",
        interface=unit.interface,
        start_s=unit.start_s,
        empty_s=unit.empty_s,
    )


def _metamotion(unit: Unit) -> GattFirmware:
    """Boards with either chip, by turns."""
    return MetaMotion(
        unit.source,
        unit.clock,
        unit.gaps,
        board="MMR" if unit.serial_number % 2 else "MMS",
        rate_hz=unit.rate_hz,
        serial_number=unit.serial_number,
        start_s=unit.start_s,
        empty_s=unit.empty_s,
    )


def _shimmer3(unit: Unit) -> Firmware:
    return Shimmer3(
        unit.source, unit.clock, unit.gaps, rate_hz=unit.rate_hz, serial_number=unit.serial_number, empty_s=unit.empty_s
    )


_DEVICES: Final = (
    SimulatedDevice(
        "witmotion",
        "WitMotion WT901BLE",
        ("ble",),
        rates_hz=(10.0, 20.0, 50.0, 100.0, 200.0),
        default_rate_hz=200.0,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=False,
        make=_witmotion,
    ),
    SimulatedDevice(
        "witmotion-serial",
        "WitMotion WT901",
        ("pty", "tcp", "ble"),
        rates_hz=(10.0, 20.0, 50.0, 100.0, 200.0),
        default_rate_hz=200.0,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=True,
        make=_witmotion_serial,
    ),
    SimulatedDevice(
        "movella-dot",
        "Movella DOT",
        ("ble",),
        rates_hz=DOT_RATES_HZ,
        default_rate_hz=60.0,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=True,
        make=_movella_dot,
    ),
    SimulatedDevice(
        "thingy52",
        "Nordic Thingy:52",
        ("ble",),
        rates_hz=THINGY_RATES_HZ,
        default_rate_hz=100.0,
        acc_range_m_s2=2.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=False,
        make=_thingy52,
    ),
    SimulatedDevice(
        "metamotion",
        "MbientLab MetaMotion",
        ("ble",),
        rates_hz=(25.0, 50.0, 100.0, 200.0),
        default_rate_hz=100.0,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=False,
        make=_metamotion,
    ),
    SimulatedDevice(
        "shimmer3",
        "Shimmer3",
        ("pty", "tcp"),
        rates_hz=(50.0, 51.2, 100.0, 102.4, 128.0, 200.0, 204.8, 256.0, 512.0),
        default_rate_hz=204.8,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=True,
        make=_shimmer3,
    ),
    SimulatedDevice(
        "ximu3",
        "x-io x-IMU3",
        ("tcp", "udp", "pty"),
        rates_hz=(12.5, 25.0, 50.0, 100.0, 200.0, 400.0),
        default_rate_hz=200.0,
        acc_range_m_s2=24.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=True,
        make=_ximu3,
    ),
    SimulatedDevice(
        "talus",
        "board that speaks Talus",
        ("ble", "pty", "tcp"),
        rates_hz=TALUS_RATES_HZ,
        default_rate_hz=200.0,
        acc_range_m_s2=16.0 * GRAVITY_M_S2,
        gyr_range_rad_s=_2000_DEG_S,
        has_device_time=True,
        make=_talus,
    ),
)
SIMULATED: Final[dict[str, SimulatedDevice]] = {device.name: device for device in _DEVICES}
TRANSPORTS: Final = ("ble", "pty", "tcp", "udp")
"""Every route there is; a device has some of them."""


def find_simulated(name: str) -> SimulatedDevice:
    """The device of that name. Raises ValueError with the names there are."""
    if name not in SIMULATED:
        raise ValueError(f"no device {name!r}; there are {', '.join(SIMULATED)}")
    return SIMULATED[name]
