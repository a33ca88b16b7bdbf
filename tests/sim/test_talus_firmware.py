"""The simulated Talus board against the tables of docs/protocol.md, request by request."""

import asyncio
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subtalar_sim.body import BodyConfig
from subtalar_sim.clock import SensorClock
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import RefusedByDevice, Unit
from subtalar_sim.firmware.talus import NOTIFY_UUID, WRITE_UUID, Talus, unwire, wire
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.serve.live import simulated_hardware

DONE, UNKNOWN_REQUEST, UNKNOWN_ITEM, NOT_POSSIBLE, NOT_NOW = range(5)
HELLO, GET, SET, START, STOP, BLINK, SAVE = range(1, 8)


class Still:
    def measure(self, t_s, rate_hz) -> ImuSamples:
        n = len(t_s)
        return ImuSamples(t_s, np.tile([0.0, 0.0, 40.0], (n, 1)), np.zeros((n, 3)), self.orientation(t_s))

    def orientation(self, t_s):
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


class Bench:
    """A board on a wire, and a clock."""

    def __init__(self, rate_hz: float = 100.0) -> None:
        gaps = GapDrawer(NO_FAULTS, 100.0, 1, "right_foot")
        self.board = Talus(Unit(Still(), SensorClock(100.0, 0.0), gaps, rate_hz, interface="pty"))
        self.now_s = 0.0

    def wait(self, seconds: float) -> list[bytes]:
        out = []
        for _ in range(round(seconds / 0.005)):
            self.now_s += 0.005
            for payload in self.board.poll(self.now_s):
                frame = unwire(payload.data[:-1])
                assert frame is not None
                out.append(frame)
        return out

    def ask(self, kind: int, data: bytes = b"", wait_s: float = 0.02) -> tuple[int, bytes]:
        self.board.on_bytes(wire(bytes((0x80 | kind, 9)) + data), self.now_s)
        (answer,) = [frame for frame in self.wait(wait_s) if frame[0] == kind]
        assert answer[1] == 9
        return answer[2], answer[3:]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_hello_tells_version_boot_and_clock_and_the_battery_follows_once(bench):
    bench.board.on_bytes(wire(bytes((0x81, 1, 1))), bench.now_s)
    answer, battery = bench.wait(0.1)
    status, major, minor, boot, time_us = struct.unpack("<BBBIQ", answer[2:])
    assert (status, major, minor) == (DONE, 1, 0)
    assert time_us == pytest.approx(100e6, abs=1e4)
    assert battery[0] == 0x42
    assert bench.ask(HELLO, b"\x01")[1][2:6] == struct.pack("<I", boot)
    assert [f[0] for f in bench.wait(61.0)] == [0x42]
    bench.board.power_cycle(bench.now_s)
    assert bench.ask(HELLO, b"\x01")[1][2:6] != struct.pack("<I", boot)


def test_on_a_serial_line_each_hello_may_be_the_first_of_a_connection(bench):
    for _ in range(2):
        bench.board.on_bytes(wire(bytes((0x81, 1, 1))), bench.now_s)
        assert [frame[0] for frame in bench.wait(0.1)] == [HELLO, 0x42]


def test_before_hello_nothing_is_said_unasked(bench):
    assert bench.wait(70.0) == []


