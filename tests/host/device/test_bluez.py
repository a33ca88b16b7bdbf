"""The production path over bleak's own BlueZ code: whatever dies is noticed, comes back, and invents nothing."""

import asyncio
import json
import signal
import sys
import time

import numpy as np
import pytest

from subtalar.device import open_group
from subtalar.errors import LinkError
from subtalar.transport import parse_spec
from subtalar.transport.discover import scan_ble
from subtalar_bench.standstill import StandstillWatch

NOTICED_S = 2.0
BACK_S = 3.0
QUIET_START_S = 1.5


def config(sites=("right_foot",), **changes):
    pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.faults import FaultPlan

    faults = FaultPlan(outages=changes.pop("outages", ()))
    return SimulationConfig(BodyConfig(seed=6, walking_s=60.0), sites=sites, faults=faults, **changes)


async def all_stream(group) -> float:
    """How many times as long as on a quiet machine everything takes, by the first connections; at least 1."""
    began = time.monotonic()
    await group.wait_streaming(60)
    return max(1.0, (time.monotonic() - began) / QUIET_START_S)


async def streaming(sensors, wanted: bool, timeout_s: float) -> float:
    """Wait until every one streams (or none does); how long that took, less the computer's worst standstill."""
    began = time.monotonic()
    with StandstillWatch() as watch:
        async with asyncio.timeout(timeout_s):
            while not all(s.streaming.is_set() is wanted for s in sensors):
                await asyncio.sleep(0.01)
        return time.monotonic() - began - watch.take_worst_s()


def check_that_nothing_is_invented(sink, hardware, site: str, gap_s: tuple[float, float]) -> None:
    """Every sample is one that was sent, once; none lies between the death and the return."""
    blocks = [b for b in sink.blocks if b.site == site]
    device_s = np.concatenate([b.device_time_s for b in blocks])
    assert (np.diff(device_s) > 0).all()
    assert len(device_s) <= hardware.sent_samples[site]
    host_s = np.concatenate([b.host_time_s for b in blocks])
    assert not ((host_s > gap_s[0]) & (host_s < gap_s[1])).any()
    assert (host_s <= gap_s[0]).any()
    assert (host_s >= gap_s[1]).any()


@pytest.mark.parametrize("victim", ["org.bluez", "D-Bus"])
async def test_what_dies_is_noticed_and_streaming_goes_on_soon_after_its_return(victim, served_by_bluez, sink):
    sites = ("right_foot", "right_shank")
    async with served_by_bluez(config(sites, device="movella-dot", rate_hz=60.0)) as (hardware, bluez):
        async with open_group([parse_spec(s) for s in hardware.specs], sink) as group:
            slowness = await all_stream(group)
            await asyncio.sleep(1.5)  # past the question for the battery, which would notice at once
            clock = next(iter(group.streams.values()))._clock
            await (bluez.kill_service() if victim == "org.bluez" else bluez.kill_bus())
            died = clock.now_s()
            noticed_s = await streaming(group.streams.values(), False, 60)
            await asyncio.sleep(3.0)
            await (bluez.start_service() if victim == "org.bluez" else bluez.start())
            returned = clock.now_s()
            back_s = await streaming(group.streams.values(), True, 60)
            await asyncio.sleep(0.3)
            statuses = group.statuses()
        for status in statuses:
            assert status.ledger.reconnects == 1
            assert status.ledger.lost > 60.0 * 3.0
            assert not status.ledger.lost_is_estimated
            check_that_nothing_is_invented(sink, hardware, status.info.site, (died + 0.1, returned))
        assert noticed_s < NOTICED_S * slowness
        assert back_s < BACK_S * slowness


async def test_two_sensors_out_of_range_do_not_keep_each_other_from_coming_back(served_by_bluez, sink):
    sites = ("right_foot", "right_shank")
    async with (
        served_by_bluez(config(sites, rate_hz=100.0)) as (hardware, _),
        open_group([parse_spec(s) for s in hardware.specs], sink) as group,
    ):
        slowness = await all_stream(group)
        near, far = hardware.links["right_foot"], hardware.links["right_shank"]
        near.take_down()
        far.take_down()
        assert await streaming(group.streams.values(), False, 60) < NOTICED_S * slowness
        await asyncio.sleep(2.0)
        near.bring_up()
        (foot, shank) = group.streams.values()
        assert await streaming((foot,), True, 60) < BACK_S * slowness
        assert not shank.streaming.is_set()
        far.bring_up()
        assert await streaming(group.streams.values(), True, 60) < BACK_S * slowness


