"""How a sensor is told to do: its rate, and what is missing of it while it is gone."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from subtalar.device import LinkPolicy, SensorGroup, SensorStream, SessionClock
from subtalar.protocol import Pause, create_protocol
from subtalar.types import BodySite

CLOCK = SessionClock()
POLICY = LinkPolicy(silent_after_s=5.0, first_sample_s=5.0, retry_first_s=0.01, retry_max_s=0.02)


@asynccontextmanager
async def running(device, sink):
    """An x-IMU3 that is configured and waits to be told to send."""
    protocol = create_protocol("ximu3")
    stream = SensorStream(BodySite.RIGHT_FOOT, protocol, device.connect, SessionClock(), sink, POLICY, "there")
    task = asyncio.create_task(stream.run())
    try:
        await configured(stream)
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def slow_goodbye():
    yield Pause(0.8)


async def configured(stream: SensorStream) -> None:
    async with asyncio.timeout(60):
        while not stream._configured:
            await asyncio.sleep(0.002)


async def test_a_sensor_that_does_not_come_back_has_lost_about_all_from_then_on(ximu3, sink):
    async with running(ximu3, sink) as stream:
        ximu3.stream(4)
        ximu3.out_of_reach = 10_000
        ximu3.hang_up()
        began = time.monotonic()
        await asyncio.sleep(0.5)
        assert stream.ledger().lost == 0  # it may be counted exactly yet
        shown = stream.status().ledger
        gone_s = time.monotonic() - began
        assert shown.lost == pytest.approx(gone_s * stream.info.rate_hz, rel=0.3)
        assert shown.lost_is_estimated
    ledger = stream.ledger()
    assert ledger.lost == pytest.approx(gone_s * stream.info.rate_hz, rel=0.3)
    assert ledger.lost_is_estimated
    assert sink.statuses[-1].link == "ended"
    assert sink.statuses[-1].ledger == ledger


@pytest.mark.parametrize("silent_s", [0.1, 1.2])
async def test_what_is_silent_at_the_end_counts_from_the_moment_of_the_end(ximu3, sink, silent_s):
    """The link stands, and the sensor takes its time to say goodbye."""
    async with running(ximu3, sink) as stream:
        ximu3.stream(4)
        stream.protocol.stop = slow_goodbye
        began = time.monotonic()
        await asyncio.sleep(silent_s)
        silent_s = time.monotonic() - began  # longer where the computer stood still
    ledger = stream.ledger()
    if silent_s < 0.45:
        assert (ledger.lost, ledger.lost_is_estimated) == (0, False)
    elif silent_s > 0.55:
        assert ledger.lost == pytest.approx(silent_s * stream.info.rate_hz, rel=0.2)
        assert ledger.lost_is_estimated


async def test_sensors_that_end_together_end_at_one_moment(new_ximu3, sink):
    """One is gone, and the other's goodbye must not lengthen what it missed."""
    gone, silent = new_ximu3(), new_ximu3()
    streams = []
    for site, device in ((BodySite.RIGHT_FOOT, gone), (BodySite.RIGHT_SHANK, silent)):
        streams.append(SensorStream(site, create_protocol("ximu3"), device.connect, CLOCK, sink, POLICY, "there"))
    async with SensorGroup(streams):
        for stream in streams:
            await configured(stream)
        gone.stream(4)
        silent.stream(4)
        streams[1].protocol.stop = slow_goodbye
        gone.out_of_reach = 10_000
        gone.hang_up()
        await asyncio.sleep(1.0)
    lost = [stream.ledger().lost for stream in streams]
    assert lost[0] > 0.8 * streams[0].info.rate_hz
    assert abs(lost[0] - lost[1]) <= 0.05 * streams[0].info.rate_hz


async def test_what_a_gone_sensor_is_told_to_miss_gives_way_to_the_exact_count(ximu3, sink):
    async with running(ximu3, sink) as stream:
        ximu3.stream(4)
        ximu3.out_of_reach = 10
        ximu3.hang_up()
        await asyncio.sleep(0.1)
        assert stream.status().ledger.lost > 0
        await configured(stream)
        ximu3.lose(5)
        ximu3.stream(4)
        await sink.until(lambda: sink.n == 8)
        shown = stream.status().ledger
    assert (shown.lost, shown.lost_is_estimated) == (5, False)
    assert stream.ledger().lost == 5


async def test_the_rate_is_measured(ximu3, sink):
    async with running(ximu3, sink) as stream:
        began = time.monotonic()
        for _ in range(150):
            ximu3.stream(2)
            await asyncio.sleep(0.01)
        rate_hz, sent_per_s = stream.status().rate_hz, 300 / (time.monotonic() - began)
    assert rate_hz == pytest.approx(sent_per_s, rel=0.15)


async def test_the_wait_for_the_first_sample_is_no_part_of_the_rate(ximu3, sink):
    began = None
    async with running(ximu3, sink) as stream:
        await asyncio.sleep(0.5)
        while (rate_hz := stream.status().rate_hz) is None:
            ximu3.stream(2)
            began = began or time.monotonic()
            await asyncio.sleep(0.01)
        sent_per_s = stream.ledger().received / (time.monotonic() - began)
    assert rate_hz == pytest.approx(sent_per_s, rel=0.15)
