"""Byte-stream links: a pseudo-terminal that looks like a serial port, and a TCP server for one client at a time."""

import asyncio
import errno
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from subtalar_sim.types import Payload

_TCP_BUFFER: Final = 256 * 1024


@contextmanager
def said_of_port(port: int) -> Iterator[None]:
    """What keeps ``port`` from being opened, in a sentence for whoever chose it."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            instead = "end the program that has it, or serve from another port on (0: any free ones)"
            raise OSError(f"the port {port} is in use: {instead}") from error
        if error.errno == errno.EACCES:
            raise OSError(f"the port {port} may not be opened here: choose another one from 1024 on") from error
        raise


class TcpLink:
    """Listens on ``host``; the newest client is the one that is served, as the device does."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._client: asyncio.Transport | None = None
        self._reachable = True
        self.refusals = 0
        self.on_bytes: Callable[[bytes], None] = lambda _: None
        self.on_activity: Callable[[], None] = lambda: None
        self.on_link_lost: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Open the port. Raises OSError if it is taken."""
        loop = asyncio.get_running_loop()
        with said_of_port(self._port):
            self._server = await loop.create_server(lambda: _Client(self), self._host, self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up and close the port."""
        self._drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            await asyncio.sleep(0)  # the client's transport closes in a callback

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self._host}:{self._port}"

    @property
    def listening(self) -> bool:
        """Whether a client is connected."""
        return self._client is not None

    def send(self, payload: Payload) -> bool:
        """Queue for the client; False if there is none or it does not keep up."""
        if self._client is None or self._client.get_write_buffer_size() > _TCP_BUFFER:
            return False
        self._client.write(payload.data)
        return True

    def take_down(self) -> None:
        """Hang up, and turn callers away."""
        self._reachable = False
        self._drop()

    def bring_up(self) -> None:
        """Accept callers again."""
        self._reachable = True

    def _drop(self) -> None:
        if self._client is not None:
            self._client.abort()
            self._client = None
            self.on_link_lost()

    def _accept(self, transport: asyncio.Transport) -> None:
        if not self._reachable or self.refusals:
            self.refusals -= self._reachable
            transport.abort()
            return
        self._drop()
        self._client = transport

    def _left(self, transport: asyncio.Transport | None) -> None:
        if self._client is transport:
            self._client = None
            self.on_link_lost()


class _Client(asyncio.Protocol):
    def __init__(self, link: TcpLink) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._link._accept(transport)

    def data_received(self, data: bytes) -> None:
        self._link.on_bytes(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link._left(self._transport)


class PtyLink:
    """A pseudo-terminal in raw mode; ``address`` is the path to open as a serial port. Linux and macOS only.

    Nobody listens until the other end is opened. A payload that does not fit whole into the kernel's buffer is cut
    there and its rest sent first: bytes are never lost inside a payload.
    """

    def __init__(self) -> None:
        self._master = -1
        self.address = ""
        self._rest = b""
        self._reading = False
        self._reachable = True
        self.refusals = 0
        self.on_bytes: Callable[[bytes], None] = lambda _: None
        self.on_activity: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Make the terminal. Raises OSError where there are none (Windows)."""
        if sys.platform == "win32":
            raise OSError("Windows has no pseudo-terminals: use tcp instead of pty")
        import tty

        self._master, slave = os.openpty()
        self.address = os.ttyname(slave)
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        # Closing the last slave makes the master report a hang-up until somebody opens the path.
        os.close(slave)

    async def stop(self) -> None:
        """Close the terminal: whoever has it open sees it vanish. ``start`` makes another, with another ``address``."""
        self._stop_reading()
        self._rest = b""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    @property
    def listening(self) -> bool:
        """Whether the other end is open."""
        if self._master < 0 or not self._reachable:
            return False
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        hung_up = any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
        if hung_up:
            self._stop_reading()
            self._rest = b""
        elif not self._reading:
            asyncio.get_running_loop().add_reader(self._master, self._readable)
            self._reading = True
        return not hung_up

    def send(self, payload: Payload) -> bool:
        """Write what fits; False if the kernel's buffer is still full of the payload before."""
        if self._rest and not self._flush():
            return False
        self._rest = payload.data
        self._flush()
        return True

    def _flush(self) -> bool:
        try:
            self._rest = self._rest[os.write(self._master, self._rest) :]
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._rest = b""
        return not self._rest

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 4096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._stop_reading()
            return
        self.on_bytes(data)

    def _stop_reading(self) -> None:
        if self._reading:
            asyncio.get_running_loop().remove_reader(self._master)
            self._reading = False

    def take_down(self) -> None:
        """Fall silent: a terminal cannot be unplugged and come back under its name."""
        self._reachable = False
        self._stop_reading()

    def bring_up(self) -> None:
        """Speak again."""
        self._reachable = True
