"""One sensor's life, against devices in memory that fall silent, hang up, restart and lose samples."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.device import LinkPolicy, SensorStream, SessionClock
from subtalar.device import stream as stream_module
from subtalar.errors import LinkError, RecordingError
from subtalar.protocol import DeviceMessage, Pause, create_protocol
from subtalar.types import BodySite

QUICK = LinkPolicy(silent_after_s=0.15, first_sample_s=0.3, retry_first_s=0.01, retry_max_s=0.02, first_attempts=2)

PATIENT = replace(QUICK, silent_after_s=5.0, first_sample_s=5.0)


def make(device, sink, model: str, policy: LinkPolicy = PATIENT) -> SensorStream:
    return SensorStream(
        BodySite.RIGHT_FOOT, create_protocol(model), device.connect, SessionClock(), sink, policy, "there"
    )


@asynccontextmanager
async def running(stream: SensorStream):
    task = asyncio.create_task(stream.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def configured(stream: SensorStream) -> None:
    async with asyncio.timeout(60):
        while not stream._configured:
            await asyncio.sleep(0.002)


async def test_from_idle_to_ended(ximu3, sink):
    stream = make(ximu3, sink, "ximu3")
    assert stream.status().link == "idle"
    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        ximu3.stream(3)
        ximu3.battery(64)
        await sink.until(lambda: stream.status().battery_percent == 64)
    assert sink.links == ["connecting", "streaming", "ended"]
    assert [len(b) for b in sink.blocks] == [5, 3]
    block = sink.blocks[0]
    assert block.site is BodySite.RIGHT_FOOT
    np.testing.assert_allclose(block.acc_m_s2[0], [0, 0, GRAVITY_M_S2])
    np.testing.assert_allclose(block.gyr_rad_s[0], np.radians([1, 2, 3]))
    assert block.device_time_s is not None
    np.testing.assert_allclose(np.diff(block.device_time_s), 0.01)
    assert block.host_time_s is not None
    assert len(set(block.host_time_s)) == 1
    assert 0 <= block.host_time_s[0] < 5
    assert b'{"inertial_message_rate_divisor":4}\n' in ximu3.got
    assert stream.ledger() == replace(stream.ledger(), received=8, lost=0, lost_is_estimated=False, reconnects=0)
    assert ximu3.send is None


async def test_raw_chunks_decode_to_the_blocks(ximu3, sink):
    stream = make(ximu3, sink, "ximu3")
    async with running(stream):
        await configured(stream)
        for n in (1, 4, 2):
            ximu3.stream(n)
    again = create_protocol("ximu3")
    samples = [e for _, _, data, _ in sink.raw for e in again.feed(data) if hasattr(e, "acc_m_s2")]
    assert sum(len(s) for s in samples) == sink.n == 7
    arrivals = [t for _, t, _, _ in sink.raw]
    assert arrivals == sorted(arrivals)


async def test_samples_of_the_old_rate_are_not_passed_on(ximu3, sink):
    ximu3.period_us = 2500
    real_answer = ximu3.answer

    def answer(data: bytes) -> bytes:
        ximu3.stream(3)
        if b"apply" in data:
            ximu3.period_us = 10_000
        return real_answer(data)

    ximu3.answer = answer
    stream = make(ximu3, sink, "ximu3")
    async with running(stream):
        await configured(stream)
        ximu3.stream(50)
    assert sink.n == 50
    assert stream.ledger().lost == 0
    assert len(sink.raw) > 10


async def test_silence_is_noticed_and_mended_on_the_same_clock(ximu3, sink):
    stream = make(ximu3, sink, "ximu3", QUICK)
    async with running(stream):
        await configured(stream)
        ximu3.stream(40)
        await sink.until(lambda: len(ximu3.links) == 2)
        await configured(stream)
        ximu3.lose(100)
        ximu3.stream(5)
    assert sink.links == ["connecting", "streaming", "silent", "reconnecting", "streaming", "ended"]
    assert "stopped sending" in stream.last_error
    assert stream.ledger().reconnects == 1
    assert stream.ledger().lost == 100
    host = np.concatenate([b.host_time_s for b in sink.blocks])
    assert (np.diff(host) >= 0).all()
    assert host[-1] - host[0] > QUICK.silent_after_s


async def test_a_sensor_that_begins_anew_while_its_link_stands_is_told_again_how_to_measure(ximu3, sink):
    """Over a serial port or UDP nobody else notices, and it goes on with what it has saved."""
    stream = make(ximu3, sink, "ximu3", replace(PATIENT, silent_after_s=0.4))
    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        told = len(ximu3.got)
        await asyncio.sleep(0.3)
        ximu3.restart()
        for _ in range(5):
            ximu3.stream(5)
        assert ximu3.got[told:] == []
        received = sink.n
        assert received < 15, "what it sends at the rate that it has saved is not passed on"
        await sink.until(lambda: ximu3.got[told:] == ximu3.got[:told])
        await configured(stream)
        ximu3.stream(5)
        assert stream.ledger().reconnects == 0
        assert sink.n == received + 5
    assert stream.clock_restarts == 1


async def test_a_clock_that_jumps_while_the_sensor_streams_on_costs_nothing(ximu3, sink):
    stream = make(ximu3, sink, "ximu3", replace(PATIENT, silent_after_s=0.4))
    async with running(stream):
        await configured(stream)
        ximu3.stream(20)
        ximu3.restart()
        ximu3.stream(20)
        await asyncio.sleep(0.3)
        assert ximu3.got.count(b'{"ping":null}\n') == 1
    assert (stream.clock_restarts, sink.n) == (1, 40)


@pytest.mark.parametrize("slept_s", [0.55, 1.5])
async def test_a_computer_that_slept_gives_the_other_end_a_moment(ximu3, sink, slept_s):
    stream = make(ximu3, sink, "ximu3", replace(QUICK, silent_after_s=0.5))
    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        await asyncio.sleep(0.01)
        time.sleep(slept_s)  # nothing runs, the watchdog included
        await asyncio.sleep(0.3)
        ximu3.stream(5)
        await asyncio.sleep(0.01)
        assert stream.ledger().reconnects == 0
        assert len(ximu3.links) == 1
        assert "silent" not in sink.links
        await sink.until(lambda: "silent" in sink.links)  # real silence after a sleep is silence


async def test_a_question_that_is_not_answered_does_not_hold_up_the_watch(ximu3, sink, monkeypatch):
    stream = make(ximu3, sink, "ximu3", replace(QUICK, silent_after_s=0.3))
    asked = asyncio.Event()

    def unanswered():
        asked.set()
        yield Pause(10.0)

    monkeypatch.setattr(stream_module, "_FIRST_BATTERY_S", 0.02)
    monkeypatch.setattr(stream.protocol, "battery_poll_interval_s", 60.0, raising=False)
    monkeypatch.setattr(stream.protocol, "poll_battery", unanswered)
    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        async with asyncio.timeout(60):
            await asked.wait()
        began = time.monotonic()
        await sink.until(lambda: "silent" in sink.links)
        assert time.monotonic() - began < 5.0  # it waits for 10 s


async def test_a_battery_that_cannot_be_asked_costs_no_link(ximu3, sink, monkeypatch):
    stream = make(ximu3, sink, "ximu3")
    asked = asyncio.Event()

    def refused():
        asked.set()
        raise LinkError("Refused.")
        yield

    monkeypatch.setattr(stream_module, "_FIRST_BATTERY_S", 0.02)
    monkeypatch.setattr(stream.protocol, "battery_poll_interval_s", 60.0, raising=False)
    monkeypatch.setattr(stream.protocol, "poll_battery", refused)
    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        async with asyncio.timeout(60):
            await asked.wait()
        await asyncio.sleep(0.05)
        ximu3.stream(5)
        assert stream.ledger() == replace(stream.ledger(), received=10, reconnects=0)
    assert len(ximu3.links) == 1


async def test_a_link_that_says_nothing_but_chatters_is_silent_too(ximu3, sink):
    stream = make(ximu3, sink, "ximu3", QUICK)
    async with running(stream):
        await configured(stream)
        ximu3.stream(1)
        for _ in range(2000):
            if len(ximu3.links) > 1:
                break
            if ximu3.send is not None and len(ximu3.links) == 1:
                ximu3.battery(50)
            await asyncio.sleep(0.002)
        assert len(ximu3.links) >= 2
    assert "silent" in sink.links


async def test_a_lost_link_is_reconnected_with_patience(ximu3, sink):
    stream = make(ximu3, sink, "ximu3")
    async with running(stream):
        await configured(stream)
        ximu3.stream(4)
        ximu3.refuse = 6
        ximu3.hang_up()
        await sink.until(lambda: len(ximu3.links) == 8)
        await configured(stream)
        ximu3.stream(4)
    assert sink.links == ["connecting", "streaming", "reconnecting", "streaming", "ended"]
    assert stream.ledger().reconnects == 1
    assert stream.ledger().received == 8


async def test_being_out_of_reach_makes_nobody_wait_longer(ximu3, sink):
    stream = make(ximu3, sink, "ximu3", replace(PATIENT, retry_first_s=0.02, retry_factor=10.0, retry_max_s=60.0))
    async with running(stream):
        await configured(stream)
        ximu3.stream(4)
        ximu3.out_of_reach = 10
        ximu3.hang_up()
        await sink.until(lambda: len(ximu3.links) == 12)
        await configured(stream)
    assert stream.last_error == "Nobody is near."


async def test_a_restarted_device_splits_the_blocks(ximu3, sink):
    stream = make(ximu3, sink, "ximu3")
    async with running(stream):
        await configured(stream)
        ximu3.stream(30)
        ximu3.hang_up()
        ximu3.restart()
        await configured(stream)
        await sink.until(lambda: ximu3.send is not None and stream._configured)
        ximu3.stream(5)
    assert stream.clock_restarts == 1
    assert stream.ledger().received == 35
    assert stream.ledger().lost == 0
    for block in sink.blocks:
        assert block.device_time_s is not None
        assert (np.diff(block.device_time_s) > 0).all()


async def test_nobody_there_is_one_sentence_soon(ximu3, sink):
    ximu3.refuse = 99
    stream = make(ximu3, sink, "ximu3", QUICK)
    with pytest.raises(LinkError, match=r"right_foot: Nobody is there\."):
        await asyncio.wait_for(stream.run(), 60)
    assert sink.links == ["connecting", "ended"]
    assert len(ximu3.links) == QUICK.first_attempts


async def test_a_mute_device_is_one_sentence_soon(ximu3, sink):
    ximu3.mute = True
    with pytest.raises(LinkError, match="does not answer"):
        await asyncio.wait_for(make(ximu3, sink, "ximu3", replace(QUICK, first_attempts=1)).run(), 60)
    assert ximu3.send is None


async def test_a_configured_device_without_data_is_one_sentence_soon(witmotion, sink):
    with pytest.raises(LinkError, match="sends nothing that a witmotion would"):
        await asyncio.wait_for(make(witmotion, sink, "witmotion", replace(QUICK, first_attempts=1)).run(), 60)


async def test_hanging_up_amid_the_handshake(ximu3, sink):
    def answer(data: bytes) -> bytes:
        if len(ximu3.links) == 1:
            ximu3.hang_up()
            return b""
        return data

    ximu3.answer = answer
    stream = make(ximu3, sink, "ximu3")
    async with running(stream):
        await sink.until(lambda: len(ximu3.links) == 2)
        await configured(stream)
        ximu3.stream(2)
        await sink.until(lambda: sink.n == 2)
    assert stream.ledger().reconnects == 0


async def test_witmotion_is_set_read_and_asked_for_its_battery_without_losing_samples(witmotion, sink, monkeypatch):
    monkeypatch.setattr("subtalar.protocol.witmotion.WitMotionBle.battery_poll_interval_s", 0.05)
    stream = make(witmotion, sink, "witmotion")
    async with running(stream):
        await configured(stream)
        for _ in range(600):
            witmotion.stream(1)
            await asyncio.sleep(0.003)
            if stream.status().battery_percent is not None:
                break
    assert witmotion.registers[0x03] == 0x09
    assert stream.status().battery_percent == 50
    assert sink.blocks[0].device_time_s is None
    assert sink.n == stream.ledger().received > 10
    assert stream.ledger().lost_is_estimated
    assert sum(c[:4] == b"\xff\xaa\x27\x64" for c in witmotion.got) >= 1


async def test_what_the_sink_raises_ends_the_stream(ximu3, sink):
    def full(_: object) -> None:
        raise RecordingError("The disk is full.")

    sink.on_block = full
    stream = make(ximu3, sink, "ximu3")
    task = asyncio.create_task(stream.run())
    await configured(stream)
    ximu3.stream(1)
    with pytest.raises(RecordingError, match="disk is full"):
        await asyncio.wait_for(task, 60)
    assert ximu3.send is None


async def test_commands_while_streaming_and_when_not(ximu3, sink):
    stream = make(ximu3, sink, "ximu3")
    with pytest.raises(LinkError, match="not connected"):
        await stream.perform(stream.protocol.blink())
    async with running(stream):
        await configured(stream)
        ximu3.stream(1)
        await stream.perform(stream.protocol.blink())
        await stream.perform(stream.protocol.identify())
    assert b'{"blink":null}\n' in ximu3.got
    assert "serialnumber" in stream.replies


async def test_a_process_that_slept_does_not_blame_the_sensor(ximu3, sink):
    import time

    stream = make(ximu3, sink, "ximu3", QUICK)
    loop = asyncio.get_running_loop()
    async with running(stream):
        await configured(stream)
        for _ in range(3):
            ximu3.stream(1)
            loop.call_later(QUICK.silent_after_s + 0.01, ximu3.stream, 1)
            time.sleep(QUICK.silent_after_s + 0.05)
            await asyncio.sleep(0.01)
    assert len(ximu3.links) == 1
    assert "silent" not in sink.links


async def test_a_sensor_that_its_host_stopped_for_a_while_is_not_taken_for_silent(ximu3, sink):
    stream = make(ximu3, sink, "ximu3", QUICK)

    def takes_its_time():
        yield Pause(4 * QUICK.silent_after_s)

    async with running(stream):
        await configured(stream)
        ximu3.stream(5)
        await stream.perform(takes_its_time(), may_stop_stream=True)
        ximu3.stream(5)
        await sink.until(lambda: sink.n == 10)
    assert stream.ledger().reconnects == 0


async def test_what_a_sensor_says_is_shown_once_and_obeyed_by_no_terminal(ximu3, sink, caplog):
    stream = make(ximu3, sink, "ximu3")
    stream.name = "there"
    async with running(stream):
        await configured(stream)
        for text in ("hot\x1b[31m\x07", "hot\x1b[31m\x07", "cold"):
            stream._take_event(DeviceMessage(text, is_error=True), 0.0)
    said = [record.getMessage() for record in caplog.records if "says" in record.getMessage()]
    assert said == ["there says: hot\ufffd[31m\ufffd", "there says: cold"]
