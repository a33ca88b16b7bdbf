"""Recorded motion as the body: read, put on one clock, measured again by simulated sensors, and nothing invented."""

import asyncio
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import parse_faults
from subtalar_sim.motion import RecordedBody, RecordedMotion, RecordedSource, Rows, motion_from_rows, read_motion
from subtalar_sim.motion.resample import resample
from subtalar_sim.serve.beginning import AHEAD_S, PATIENCE_S, begin_when_heard
from subtalar_sim.serve.command import serve
from subtalar_sim.session_writer import write_session
from subtalar_sim.testing.accelerated import SimulatedLegs

RIGHT = ("right_foot", "right_shank")
CONFIG = SimulationConfig(body=BodyConfig(seed=6), sites=RIGHT, device="ximu3", rate_hz=100.0, quality="perfect")
SECONDS = 24.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(CONFIG, tmp_path_factory.mktemp("motion") / "walk", SECONDS)


@pytest.fixture(scope="module")
def motion(folder: Path) -> RecordedMotion:
    return read_motion(folder)


def rows_of(t_s: np.ndarray, rate_hz: float = 100.0, **changes: np.ndarray) -> Rows:
    """A sensor at rest whose host is 10 ms late and no more."""
    acc = np.tile([0.0, 9.81, 0.0], (len(t_s), 1))
    gyr = np.column_stack([0.01 * np.sin(3 * t_s), 0.0 * t_s, 0.0 * t_s])
    given = {"device_time_s": t_s + 500.0, "host_time_s": t_s + 0.01, "acc_m_s2": acc, "gyr_rad_s": gyr, **changes}
    return Rows(rate_hz=rate_hz, **given)


def source(motion: RecordedMotion, site: str = "right_foot", **how: bool) -> tuple[RecordedBody, RecordedSource]:
    body = RecordedBody(motion, **how)
    return body, RecordedSource(body, site, acc_range_m_s2=157.0, gyr_range_rad_s=35.0)


# Between the samples ------------------------------------------------------------------------------------------


def tone(hz: float, t_s: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * hz * t_s + 0.3)[:, None]


@pytest.mark.parametrize(("hz", "at_most"), [(3.0, 1e-3), (40.0, 1e-3), (85.0, 5e-3)])
def test_what_is_below_half_the_rate_comes_back_between_the_samples(hz: float, at_most: float) -> None:
    t, run = np.arange(2000) / 200.0, np.zeros(2000, dtype=np.int64)
    at = np.arange(500, 1500) / 198.43 + 0.0013
    values, known = resample(t, tone(hz, t), run, at, 198.43 / 200.0)
    assert known.all()
    assert np.abs(values - tone(hz, at)).max() < at_most


def test_at_a_lower_rate_nothing_is_folded() -> None:
    t, run = np.arange(4000) / 200.0, np.zeros(4000, dtype=np.int64)
    at = 2.0 + np.arange(500) / 60.0
    for hz, passes in ((20.0, 1.0), (55.0, 0.0)):
        values, _ = resample(t, tone(hz, t), run, at, 60.0 / 200.0)
        assert np.abs(values - passes * tone(hz, at)).max() < 5e-3


def test_no_sample_is_made_where_none_was_and_the_gap_changes_no_other() -> None:
    t = np.arange(2000) / 200.0
    kept = np.ones(2000, dtype=bool)
    kept[[500, 900, 901, 902]] = False
    run = np.cumsum(np.diff(t[kept], prepend=t[0]) > 0.0075)
    at = np.arange(2, 1998) / 200.0 + 0.002
    values, known = resample(t[kept], tone(2.0, t)[kept], run, at, 1.0)
    bracketed = kept[2:1998] & kept[3:1999]
    assert (known == bracketed).all()
    assert np.abs(values - tone(2.0, at))[known].max() < 2e-3
    assert not values[~known].any()
    # A sensor that samples at the recorded instants gets the recorded samples, those beside the gap included.
    same, known = resample(t[kept], tone(2.0, t)[kept], run, t, 1.0)
    assert (known == kept).all()
    np.testing.assert_allclose(same[kept], tone(2.0, t)[kept], atol=1e-12)


# The clocks ---------------------------------------------------------------------------------------------------


