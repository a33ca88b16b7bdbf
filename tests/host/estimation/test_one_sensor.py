"""Legs with a sensor on the foot or the shank only: angles to the floor, events and strides against the simulator."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.anatomy import columns_of
from subtalar.estimation.angles.segment_angles import foot_to_floor_deg, shank_to_floor_deg
from subtalar.estimation.numerics import quaternions as quat
from subtalar.types import BodySite, FloatArray, Quality, Side
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

BODY = BodyConfig(seed=8, style="overpronated")
DURATION_S = 40.0
FOOT, SHANK, SUBTALAR = (list(columns_of(group)) for group in ("foot", "shank", "subtalar"))
CONTACT, OFF, TIME, LENGTH = 1, 2, 3, 8
"""Columns of the true strides."""


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    config = SimulationConfig(BODY, rate_hz=100.0, quality="good", orientation="any")
    return simulate("lone_sensors", config, DURATION_S)


@pytest.fixture(scope="module")
def mixed(walk: Any, estimated: Callable[[Any], Any]) -> Any:
    """The left leg carries a foot sensor only, the right leg a shank sensor only."""
    return estimated(walk.of(BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK))


@pytest.fixture(scope="module")
def complete(walk: Any, estimated: Callable[[Any], Any]) -> Any:
    return estimated(walk)


def true_deg(side: Side, segment: str, time_s: FloatArray, body: BodyConfig = BODY) -> FloatArray:
    config = replace(body, walking_s=DURATION_S - SimulationConfig(body).make_body().walk_start_s - 1.0)
    state = SimulationConfig(config).make_body().pose(side, time_s)
    q = np.array([quat.from_matrix(r) for r in getattr(state, segment)])
    return (foot_to_floor_deg if segment == "foot" else shank_to_floor_deg)(q, side)


def errors_deg(
    walk: Any, result: Any, side: Side, segment: str, body: BodyConfig = BODY
) -> tuple[FloatArray, FloatArray]:
    """Errors and sd (n, 2) while walking, and the lag of the arrivals that fits best taken out."""
    rows, columns = result.rows(side), FOOT if segment == "foot" else SHANK
    which = (rows.time_s > walk.walk_start_s + 8.0) & (rows.time_s < walk.walk_end_s - 1.5)
    which &= np.arange(len(which)) % 4 == 0
    found, t = rows.angles_deg[which][:, columns], rows.time_s[which]
    assert np.isfinite(found).all()
    every = [found - true_deg(side, segment, t - lag, body) for lag in np.arange(0.004, 0.034, 0.005)]
    return min(every, key=lambda e: float(np.sum(e * e))), rows.angles_sd_deg[which][:, columns]


@pytest.mark.parametrize(
    ("which", "side", "segment"),
    [
        ("mixed", "left", "foot"),
        ("mixed", "right", "shank"),
        ("complete", "left", "foot"),
        ("complete", "right", "foot"),
        ("complete", "right", "shank"),
    ],
)
def test_angles_to_the_floor(walk: Any, which: str, side: Side, segment: str, request: pytest.FixtureRequest) -> None:
    error, sd = errors_deg(walk, request.getfixturevalue(which), side, segment)
    sagittal, frontal = np.sqrt(np.mean(error**2, axis=0))
    assert sagittal < 0.8
    assert frontal < 1.5
    assert (np.mean(np.abs(error) < 2 * sd, axis=0) > 0.9).all()


def test_without_knee_bends_the_sd_knows_that_the_axis_is_doubtful(
    lab: SimpleNamespace, simulate: Callable[..., Any]
) -> None:
    body = replace(BODY, knee_bends=0)
    config = SimulationConfig(body, rate_hz=100.0, quality="good", orientation="any")
    walk = simulate("lone_without_bends", config, DURATION_S)
    for sites in ([BodySite.RIGHT_SHANK], [BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK]):
        error, sd = errors_deg(walk, lab.estimate(walk.of(*sites)), "right", "shank", body)
        assert np.sqrt(np.mean(error**2, axis=0)).max() < 4.0
        assert (np.mean(np.abs(error) < 2 * sd, axis=0) > 0.9).all()


def test_joint_angles_and_the_other_segment_stay_empty(mixed: Any) -> None:
    for side, missing in (("left", SHANK), ("right", FOOT)):
        rows = mixed.rows(side)
        assert np.isnan(rows.ankle_deg).all()
        assert np.isnan(rows.ankle_sd_deg).all()
        assert np.isnan(rows.angles_deg[:, missing]).all()
        assert np.isnan(rows.angles_deg[:, SUBTALAR]).all()
        before = rows.quality == Quality.NOT_CALIBRATED
        assert np.isnan(rows.angles_deg[before]).all()
        assert set(np.unique(rows.quality[~before])) == {Quality.OK, Quality.FEW_STRIDES}
    assert np.isnan(mixed.rows("left").shank_orientation).all()


@pytest.mark.parametrize(("side", "off_ms"), [("left", 40.0), ("right", 80.0)])
def test_every_stride_is_found_and_none_invented(walk: Any, mixed: Any, side: Side, off_ms: float) -> None:
    """The shank follows the foot loosely: its foot off is up to 70 ms late here."""
    found = [s for s in mixed.strides if s.side == side]
    truth = walk.truth_strides[side]
    assert len(truth) > 20
    contacts = np.array([s.initial_contact_s for s in found]) - 0.015
    nearest = [int(np.argmin(np.abs(contacts - row[CONTACT]))) for row in truth]
    late_ms = np.array([1e3 * (contacts[k] - row[CONTACT]) for k, row in zip(nearest, truth, strict=True)])
    assert (np.abs(late_ms) < 60).all()
    assert np.median(np.abs(late_ms)) < 20
    assert len(found) == len(truth)
    offs = [1e3 * (found[k].foot_off_s - 0.015 - row[OFF]) for k, row in zip(nearest, truth, strict=True)]
    assert np.median(np.abs(offs)) < off_ms
    times = [1e3 * (found[k].stride_time_s - row[TIME]) for k, row in zip(nearest, truth, strict=True)]
    assert np.median(np.abs(times)) < 15


def test_measures_are_those_the_sensor_can_give(walk: Any, mixed: Any) -> None:
    foot = [s for s in mixed.strides if s.side == "left" and s.quality == "ok"]
    shank = [s for s in mixed.strides if s.side == "right" and s.quality == "ok"]
    assert min(len(foot), len(shank)) > 10
    assert {s.measured_by for s in foot} == {"foot"}
    assert {s.measured_by for s in shank} == {"shank"}
    length = np.median([s.stride_length_m for s in foot])
    assert length == pytest.approx(np.median(walk.truth_strides["left"][:, LENGTH]), abs=0.05)
    assert 10 < np.median([s.foot_strike_angle_deg for s in foot]) < 30
    assert np.isnan([s.peak_tibial_acceleration_g for s in foot]).all()
    assert 1 < np.median([s.peak_tibial_acceleration_g for s in shank]) < 20
    assert np.isnan([s.stride_length_m for s in shank]).all()
    assert np.isnan([s.foot_strike_angle_deg for s in shank]).all()
    assert np.isnan([s.peak_eversion_deg for s in foot + shank]).all()
    assert {s.measured_by for s in mixed.strides} == {"foot", "shank"}


def test_what_is_missing_and_what_is_zero_are_said(mixed: Any) -> None:
    said = {(n.side, n.code): n.text for n in mixed.notices}
    assert "no shank sensor" in said["left", "one_sensor"]
    assert "no foot sensor" in said["right", "one_sensor"]
    assert "zero is quiet standing" in said["left", "calibrated"]
    assert "knee bends" in said["right", "calibrated"]


def test_a_leg_is_not_changed_by_what_the_other_carries(lab: SimpleNamespace, walk: Any, complete: Any) -> None:
    result = lab.estimate(walk.of(BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK, BodySite.LEFT_FOOT))
    np.testing.assert_array_equal(result.rows("right").ankle_deg, complete.rows("right").ankle_deg)
    assert np.isfinite(result.rows("left").angles_deg[-1, FOOT]).all()


def after_standing(lab: SimpleNamespace, walk: Any, site: BodySite) -> Any:
    """The walk alone, of one sensor."""
    block = walk.samples[site]
    return walk.of(site).with_samples(lab.part(block, block.host_time_s > walk.walk_start_s + 0.5))


def test_a_foot_that_never_stood_still_is_zero_when_flat(lab: SimpleNamespace, walk: Any) -> None:
    result = lab.estimate(after_standing(lab, walk, BodySite.LEFT_FOOT))
    assert "mid-stance" in next(n.text for n in result.notices if n.code == "calibrated")
    error, sd = errors_deg(walk, result, "left", "foot")
    assert np.sqrt(np.mean(error**2, axis=0)).max() < 2.5  # the filter began in mid-walk
    assert (np.mean(np.abs(error) < 2 * sd, axis=0) > 0.8).all()
    assert sd.min() > 1.0


def test_a_shank_that_never_stood_still_has_no_zero(lab: SimpleNamespace, walk: Any) -> None:
    result = lab.estimate(after_standing(lab, walk, BodySite.RIGHT_SHANK))
    assert np.isnan(result.rows("right").angles_deg).all()
    assert result.strides == []
    assert [n.level for n in result.notices if n.code == "no_standing"] == ["problem"]


@pytest.mark.parametrize("site", [BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK])
def test_standing_alone_is_told_as_too_few_steps(lab: SimpleNamespace, walk: Any, site: BodySite) -> None:
    block = walk.samples[site]
    only = walk.of(site).with_samples(lab.part(block, block.host_time_s < walk.walk_start_s - 0.5))
    result = lab.estimate(only)
    assert result.strides == []
    assert [n.level for n in result.notices if n.code == "no_walking"] == ["problem"]


@pytest.mark.parametrize("site", [BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK])
def test_nothing_is_invented_across_a_gap(lab: SimpleNamespace, walk: Any, site: BodySite) -> None:
    start_s = walk.walk_start_s + 12.0
    result = lab.estimate(walk.of(site).with_samples(lab.lose(walk.samples[site], start_s, start_s + 2.0)))
    rows = result.rows(site.side)
    after = (rows.time_s > start_s + 2.0) & (rows.time_s < start_s + 3.5)
    assert after.sum() > 100
    assert np.isnan(rows.angles_deg[after]).all()
    assert (rows.quality[after] == Quality.NO_DATA).all()
    later = (rows.time_s > start_s + 6.0) & (rows.time_s < walk.walk_end_s - 1.5)
    columns = FOOT if site.segment == "foot" else SHANK
    error = rows.angles_deg[later][:, columns] - true_deg(site.side, site.segment, rows.time_s[later] - 0.017)
    assert np.sqrt(np.mean(error**2, axis=0)).max() < 3.0
    assert (np.mean(np.abs(error) < 2 * rows.angles_sd_deg[later][:, columns], axis=0) > 0.8).all()
    assert all(s.stride_time_s < 1.5 for s in result.strides)
    assert not any(start_s - 0.2 < s.initial_contact_s < start_s + 2.0 for s in result.strides)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sizes=st.lists(st.integers(1, 500), min_size=1, max_size=12))
def test_any_cut_gives_the_same_bits(lab: SimpleNamespace, walk: Any, mixed: Any, sizes: list[int]) -> None:
    assert len(mixed.strides) > 30  # there is something to compare
    blocks = []
    for site in (BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK):
        block, at = walk.samples[site], 0
        for size in itertools.cycle(sizes):
            if at >= len(block):
                break
            blocks.append(lab.part(block, slice(at, at + size)))
            at += size
    lab.assert_same(lab.estimate(walk.of(BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK), blocks), mixed)


@pytest.mark.parametrize("site", [BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK])
def test_one_sample_at_a_time(lab: SimpleNamespace, walk: Any, mixed: Any, site: BodySite) -> None:
    block = lab.part(walk.samples[site], slice(0, 2600))
    one = lab.estimate(walk.of(site), [lab.part(block, slice(k, k + 1)) for k in range(len(block))])
    lab.assert_same(one, lab.estimate(walk.of(site), [block]))
