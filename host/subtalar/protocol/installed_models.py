"""Device models of other distributions, by the entry point group ``subtalar.devices``. One that is broken costs itself.

Reading which distributions are installed is the interpreter's own business, as an import is: no I/O of a codec's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from .base import DeviceProtocol, GattProfile
from .device_model import DeviceModel

GROUP: Final = "subtalar.devices"
_TRANSPORTS: Final = frozenset({"ble", "serial", "tcp", "udp"})


@dataclass(frozen=True)
class PlugIns:
    """``models`` that can be used, and a sentence for each plug-in that cannot."""

    models: tuple[DeviceModel, ...]
    troubles: tuple[str, ...]


def load_plug_ins(
    built_in: Iterable[DeviceModel], found: Callable[[], Iterable[EntryPoint]] = lambda: entry_points(group=GROUP)
) -> PlugIns:
    """Every plug-in, in the order of their names, so that of two with one name the same one wins each time."""
    taken = {name: "subtalar itself" for model in built_in for name in names_of(model)}
    models: list[DeviceModel] = []
    troubles: list[str] = []
    for point in sorted(found(), key=lambda point: (point.name, point.value)):
        whose = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        try:
            model = _checked(point.load())
            names = names_of(model)
            clash = next((name for name in names if name in taken), None)
            if clash is not None:
                raise ValueError(f"the name {clash!r} is taken by {taken[clash]}")
        except (Exception, SystemExit) as error:  # whatever somebody else's code does
            why = str(error).strip().splitlines() or [type(error).__name__]
            troubles.append(f"The plug-in {point.name!r} of {whose} cannot be used: {why[0].rstrip('.')}.")
            continue
        taken.update(dict.fromkeys(names, whose))
        models.append(model)
    return PlugIns(tuple(models), tuple(troubles))


def names_of(model: DeviceModel) -> tuple[str, ...]:
    """What it is found by."""
    return (model.name, *model.aliases)


def _checked(model: object) -> DeviceModel:
    """Raises ValueError for what would only fail once a sensor is there."""
    if not isinstance(model, DeviceModel):
        raise ValueError(f"it gives {type(model).__name__!r} and not a subtalar.protocol.DeviceModel")
    names = names_of(model)
    if not all(
        isinstance(name, str) and name and name == name.lower() and not set(name) & set(" ,=") for name in names
    ):
        raise ValueError(f"its names {', '.join(map(repr, names))} are not all small letters without ' ', ',' and '='")
    if not (isinstance(model.protocol, type) and issubclass(model.protocol, DeviceProtocol)):
        raise ValueError("its protocol is not a subclass of subtalar.protocol.DeviceProtocol")
    if model.protocol.model != model.name:
        raise ValueError(f"its codec calls itself {model.protocol.model!r} and not {model.name!r}")
    if not model.transports or not set(model.transports) <= _TRANSPORTS:
        raise ValueError(f"its transports {model.transports} are not all among {', '.join(sorted(_TRANSPORTS))}")
    gatt = model.protocol.gatt
    if "ble" in model.transports and not (isinstance(gatt, GattProfile) and isinstance(gatt.name_prefixes, tuple)):
        raise ValueError("it is to be reached over ble and its codec has no GattProfile")
    model.protocol()  # what its class lacks
    return model


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name != "" and name == name.lower() and not set(name) & set(" ,=")