def test_two_clocks_become_one_whatever_their_offset_drift_and_jitter() -> None:
    rng = np.random.default_rng(3)
    true = {"right_foot": np.arange(0.0, 120.0, 0.01), "right_shank": 0.004 + np.arange(0.0, 120.0, 0.01)}
    rows = {}
    for site, (offset, ppm) in zip(true, ((300.0, 45.0), (7000.0, -45.0)), strict=True):
        t = true[site]
        sent = t[np.minimum((np.arange(len(t)) // 3) * 3 + 2, len(t) - 1)]
        host = np.maximum.accumulate(sent + 0.012 + np.repeat(rng.exponential(0.01, len(t) // 3 + 1), 3)[: len(t)])
        rows[site] = rows_of(t, device_time_s=offset + t * (1 + 1e-6 * ppm), host_time_s=host)
    motion = motion_from_rows("m", rows)
    apart = motion.sensors["right_shank"].t_s - motion.sensors["right_foot"].t_s
    assert np.abs(apart - 0.004).max() < 0.0015
    assert motion.duration_s == pytest.approx(119.994, abs=0.003)


def test_samples_without_a_clock_are_evenly_spaced_between_pauses() -> None:
    t = np.arange(0.0, 40.0, 0.01)
    t = t[(t < 15.0) | (t > 17.0)]
    host = np.ceil(t / 0.04) * 0.04 + 0.02
    sensor = motion_from_rows("m", {"left_foot": rows_of(t, device_time_s=None, host_time_s=host)}).sensors["left_foot"]
    assert np.abs((sensor.t_s - sensor.t_s[0]) - t).max() < 0.04
    assert np.unique(sensor.run).tolist() == [0, 1]
    steps = np.diff(sensor.t_s)
    assert np.abs(np.delete(steps, np.argmax(steps)) - 0.01).max() < 1e-4


# What the sensor measures -------------------------------------------------------------------------------------


def test_a_simulated_sensor_measures_what_the_recorded_one_felt(motion: RecordedMotion) -> None:
    """Held against the body itself at the times between, and not against the recording."""
    config = SimulatedLegs(CONFIG, SECONDS).config
    walker = config.make_body()
    body, sensor = source(motion)
    at = np.arange(1.0, 22.0, 1 / 19.4)
    found = sensor.measure(at, 97.0)
    assert found.measured is not None
    assert found.measured.all()
    imu = config.make_imu(walker, "right_foot")
    shifts = np.arange(0.0, 0.05, 0.001)  # the fixed delay of the host's clock is not known to the recording
    played = body.motion_time(at)
    errors = [np.abs(found.gyr_rad_s - imu.ideal(played + shift).gyr_rad_s).mean() for shift in shifts]
    ideal = imu.ideal(played + shifts[int(np.argmin(errors))])
    assert min(errors) < 0.03 * np.abs(ideal.gyr_rad_s).mean()
    assert np.abs(found.acc_m_s2 - ideal.acc_m_s2).mean() < 0.03 * np.abs(ideal.acc_m_s2).mean()


def test_onboard_fusion_knows_where_up_is(motion: RecordedMotion) -> None:
    _, sensor = source(motion)
    at = np.arange(1.0, 4.0, 0.1)
    felt = sensor.measure(at, 100.0)
    up = np.einsum("nij,nj->ni", sensor.orientation(at), felt.acc_m_s2)
    np.testing.assert_allclose(up, np.tile([0.0, 0.0, 9.81], (len(at), 1)), atol=0.3)


@pytest.fixture(scope="module")
def holey(folder: Path) -> RecordedMotion:
    """Half a second is missing."""
    config = replace(CONFIG, faults=parse_faults("gap@12s+0.5s").everywhere)
    return read_motion(write_session(config, folder.parent / "holey", SECONDS))


def test_gaps_of_the_recording_are_gaps_of_the_simulated_sensor(holey: RecordedMotion) -> None:
    for device in ("talus", "witmotion", "ximu3", "movella-dot"):
        legs = SimulatedLegs(SimulationConfig(device=device, motion=holey), 20.0)
        assert legs.config.sites == RIGHT
        t = legs.samples("right_foot").t_s
        gap = np.flatnonzero(np.diff(t) > 0.4)
        assert len(gap) == 1
        assert np.diff(t)[gap[0]] == pytest.approx(0.51, abs=0.04)


def test_every_device_counts_what_the_recording_lacks_as_lost(motion: RecordedMotion, holey: RecordedMotion) -> None:
    for device in ("witmotion", "witmotion-serial", "ximu3"):  # those that stream without being told to
        lost, sent = {}, {}
        for name, played in (("whole", motion), ("holey", holey)):
            legs = SimulatedLegs(SimulationConfig(device=device, motion=played), 14.0)
            legs.stream("right_foot")
            lost[name], sent[name] = legs.ledgers["right_foot"].lost, legs.ledgers["right_foot"].sent
        rate_hz = legs.rate_hz
        assert lost["whole"] <= 1  # the first one may come before the recording
        assert lost["holey"] == pytest.approx(0.51 * rate_hz, abs=0.02 * rate_hz + 2)
        assert sent["whole"] - sent["holey"] == pytest.approx(lost["holey"], abs=4)


def test_the_device_clips_what_the_recorded_sensor_did_not(motion: RecordedMotion) -> None:
    thingy = SimulatedLegs(SimulationConfig(device="thingy52", motion=motion), 20.0).samples("right_foot")
    other = SimulatedLegs(SimulationConfig(device="ximu3", motion=motion), 20.0).samples("right_foot")
    assert np.abs(other.acc_m_s2).max() > 25.0
    assert np.abs(thingy.acc_m_s2).max() == pytest.approx(2 * 9.80665)


def test_sensors_can_be_swapped_and_straps_cannot_slip(motion: RecordedMotion) -> None:
    plain = SimulationConfig(device="ximu3", motion=motion)
    swapped = plain.with_faults(parse_faults("swap@5s=right_foot/right_shank"))
    at = np.arange(8.0, 20.0, 0.01)
    foot, shank = (plain.make_source(plain.make_mover(), site).measure(at, 100.0) for site in RIGHT)
    later = swapped.make_source(swapped.make_mover(), "right_foot").measure(at, 100.0)
    np.testing.assert_array_equal(later.gyr_rad_s, shank.gyr_rad_s)
    assert np.abs(foot.gyr_rad_s - shank.gyr_rad_s).max() > 1.0
    with pytest.raises(ValueError, match="cannot slip"):
        plain.with_faults(parse_faults("slip@5s=10deg"))
    with pytest.raises(ValueError, match="no sensor at left_foot: it has right_foot, right_shank"):
        plain.with_faults(parse_faults("swap@5s=right_foot/left_foot"))


# When it plays ------------------------------------------------------------------------------------------------


def test_it_waits_at_rest_and_ends_with_its_end(motion: RecordedMotion) -> None:
    body, sensor = source(motion)
    assert motion.begins_at_rest
    body.begin_s = None
    waiting = sensor.measure(np.arange(0.0, 30.0, 0.01), 100.0)
    assert waiting.measured is not None
    assert waiting.measured.all()
    assert np.abs(waiting.gyr_rad_s).max() < 0.2
    assert not np.isfinite(body.angles_deg("right", np.array([5.0]))).any()
    assert not body.is_over(1000.0)
    body.begin_s = 30.0
    end_s = 30.0 + motion.duration_s - motion.all_measure_from_s
    played = sensor.measure(np.arange(30.0, end_s + 5.0, 0.01), 100.0)
    assert played.measured is not None
    assert np.abs(played.gyr_rad_s).max() > 2.0
    last_s = played.t_s[played.measured][-1]
    assert last_s == pytest.approx(end_s, abs=0.02)
    assert (played.t_s[~played.measured] > end_s - 0.02).all()
    assert not body.is_over(end_s + 0.5)
    assert body.is_over(end_s + 1.5)


def test_a_loop_begins_again_and_loses_a_sample_at_the_seam_at_most(motion: RecordedMotion) -> None:
    body, sensor = source(motion, loop=True)
    at = np.arange(0.0, 3.2 * motion.duration_s, 0.01)
    found = sensor.measure(at, 100.0)
    assert found.measured is not None
    assert (~found.measured).sum() <= 2 * 3
    period_s = motion.duration_s - motion.all_measure_from_s + 0.01
    known = np.array([12.0])
    np.testing.assert_allclose(
        body.angles_deg("right", known), body.angles_deg("right", known + 2 * period_s), atol=1e-2
    )
    assert not body.is_over(1e6)


def test_motion_that_begins_in_the_middle_of_a_step_measures_nothing_before(motion: RecordedMotion) -> None:
    part = {
        site: Rows(s.t_s[1700:], s.t_s[1700:], s.acc_m_s2[1700:], s.gyr_rad_s[1700:], 100.0)
        for site, s in motion.sensors.items()
    }
    walking = motion_from_rows("walking", part)
    body, sensor = source(walking)
    assert not walking.begins_at_rest
    body.begin_s = 3.0
    found = sensor.measure(np.arange(0.0, 6.0, 0.01), 100.0)
    assert found.measured is not None
    assert not found.measured[:299].any()
    assert found.measured[310:].all()


class _Wire:
    listening = False


class _Ledger:
    """Of a sensor that sends whenever somebody listens."""

    def __init__(self, wire: _Wire) -> None:
        self._wire, self._sent = wire, 0

    @property
    def sent(self) -> int:
        self._sent += self._wire.listening
        return self._sent


class _Clock:
    now_s, speed = 0.0, 1.0

    def session_s(self) -> float:
        self.now_s += 0.05
        return self.now_s


async def begun(body: RecordedBody, links: dict[str, _Wire], clock: _Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    real_sleep = asyncio.sleep
    monkeypatch.setattr("subtalar_sim.serve.beginning.asyncio.sleep", lambda _: real_sleep(0))
    body.begin_s = None
    ledgers = {site: _Ledger(wire) for site, wire in links.items()}
    waiting = begin_when_heard(body, clock, links, ledgers)  # type: ignore[arg-type]
    task = asyncio.get_running_loop().create_task(waiting)
    for _ in range(100):
        await real_sleep(0)
    assert body.begin_s is None
    links["right_foot"].listening = True
    for _ in range(20):
        await real_sleep(0)
    if body.motion.begins_at_rest:
        assert body.begin_s is None  # the other one may still come
    await asyncio.wait_for(task, 60.0)


async def test_it_begins_when_all_are_heard_or_nobody_else_comes(
    motion: RecordedMotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, _ = source(motion)
    clock, links = _Clock(), {site: _Wire() for site in RIGHT}
    await begun(body, links, clock, monkeypatch)
    assert body.begin_s is not None
    # 100 looks without anybody, then the patience with the other one, then what is settled ahead.
    assert body.begin_s == pytest.approx(100 * 0.05 + PATIENCE_S + AHEAD_S, abs=0.5)


# Truth, fixtures, serving -------------------------------------------------------------------------------------


def test_truth_stands_beside_the_recording(folder: Path, motion: RecordedMotion) -> None:
    body, _ = source(motion)
    walker = SimulatedLegs(CONFIG, SECONDS).config.make_body()
    at = np.arange(2.0, 20.0, 0.5)
    found = body.angles_deg("right", at)
    # Up to the delay of the host's clock, by which the recording is late.
    apart = [np.abs(found - walker.angles_deg("right", at + d)).max() for d in np.arange(0.0, 0.06, 0.001)]
    assert min(apart) < 0.15
    assert np.isnan(body.angles_deg("left", at)).all()
    assert np.isnan(body.angles_deg("right", np.array([-5.0, 1e4]))).all()
    assert [label for label, _, _ in body.annotations] == ["standing", "knee_bends", "walking"]


def test_the_fixture_takes_a_folder(simulated_leg, folder: Path) -> None:
    leg = simulated_leg(seconds=20, motion=folder, device="talus")
    samples = leg.samples("right_shank")
    assert len(samples.t_s) > 0.98 * 20 * leg.rate_hz
    assert np.isfinite(leg.truth_deg("right", np.array([10.0]))).all()
    with pytest.raises(ValueError, match=r"walk lasts 2\d\.\d s, less than 60 s"):
        simulated_leg(seconds=60, motion=folder)
    with pytest.raises(ValueError, match="a session already"):
        leg.write(folder / "again")


def test_serving_waits_for_somebody_and_takes_no_longer_than_the_motion(motion: RecordedMotion) -> None:
    said: list[str] = []
    serve("ximu3", "tcp", motion=motion, duration_s=0.3, speed=10.0, say=said.append)
    assert [line.partition("=")[0] for line in said] == list(RIGHT)
    with pytest.raises(ValueError, match=r"lasts 2\.\d s, less than 30 s"):
        serve("ximu3", "tcp", motion=motion, duration_s=30.0, speed=10.0, say=said.append)


def test_serving_ends_when_the_motion_is_over(motion: RecordedMotion) -> None:
    short = motion_from_rows("short", {"right_foot": rows_of(np.arange(0.0, 5.0, 0.01))})
    said: list[str] = []
    heard: list[int] = []
    listener = threading.Thread(target=lambda: heard.append(_listen(said)))
    listener.start()
    serve("ximu3", "tcp", motion=short, speed=10.0, say=said.append)  # would last for ever
    listener.join(5.0)
    assert said[-1] == "the recorded motion is over"
    assert heard[0] > 1000


def _listen(said: list[str]) -> int:
    """Connect to the first sensor as soon as it is told; bytes until it hangs up."""
    for _ in range(500):
        if said:
            break
        time.sleep(0.01)
    host, port = said[0].partition(":")[2].partition(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5.0) as connection:
        total = 0
        while data := connection.recv(65536):
            total += len(data)
    return total
