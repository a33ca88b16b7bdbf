"""The smoothed pass beside the live one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.estimation import GaitEstimator
from subtalar.estimation.smoothing import SmoothingEstimator
from subtalar.types import SIDES, BodySite
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig


def run(lab: SimpleNamespace, estimator: GaitEstimator, blocks: list[Any]) -> Any:
    result = lab.Result()
    for block in blocks:
        result.take(estimator.push(block))
    result.take(estimator.finish())
    return result


def smoothed(lab: SimpleNamespace, walk: Any, block_s: float = 1.0) -> Any:
    return run(lab, SmoothingEstimator(walk.sensors), lab.in_order(walk, block_s))


@pytest.fixture(scope="module")
def short_smoothed(lab: SimpleNamespace, short_walk: Any) -> Any:
    return smoothed(lab, short_walk)


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    config = SimulationConfig(BodyConfig(seed=12), quality="typical", orientation="any", rate_hz=100.0)
    return simulate("typical_sensors_at_100_Hz,_any_way_round", config)


@pytest.fixture(scope="module")
def both(lab: SimpleNamespace, walk: Any) -> tuple[Any, Any]:
    return lab.estimate(walk), smoothed(lab, walk)


def test_keeping_a_trace_changes_no_bit_of_the_live_output(
    lab: SimpleNamespace, short_walk: Any, short_result: Any
) -> None:
    estimator = GaitEstimator(short_walk.sensors)
    traces = [leg.keep_trace() for leg in estimator._legs]
    lab.assert_same(run(lab, estimator, lab.in_order(short_walk)), short_result)
    assert len(traces[0].steps) > 10


def test_it_is_nearer_to_the_truth_than_live(lab: SimpleNamespace, walk: Any, both: tuple[Any, Any]) -> None:
    live, smooth = both
    errors = np.array([[lab.rmse_deg(walk, r, side) for side in SIDES] for r in (live, smooth)])
    assert (errors[1] <= errors[0] + 0.05).all(), errors.round(2)
    assert errors[1].mean() < errors[0].mean()


def test_its_standard_deviations_hold(lab: SimpleNamespace, walk: Any, both: tuple[Any, Any]) -> None:
    for side in SIDES:
        assert (lab.coverage(walk, both[1], side) > 0.85).all()
        sd = [float(np.nanmedian(r.rows(side).ankle_sd_deg)) for r in both]
        assert sd[1] <= sd[0]


def test_values_begin_in_standing(both: tuple[Any, Any], walk: Any) -> None:
    live, smooth = (r.rows("right") for r in both)
    np.testing.assert_array_equal(smooth.time_s, live.time_s)
    known = [r.time_s[np.isfinite(r.ankle_deg[:, 0])] for r in (live, smooth)]
    assert known[0][0] > walk.walk_start_s
    assert known[1][0] < walk.walk_start_s - 5.0
    # Neutral is the mean pose of standing.
    still = np.abs(smooth.time_s - known[1][0] - 0.5) < 0.5
    assert np.abs(smooth.ankle_deg[still]).max() < 2.0


def test_the_same_steps_and_all_of_them_with_angles(both: tuple[Any, Any]) -> None:
    live, smooth = both
    for side in SIDES:
        events = [[(e.kind, e.time_s) for e in r.events if e.side == side] for r in both]
        assert [kind for kind, _ in events[0]] == [kind for kind, _ in events[1]]
        np.testing.assert_allclose([t for _, t in events[0]], [t for _, t in events[1]], atol=0.01)
        counts = [sum(np.isfinite(s.peak_eversion_deg) for s in r.strides if s.side == side) for r in both]
        assert len([s for s in smooth.strides if s.side == side]) == counts[1] > counts[0]
    assert smooth.codes == live.codes


def test_cutting_changes_nothing(lab: SimpleNamespace, short_walk: Any, short_smoothed: Any) -> None:
    lab.assert_same(smoothed(lab, short_walk, 0.07), short_smoothed)


def test_saved_and_restored_it_goes_on(lab: SimpleNamespace, short_walk: Any, short_smoothed: Any) -> None:
    blocks = lab.in_order(short_walk)
    first = SmoothingEstimator(short_walk.sensors)
    for block in blocks[: len(blocks) // 2]:
        first.push(block)
    again = GaitEstimator.restore(first.save())
    lab.assert_same(run(lab, again, blocks[len(blocks) // 2 :]), short_smoothed)


def test_a_gap_stays_a_gap_and_both_sides_of_it_are_right(lab: SimpleNamespace, walk: Any) -> None:
    start_s = walk.walk_start_s + 14.0
    blocks = [
        kept
        for b in lab.in_order(walk)
        if len(kept := lab.lose(b, start_s, start_s + 3.0) if b.site == BodySite.RIGHT_SHANK else b)
    ]
    result = run(lab, SmoothingEstimator(walk.sensors), blocks)
    rows = result.rows("right")
    inside = (rows.time_s > start_s + 0.1) & (rows.time_s < start_s + 2.9)
    assert inside.sum() > 200
    assert np.isnan(rows.ankle_deg[inside]).all()
    assert (lab.rmse_deg(walk, result, "right") < 1.0).all()
    around = np.abs(rows.time_s - start_s - 4.0) < 0.5
    assert np.isfinite(rows.ankle_deg[around]).all()


@pytest.mark.parametrize("what", ["no walking", "silent", "one sensor"])
def test_what_cannot_be_smoothed_is_as_live(lab: SimpleNamespace, short_walk: Any, what: str) -> None:
    sensors, blocks = short_walk.sensors, lab.in_order(short_walk)
    if what == "no walking":
        blocks = [lab.lose(b, short_walk.walk_start_s, 1e9) for b in blocks]
    elif what == "silent":
        blocks = [b for b in blocks if b.site != BodySite.RIGHT_FOOT]
    else:
        sensors = {BodySite.RIGHT_FOOT: sensors[BodySite.RIGHT_FOOT]}
        blocks = [b for b in blocks if b.site == BodySite.RIGHT_FOOT]
    blocks = [b for b in blocks if len(b)]
    live, smooth = (run(lab, kind(sensors), blocks) for kind in (GaitEstimator, SmoothingEstimator))
    assert [(n.code, n.text, n.time_s) for n in smooth.notices] == [(n.code, n.text, n.time_s) for n in live.notices]
    if what == "one sensor":
        lab.assert_same(smooth, live)
        assert smooth.strides
    else:
        assert smooth.notices
        if live.blocks:
            a, b = live.rows("right"), smooth.rows("right")
            np.testing.assert_array_equal(a.time_s, b.time_s)
            np.testing.assert_array_equal(a.quality, b.quality)
        assert not any(np.isfinite(b.ankle_deg).any() for b in smooth.blocks)
        assert not smooth.strides
