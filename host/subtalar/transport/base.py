"""The contract of a transport: bytes out, bytes in with the time they arrived, and word of the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from subtalar.errors import LinkError


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they arrived. ``arrival_ns`` is ``time.monotonic_ns()`` taken as close to the arrival as possible.

    ``source`` is the UUID of the GATT characteristic that sent them, empty on byte streams.
    """

    arrival_ns: int
    data: bytes
    source: str = ""


class OutOfReachError(LinkError):
    """Nobody answered, or there is no radio at the moment: looking again soon costs little."""


OnChunk: TypeAlias = Callable[[Chunk], None]
OnClosed: TypeAlias = Callable[[str], None]


class Transport(Protocol):
    """One link to one device. Open once, close once; a new connection is a new transport.

    Callbacks run in the event loop that called ``open``, in the order of arrival. After ``close`` none comes.
    Every failure is a LinkError with one sentence. Nothing is queued without a bound.
    """

    @property
    def address(self) -> str:
        """How a person would name the other end."""
        ...

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """Connect and start receiving. ``on_closed`` tells of an end that nobody asked for, once, with the reason.

        Raises LinkError within a few seconds if there is nobody at the other end.
        """
        ...

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """Send. ``to`` is a GATT characteristic where it matters. Raises LinkError if the link is gone."""
        ...

    async def read(self, source: str) -> bytes:
        """Read a GATT characteristic. Raises LinkError, also where the transport knows no characteristics."""
        ...

    async def close(self) -> None:
        """Let go of the port or link. Never raises; harmless when repeated or never opened."""
        ...


def no_characteristics(address: str) -> LinkError:
    """The error of byte-stream transports in ``read``."""
    return LinkError(f"{address} is a byte stream and has no characteristics to read.")
