"""Zero where nobody stands first: from the walk, from a brief or late stance, and what it is worth."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.estimation import GaitEstimator, Parameters
from subtalar.estimation.parameters import ZeroParameters
from subtalar.estimation.rows.leg_rows import LEG_ROW
from subtalar.estimation.smoothing import SmoothingEstimator
from subtalar.estimation.stance.calm_stance import calmest_stance
from subtalar.types import BodySite, FloatArray, Quality
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

RATE_HZ = 100.0


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    """One leg stands, walks for 20 s, stops for 4 s and walks on."""
    body = BodyConfig(seed=8, standing_s=4.0, knee_bends=0, stop_every_s=20.0, stop_s=4.0)
    config = SimulationConfig(body, sites=("right_foot", "right_shank"), rate_hz=RATE_HZ, quality="good")
    return simulate("zero", config, 50.0)


def between(lab: SimpleNamespace, walk: Any, start_s: float, end_s: float) -> Any:
    return walk.with_samples(
        *(lab.part(b, (b.host_time_s >= start_s) & (b.host_time_s < end_s)) for b in walk.samples.values())
    )


def run(lab: SimpleNamespace, estimator: Any, walk: Any, new_result: Callable[[], Any]) -> Any:
    result = new_result()
    for block in lab.in_order(walk):
        result.take(estimator.push(block))
    result.take(estimator.finish())
    return result


def error_deg(walk: Any, result: Any, start_s: float, end_s: float) -> FloatArray:
    """Errors (n, 3) of the known rows between two instants, the lag that fits best taken out."""
    rows = result.rows("right")
    which = (rows.time_s > start_s) & (rows.time_s < end_s) & np.isfinite(rows.ankle_deg).all(axis=1)
    assert which.sum() > 300

    def at(lag_s: float) -> FloatArray:
        t = rows.time_s[which] - lag_s
        truth = np.column_stack([np.interp(t, walk.truth_time_s, walk.truth_deg["right"][:, k]) for k in range(3)])
        return np.asarray(rows.ankle_deg[which] - truth)

    return min((at(lag) for lag in np.arange(0.0, 0.06, 0.005)), key=lambda e: float(e.std(axis=0).sum()))


def test_a_walk_without_standing_has_curves_as_good_as_any_and_a_zero_that_knows_its_doubt(
    lab: SimpleNamespace, walk: Any, estimated: Callable[[Any], Any]
) -> None:
    first_s = walk.walk_start_s
    result = estimated(between(lab, walk, first_s + 0.5, first_s + 18.0))
    error = error_deg(walk, result, first_s + 8.0, first_s + 16.5)
    assert (error.std(axis=0) < 1.2).all()
    rows = result.rows("right")
    known = np.isfinite(rows.ankle_deg).all(axis=1)
    assert (np.abs(error.mean(axis=0)) < 2 * rows.zero_sd_deg[known].min()).all()
    assert (rows.ankle_sd_deg[known] >= rows.zero_sd_deg[known, None]).all()
    assert set(rows.quality[known]) == {Quality.FEW_STRIDES, Quality.PROVISIONAL_ZERO}
    assert result.codes == ["zero_pose"]
    assert [s.quality for s in result.strides][-3:] == ["provisional_zero"] * 3


@pytest.mark.parametrize("stood_s", [0.8, 1.5])
def test_a_brief_stance_before_the_walk_is_zero(
    lab: SimpleNamespace, walk: Any, estimated: Callable[[Any], Any], stood_s: float
) -> None:
    first_s = walk.walk_start_s
    result = estimated(between(lab, walk, first_s - stood_s, first_s + 18.0))
    error = error_deg(walk, result, first_s + 8.0, first_s + 16.5)
    assert (np.sqrt((error**2).mean(axis=0)) < 1.6).all()
    rows = result.rows("right")
    assert 0.3 < np.nanmax(rows.zero_sd_deg) < 2.0
    assert Quality.PROVISIONAL_ZERO not in rows.quality


def test_a_stop_in_the_walk_makes_zero_exact_and_is_said_once(
    lab: SimpleNamespace, walk: Any, new_result: Callable[[], Any]
) -> None:
    first_s = walk.walk_start_s
    unprepared = between(lab, walk, first_s + 0.5, np.inf)
    estimator = GaitEstimator(unprepared.sensors)
    live = run(lab, estimator, unprepared, new_result)
    assert [(n.code, n.level) for n in live.notices] == [("zero_pose", "advice"), ("zero_pose", "info")]
    moved_s = live.notices[1].time_s
    after = error_deg(walk, live, moved_s + 6.0, live.rows("right").time_s[-1] - 2.0)
    assert (np.sqrt((after**2).mean(axis=0)) < 1.5).all()
    # What is looked at afterwards has the best zero from its first angle on.
    again = estimator.again()
    assert again is not None
    better = run(lab, again, unprepared, new_result)
    assert again.again() is None
    before = error_deg(walk, better, first_s + 8.0, first_s + 18.0)
    assert (np.sqrt((before**2).mean(axis=0)) < 1.5).all()
    assert np.nanmax(better.rows("right").zero_sd_deg) < 1.0
    assert Quality.PROVISIONAL_ZERO not in better.rows("right").quality
    smooth = run(lab, SmoothingEstimator(unprepared.sensors), unprepared, new_result)
    assert (np.abs(error_deg(walk, smooth, first_s + 1.0, first_s + 18.0)).mean(axis=0) < 1.5).all()


def test_a_stance_at_the_very_end_counts(lab: SimpleNamespace, walk: Any, new_result: Callable[[], Any]) -> None:
    first_s = walk.walk_start_s
    unprepared = between(lab, walk, first_s + 0.5, first_s + 22.5)
    estimator = GaitEstimator(unprepared.sensors)
    run(lab, estimator, unprepared, new_result)
    again = estimator.again()
    assert again is not None
    error = error_deg(walk, run(lab, again, unprepared, new_result), first_s + 8.0, first_s + 18.0)
    assert (np.sqrt((error**2).mean(axis=0)) < 1.5).all()


def test_who_stood_first_keeps_that_zero(lab: SimpleNamespace, walk: Any, new_result: Callable[[], Any]) -> None:
    estimator = GaitEstimator(walk.sensors)
    run(lab, estimator, walk, new_result)
    assert estimator.again() is None


@pytest.mark.parametrize("block_s", [0.013, 0.4, 60.0])
def test_a_late_zero_does_not_depend_on_how_the_input_was_cut(lab: SimpleNamespace, walk: Any, block_s: float) -> None:
    unprepared = between(lab, walk, walk.walk_start_s + 0.5, np.inf)
    lab.assert_same(lab.estimate(unprepared, lab.in_order(unprepared, block_s)), lab.estimate(unprepared))


def test_it_goes_on_from_a_saved_state(lab: SimpleNamespace, walk: Any, new_result: Callable[[], Any]) -> None:
    unprepared = between(lab, walk, walk.walk_start_s + 0.5, np.inf)
    whole = lab.estimate(unprepared)
    for at_s in (10.0, 22.0):
        estimator, result = GaitEstimator(unprepared.sensors), new_result()
        blocks = lab.in_order(unprepared)
        saved = False
        for block in blocks:
            if not saved and block.host_time_s[0] > walk.walk_start_s + at_s:
                estimator, saved = GaitEstimator.restore(estimator.save()), True
            result.take(estimator.push(block))
        assert saved
        result.take(estimator.finish())
        lab.assert_same(result, whole)


def rows_turning(rate_deg_s: FloatArray) -> Any:
    """Rows of a leg whose foot rests and whose shank turns about one axis at these rates (n,)."""
    rows = np.zeros(len(rate_deg_s), LEG_ROW)
    rows["time_s"] = np.arange(len(rows)) / RATE_HZ
    rows["shank"]["gyr_rad_s"][:, 1] = np.radians(rate_deg_s)
    return rows


@pytest.mark.parametrize(
    ("sway_deg_s", "least_deg", "most_deg"), [(0.0, 0.3, 0.4), (2.0, 0.31, 1.0), (8.0, 0.8, 3.0), (80.0, 3.0, np.inf)]
)
def test_a_leg_that_sways_gives_a_zero_of_its_own_sd(sway_deg_s: float, least_deg: float, most_deg: float) -> None:
    t = np.arange(round(6.0 * RATE_HZ)) / RATE_HZ
    calm = calmest_stance(rows_turning(sway_deg_s * np.sin(2 * np.pi * 0.4 * t)), ZeroParameters(), RATE_HZ)
    assert least_deg <= (np.inf if calm is None else calm.sd_deg) <= most_deg


def test_the_calm_part_of_a_rest_is_found_and_a_short_one_is_none() -> None:
    rate = np.full(round(8.0 * RATE_HZ), 30.0)
    calm = slice(round(3.0 * RATE_HZ), round(5.0 * RATE_HZ))
    rate[calm] = 0.0
    found = calmest_stance(rows_turning(rate), ZeroParameters(), RATE_HZ)
    assert found is not None
    assert calm.start - 2 <= found.start < found.stop <= calm.stop + 2
    assert calmest_stance(rows_turning(np.zeros(round(0.5 * RATE_HZ))), ZeroParameters(), RATE_HZ) is None


def test_a_leg_that_is_bent_at_a_stop_is_not_taken_for_standing(
    lab: SimpleNamespace, walk: Any, new_result: Callable[[], Any]
) -> None:
    """Who sits down in the middle of a session: the shank leans by 25° while foot and shank are calm."""
    first_s = walk.walk_start_s
    unprepared = between(lab, walk, first_s + 0.5, first_s + 22.5)
    shank = unprepared.samples[BodySite.RIGHT_SHANK]
    stop = shank.host_time_s > first_s + 20.3
    turned = _leaning(shank, stop, np.radians(25.0))
    estimator = GaitEstimator(unprepared.sensors, Parameters())
    result = run(lab, estimator, unprepared.with_samples(turned), new_result)
    assert [(n.code, n.level) for n in result.notices] == [("zero_pose", "advice")]
    assert estimator.again() is None


def _leaning(block: Any, rows: Any, angle_rad: float) -> Any:
    """The sensor leant about its x axis within 0.4 s from the first of these rows on, as its gyroscope sees it too."""
    k = int(np.flatnonzero(rows)[0])
    n = round(0.4 * RATE_HZ)
    angle = angle_rad * np.clip((np.arange(len(block)) - k) / n, 0.0, 1.0)
    c, s = np.cos(angle), np.sin(angle)
    acc, gyr = block.acc_m_s2.copy(), block.gyr_rad_s.copy()
    acc[:, 1], acc[:, 2] = c * acc[:, 1] + s * acc[:, 2], c * acc[:, 2] - s * acc[:, 1]
    gyr[:, 1], gyr[:, 2] = c * gyr[:, 1] + s * gyr[:, 2], c * gyr[:, 2] - s * gyr[:, 1]
    gyr[k : k + n, 0] += angle_rad / 0.4
    return replace(block, acc_m_s2=acc, gyr_rad_s=gyr)