@pytest.mark.parametrize(
    ("kind", "data", "idle", "streaming"),
    [
        (HELLO, b"\x01", DONE, DONE),
        (HELLO, b"\x00", NOT_POSSIBLE, NOT_POSSIBLE),
        (GET, b"\x04", DONE, DONE),
        (GET, b"\x7f", UNKNOWN_ITEM, UNKNOWN_ITEM),
        (GET, b"", UNKNOWN_ITEM, UNKNOWN_ITEM),
        (SET, b"\x04left", DONE, DONE),
        (SET, b"\x04" + b"x" * 21, NOT_POSSIBLE, NOT_POSSIBLE),
        (SET, b"\x04\xff\xfe", NOT_POSSIBLE, NOT_POSSIBLE),
        (SET, b"\x10" + struct.pack("<H", 2000), DONE, NOT_NOW),
        (SET, b"\x10" + struct.pack("<H", 2001), NOT_POSSIBLE, NOT_NOW),
        (SET, b"\x10\x01", NOT_POSSIBLE, NOT_NOW),
        (SET, b"\x01mine", NOT_POSSIBLE, NOT_NOW),
        (SET, b"\x13\x15", NOT_POSSIBLE, NOT_NOW),
        (START, b"", DONE, DONE),
        (STOP, b"", DONE, DONE),
        (BLINK, b"\x05", DONE, DONE),
        (BLINK, b"", NOT_POSSIBLE, NOT_POSSIBLE),
        (SAVE, b"", DONE, NOT_NOW),
        (0x33, b"abc", UNKNOWN_REQUEST, UNKNOWN_REQUEST),
    ],
)
def test_the_table_of_states(bench, kind, data, idle, streaming):
    assert bench.ask(kind, data, wait_s=0.4)[0] == idle
    fresh = Bench()
    assert fresh.ask(START)[0] == DONE
    assert fresh.ask(kind, data, wait_s=0.4)[0] == streaming


@pytest.mark.parametrize(("item", "value"), [(0x10, 4000), (0x11, 200), (0x12, 2500)])
def test_a_refusal_tells_the_value_in_force(bench, item, value):
    before = bench.ask(GET, bytes((item,)))[1]
    status, told = bench.ask(SET, bytes((item,)) + b"\x01\x00")
    assert (status, told) == (NOT_POSSIBLE, before)
    assert bench.ask(SET, bytes((item,)) + struct.pack("<H", value)) == (DONE, struct.pack("<BH", item, value))
    offered = bench.ask(GET, bytes((item + 0x10,)))[1][1:]
    assert value in struct.unpack(f"<{len(offered) // 2}H", offered)


def test_saving_takes_its_time_and_all_but_hello_is_refused_meanwhile(bench):
    bench.ask(SET, b"\x04kept")
    bench.board.on_bytes(wire(bytes((0x87, 1))), bench.now_s)
    assert bench.wait(0.1) == []
    assert bench.ask(GET, b"\x04")[0] == NOT_NOW
    assert bench.ask(HELLO, b"\x01")[0] == DONE
    assert bytes((7, 1, DONE)) in bench.wait(0.4)
    bench.board.power_cycle(bench.now_s)
    assert bench.board.name == "Talus-kept"


