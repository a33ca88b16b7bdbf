"""Simulated devices of other distributions, by the entry point group ``subtalar_sim.devices``.

One that is broken costs itself. Shares no code with the host's plug-ins, as nothing here does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from subtalar_sim.firmware.simulated_device import TRANSPORTS, SimulatedDevice

GROUP: Final = "subtalar_sim.devices"


@dataclass(frozen=True)
class PlugIns:
    """``devices`` by name, and a few words for each plug-in that cannot be used."""

    devices: Mapping[str, SimulatedDevice]
    troubles: tuple[str, ...]


def load_plug_ins(
    built_in: Iterable[str], found: Callable[[], Iterable[EntryPoint]] = lambda: entry_points(group=GROUP)
) -> PlugIns:
    """Every plug-in, in the order of their names, so that of two with one name the same one wins each time."""
    taken = dict.fromkeys(built_in, "the simulator itself")
    devices: dict[str, SimulatedDevice] = {}
    troubles: list[str] = []
    for point in sorted(found(), key=lambda point: (point.name, point.value)):
        whose = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        try:
            device = _checked(point.load())
            if device.name in taken:
                raise ValueError(f"the name {device.name!r} is taken by {taken[device.name]}")
        except (Exception, SystemExit) as error:  # whatever somebody else's code does
            why = str(error).strip().splitlines() or [type(error).__name__]
            troubles.append(f"the plug-in {point.name!r} of {whose} cannot be used: {why[0].rstrip('.')}")
            continue
        taken[device.name] = whose
        devices[device.name] = device
    return PlugIns(devices, tuple(troubles))


def _checked(device: object) -> SimulatedDevice:
    """Raises ValueError for what would only fail once it is served."""
    if not isinstance(device, SimulatedDevice):
        raise ValueError(f"it gives {type(device).__name__!r} and not a subtalar_sim.firmware.registry.SimulatedDevice")
    name = device.name
    if not isinstance(name, str) or not name or name != name.lower() or set(name) & set(" ,="):
        raise ValueError(f"its name {name!r} is not all small letters without ' ', ',' and '='")
    if not device.transports or not set(device.transports) <= set(TRANSPORTS):
        raise ValueError(f"its transports {device.transports} are not all among {', '.join(TRANSPORTS)}")
    if device.default_rate_hz not in device.rates_hz:
        raise ValueError(f"its usual rate {device.default_rate_hz} is not among its rates")
    if not callable(device.make):
        raise ValueError("what is to make its firmware cannot be called")
    return device
