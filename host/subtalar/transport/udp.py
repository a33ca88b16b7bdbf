"""UDP: the x-IMU3 in network mode. It hears on one port (9000) and sends to another, to whoever spoke last.

Datagrams are whole, or they do not come at all; they may come twice or in another order. Nothing is queued here: what
waits does so in the receive buffer of the operating system, which is bounded, and what that has no room for is missed
like any other datagram, which the device's own time shows.
"""

import asyncio
import ipaddress
import socket
import time

from subtalar.errors import InputError, LinkError

from .base import Chunk, OnChunk, OnClosed, no_characteristics
from .spec import split_udp_address

OPEN_TIMEOUT_S = 4.0
_RECEIVE_BUFFER_BYTES = 1 << 20
_FIRST_SEND_PORT = 8000


def usual_listen_port(ip: str) -> int:
    """Where an x-IMU3 sends whose UDP send port was never set: 8000 plus the last byte of its own IPv4 address.

    Source: x-IMU3 User Manual, "UDP send port".
    """
    return _FIRST_SEND_PORT + ipaddress.IPv4Address(ip).packed[-1]


def known_listen_port(address: str) -> int | None:
    """The port of this computer that ``udp:address`` listens on.

    None where only the resolver could tell, and for what is no address of a network but of another transport's maker.
    """
    try:
        host, _, listen = split_udp_address(address)
        return usual_listen_port(host) if listen is None else listen
    except (InputError, ValueError):  # ValueError: a name, or an IPv6 address
        return None


class UdpTransport(asyncio.DatagramProtocol):
    """Datagrams to ``host:port`` and from that host to a port of this computer, as ``host:port:listen`` or the usual.

    An open one proves nothing: whether anybody is there, the first answer shows.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._host, self._port, self._listen = split_udp_address(address)
        self._peer: tuple[str, int] | None = None
        self._socket: asyncio.DatagramTransport | None = None
        self._on_chunk: OnChunk | None = None
        self._on_closed: OnClosed | None = None

    @property
    def address(self) -> str:
        """See :class:`Transport`."""
        return self._address

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`. Raises LinkError if the port to listen on is taken or the host has no address."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except OSError as error:  # TimeoutError is one
            raise LinkError(f"There is no address for {self._host}: check the name of the sensor.") from error
        # The IPv4 address first: that is what the device has.
        family, _, _, _, peer = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        ip = str(peer[0])
        if self._listen is None and family != socket.AF_INET:
            raise LinkError(f"{self._address} does not say where to listen: write udp:host:port:listen.")
        listen = usual_listen_port(ip) if self._listen is None else self._listen
        receiver = socket.socket(family, socket.SOCK_DGRAM)
        try:
            receiver.setblocking(False)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            receiver.bind(("" if family == socket.AF_INET else "::", listen))
        except OSError as error:
            receiver.close()
            raise LinkError(
                f"Port {listen}, to which {self._host} sends, cannot be opened here ({error.strerror or error}): "
                "end the program that uses it."
            ) from error
        self._peer = (ip, self._port)
        self._on_chunk, self._on_closed = on_chunk, on_closed
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, sock=receiver)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See asyncio. What another computer sends here is none of our business."""
        if self._on_chunk is not None and self._peer is not None and addr[0] == self._peer[0] and data:
            self._on_chunk(Chunk(time.monotonic_ns(), data))

    def error_received(self, exc: Exception) -> None:
        """See asyncio. Networks come and go: that nothing arrives is noticed by who waits for it."""

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        on_closed, self._on_closed = self._on_closed, None
        if on_closed is not None:
            on_closed(f"The network to {self._address} broke ({exc}).")

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See :class:`Transport`."""
        if self._socket is None or self._socket.is_closing():
            raise LinkError(f"{self._address} is not connected.")
        self._socket.sendto(data, self._peer)

    async def read(self, source: str) -> bytes:
        """See :class:`Transport`."""
        raise no_characteristics(self._address)

    async def close(self) -> None:
        """See :class:`Transport`."""
        transport, self._socket = self._socket, None
        self._on_chunk = self._on_closed = None
        if transport is not None:
            transport.close()
            await asyncio.sleep(0)  # the socket is closed in a callback