def test_a_stream_begins_with_its_description_counts_from_zero_and_ends_with_the_answer(bench):
    bench.ask(SET, b"\x13\x03")
    bench.board.on_bytes(wire(b"\x84\x01"), bench.now_s)
    answer, stream, *rest = bench.wait(2.5)
    assert answer == b"\x04\x01\x00"
    number, time_us, _, period_ns, acc, gyr = struct.unpack("<HQIIII", stream[1:])
    assert (stream[0], number, period_ns, acc, gyr) == (0x41, 65535, 10_000_000, 488281, 61035156)
    samples = [frame for frame in rest if frame[0] == 0x40]
    assert [f[0] for f in rest].count(0x41) == 2
    numbers, times = zip(*(struct.unpack_from("<HI", f, 1) for f in samples), strict=True)
    assert list(numbers) == list(range(2, 3 * len(samples), 3))
    assert times[0] - time_us < 100_000
    np.testing.assert_allclose(np.diff(times), 30_000, atol=1)
    assert all(len(f) == 7 + 36 for f in samples)
    # 40 m/s² are 8353.54 counts at 16 g.
    assert struct.unpack_from("<6h", samples[0], 7) == (0, 0, 8354, 0, 0, 0)
    bench.board.on_bytes(wire(b"\x85\x02"), bench.now_s)
    last = bench.wait(0.5)
    assert last[-1] == b"\x05\x02\x00"
    assert bench.board.ledger.sent == sum((len(f) - 7) // 12 for f in [*samples, *last] if f[0] == 0x40)


def test_a_channel_saturates(bench):
    bench.ask(SET, b"\x11" + struct.pack("<H", 200))
    bench.ask(START)
    frame = next(f for f in bench.wait(0.5) if f[0] == 0x40)
    assert struct.unpack_from("<3h", frame, 7) == (0, 0, 32767)


def test_a_lost_bluetooth_link_ends_the_stream_and_loses_nothing_uncounted():
    gaps = GapDrawer(NO_FAULTS, 100.0, 1, "right_foot")
    board = Talus(Unit(Still(), SensorClock(), gaps, 100.0, interface="ble"))
    board.max_payload = 20
    board.on_subscribe(NOTIFY_UUID, subscribed=True, now_s=0.0)
    board.on_write(WRITE_UUID, wire(b"\x84\x01"), 0.0)
    payloads = [p for i in range(1, 101) for p in board.poll(i * 0.01)]
    assert all(len(p.data) <= 20 and p.source == NOTIFY_UUID for p in payloads)
    assert sum(p.samples for p in payloads) == board.ledger.sent > 90
    board.on_subscribe(NOTIFY_UUID, subscribed=False, now_s=1.0)
    board.on_subscribe(NOTIFY_UUID, subscribed=True, now_s=2.0)
    assert board.poll(5.0) == []
    with pytest.raises(RefusedByDevice):
        board.on_read(NOTIFY_UUID, 5.0)


async def test_a_lost_network_link_ends_the_stream_and_the_conversation():
    """By the leaving of the host, by another host, and by a fault: what comes next begins anew."""
    config = SimulationConfig(
        BodyConfig(seed=8, walking_s=30.0), sites=("left_foot",), device="talus", transport="tcp", rate_hz=100.0
    )

    async def frames(reader: asyncio.StreamReader, wait_s: float) -> list[int]:
        found = b""
        try:
            async with asyncio.timeout(wait_s):
                while data := await reader.read(4096):
                    found += data
        except TimeoutError:
            pass
        return [frame[0] for frame in map(unwire, found.split(b"\0")[:-1]) if frame is not None]

    async with simulated_hardware(config) as hardware:
        host, port = hardware.specs[0].split("tcp:")[1].split(",")[0].rsplit(":", 1)
        before = None
        for leaves in (True, False, False):
            reader, writer = await asyncio.open_connection(host, int(port))
            assert await frames(reader, 0.5) == []
            writer.write(wire(bytes((0x81, 1, 1))) + wire(b"\x84\x02"))
            told = await frames(reader, 0.5)
            assert told[:2] == [HELLO, START]
            assert 0x42 in told
            assert told.count(0x40) > 5
            writer.write(wire(bytes((0x81, 3, 1)))[:3])  # half a request, which nobody completes
            await writer.drain()
            if before is not None:
                before.close()
            before = writer
            if leaves:
                writer.close()
                await writer.wait_closed()
        before.close()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(noise=st.binary(max_size=700), cut=st.integers(1, 50))
def test_no_bytes_upset_it(noise, cut):
    bench = Bench()
    for i in range(0, len(noise), cut):
        bench.board.on_bytes(noise[i : i + cut], 0.0)
    bench.board.on_bytes(b"\0", 0.0)
    bench.wait(0.4)
    assert bench.ask(HELLO, b"\x01")[0] == DONE


def test_endless_input_without_a_zero_stays_small(bench):
    for _ in range(100):
        bench.board.on_bytes(b"\x01" * 1000, 0.0)
    assert len(bench.board._input) < 300
    bench.board.on_bytes(b"\0", 0.0)
    assert bench.ask(GET, b"\x03")[0] == DONE


def test_rates_it_does_not_have_are_refused():
    with pytest.raises(ValueError, match="25, 50, 100, 200, 400, 800 Hz"):
        Bench(rate_hz=150.0)
