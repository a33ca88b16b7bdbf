"""When each sample was measured: the estimator's own times, whatever was left out and however it was cut."""

import numpy as np
import pytest

from subtalar.estimation import Parameters
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.exports.session_time import SessionTimes
from subtalar.session.interleave import cut
from subtalar.types import BodySite, SampleBlock, SensorInfo

from .conftest import Case

INFO = SensorInfo(BodySite.RIGHT_FOOT, 100.0)


def block(seed: int, n: int = 1200, *, clock: bool = True) -> SampleBlock:
    random = np.random.default_rng(seed)
    device = np.arange(n) / 100.0
    host = device + 3.0 + np.maximum.accumulate(random.exponential(0.002, n))
    host = np.maximum.accumulate(host)
    acc = random.normal(0, 0.1, (n, 3)) + np.array([0, 9.8, 0])
    return SampleBlock(BodySite.RIGHT_FOOT, device + 70.0 if clock else None, host, acc, random.normal(0, 0.1, (n, 3)))


def spoiled(seed: int) -> SampleBlock:
    """Repeats, swapped samples, values that are none, and a clock that begins anew."""
    random = np.random.default_rng(seed)
    b = block(seed)
    assert b.device_time_s is not None
    device, acc = b.device_time_s.copy(), b.acc_m_s2.copy()
    for k in random.integers(1, 700, 30):
        device[k] = device[k - 1] - random.choice([0.0, 0.004, 0.3])
    acc[random.integers(0, 1200, 5), 1] = np.nan
    acc[random.integers(0, 1200, 5), 0] = 1e6
    device[800:] -= 60.0
    return SampleBlock(b.site, device, b.host_time_s, acc, b.gyr_rad_s)


def of_estimator(b: SampleBlock, info: SensorInfo = INFO) -> np.ndarray:
    stream = SensorStream(info, Parameters())
    stream.push(b)
    stream.finish()
    rows = stream.rows.view(0, stream.rows.end)
    return rows[rows["real"] > 0]


def held_up(seed: int) -> SampleBlock:
    """Without a clock: three seconds of silence, then all that was held up at once."""
    b = block(seed, clock=False)
    assert b.host_time_s is not None
    host = b.host_time_s.copy()
    host[600:900] = np.maximum(host[600:900], host[899] + np.arange(300) * 1e-4)
    return SampleBlock(b.site, None, np.maximum.accumulate(host), b.acc_m_s2, b.gyr_rad_s)


@pytest.mark.parametrize("step", [7, 100, 1200])
def test_what_was_held_up_by_a_silent_link(step: int) -> None:
    b = held_up(1)
    clock = SessionTimes(INFO)
    timed = [t for k in range(0, len(b), step) for t in clock.push(cut(b, k, k + step))] + clock.finish()
    time_s, rows = np.concatenate([t.time_s for t in timed]), of_estimator(b)
    used = np.isfinite(time_s)
    assert 0 < (~used).sum() < 400
    np.testing.assert_array_equal(time_s[used], rows["time_s"])
    np.testing.assert_array_equal(b.acc_m_s2[used], rows["acc_m_s2"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("step", [7, 100, 1200])
def test_every_used_sample_has_the_estimators_time(seed: int, step: int) -> None:
    b = spoiled(seed) if seed else block(seed)
    clock = SessionTimes(INFO)
    timed = [t for k in range(0, len(b), step) for t in clock.push(cut(b, k, k + step))] + clock.finish()
    time_s = np.concatenate([t.time_s for t in timed])
    acc = np.concatenate([t.samples.acc_m_s2 for t in timed])
    np.testing.assert_array_equal(acc, b.acc_m_s2)
    rows, used = of_estimator(b), np.isfinite(time_s)
    np.testing.assert_array_equal(time_s[used], rows["time_s"])
    np.testing.assert_array_equal(acc[used], rows["acc_m_s2"])
    assert used.all() == (seed == 0)
    assert not used[~np.isfinite(b.acc_m_s2).all(axis=1)].any()


def test_a_sensor_without_a_clock(lossy: Case) -> None:
    b = lossy.samples[BodySite.LEFT_SHANK]
    assert b.device_time_s is None
    info = lossy.session.sensors[BodySite.LEFT_SHANK]
    clock = SessionTimes(info)
    timed = [*clock.push(b), *clock.finish()]
    rows = of_estimator(b, info)
    assert len(rows) == len(b)
    np.testing.assert_array_equal(np.concatenate([t.time_s for t in timed]), rows["time_s"])


def test_a_foots_samples_are_the_rows_of_its_angles(lossy: Case) -> None:
    for site in (BodySite.LEFT_FOOT, BodySite.RIGHT_FOOT):
        clock = SessionTimes(lossy.session.sensors[site])
        timed = [*clock.push(lossy.samples[site]), *clock.finish()]
        np.testing.assert_array_equal(np.concatenate([t.time_s for t in timed]), lossy.time_of(site))
