"""What the registry and plug-ins say of a device family that can be simulated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from subtalar_sim.firmware.base import Firmware, GattFirmware, Unit

TRANSPORTS: Final = ("ble", "pty", "tcp", "udp")
"""Every route there is; a device has some of them."""


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
