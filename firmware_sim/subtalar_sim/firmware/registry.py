"""The devices that can be simulated, by name. A new one is a firmware file beside this one and one entry in SIMULATED.

``make`` turns one ``Unit`` into firmware. What is served over ``ble`` must be a ``GattFirmware``; what is served over
``pty``, ``tcp`` or ``udp`` a ``Firmware``. Where the two differ the firmware looks at ``unit.interface``.
Other distributions add theirs with an entry point in the group ``subtalar_sim.devices`` (``installed_devices``).
"""

from functools import cache
from typing import Final

import numpy as np

from subtalar_sim.firmware.installed_devices import PlugIns, load_plug_ins
from subtalar_sim.firmware.metamotion import MetaMotion
from subtalar_sim.firmware.movella_dot import LIVE_RATES_HZ as DOT_RATES_HZ
from subtalar_sim.firmware.movella_dot import MovellaDot
from subtalar_sim.firmware.shimmer3 import Shimmer3
from subtalar_sim.firmware.simulated_device import SimulatedDevice
from subtalar_sim.firmware.talus import RATES_HZ as TALUS_RATES_HZ
from subtalar_sim.firmware.talus import Talus
from subtalar_sim.firmware.thingy52 import TRUE_RATES_HZ as THINGY_RATES_HZ
from subtalar_sim.firmware.thingy52 import Thingy52
from subtalar_sim.firmware.witmotion_ble import WitMotionBle
from subtalar_sim.firmware.witmotion_serial import WitMotionSerial
from subtalar_sim.firmware.ximu3 import XImu3
from subtalar_sim.types import GRAVITY_M_S2

__all__ = ["SIMULATED", "SimulatedDevice", "find_simulated", "plug_ins", "simulated_devices"]
_2000_DEG_S: Final = float(np.radians(2000.0))


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


@cache
def plug_ins() -> PlugIns:
    """Devices of other distributions; looked for when they are first asked for."""
    return load_plug_ins(SIMULATED)


def simulated_devices() -> dict[str, SimulatedDevice]:
    """All devices: our own, then those of plug-ins."""
    return {**SIMULATED, **plug_ins().devices}


def find_simulated(name: str) -> SimulatedDevice:
    """The device of that name. Raises ValueError with the names there are."""
    if name in SIMULATED:  # whoever uses our own pays for no plug-in
        return SIMULATED[name]
    known = simulated_devices()
    if name not in known:
        raise ValueError("; ".join((f"no device {name!r}; there are {', '.join(known)}", *plug_ins().troubles)))
    return known[name]
