"""Hardware served live: what is sent is what arrives, over Bluetooth in the process, TCP and pseudo-terminals."""

import asyncio
import errno
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan
from subtalar_sim.firmware.witmotion_ble import NOTIFY_UUID, SERVICE_UUID, WRITE_UUID
from subtalar_sim.serve.command import serve
from subtalar_sim.serve.live import SimulatedHardware, simulated_hardware, simulated_leg_pair
from subtalar_sim.serve.streams import said_of_port
from subtalar_sim.types import SITES

bleak = pytest.importorskip("bleak", reason="Bluetooth tests need bleak")
pytest.importorskip("bumble", reason="Bluetooth tests need bumble")

SHORT = BodyConfig(seed=8, walking_s=30.0)


def address_of(spec: str) -> str:
    return spec.split("=", 1)[1].split(",")[0].split(":", 1)[1]


class Listener:
    """One bleak client on a simulated sensor."""

    def __init__(self, hardware: SimulatedHardware, number: int) -> None:
        self.frames = 0
        self.data = bytearray()
        self.arrivals: list[float] = []
        self.ended = 0
        self.client = bleak.BleakClient(
            address_of(hardware.specs[number]),
            backend=hardware.bleak_client_backend,
            timeout=60.0,
            disconnected_callback=self._ended,
        )

    def _ended(self, _client: object) -> None:
        self.ended += 1

    def _heard(self, _characteristic: object, data: bytearray) -> None:
        self.data += data
        self.arrivals.append(time.monotonic())

    async def start(self) -> None:
        await self.client.connect()
        await self.client.start_notify(NOTIFY_UUID, self._heard)


async def test_four_bluetooth_sensors_deliver_every_sample_they_sent() -> None:
    async with simulated_leg_pair(seed=8, walking_s=30.0) as hardware:
        found = await bleak.BleakScanner.discover(timeout=0.4, backend=hardware.bleak_scanner_backend)
        assert {d.address for d in found} == {address_of(s) for s in hardware.specs}
        assert all(d.name.startswith("WT") for d in found)
        listeners = [Listener(hardware, i) for i in range(4)]
        for listener in listeners:
            await listener.start()
        assert listeners[0].client.services.get_service(SERVICE_UUID) is not None
        assert listeners[0].client.mtu_size >= 83
        await asyncio.sleep(2.0)
        for listener in listeners:
            await listener.client.stop_notify(NOTIFY_UUID)
        for site, listener in zip(SITES, listeners, strict=True):
            assert len(listener.data) % 20 == 0
            assert len(listener.data) // 20 == hardware.sent_samples[site]
            assert 350 < hardware.sent_samples[site] < 199 * hardware.clock.session_s()
        for listener in listeners:
            await listener.client.disconnect()
            assert listener.ended == 1
        assert hardware.specs[0].startswith("right_foot=ble:")
        assert hardware.specs[0].endswith(",model=witmotion,rate=200")


async def test_registers_answer_over_bluetooth() -> None:
    async with simulated_hardware(SimulationConfig(SHORT, sites=("right_foot",))) as hardware:
        listener = Listener(hardware, 0)
        await listener.start()
        for command in ("FFAA276400", "FFAA6988B5", "FFAA030800"):
            await listener.client.write_gatt_char(WRITE_UUID, bytes.fromhex(command), response=command.endswith("00"))
        await asyncio.sleep(0.3)
        assert bytes.fromhex("557164008D01") in listener.data
        before, since = hardware.sent_samples["right_foot"], hardware.clock.session_s()
        await asyncio.sleep(1.0)
        rate_hz = (hardware.sent_samples["right_foot"] - before) / (hardware.clock.session_s() - since)
        assert 35 < rate_hz < 65  # 50 Hz from here on
        await listener.client.disconnect()


