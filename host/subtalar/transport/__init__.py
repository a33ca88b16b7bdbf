"""Routes that move bytes: Bluetooth LE, serial ports, TCP, UDP, memory. Foreign errors are translated here.

Nothing is imported that is not needed: bleak and pyserial load when a transport that uses them is opened.
"""

from .base import Chunk, OnChunk, OnClosed, OutOfReachError, Transport
from .factory import make_transport
from .loopback import LoopbackTransport
from .spec import DeviceSpec, parse_spec

__all__ = [
    "Chunk",
    "DeviceSpec",
    "LoopbackTransport",
    "OnChunk",
    "OnClosed",
    "OutOfReachError",
    "Transport",
    "make_transport",
    "parse_spec",
]
