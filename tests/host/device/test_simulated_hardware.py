"""The production path against the simulator's firmware, which shares no code with ours."""

import asyncio
from functools import partial

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.device import open_group
from subtalar.transport import make_transport, parse_spec
from subtalar.types import BodySite

pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")


def near(measured_hz: float | None, rate_hz: float) -> bool:
    """Sooner or later, however long the computer stood still at first."""
    return measured_hz is not None and bool(measured_hz == pytest.approx(rate_hz, rel=0.2))


@pytest.mark.parametrize(
    ("device", "transport", "rate_hz"),
    [
        ("witmotion", "ble", 100),
        ("witmotion-serial", "pty", 200),
        ("witmotion-serial", "ble", 50),
        ("movella-dot", "ble", 60),
        ("thingy52", "ble", 100),
        ("ximu3", "tcp", 200),
        ("ximu3", "udp", 200),
        ("ximu3", "pty", 100),
        ("talus", "ble", 200),
        ("talus", "pty", 100),
        ("metamotion", "ble", 100),
        ("shimmer3", "pty", 204.8),
    ],
)
async def test_four_sensors(device, transport, rate_hz, sink):
    from subtalar_sim.serve.live import simulated_leg_pair

    async with simulated_leg_pair(seed=5, device=device, transport=transport, rate_hz=rate_hz) as hardware:
        connect = partial(
            make_transport,
            scanner_backend=hardware.bleak_scanner_backend,
            client_backend=hardware.bleak_client_backend,
        )
        specs = [parse_spec(spec) for spec in hardware.specs]
        assert len(specs) == 4
        async with open_group(specs, sink, transports=connect) as group:
            await group.wait_streaming(60)
            await asyncio.sleep(1.3)
            await sink.until(lambda: all(near(status.rate_hz, rate_hz) for status in group.statuses()))
            statuses = group.statuses()
            sent = dict(hardware.sent_samples)
    for status in statuses:
        assert status.link == "streaming"
        # Those with the standard protocol have no battery, or one that no source describes.
        assert (status.battery_percent is None) == (device == "witmotion-serial")
        assert status.ledger.lost == status.ledger.corrupt_bytes == status.ledger.reconnects == 0
        assert rate_hz * 0.8 < status.ledger.received <= sent[status.info.site]
    assert {block.site for block in sink.blocks} == set(BodySite)
    for site in BodySite:
        acc = np.concatenate([block.acc_m_s2 for block in sink.blocks if block.site == site])
        # The subject begins by standing still.
        assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(GRAVITY_M_S2, rel=0.05)