async def test_an_outage_ends_the_link_and_the_sensor_comes_back() -> None:
    faults = FaultPlan(outages=((3.0, 0.5),))
    config = SimulationConfig(SHORT, sites=("right_foot",), faults=faults)
    async with simulated_hardware(config) as hardware:
        listener = Listener(hardware, 0)
        await listener.start()
        async with asyncio.timeout(60.0):
            while listener.ended == 0:
                await asyncio.sleep(0.02)
        assert hardware.clock.session_s() > 3.0
        assert not listener.client.is_connected
        assert len(listener.data) // 20 == hardware.sent_samples["right_foot"]
        with pytest.raises(bleak.exc.BleakError):
            await listener.client.write_gatt_char(WRITE_UUID, b"\xff", response=True)
        again = Listener(hardware, 0)
        await again.start()  # waits for the sensor to advertise again
        assert hardware.clock.session_s() > 3.5
        await asyncio.sleep(0.3)
        assert len(again.data) > 0
        await again.client.disconnect()


async def test_a_connect_that_fails_or_is_cancelled_blocks_no_later_one() -> None:
    async with simulated_hardware(SimulationConfig(SHORT, sites=("right_foot",))) as hardware:
        absent = bleak.BleakClient("C6:00:00:00:00:09", backend=hardware.bleak_client_backend, timeout=0.3)
        with pytest.raises(bleak.exc.BleakDeviceNotFoundError):
            await absent.connect()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await bleak.BleakClient("C6:00:00:00:00:09", backend=hardware.bleak_client_backend).connect()
        listener = Listener(hardware, 0)
        await listener.start()
        assert listener.client.is_connected
        await listener.client.disconnect()


async def test_truth_is_anchored_to_the_hosts_clock() -> None:
    async with simulated_hardware(SimulationConfig(SHORT, sites=("right_foot",), speed=10.0)) as hardware:
        now = time.monotonic()
        t = np.array([now, now + 1.8])
        session = (t - hardware.anchor_s) * 10.0
        np.testing.assert_allclose(hardware.truth("right", t), hardware.body.angles_deg("right", session), atol=1e-9)
        assert abs(session[0] - hardware.clock.session_s()) < 2.0


async def test_tcp_serves_the_x_imu3_byte_stream_and_answers() -> None:
    config = SimulationConfig(SHORT, sites=("left_foot", "left_shank"), device="ximu3", rate_hz=100.0)
    async with simulated_hardware(config) as hardware:
        assert hardware.bleak_client_backend is None
        assert hardware.specs[0].startswith("left_foot=tcp:127.0.0.1:")
        host, port = address_of(hardware.specs[0]).rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'{"ping":null}\n')
        received = bytearray()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            async with asyncio.timeout(60.0):
                received += await reader.read(4096)
        lines = bytes(received).split(b"\n")[:-1]
        assert any(line.startswith(b'{"ping":{"interface":"TCP"') for line in lines)
        inertial = sum(line[0] == 0xC9 for line in lines)
        assert 60 < inertial <= hardware.sent_samples["left_foot"] < 101 * hardware.clock.session_s()
        assert hardware.sent_samples["left_shank"] == 0  # nobody listens there
        writer.close()
        await writer.wait_closed()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
async def test_pty_serves_a_serial_port_that_can_be_closed_and_opened_again() -> None:
    import os

    config = SimulationConfig(SHORT, sites=("left_foot",), device="ximu3", transport="pty", rate_hz=100.0)
    async with simulated_hardware(config) as hardware:
        assert hardware.specs[0].startswith("left_foot=serial:/dev/")
        path = address_of(hardware.specs[0])
        await asyncio.sleep(0.1)
        assert hardware.sent_samples["left_foot"] == 0
        for _ in range(2):
            before = hardware.sent_samples["left_foot"]
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            received = bytearray()
            try:
                os.write(fd, b'{"ping":null}\n')
                for _ in range(50):
                    await asyncio.sleep(0.01)
                    try:
                        received += os.read(fd, 65536)
                    except BlockingIOError:
                        continue
            finally:
                os.close(fd)
            assert b'{"ping":{"interface":"USB"' in received
            inertial = sum(line.startswith(b"\xc9") for line in bytes(received).split(b"\n"))
            assert 25 < inertial <= hardware.sent_samples["left_foot"] - before + 1
            await asyncio.sleep(0.15)


_CHILD = """
import asyncio, pickle, sys
from subtalar_sim.serve.live import simulated_hardware
import bleak

async def main():
    data = bytearray()
    async with simulated_hardware(pickle.load(sys.stdin.buffer)) as hardware:
        address = hardware.specs[0].split(",")[0].split(":", 1)[1]
        async with bleak.BleakClient(address, backend=hardware.bleak_client_backend) as client:
            await client.start_notify(sys.argv[1], lambda _, value: data.extend(value))
            await asyncio.sleep(0.5)
    print(len(data) // 20)

asyncio.run(main())
"""


