"""UDP as the x-IMU3 does it: it hears on one port and sends to another, to the computer that spoke last."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from subtalar_sim.serve.streams import said_of_port
from subtalar_sim.types import Payload

_LARGEST: Final = 1400
"""What goes into one datagram; messages are not cut."""


class UdpLink(asyncio.DatagramProtocol):
    """One device on ``host``. ``address`` is ``host:port:listen``: its own port, and the one it sends to.

    A device of its own would send to port 8000 plus the last byte of its IP address; several on one computer must be
    told different ports, as a person would set them. Nobody is known until the first datagram comes; after that it
    sends for ever, heard or not: there is no link that could be seen to break.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port, self._send_port = host, port, 0
        self._socket: asyncio.DatagramTransport | None = None
        self._peer: str | None = None
        self._reachable = True
        self.refusals = 0
        self.on_bytes: Callable[[bytes], None] = lambda _: None
        self.on_activity: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Open the port. Raises OSError if it is taken."""
        loop = asyncio.get_running_loop()
        with said_of_port(self._port):
            self._socket, _ = await loop.create_datagram_endpoint(lambda: self, (self._host, self._port))
        self._port = int(self._socket.get_extra_info("sockname")[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # a port that the host will find free
            probe.bind((self._host, 0))
            self._send_port = int(probe.getsockname()[1])

    async def stop(self) -> None:
        """Close the port."""
        if self._socket is not None:
            self._socket.close()
            await asyncio.sleep(0)  # the socket is closed in a callback

    @property
    def address(self) -> str:
        """``host:port:listen``."""
        return f"{self._host}:{self._port}:{self._send_port}"

    @property
    def listening(self) -> bool:
        """Whether it knows where to send."""
        return self._peer is not None and self._reachable

    def send(self, payload: Payload) -> bool:
        """One datagram, or several if it must be; False if there is nobody to send to."""
        if self._socket is None or self._peer is None or not self._reachable:
            return False
        for datagram in _datagrams(payload.data):
            self._socket.sendto(datagram, (self._peer, self._send_port))
        return True

    def take_down(self) -> None:
        """Out of range: nothing comes in or goes out."""
        self._reachable = False

    def bring_up(self) -> None:
        """Within range again."""
        self._reachable = True

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See asyncio."""
        if self._reachable:
            self._peer = addr[0]
            self.on_bytes(data)


def _datagrams(data: bytes) -> list[bytes]:
    """Whole messages (each ends with LF), as many as fit."""
    if len(data) <= _LARGEST:
        return [data]
    out = [b""]
    for message in data.removesuffix(b"\n").split(b"\n"):
        if out[-1] and len(out[-1]) + len(message) >= _LARGEST:
            out.append(b"")
        out[-1] += message + b"\n"
    return out
