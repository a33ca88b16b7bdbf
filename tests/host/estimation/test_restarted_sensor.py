"""A sensor that begins anew in mid-walk, on a computer so busy that what it sends first arrives late."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.estimation import GaitEstimator
from subtalar.types import BodySite, FloatArray, Quality, SampleBlock
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK
GONE_S, BACK_S = 24.0, 27.0


@pytest.fixture(scope="module")
def leg(simulate: Callable[..., Any]) -> Any:
    body = BodyConfig(seed=31, standing_s=4.0, knee_bends=1)
    config = SimulationConfig(body, sites=("right_foot", "right_shank"), rate_hz=100.0, quality="good")
    return simulate("restarted", config, 48.0)


def one_late_batch(t: FloatArray) -> FloatArray:
    """The first 0.8 s arrive together."""
    return np.maximum(0.8 - t, 0.0)


def first_sample_late(t: FloatArray) -> FloatArray:
    """By a second, and so all that came behind it."""
    return np.where(t < 0.02, 1.0, 0.0)


def stalls(t: FloatArray) -> FloatArray:
    """Four in the first four seconds, up to a second each."""
    out = np.zeros_like(t)
    for begin, length in ((0.0, 0.8), (1.1, 0.5), (1.9, 1.0), (3.3, 0.4)):
        inside = (t >= begin) & (t < begin + length)
        out[inside] = begin + length - t[inside]
    return out


def queue(t: FloatArray) -> FloatArray:
    """0.6 s of samples wait, and the queue is worked off within four seconds."""
    return np.maximum(0.6 - 0.15 * t, 0.0)


def restarted(
    lab: SimpleNamespace,
    block: SampleBlock,
    late: Callable[[FloatArray], FloatArray],
    gone_s: float = GONE_S,
    back_s: float = BACK_S,
) -> SampleBlock:
    """Nothing arrives from ``gone_s`` to ``back_s``; then the device's time begins at 0.4 s, and order is kept."""
    assert block.host_time_s is not None
    out = lab.part(lab.lose(block, gone_s, back_s), slice(None))
    device, host = out.device_time_s.copy(), out.host_time_s.copy()
    after = host >= back_s
    device[after] += 0.4 - device[after][0]
    host[after] = np.maximum.accumulate(host[after] + late(host[after] - back_s))
    return SampleBlock(block.site, device, host, out.acc_m_s2, out.gyr_rad_s)


def strides_until_ok(leg: Any, rows: Any, lag_s: float) -> int:
    """Complete strides from the return to the first angle of quality ok."""
    ok = rows.time_s[(rows.quality == Quality.OK) & (rows.time_s > GONE_S + 0.2)]
    assert len(ok), "never ok again"
    contacts_s = leg.truth_strides["right"][:, 1]
    return max(int(((contacts_s > BACK_S) & (contacts_s < ok[0] - lag_s)).sum()) - 1, 0)


@pytest.mark.parametrize(
    ("site", "late", "most_strides"),
    [
        (FOOT, one_late_batch, 3),
        (FOOT, first_sample_late, 3),
        (FOOT, stalls, 3),
        (FOOT, queue, 6),  # three once the queue is gone, which takes four seconds
        (SHANK, one_late_batch, 3),
        (SHANK, queue, 6),
    ],
)
def test_angles_come_back_however_late_the_first_samples(
    lab: SimpleNamespace, leg: Any, site: BodySite, late: Callable[[FloatArray], FloatArray], most_strides: int
) -> None:
    walk = leg.with_samples(restarted(lab, leg.samples[site], late))
    result = lab.estimate(walk, lab.in_order(walk, 0.1), advance_lag_s=0.0)
    rows = result.rows("right")
    assert (np.diff(rows.time_s) > 0).all()
    known = np.isfinite(rows.ankle_deg).all(axis=1)
    assert not (known & (rows.time_s > GONE_S + 0.1) & (rows.time_s < BACK_S - 0.1)).any()  # nothing invented
    lag_s = lab.lag_of(walk, result, "right")
    assert strides_until_ok(walk, rows, lag_s) <= most_strides
    error, which = lab.error_deg(walk, result, "right", lag_s)
    t, ok = rows.time_s[which], rows.quality[which] == Quality.OK
    before, after = ok & (t < GONE_S), ok & (t > BACK_S)
    assert after.sum() > 1000
    rmse_before, rmse_after = (np.sqrt((error[part] ** 2).mean(axis=0)) for part in (before, after))
    assert (rmse_after < rmse_before + 0.3).all()
    assert (np.abs(error[after]) < 2 * rows.ankle_sd_deg[which][after]).mean() > 0.95
    assert np.abs(error[after]).max() < 2.5


def test_times_are_right_again_at_once(lab: SimpleNamespace, leg: Any) -> None:
    """Events before and after, against the truth: the restarted clock is no later than the old one was."""
    walk = leg.with_samples(restarted(lab, leg.samples[FOOT], one_late_batch))
    result = lab.estimate(walk)
    contacts_s = np.array([e.time_s for e in result.events if e.kind == "initial_contact"])
    truth_s = walk.truth_strides["right"][:, 1]
    late_s = np.array([t - truth_s[np.argmin(np.abs(truth_s - t))] for t in contacts_s])
    before, after = late_s[contacts_s < GONE_S], late_s[contacts_s > BACK_S]
    assert len(after) > 10
    assert abs(np.median(after) - np.median(before)) < 0.005


def test_live_is_replay_over_restarts(lab: SimpleNamespace, short_walk: Any) -> None:
    """Told the time or not, cut finely or not, saved in between or not; the foot fails again soon after its return."""
    foot, shank = (short_walk.samples[site] for site in (FOOT, SHANK))
    foot = restarted(lab, foot, one_late_batch, 14.0, 15.0)
    foot = restarted(lab, foot, first_sample_late, 16.3, 17.0)
    shank = restarted(lab, restarted(lab, shank, stalls, 19.0, 19.5), one_late_batch, 20.6, 22.0)
    walk = short_walk.with_samples(foot, shank)
    reference = lab.estimate(walk, lab.in_order(walk, 5.0))
    lab.assert_same(lab.estimate(walk, lab.in_order(walk, 0.05), advance_lag_s=0.0), reference)
    lab.assert_same(lab.estimate(walk, lab.in_order(walk, 0.3), advance_lag_s=0.5), reference)
    estimator, result = GaitEstimator(walk.sensors), lab.Result()
    for block in lab.in_order(walk, 0.23):
        result.take(estimator.advance(float(block.host_time_s[0])))
        result.take(estimator.push(block))
        estimator = GaitEstimator.restore(estimator.save())
    result.take(estimator.finish())
    lab.assert_same(result, reference)


def test_rows_do_not_wait_for_a_sensor_that_spoke_once_more_and_fell_silent(
    lab: SimpleNamespace, short_walk: Any
) -> None:
    """Half a second of a new clock is not enough to be sure of it, but must not hold up the other sensor for ever."""
    shank = lab.lose(restarted(lab, short_walk.samples[SHANK], one_late_batch, 14.0, 16.0), 17.0, 99.0)
    assert 20 < (shank.host_time_s > 15.0).sum() < 60
    walk = short_walk.with_samples(shank)
    estimator, result = GaitEstimator(walk.sensors), lab.Result()
    for block in lab.in_order(walk, 0.2):
        arrival_s = float(block.host_time_s[0])
        result.take(estimator.advance(arrival_s))
        result.take(estimator.push(block))
        if arrival_s > 20.0:
            assert result.rows("right").time_s[-1] > arrival_s - 2.5
