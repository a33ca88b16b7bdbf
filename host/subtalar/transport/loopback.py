"""A link in memory: the other end is an object that is told what was written and sends through a callback."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from subtalar.errors import LinkError

from .base import Chunk, OnChunk, OnClosed, no_characteristics


class LoopbackPeer(Protocol):
    """The device's end."""

    def attach(self, send: Callable[[bytes], None]) -> None:
        """The host has connected; ``send`` delivers bytes to it."""
        ...

    def receive(self, data: bytes) -> None:
        """The host wrote ``data``."""
        ...

    def detach(self) -> None:
        """The host is gone."""
        ...


class LoopbackTransport:
    """Transport to a peer in the same process. ``clock_ns`` stamps arrivals."""

    def __init__(
        self, peer: LoopbackPeer, address: str = "memory", clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._peer, self._address, self._clock_ns = peer, address, clock_ns
        self._on_chunk: OnChunk | None = None
        self._on_closed: OnClosed | None = None

    @property
    def address(self) -> str:
        """See :class:`Transport`."""
        return self._address

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`."""
        self._on_chunk, self._on_closed = on_chunk, on_closed
        self._peer.attach(self._deliver)

    def _deliver(self, data: bytes) -> None:
        if self._on_chunk is not None:
            self._on_chunk(Chunk(self._clock_ns(), data))

    def drop(self, reason: str = "the link was lost") -> None:
        """End the link from the other side."""
        on_closed, self._on_chunk, self._on_closed = self._on_closed, None, None
        if on_closed is not None:
            self._peer.detach()
            on_closed(reason)

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See :class:`Transport`."""
        if self._on_chunk is None:
            raise LinkError(f"{self._address} is not connected.")
        self._peer.receive(data)
        await asyncio.sleep(0)

    async def read(self, source: str) -> bytes:
        """See :class:`Transport`."""
        raise no_characteristics(self._address)

    async def close(self) -> None:
        """See :class:`Transport`."""
        if self._on_chunk is not None:
            self._on_chunk = self._on_closed = None
            self._peer.detach()
