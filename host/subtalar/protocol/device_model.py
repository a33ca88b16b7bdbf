"""What the registry and plug-ins say of a device family."""

from dataclasses import dataclass

from .base import DeviceProtocol


@dataclass(frozen=True)
class DeviceModel:
    """A device family: ``name`` is the key in device specs and recordings, ``title`` is for people."""

    name: str
    title: str
    protocol: type[DeviceProtocol]
    transports: tuple[str, ...]
    aliases: tuple[str, ...] = ()
