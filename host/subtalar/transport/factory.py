"""From a device spec to a transport."""

from typing import Any

from subtalar.errors import InputError
from subtalar.protocol import DeviceProtocol

from .base import Transport
from .spec import DeviceSpec


def make_transport(
    spec: DeviceSpec,
    protocol: DeviceProtocol,
    *,
    scanner_backend: type[Any] | None = None,
    client_backend: type[Any] | None = None,
) -> Transport:
    """A fresh, unopened transport for one connection. The parts it needs are imported here and not before.

    The backends go to bleak and stand in for the radio.
    """
    if spec.kind == "ble":
        from .ble import BleTransport

        if protocol.gatt is None:
            raise InputError(f"The {protocol.model} has no Bluetooth LE.")
        return BleTransport(spec.address, protocol.gatt, scanner_backend=scanner_backend, client_backend=client_backend)
    if spec.kind == "serial":
        from .serial import SerialTransport

        return SerialTransport(spec.address, spec.baud_rate or protocol.baud_rate)
    if spec.kind == "udp":
        from .udp import UdpTransport

        return UdpTransport(spec.address)
    from .tcp import TcpTransport

    return TcpTransport(spec.address)
