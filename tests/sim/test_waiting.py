"""A simulated person stands still until all sensors are heard: on a slow computer nobody misses the standing."""

import asyncio
import time

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.config import SimulationConfig
from subtalar_sim.serve.live import simulated_hardware

SITES = ("right_foot", "right_shank")


def test_the_body_stands_until_it_begins_and_nothing_jumps() -> None:
    body, prompt = WalkingBody(BodyConfig(seed=2, standing_s=2.0)), WalkingBody(BodyConfig(seed=2, standing_s=2.0))
    t = np.arange(0.0, 30.0, 0.01)
    body.begin_s = None
    waiting = body.pose("right", t)
    assert np.ptp(waiting.angles_rad, axis=0).max() == 0.0
    assert np.ptp(waiting.ankle_m, axis=0).max() == 0.0
    body.begin_s = 7.0
    late, soon = body.angles_deg("right", t), prompt.angles_deg("right", t)
    assert np.ptp(late[t <= 7.0], axis=0).max() == 0.0
    np.testing.assert_allclose(
        late[t > 7.0], np.column_stack([np.interp(t[t > 7.0] - 7.0, t, c) for c in soon.T]), atol=0.01
    )
    assert np.abs(np.diff(late, axis=0)).max() < 1.01 * np.abs(np.diff(soon, axis=0)).max()
    np.testing.assert_array_equal(
        [s.peak_eversion_deg for s in body.strides("right")][:5],
        [pytest.approx(s.peak_eversion_deg, abs=0.01) for s in prompt.strides("right")[:5]],
    )


def test_without_waiting_it_is_what_it_was() -> None:
    body = WalkingBody(BodyConfig(seed=2))
    assert body.begin_s == 0.0
    assert not SimulationConfig().waits


async def connected(spec: str) -> asyncio.StreamWriter:
    address = spec.split("tcp:")[1].split(",")[0]
    host, port = address.rsplit(":", 1)
    _, writer = await asyncio.open_connection(host, int(port))
    return writer


async def test_the_last_sensor_that_connects_begins_it() -> None:
    body = BodyConfig(seed=2, standing_s=3.0)
    config = SimulationConfig(body, sites=SITES, device="ximu3", transport="tcp", waits=True)
    async with simulated_hardware(config) as hardware:
        assert isinstance(hardware.body, WalkingBody)
        first = await connected(hardware.specs[0])
        await asyncio.sleep(0.5)
        assert hardware.body.begin_s is None
        still = hardware.truth("right", np.array([time.monotonic()]))
        second = await connected(hardware.specs[1])
        for _ in range(100):
            await asyncio.sleep(0.05)
            if hardware.body.begin_s is not None:
                break
        begin_s = hardware.body.begin_s
        assert begin_s is not None
        assert begin_s > hardware.clock.session_s() - 5.0
        walking_s = begin_s + hardware.body.walk_start_s + 3.0 + np.arange(0.0, 2.0, 0.01)
        moving = hardware.truth("right", hardware.anchor_s + walking_s)
        assert np.abs(moving - still).max() > 5.0
        for writer in (first, second):
            writer.close()


async def test_whoever_does_not_wait_walks_at_once() -> None:
    config = SimulationConfig(BodyConfig(seed=2), sites=SITES, device="ximu3", transport="tcp")
    async with simulated_hardware(config) as hardware:
        assert hardware.body.begin_s == 0.0
