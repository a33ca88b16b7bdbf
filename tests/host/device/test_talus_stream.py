"""A Talus board through a lost link and a restart, by the production path over the simulated radio."""

import asyncio
from functools import partial

import numpy as np
import pytest

from subtalar.device import open_group
from subtalar.transport import make_transport, parse_spec
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan

pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["outages", "reboots"])
async def test_a_board_that_was_away_goes_on(sink, fault):
    from subtalar_sim.serve.live import simulated_hardware

    plan = FaultPlan(**{fault: ((4.0, 1.0),)})
    config = SimulationConfig(sites=("right_foot",), device="talus", rate_hz=100.0, faults=plan)
    async with simulated_hardware(config) as hardware:
        connect = partial(
            make_transport,
            scanner_backend=hardware.bleak_scanner_backend,
            client_backend=hardware.bleak_client_backend,
        )
        async with open_group([parse_spec(hardware.specs[0])], sink, transports=connect) as group:
            (stream,) = group.streams.values()
            await sink.until(lambda: stream.ledger().reconnects >= 1)
            await asyncio.sleep(1.0)
            ledger, restarts = stream.ledger(), stream.clock_restarts
            sent = hardware.sent_samples["right_foot"]
    times = np.concatenate([block.device_time_s for block in sink.blocks])
    gap_s = np.abs(np.diff(times)).max()
    assert sent - 10 <= ledger.received <= sent
    assert ledger.corrupt_bytes == 0
    assert ledger.lost > 80  # a second and more at 100 Hz
    if fault == "outages":
        assert restarts == 0
        assert ledger.lost == pytest.approx(gap_s * 100.0 - 1, abs=1.5)
        assert (np.diff(times) > 0).all()
    else:
        assert restarts == 1
        assert ledger.lost_is_estimated
        assert (np.diff(times) < 0).sum() == 1
