"""TCP: the x-IMU3 listens on port 7000. The event loop's own sockets, no thread."""

import asyncio
import time

from subtalar.errors import LinkError

from .base import Chunk, OnChunk, OnClosed, no_characteristics
from .spec import split_host_port

OPEN_TIMEOUT_S = 4.0
_WRITE_TIMEOUT_S = 2.0
_READ_BYTES = 65536


class TcpTransport:
    """A byte stream to ``host:port``."""

    def __init__(self, address: str, open_timeout_s: float = OPEN_TIMEOUT_S) -> None:
        self._address = address
        self._host, self._port = split_host_port(address)
        self._open_timeout_s = open_timeout_s
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """See :class:`Transport`."""
        return self._address

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`."""
        try:
            async with asyncio.timeout(self._open_timeout_s):
                reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=_READ_BYTES)
        except TimeoutError:
            raise LinkError(
                f"{self._address} does not answer: check that the sensor is on and in the same network."
            ) from None
        except OSError as error:
            raise LinkError(
                f"Nothing listens at {self._address}: check the address, and that the sensor is on and in this network."
            ) from error
        self._task = asyncio.create_task(self._receive(reader, on_chunk, on_closed), name=f"tcp {self._address}")

    async def _receive(self, reader: asyncio.StreamReader, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        reason = f"{self._address} closed the connection."
        try:
            while data := await reader.read(_READ_BYTES):
                on_chunk(Chunk(time.monotonic_ns(), data))
        except OSError as error:
            reason = f"The connection to {self._address} broke ({error.strerror or error})."
        on_closed(reason)

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See :class:`Transport`."""
        if self._writer is None or self._writer.is_closing():
            raise LinkError(f"{self._address} is not connected.")
        try:
            self._writer.write(data)
            async with asyncio.timeout(_WRITE_TIMEOUT_S):
                await self._writer.drain()
        except OSError as error:  # TimeoutError is one
            raise LinkError(f"Writing to {self._address} failed ({error.strerror or 'no room'}).") from error

    async def read(self, source: str) -> bytes:
        """See :class:`Transport`."""
        raise no_characteristics(self._address)

    async def close(self) -> None:
        """See :class:`Transport`."""
        task, writer = self._task, self._writer
        self._task = self._writer = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if writer is not None:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
