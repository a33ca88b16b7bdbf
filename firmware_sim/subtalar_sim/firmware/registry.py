"""The devices that can be simulated, by name. A new one is a firmware file beside this one and one entry in SIMULATED.

``make`` turns one ``Unit`` into firmware. What is served over ``ble`` must be a ``GattFirmware``; what is served over
``pty``, ``tcp`` or ``udp`` a ``Firmware``. Where the two differ the firmware looks at ``unit.interface``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar_sim.firmware.base import Firmware, GattFirmware, Unit
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
        make=WitMotionBle,
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
        make=WitMotionSerial,
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
        make=MovellaDot,
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
        make=Thingy52,
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
        make=MetaMotion,
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
        make=Shimmer3,
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
        make=XImu3,
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
        make=Talus,
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
