"""Serial ports, pseudo-terminals and pyserial URLs (``socket://host:port``): a thread that reads, a loop that is told.

``in_waiting`` is only good on a real port: on ``socket://`` it says 0 or 1 whatever is there, so that is read in
4096-byte bites with a short timeout. A pseudo-terminal whose other end closed raises OSError from ``in_waiting``
and SerialException (an OSError as well) from ``read``.
"""

import asyncio
import errno
import threading
import time
from typing import TYPE_CHECKING

from subtalar.errors import LinkError

from .base import Chunk, OnChunk, OnClosed, no_characteristics

if TYPE_CHECKING:
    import serial

_READ_BYTES = 4096
_URL_TIMEOUT_S = 0.005
_PORT_TIMEOUT_S = 0.1
_WRITE_TIMEOUT_S = 2.0
_OPEN_TIMEOUT_S = 4.0
_MAX_PENDING_BYTES = 1 << 20


def _open_port(url: str, baud_rate: int) -> "serial.SerialBase":
    try:
        import serial
    except ImportError as error:
        raise LinkError("Serial ports need pyserial: install it with  pip install 'subtalar[serial]'.") from error
    timeout_s = _URL_TIMEOUT_S if "://" in url else _PORT_TIMEOUT_S
    try:
        # Exclusive: without it POSIX lets two programs open one port, and each then reads a part of the bytes (Windows
        # never does). Every handler of pyserial takes the wish; one without a port, such as socket://, passes over it.
        return serial.serial_for_url(url, baud_rate, timeout=timeout_s, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise LinkError(_failure_text(url, error)) from error


def _failure_text(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT or isinstance(error.__cause__ or error.__context__, FileNotFoundError):
        return f"There is no port {url}: check that the sensor is plugged in and switched on."
    if number == errno.EACCES:
        return f"The port {url} may not be opened by you: on Linux, add yourself to the group dialout and log in again."
    if number in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY):  # of the lock; of the driver
        return f"The port {url} is in use by another program: close that program."
    return f"The port {url} cannot be opened ({error})."


class SerialTransport:
    """A byte stream from a port that pyserial can open."""

    def __init__(self, url: str, baud_rate: int = 115200) -> None:
        self._url, self._baud_rate = url, baud_rate
        self._port: serial.SerialBase | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._room = threading.Event()
        self._pending: list[Chunk] = []
        self._pending_bytes = 0

    @property
    def address(self) -> str:
        """See :class:`Transport`."""
        return self._url

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`."""
        opening = asyncio.create_task(asyncio.to_thread(_open_port, self._url, self._baud_rate))
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                self._port = await asyncio.shield(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            raise LinkError(f"{self._url} does not answer: check that the sensor is on and within reach.") from None
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._port, loop, on_chunk, on_closed), name=f"serial {self._url}", daemon=True
        )
        self._thread.start()

    def _run(
        self, port: "serial.SerialBase", loop: asyncio.AbstractEventLoop, on_chunk: OnChunk, on_closed: OnClosed
    ) -> None:
        reason = ""
        is_url = "://" in self._url
        while not self._stop.is_set():
            try:
                if is_url:
                    data = port.read(_READ_BYTES)
                    arrival_ns = time.monotonic_ns()
                else:
                    data = port.read(1)
                    arrival_ns = time.monotonic_ns()
                    if data:
                        data += port.read(min(int(getattr(port, "in_waiting", 0)), _READ_BYTES))
            except Exception as error:  # pyserial also leaks TypeError when the port is closed under it
                reason = f"The port {self._url} was lost ({error})."
                break
            if data:
                self._queue_chunk(Chunk(arrival_ns, data), loop, on_chunk)
        if reason and not self._stop.is_set():
            _call_soon(loop, self._end, on_closed, on_chunk, reason)

    def _queue_chunk(self, chunk: Chunk, loop: asyncio.AbstractEventLoop, on_chunk: OnChunk) -> None:
        """Queue for the loop; if that is a megabyte behind, stop reading and let the operating system hold back."""
        while self._pending_bytes > _MAX_PENDING_BYTES and not self._stop.is_set():
            self._room.clear()
            self._room.wait(0.05)
        with self._lock:
            self._pending.append(chunk)
            self._pending_bytes += len(chunk.data)
            first = len(self._pending) == 1
        if first:
            _call_soon(loop, self._deliver, on_chunk)

    def _deliver(self, on_chunk: OnChunk) -> None:
        with self._lock:
            chunks, self._pending, self._pending_bytes = self._pending, [], 0
        self._room.set()
        for chunk in chunks:
            if not self._stop.is_set():
                on_chunk(chunk)

    def _end(self, on_closed: OnClosed, on_chunk: OnChunk, reason: str) -> None:
        self._deliver(on_chunk)
        if not self._stop.is_set():
            on_closed(reason)

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See :class:`Transport`."""
        port = self._port
        if port is None or self._stop.is_set():
            raise LinkError(f"{self._url} is not connected.")
        try:
            await asyncio.to_thread(port.write, data)
        except Exception as error:  # as in _run
            raise LinkError(f"Writing to {self._url} failed ({error}).") from error

    async def read(self, source: str) -> bytes:
        """See :class:`Transport`."""
        raise no_characteristics(self._url)

    async def close(self) -> None:
        """See :class:`Transport`."""
        self._stop.set()
        self._room.set()
        thread, port = self._thread, self._port
        self._thread = self._port = None
        if thread is not None:
            await asyncio.to_thread(thread.join, 2.0)
        if port is not None:
            await asyncio.to_thread(port.close)


def _call_soon(loop: asyncio.AbstractEventLoop, function: object, *args: object) -> None:
    try:
        loop.call_soon_threadsafe(function, *args)  # type: ignore[arg-type]
    except RuntimeError:
        return  # the loop is closed: nobody is left to be told


def _close_late(opening: "asyncio.Task[serial.SerialBase]") -> None:
    """A port that opened after we gave up must not stay open."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
