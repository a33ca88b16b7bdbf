"""The host's end of a wire inside this program."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from subtalar.errors import LinkError
from subtalar.protocol import GattProfile
from subtalar.transport import Chunk, OnChunk, OnClosed

_CONNECTING_S = 0.02
_ANSWER_S = 0.005


class Wire(Protocol):
    """What a simulated sensor offers; all but ``hang_up`` raise ConnectionError where a radio or port would fail."""

    def connect(self, receive: Callable[[bytes, str], None], hung_up: Callable[[], None]) -> None:
        """Begin: ``receive`` gets bytes and their characteristic, ``hung_up`` word of the end."""
        ...

    def subscribe(self, uuid: str) -> None:
        """Ask for a characteristic's notifications."""
        ...

    def write(self, data: bytes, to: str) -> None:
        """Send."""
        ...

    def read(self, source: str) -> bytes:
        """Read a characteristic."""
        ...

    def hang_up(self) -> None:
        """End."""
        ...


class MemoryTransport:
    """A ``Transport`` over a ``Wire``."""

    def __init__(self, wire: Wire, name: str, gatt: GattProfile | None, clock_ns: Callable[[], int]) -> None:
        self._wire, self._name, self._gatt, self._clock_ns = wire, name, gatt, clock_ns
        self._open = False

    @property
    def address(self) -> str:
        """See ``Transport``."""
        return self._name

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See ``Transport``."""
        await asyncio.sleep(_CONNECTING_S)

        def hung_up() -> None:
            if self._open:
                self._open = False
                on_closed(f"The sensor {self._name} disconnected.")

        with self._translated():
            self._wire.connect(lambda data, source: on_chunk(Chunk(self._clock_ns(), data, source)), hung_up)
            self._open = True
            for uuid in self._gatt.notify if self._gatt is not None else ():
                self._wire.subscribe(uuid)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError as error:
            raise LinkError(f"The sensor {self._name} cannot be reached ({error}).") from error

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See ``Transport``."""
        target = to or (self._gatt.write if self._gatt is not None else None) or ""
        with self._translated():
            self._wire.write(data, target)
        await asyncio.sleep(_ANSWER_S)

    async def read(self, source: str) -> bytes:
        """See ``Transport``."""
        await asyncio.sleep(_ANSWER_S)
        with self._translated():
            return self._wire.read(source)

    async def close(self) -> None:
        """See ``Transport``."""
        if self._open:
            self._open = False
            self._wire.hang_up()