_HANGS = "from subtalar_sim.serve.command import serve; serve('talus', 'ble', sites=('right_foot',))"


@pytest.mark.slow
async def test_a_bluetooth_service_that_hangs_does_not_hang_us(bleak_on_bluez, sink, monkeypatch):
    """The service is a process of its own here, stopped and continued."""
    service = await asyncio.create_subprocess_exec(sys.executable, "-uc", _HANGS, stdout=asyncio.subprocess.PIPE)
    try:
        setting = (await service.stdout.readline()).decode().strip()
        spec = (await service.stdout.readline()).decode().strip()
        monkeypatch.setenv(*setting.split("=", 1))
        async with bleak_on_bluez(), open_group([parse_spec(spec)], sink) as group:
            slowness = await all_stream(group)
            await asyncio.sleep(1.2)
            service.send_signal(signal.SIGSTOP)
            assert await streaming(group.streams.values(), False, 60) < NOTICED_S * slowness
            await asyncio.sleep(2.5)
            service.send_signal(signal.SIGCONT)
            assert await streaming(group.streams.values(), True, 60) < BACK_S * slowness
            (status,) = group.statuses()
            assert status.ledger.reconnects == 1
            assert not status.ledger.lost_is_estimated
    finally:
        service.kill()
        await service.communicate()


_SERVED = "from subtalar_sim.serve.command import serve; serve('talus', 'ble', sites=('right_foot', 'right_shank'))"
_ACQUIRED = """
import asyncio, json, sys
from subtalar.device import open_group
from subtalar.transport import parse_spec

class Sink:
    def on_chunk(self, *_): pass
    on_block = on_status = on_chunk

async def main():
    async with open_group([parse_spec(s) for s in sys.argv[1:]], Sink()) as group:
        await group.wait_streaming(60)
        print("streaming", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        ledgers = [s.ledger for s in group.statuses()]
        print(json.dumps([[g.received, g.lost, g.reconnects] for g in ledgers]), flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("frozen", ["acquisition", "the whole computer"])
async def test_a_computer_that_freezes_breaks_no_link_and_loses_nothing(frozen, bleak_on_bluez, monkeypatch):
    """Longer than the watchdog waits. What the radio has kept meanwhile arrives."""
    pipe = asyncio.subprocess.PIPE
    service = await asyncio.create_subprocess_exec(sys.executable, "-uc", _SERVED, stdout=pipe)
    processes = [service]
    try:
        setting, *specs = [(await service.stdout.readline()).decode().strip() for _ in range(3)]
        monkeypatch.setenv(*setting.split("=", 1))
        acquisition = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ACQUIRED, *specs), stdin=pipe, stdout=pipe
        )
        processes.append(acquisition)
        assert await acquisition.stdout.readline() == b"streaming\n"
        await asyncio.sleep(1.5)
        victims = processes if frozen == "the whole computer" else [acquisition]
        for process in victims:
            process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(3.0)
        for process in victims:
            process.send_signal(signal.SIGCONT)
        await asyncio.sleep(3.0)
        acquisition.stdin.write(b"\n")
        told = json.loads(await acquisition.stdout.readline())
        await acquisition.wait()
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()
    assert [(lost, reconnects) for _, lost, reconnects in told] == [(0, 0), (0, 0)]
    assert min(received for received, _, _ in told) > 200.0 * (1.5 + 3.0), "all that was measured meanwhile, too"


_KILLED = """
import asyncio, sys
from bleak import BleakClient

async def main():
    await BleakClient(sys.argv[1]).connect()
    print("linked", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_sensor_still_linked_to_a_session_that_was_killed_is_taken_over(served_by_bluez, sink):
    async with served_by_bluez(config(rate_hz=100.0)) as (hardware, _):
        address = parse_spec(hardware.specs[0]).address
        session = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _KILLED, address, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            assert await session.stdout.readline() == b"linked\n"
        session.kill()
        await session.communicate()
        assert not await scan_ble(0.5)  # it does not advertise
        async with open_group([parse_spec(s) for s in hardware.specs], sink) as group:
            await group.wait_streaming(60)
            await asyncio.sleep(0.3)
        assert sink.n > 10


async def test_without_a_bluetooth_service_there_is_one_sentence(served_by_bluez, sink):
    async with served_by_bluez(config()) as (hardware, bluez):
        await bluez.kill_service()
        with pytest.raises(LinkError, match="Bluetooth is not available: switch it on"):
            await scan_ble(0.1)
        async with open_group([parse_spec(hardware.specs[0])], sink) as group:
            with pytest.raises(LinkError, match="right_foot: Bluetooth is not available"):
                await group.wait_streaming(60)
