"""A simulated person stands still until all sensors stream: on a slow computer nobody misses the standing."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.clock import SessionClock
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import SentLedger, parse_faults
from subtalar_sim.sensor import Imu
from subtalar_sim.serve.beginning import AHEAD_S, PATIENCE_S, begin_when_heard
from subtalar_sim.serve.live import SimulatedHardware, simulated_hardware

SITES = ("right_foot", "right_shank")
STILL = BodyConfig(seed=2, standing_s=2.0)
MEASURED_AHEAD_S = 1.0


def late(begin_s: float | None, config: BodyConfig = STILL) -> WalkingBody:
    body = WalkingBody(config)
    body.begin_s = begin_s
    return body


# The body -----------------------------------------------------------------------------------------------------


def test_while_it_waits_it_stands_and_sways_as_usual() -> None:
    waiting, prompt = late(None), WalkingBody(BodyConfig(seed=2, standing_s=8.0))
    t = np.arange(0.0, 60.0, 0.01)
    pose, usual = waiting.pose("right", t), prompt.angles_deg("right", t[t < 8.0])
    angles = np.degrees(pose.angles_rad)
    assert np.ptp(pose.ankle_m, axis=0).max() < 0.003
    np.testing.assert_allclose(angles.std(axis=0), usual.std(axis=0), rtol=0.35)
    assert np.abs(angles.mean(axis=0)).max() < 0.02
    still = late(None, BodyConfig(seed=2, sway_deg=0.0))
    assert np.ptp(still.angles_deg("right", t), axis=0).max() == 0.0


@pytest.mark.parametrize("begin_s", [7.0, 8.0, 13.37, 41.2])
def test_when_the_wait_ends_nothing_jumps_and_the_body_does_what_it_would_have_done(begin_s: float) -> None:
    t = np.arange(0.0, begin_s + 20.0, 0.01)
    found, soon = late(begin_s).angles_deg("right", t), WalkingBody(STILL).angles_deg("right", t)
    own = t[t >= begin_s] - begin_s
    np.testing.assert_allclose(found[t >= begin_s], WalkingBody(STILL).angles_deg("right", own), atol=1e-9)
    near = np.abs(t - begin_s) < 1.0
    standing = np.diff(soon[t < STILL.standing_s], axis=0)
    assert np.abs(np.diff(found[near], axis=0)).max() < 2.0 * np.abs(standing).max()
    felt = SimulationConfig(STILL, quality="perfect").make_imu(late(begin_s), "right_foot").ideal(t[near])
    assert np.abs(felt.gyr_rad_s).max() < np.radians(3.0)
    assert np.linalg.norm(felt.acc_m_s2, axis=1) == pytest.approx(9.80665, abs=0.05)


def test_what_was_measured_before_the_beginning_was_known_still_holds() -> None:
    def foot(body: WalkingBody) -> Imu:
        return SimulationConfig(STILL).make_imu(body, "right_foot")

    body = late(None)
    now_s, sensor = 20.0, foot(body)
    t = np.arange(0.0, now_s + MEASURED_AHEAD_S, 0.01)
    t = t[t < now_s + MEASURED_AHEAD_S - 0.005]
    before, truth = sensor.ideal(t), body.angles_deg("right", t)
    body.begin_s = now_s + AHEAD_S
    after = sensor.ideal(t)
    np.testing.assert_allclose(after.gyr_rad_s, before.gyr_rad_s, atol=1e-9)
    np.testing.assert_allclose(after.acc_m_s2, before.acc_m_s2, atol=1e-6)
    np.testing.assert_array_equal(body.angles_deg("right", t), truth)


def test_what_it_tells_is_in_session_time() -> None:
    prompt, body = WalkingBody(STILL), late(7.0)
    assert not late(None).annotations
    assert not late(None).strides("right")
    assert not len(late(None).initial_contacts_s("right"))
    for (label, start, end), (was, begins, ends) in zip(body.annotations, prompt.annotations, strict=True):
        assert (label, start, end) == (was, pytest.approx(begins + 7.0), pytest.approx(ends + 7.0))
    np.testing.assert_allclose(body.initial_contacts_s("left"), prompt.initial_contacts_s("left") + 7.0)
    np.testing.assert_allclose(body.foot_offs_s("left"), prompt.foot_offs_s("left") + 7.0)
    for there, here in zip(body.strides("right"), prompt.strides("right"), strict=True):
        assert there.initial_contact_s == pytest.approx(here.initial_contact_s + 7.0)
        assert there.stride_time_s == pytest.approx(here.stride_time_s)
        assert there.peak_eversion_deg == pytest.approx(here.peak_eversion_deg, abs=1e-6)


def test_without_waiting_it_is_what_it_was() -> None:
    body = WalkingBody(BodyConfig(seed=2))
    assert body.begin_s == 0.0
    assert not SimulationConfig().waits


# When it begins, in time that a test makes ------------------------------------------------------------------------


class Room:
    """Sensors and a clock, of which ``script`` says at each look, by host time, who listens and who is sent samples."""

    def __init__(self, script: Callable[[float], tuple[str, str]], sites: str = "abcd", speed: float = 1.0) -> None:
        self.host_s, self._script = 0.0, script
        self.links = {site: SimpleNamespace(listening=False) for site in sites}
        self.ledgers = {site: SentLedger() for site in sites}
        self.clock = SessionClock(speed, lambda: self.host_s)

    async def look(self, seconds: float) -> None:
        self.host_s += seconds
        if self.host_s > 3600.0:
            raise TimeoutError("it never begins")
        listened, sent = self._script(self.host_s)
        for site, link in self.links.items():
            link.listening = site in listened
            self.ledgers[site].sent += 5 * (site in sent)

    async def begins(self, monkeypatch: pytest.MonkeyPatch) -> float:
        """Host time at which it is settled that the body begins."""
        body = late(None)
        monkeypatch.setattr("subtalar_sim.serve.beginning.asyncio.sleep", self.look)
        await begin_when_heard(body, self.clock, self.links, self.ledgers)  # type: ignore[arg-type]
        assert body.begin_s == pytest.approx(self.clock.session_s() + AHEAD_S)
        return self.host_s


async def test_the_last_sensor_begins_it_however_late_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_after_the_other(at_s: float) -> tuple[str, str]:
        here = "abcd"[: int(at_s / 9.0)]
        return here, here

    assert await Room(one_after_the_other).begins(monkeypatch) == pytest.approx(36.0, abs=0.2)


async def test_a_sensor_that_is_connected_and_silent_does_not_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(lambda at_s: ("abcd", "abcd" if at_s > 12.0 else "ab" if at_s > 5.0 else ""))
    assert await room.begins(monkeypatch) == pytest.approx(12.0, abs=0.2)


async def test_a_sensor_that_never_comes_holds_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(lambda at_s: ("abc", "abc") if at_s > 10.0 else ("", ""))
    assert await room.begins(monkeypatch) == pytest.approx(10.0 + PATIENCE_S, abs=0.2)


async def test_nor_does_one_that_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    def comes_and_goes(at_s: float) -> tuple[str, str]:
        here = "abd" if at_s % 10.0 < 4.0 else "abc"
        return here, here

    assert await Room(comes_and_goes).begins(monkeypatch) == pytest.approx(PATIENCE_S, abs=0.3)


async def test_one_that_dies_at_the_start_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(at_s: float) -> tuple[str, str]:
        here = "abcd"[: int(at_s / 2.0)]
        here = here.replace("a", "") if 3.0 < at_s < 15.0 else here
        return here, here

    assert await Room(dies).begins(monkeypatch) == pytest.approx(15.0, abs=0.2)


async def test_a_program_that_only_looks_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks_at_each_then_measures(at_s: float) -> tuple[str, str]:
        here = "abcd"[int(at_s)] if at_s < 4.0 else "" if at_s < 300.0 else "abcd"
        return here, here

    assert await Room(looks_at_each_then_measures).begins(monkeypatch) == pytest.approx(300.0, abs=0.2)


async def test_patience_is_the_hosts_however_fast_the_session_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(lambda _: ("a", "a"), speed=100.0)
    assert await room.begins(monkeypatch) == pytest.approx(PATIENCE_S, abs=0.2)


# Served sensors ---------------------------------------------------------------------------------------------------


def served(transport: str = "tcp", device: str = "ximu3", faults: str = "") -> SimulationConfig:
    config = SimulationConfig(STILL, sites=SITES, device=device, transport=transport, waits=True)
    return config.with_faults(parse_faults(faults))


async def connected(spec: str) -> asyncio.StreamWriter:
    address = spec.split("tcp:")[1].split(",")[0]
    host, port = address.rsplit(":", 1)
    _, writer = await asyncio.open_connection(host, int(port))
    return writer


async def begun_s(hardware: SimulatedHardware, within_s: float = 10.0) -> float:
    async with asyncio.timeout(within_s):
        while hardware.body.begin_s is None:
            await asyncio.sleep(0.02)
    return hardware.body.begin_s


async def test_served_to_nobody_the_body_is_at_time_zero_when_somebody_comes() -> None:
    async with simulated_hardware(served()) as hardware:
        await asyncio.sleep(2.5)  # longer than the standing
        assert hardware.body.begin_s is None
        assert set(hardware.sent_samples.values()) == {0}
        came_s = hardware.clock.session_s()
        writers = [await connected(spec) for spec in hardware.specs]
        assert came_s < await begun_s(hardware) - AHEAD_S < came_s + 5.0
        for writer in writers:
            writer.close()


async def test_a_slow_second_sensor_finds_the_body_standing() -> None:
    async with simulated_hardware(served()) as hardware:
        assert isinstance(hardware.body, WalkingBody)
        first = await connected(hardware.specs[0])
        await asyncio.sleep(2.5)
        assert hardware.body.begin_s is None
        assert hardware.sent_samples[SITES[0]] > 100  # it streams while the body waits
        standing = hardware.truth("right", np.array([time.monotonic()]))
        assert np.abs(standing).max() < 1.0
        second = await connected(hardware.specs[1])
        begin_s = await begun_s(hardware)
        second.close()  # a sensor that is lost later stops nobody
        await asyncio.sleep(0.2)
        assert hardware.body.begin_s == begin_s
        walking_s = begin_s + hardware.body.walk_start_s + 3.0 + np.arange(0.0, 2.0, 0.01)
        walking = hardware.truth("right", hardware.anchor_s + walking_s)
        expected = WalkingBody(STILL).angles_deg("right", walking_s - begin_s)
        np.testing.assert_allclose(walking, expected, atol=1e-6)
        first.close()


async def test_a_sensor_that_is_not_told_to_stream_is_waited_for() -> None:
    async with simulated_hardware(served(device="shimmer3")) as hardware:
        writers = [await connected(spec) for spec in hardware.specs]
        await asyncio.sleep(1.0)
        assert hardware.body.begin_s is None
        for writer in writers:
            writer.write(b"\x07")  # start streaming
        await begun_s(hardware)
        for writer in writers:
            writer.close()


async def test_datagrams_begin_it_when_both_know_whom_to_send_to() -> None:
    loop = asyncio.get_running_loop()
    async with simulated_hardware(served("udp")) as hardware:
        senders = []
        for spec in hardware.specs:
            assert hardware.body.begin_s is None
            host, port, _ = spec.split("udp:")[1].split(",")[0].rsplit(":", 2)
            sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(host, int(port)))
            sender.sendto(b'{"ping":null}\n')
            senders.append(sender)
            await asyncio.sleep(0.5)
        await begun_s(hardware)
        for sender in senders:
            sender.close()
        await asyncio.sleep(0)


async def test_a_link_that_is_down_at_the_start_is_waited_for() -> None:
    async with simulated_hardware(served(faults="right_shank:drop_link@0s+2s")) as hardware:
        writers = [await connected(spec) for spec in hardware.specs]
        await asyncio.sleep(1.0)
        assert hardware.body.begin_s is None
        while hardware.clock.session_s() < 2.2:
            await asyncio.sleep(0.05)
        writers.append(await connected(hardware.specs[1]))
        assert await begun_s(hardware) > 2.0 + AHEAD_S
        for writer in writers:
            writer.close()


async def test_whoever_does_not_wait_walks_at_once() -> None:
    config = SimulationConfig(BodyConfig(seed=2), sites=SITES, device="ximu3", transport="tcp")
    async with simulated_hardware(config) as hardware:
        assert hardware.body.begin_s == 0.0
