"""UDP on this computer: whole datagrams, some lost, some twice, some in another order, some from strangers."""

import asyncio
import socket
import struct
import sys

import pytest

from subtalar.device.device_time_ledger import DeviceTimeLedger
from subtalar.errors import LinkError
from subtalar.protocol import InertialSamples, create_protocol
from subtalar.transport import Chunk, make_transport, parse_spec
from subtalar.transport.udp import UdpTransport, known_listen_port, usual_listen_port


class Device:
    """A socket where the sensor would be; what it hears is kept."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.listen = probe.getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}:{self.listen}"

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, ("127.0.0.1", self.listen))


@pytest.fixture
def device():
    made = Device()
    yield made
    made.socket.close()


def ignore(_: object) -> None: ...


async def until(condition) -> None:
    async with asyncio.timeout(60.0):
        while not condition():
            await asyncio.sleep(0.005)


async def test_each_datagram_is_one_chunk_and_writes_are_datagrams(device):
    chunks: list[Chunk] = []
    link = make_transport(parse_spec(f"right_foot=udp:{device.address}"), create_protocol("ximu3"))
    await link.open(chunks.append, ignore)
    device.send(b"one")
    device.send(b"two")
    await until(lambda: len(chunks) == 2)
    assert [c.data for c in chunks] == [b"one", b"two"]
    assert 0 < chunks[0].arrival_ns <= chunks[1].arrival_ns
    await link.write(b"hello\n")
    await until(lambda: device.socket.recv(64) == b"hello\n")
    with pytest.raises(LinkError, match="no characteristics"):
        await link.read("x")
    await link.close()
    await link.close()
    with pytest.raises(LinkError, match="not connected"):
        await link.write(b"x")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")
async def test_what_strangers_send_is_not_heard(device):
    chunks: list[Chunk] = []
    link = UdpTransport(device.address)
    await link.open(chunks.append, ignore)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.9", 0))
        stranger.sendto(b"stranger", ("127.0.0.1", device.listen))
    device.send(b"device")
    await until(lambda: chunks)
    assert [c.data for c in chunks] == [b"device"]
    await link.close()


def inertial(number: int) -> bytes:
    message = struct.pack("<BQ6f", 0xC9, 5000 * number + 1_000_000, *(0, 0, 0, 0, 0, 1))
    return message.replace(b"\xdb", b"\xdb\xdd").replace(b"\x0a", b"\xdb\xdc") + b"\x0a"


async def test_lost_doubled_and_reordered_datagrams_are_counted_exactly(device):
    codec, ledger = create_protocol("ximu3", 200), DeviceTimeLedger(200)
    order = [*range(40), 40, 41, 43, 42, *range(44, 100), 70, *range(103, 200)]  # one late, one twice, three missing

    def heard(chunk: Chunk) -> None:
        for event in codec.feed(chunk.data):
            assert isinstance(event, InertialSamples)
            ledger.take(event, chunk.arrival_ns * 1e-9)

    link = UdpTransport(device.address)
    await link.open(heard, ignore)
    for number in order:
        device.send(inertial(number))
        await asyncio.sleep(0)
    await until(lambda: codec.health.frames == len(order))
    await link.close()
    counts = ledger.counts()
    # The late one was missed when it was due, and is not taken afterwards: time goes on in one direction.
    assert (counts.received, counts.lost, counts.duplicated) == (196, 4, 2)
    assert counts.received + counts.lost == 200
    assert codec.health.corrupt_bytes == 0


async def test_a_port_that_is_taken_is_one_sentence(device):
    first = UdpTransport(device.address)
    await first.open(ignore, ignore)
    with pytest.raises(LinkError, match=f"Port {device.listen}.*end the program") as caught:
        await UdpTransport(device.address).open(ignore, ignore)
    assert "\n" not in str(caught.value)
    await first.close()


async def test_a_name_without_address_is_one_sentence():
    with pytest.raises(LinkError, match="no address"):
        await UdpTransport("no-such-sensor.invalid:9000").open(ignore, ignore)


def test_the_usual_port_follows_the_address_of_the_device():
    assert usual_listen_port("192.169.1.50") == 8050  # the manual's example


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("10.0.1.5:9000", 8005),
        ("10.0.1.5:9000:8001", 8001),
        ("[::1]:9000:8001", 8001),
        ("[::1]:9000", None),
        ("sensor.local:9000", None),
        ("right_foot", None),  # of a bench, which makes its transports itself
    ],
)
def test_where_it_listens_is_known_before_anybody_connects(address, port):
    assert known_listen_port(address) == port
