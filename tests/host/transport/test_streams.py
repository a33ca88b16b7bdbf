"""Byte streams: pseudo-terminals, pyserial sockets, TCP and memory, against ends that answer, vanish or never were."""

import asyncio
import os
import socket
import sys
import time

import pytest

from subtalar.errors import LinkError
from subtalar.protocol import create_protocol
from subtalar.transport import Chunk, LoopbackTransport, make_transport, parse_spec
from subtalar.transport.serial import SerialTransport
from subtalar.transport.tcp import TcpTransport

needs_pty = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals on this system")


class Inbox:
    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.ends: list[str] = []

    @property
    def data(self) -> bytes:
        return b"".join(c.data for c in self.chunks)

    async def until(self, condition, timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.005)


def ignore(_: object) -> None: ...


@pytest.fixture
def pty_pair():
    import pty
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    open_ends = [master, slave]
    yield open_ends, os.ttyname(slave)
    for fd in open_ends:
        os.close(fd)


@needs_pty
async def test_pty_both_ways(pty_pair):
    (master, _), name = pty_pair
    inbox = Inbox()
    port = SerialTransport(name)
    await port.open(inbox.chunks.append, inbox.ends.append)
    before_ns = time.monotonic_ns()
    os.write(master, bytes(range(256)))
    await inbox.until(lambda: len(inbox.data) == 256)
    assert inbox.data == bytes(range(256))
    arrivals = [c.arrival_ns for c in inbox.chunks]
    assert before_ns <= arrivals[0]
    assert arrivals == sorted(arrivals)
    await port.write(b"hello\n")
    assert os.read(master, 100) == b"hello\n"
    await port.close()
    await port.close()
    assert inbox.ends == []
    with pytest.raises(LinkError, match="not connected"):
        await port.write(b"x")


@needs_pty
@pytest.mark.parametrize("scheme", ["", "alt://"])
async def test_a_port_in_use_is_refused_and_its_user_loses_nothing(pty_pair, scheme):
    (master, _), name = pty_pair
    inbox = Inbox()
    port = SerialTransport(name)
    await port.open(inbox.chunks.append, inbox.ends.append)
    os.write(master, b"before ")
    second = SerialTransport(f"{scheme}{name}")
    with pytest.raises(LinkError, match=f"{name} is in use by another program: close that program"):
        await second.open(ignore, ignore)
    await second.close()
    os.write(master, b"and after")
    await inbox.until(lambda: inbox.data == b"before and after")
    await port.close()
    again = SerialTransport(f"{scheme}{name}")
    await again.open(ignore, ignore)  # as after a lost link
    await again.close()


@needs_pty
async def test_pty_whose_other_end_closed(pty_pair):
    fds, name = pty_pair
    inbox = Inbox()
    port = SerialTransport(name)
    await port.open(inbox.chunks.append, inbox.ends.append)
    os.write(fds[0], b"last words")
    await inbox.until(lambda: inbox.data == b"last words")
    for fd in fds:
        os.close(fd)
    fds.clear()
    await inbox.until(lambda: inbox.ends)
    assert len(inbox.ends) == 1
    assert "was lost" in inbox.ends[0]
    await port.close()


@needs_pty
async def test_a_loop_that_stalls_loses_nothing(pty_pair, monkeypatch):
    monkeypatch.setattr("subtalar.transport.serial._MAX_PENDING_BYTES", 1000)
    (master, _), name = pty_pair
    os.set_blocking(master, False)
    inbox = Inbox()
    port = SerialTransport(name)
    await port.open(inbox.chunks.append, inbox.ends.append)
    sent = bytearray()
    for i in range(40):
        try:
            piece = bytes([i % 256]) * 500
            sent += piece[: os.write(master, piece)]
        except BlockingIOError:
            break
        time.sleep(0.002)
    assert len(sent) > 4000
    await inbox.until(lambda: len(inbox.data) == len(sent))
    assert inbox.data == bytes(sent)
    await port.close()


@pytest.mark.parametrize("url", ["/dev/no-such-port", "socket://127.0.0.1:1", "nonsense://x"])
async def test_a_port_that_is_not_there(url):
    start = time.monotonic()
    with pytest.raises(LinkError) as caught:
        await SerialTransport(url).open(ignore, ignore)
    assert time.monotonic() - start < 5
    assert "\n" not in str(caught.value)
    assert url in str(caught.value)


async def test_missing_pyserial_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(LinkError, match=r"pip install 'subtalar\[serial\]'"):
        await SerialTransport("/dev/ttyACM0").open(ignore, ignore)


class EchoServer:
    """Sends what it gets, upper case; ``drop`` hangs up."""

    async def __aenter__(self) -> "EchoServer":
        self.writers: list[asyncio.StreamWriter] = []
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while data := await reader.read(1000):
                writer.write(data.upper())
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def __aexit__(self, *_: object) -> None:
        for writer in self.writers:
            writer.close()
        self.server.close()
        await self.server.wait_closed()
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["tcp:127.0.0.1:", "serial:socket://127.0.0.1:"])
async def test_network_streams(kind):
    inbox = Inbox()
    async with EchoServer() as server:
        link = make_transport(parse_spec(f"{kind}{server.port}", need_site=False), create_protocol("ximu3"))
        await link.open(inbox.chunks.append, inbox.ends.append)
        payload = b"abc" * 20_000
        await link.write(payload)
        await inbox.until(lambda: len(inbox.data) == len(payload))
        assert inbox.data == payload.upper()
        assert inbox.ends == []
        server.writers[0].close()
        await inbox.until(lambda: inbox.ends)
        assert len(inbox.ends) == 1
        await link.close()


async def test_tcp_nobody_listens():
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        port = idle.getsockname()[1]
        with pytest.raises(LinkError, match="Nothing listens"):
            await TcpTransport(f"127.0.0.1:{port}").open(ignore, ignore)


async def test_tcp_that_never_answers_gives_up(monkeypatch):
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(asyncio, "open_connection", never)
    with pytest.raises(LinkError, match="does not answer"):
        await TcpTransport("127.0.0.1:9", open_timeout_s=0.05).open(ignore, ignore)


async def test_loopback_drops_and_refuses_afterwards():
    class Peer:
        def __init__(self) -> None:
            self.got: list[bytes] = []
            self.attached = 0

        def attach(self, send) -> None:
            self.send = send
            self.attached += 1

        def receive(self, data: bytes) -> None:
            self.got.append(data)
            self.send(b"ack")

        def detach(self) -> None:
            self.attached -= 1

    peer, inbox = Peer(), Inbox()
    link = LoopbackTransport(peer, clock_ns=lambda: 7)
    await link.open(inbox.chunks.append, inbox.ends.append)
    await link.write(b"x")
    assert inbox.chunks == [Chunk(7, b"ack")]
    link.drop("gone")
    assert inbox.ends == ["gone"]
    assert peer.attached == 0
    peer.send(b"too late")
    assert len(inbox.chunks) == 1
    with pytest.raises(LinkError):
        await link.write(b"x")
    with pytest.raises(LinkError, match="no characteristics"):
        await link.read("x")
    await link.close()