def test_a_configuration_crosses_into_another_process() -> None:
    config = SimulationConfig(SHORT, sites=("right_foot",), faults=FaultPlan(gap_rate_per_s=0.1))
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, NOTIFY_UUID],
        input=pickle.dumps(config),
        capture_output=True,
        timeout=60.0,
        check=False,
    )
    assert child.returncode == 0, child.stderr.decode()
    assert int(child.stdout) > 50


def test_serve_says_where_to_connect_and_ends_by_itself() -> None:
    said: list[str] = []
    serve("ximu3", "tcp", duration_s=0.1, say=said.append)
    assert len(said) == 4
    assert all(",model=ximu3,rate=200" in line for line in said)
    serve("ximu3", "udp", duration_s=0.1, say=said.append)
    assert all("=udp:127.0.0.1:" in line for line in said[4:])
    assert len(said) == 8
    with pytest.raises(ValueError, match="no device 'abacus'"):
        serve("abacus", "tcp", duration_s=0.1, say=said.append)


def test_bluetooth_for_other_programs_is_refused_where_there_is_no_message_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="--simulate"):
        serve("witmotion", say=lambda _: None)


def test_four_sensors_at_200_hz_leave_most_of_a_core_free() -> None:
    """The budget is 40 % of one core for everything, body and both Bluetooth stacks included; measured below 25 %."""

    async def main() -> float:
        async with simulated_leg_pair(seed=8, walking_s=3600.0) as hardware:
            listeners = [Listener(hardware, i) for i in range(4)]
            for listener in listeners:
                await listener.start()
            cpu, wall = time.process_time(), time.monotonic()
            await asyncio.sleep(2.0)
            share = (time.process_time() - cpu) / (time.monotonic() - wall)
            for listener in listeners:
                await listener.client.disconnect()
            return share

    assert asyncio.run(main()) < 0.6  # twice what is expected, for a busy machine


def test_configurations_that_cannot_be_served_are_refused() -> None:
    with pytest.raises(ValueError, match="10, 20, 50, 100 or 200"):
        asyncio.run(_enter(SimulationConfig(SHORT, rate_hz=120.0)))
    with pytest.raises(ValueError, match="no such sensor site"):
        replace(SimulationConfig(SHORT), sites=("left_ear",))


def test_a_port_that_may_not_be_opened_is_said_in_words() -> None:
    with pytest.raises(OSError, match="port 80 may not be opened here: choose another") as caught, said_of_port(80):
        raise PermissionError(errno.EACCES, "error while attempting to bind on address")
    assert "Errno" not in str(caught.value)


async def _enter(config: SimulationConfig) -> None:
    async with simulated_hardware(config):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
async def test_a_serial_port_is_unplugged_and_comes_back_under_its_name() -> None:
    from subtalar_sim.serve.adversity import Mishap, account_of, served

    config = SimulationConfig(sites=("right_foot", "right_shank"), device="ximu3", transport="pty", rate_hz=200.0)
    async with served(config, Mishap("unplugged", ("right_foot",), 0.3, 0.3)) as sensors:
        pulled, kept = (Path(spec.partition(":")[2].partition(",")[0]) for spec in sensors.specs)
        assert pulled.name == "right_foot"
        assert pulled.exists()
        with pytest.raises(ValueError, match="not over"):
            account_of(sensors)
        async with asyncio.timeout(60):
            while pulled.exists():
                await asyncio.sleep(0.01)
            assert kept.exists()
            while len(sensors.times) < 2:
                await asyncio.sleep(0.01)
        assert pulled.exists()
        account = account_of(sensors)
        assert account.ended_s - account.began_s == pytest.approx(0.3, abs=0.2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sites": ("right_foot", "right_foot")}, "a site of its own"),
        ({"sites": ()}, "at least one"),
        ({"sites": "right_foot"}, r"a tuple, as in \('right_foot',\)"),
        ({"speed": float("nan")}, "speed is more than 0 and at most 100"),
        ({"speed": 1e9}, "speed is more than 0 and at most 100"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SimulationConfig(SHORT, **wrong)
