"""What goes wrong in a laboratory: no crash, and nothing called ok that is not."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.errors import SubtalarError
from subtalar.estimation import GaitEstimator
from subtalar.types import SIDES, BodySite, Quality, SampleBlock, Segment, SensorInfo
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    """Two legs stand, bend once and walk 26 s; good sensors at 100 Hz."""
    body = BodyConfig(seed=31, standing_s=4.0, knee_bends=1)
    return simulate("adversity", SimulationConfig(body, rate_hz=100.0, quality="good"), 35.0)


@pytest.fixture(scope="module")
def leg(walk: Any) -> Any:
    return walk.of(FOOT, SHANK)


@pytest.fixture(scope="module")
def undisturbed(leg: Any, estimated: Callable[[Any], Any]) -> Any:
    result = estimated(leg)
    assert (result.rows("right").quality == Quality.OK).sum() > 1000
    return result


def assert_honest(result: Any, side: str = "right") -> None:
    """A value exactly where the quality does not deny one, and nothing half known."""
    rows = result.rows(side)
    finite = np.isfinite(rows.ankle_deg)
    assert (finite.all(axis=1) == finite.any(axis=1)).all()
    np.testing.assert_array_equal(finite.all(axis=1), np.isfinite(rows.ankle_sd_deg).all(axis=1))
    np.testing.assert_array_equal(finite.all(axis=1), ~np.isin(rows.quality, (Quality.NOT_CALIBRATED, Quality.NO_DATA)))
    assert (rows.ankle_sd_deg[finite] > 0).all()
    assert (np.diff(rows.time_s) > 0).all()


def worst_error_called_ok(lab: SimpleNamespace, walk: Any, result: Any) -> float:
    """99th percentile of the largest error among rows of quality ok (deg)."""
    error, which = lab.error_deg(walk, result, "right", lab.lag_of(walk, result, "right"))
    ok = result.rows("right").quality[which] == Quality.OK
    assert ok.sum() > 500
    return float(np.percentile(np.abs(error[ok]).max(axis=1), 99))


def mid_swing_s(walk: Any) -> float:
    """Half-way between a foot off and the contact after it, well inside the walk (arrival clock, nearly)."""
    strides = walk.truth_strides["right"]
    row = strides[np.searchsorted(strides[:, 1], 21.0)]
    return float(0.5 * (row[2] + row[1] + row[3]) + 0.02)


def test_undisturbed(lab: SimpleNamespace, leg: Any, undisturbed: Any) -> None:
    assert_honest(undisturbed)
    assert worst_error_called_ok(lab, leg, undisturbed) < 3.0


@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_a_gap_of_80_ms_is_bridged_and_flagged(lab: SimpleNamespace, leg: Any, site: BodySite) -> None:
    middle = mid_swing_s(leg)
    result = lab.estimate(leg.with_samples(lab.lose(leg.samples[site], middle - 0.04, middle + 0.04)))
    assert_honest(result)
    assert (result.rows("right").quality == Quality.NO_DATA).sum() <= 2
    assert worst_error_called_ok(lab, leg, result) < 4.0


@pytest.mark.parametrize("length_s", [0.2, 5.0])
@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_a_gap_is_said_and_survived(lab: SimpleNamespace, leg: Any, site: BodySite, length_s: float) -> None:
    start = mid_swing_s(leg) - 0.1
    result = lab.estimate(leg.with_samples(lab.lose(leg.samples[site], start, start + length_s)))
    assert_honest(result)
    rows = result.rows("right")
    gone = (rows.time_s > start + 0.03) & (rows.time_s < start + length_s - 0.03)
    assert np.isnan(rows.ankle_deg[gone]).all()
    assert (rows.quality[gone] == Quality.NO_DATA).all()
    after = (rows.time_s > start + length_s + 0.1) & (rows.time_s < start + length_s + 0.6)
    assert (rows.quality[after] != Quality.OK).all()  # what the sensor did meanwhile is not known
    late = rows.time_s > 32.0
    assert np.isfinite(rows.ankle_deg[late & (rows.time_s < 33.5)]).all()  # and it goes on
    assert not any(s.initial_contact_s < start < s.initial_contact_s + s.stride_time_s for s in result.strides)


@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_after_a_gap_in_swing_nothing_wrong_is_called_ok(lab: SimpleNamespace, leg: Any, site: BodySite) -> None:
    start = mid_swing_s(leg) - 0.1
    result = lab.estimate(leg.with_samples(lab.lose(leg.samples[site], start, start + 0.2)))
    assert worst_error_called_ok(lab, leg, result) < 5.0


@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_a_gap_soon_after_a_rest_is_no_turned_sensor(lab: SimpleNamespace, leg: Any, site: BodySite) -> None:
    """The stride that ended just before the gap says nothing of the heading after it."""
    flat = next(e.time_s for e in lab.estimate(leg).events if e.kind == "foot_flat" and e.time_s > 21.0)
    for late_s in (0.0, 0.05, 0.1):
        start = flat + late_s
        result = lab.estimate(leg.with_samples(lab.lose(leg.samples[site], start, start + 0.2)))
        assert (result.rows("right").quality == Quality.NO_DATA).any()
        assert [n.code for n in result.notices if n.level != "info"] == []
        assert worst_error_called_ok(lab, leg, result) < 3.0


def test_the_partner_is_silent_from_some_time_on(lab: SimpleNamespace, leg: Any) -> None:
    short = leg.with_samples(lab.lose(leg.samples[SHANK], 20.0, np.inf))
    result = lab.estimate(short, lab.in_order(short, 0.25), advance_lag_s=0.1)
    assert_honest(result)
    rows = result.rows("right")
    assert (rows.quality[rows.time_s > 20.2] == Quality.NO_DATA).all()
    assert rows.time_s[-1] > 34.0  # the rows come all the same


def test_rows_do_not_wait_for_a_silent_partner(lab: SimpleNamespace, leg: Any) -> None:
    """Live: a second after its arrival a row is there, with or without the other sensor."""
    estimator, newest = GaitEstimator(leg.sensors), -np.inf
    for block in lab.in_order(leg.with_samples(lab.lose(leg.samples[SHANK], 10.0, np.inf)), 0.1):
        now = float(block.host_time_s[0])
        for estimates in (estimator.advance(now), estimator.push(block)):
            for angles in estimates.angles:
                newest = float(angles.time_s[-1])
        if now > 3.0:
            assert newest > now - 1.3
    assert newest > 30.0


@pytest.mark.parametrize("silent", [FOOT, SHANK])
def test_a_partner_that_never_speaks(lab: SimpleNamespace, leg: Any, silent: BodySite) -> None:
    one = replace(leg, samples={s: b for s, b in leg.samples.items() if s is not silent})
    result = lab.estimate(one)
    assert not any(np.isfinite(b.ankle_deg).any() for b in result.blocks)
    assert result.strides == []
    assert any(n.level == "problem" for n in result.notices)


@pytest.mark.parametrize("silent", [FOOT, SHANK])
def test_a_partner_that_never_speaks_is_named(lab: SimpleNamespace, leg: Any, silent: BodySite) -> None:
    one = replace(leg, samples={s: b for s, b in leg.samples.items() if s is not silent})
    assert any(n.site is silent or silent.segment in n.text for n in lab.estimate(one).notices)


@pytest.mark.parametrize("only", [FOOT, SHANK])
def test_a_leg_with_one_sensor_is_said_at_once(lab: SimpleNamespace, leg: Any, only: BodySite) -> None:
    estimator = GaitEstimator({only: leg.sensors[only]})
    first = estimator.push(lab.part(leg.samples[only], slice(0, 10)))
    assert [(n.code, n.side) for n in first.notices] == [("one_sensor", "right")]
    missing = "shank" if only is FOOT else "foot"
    assert missing in first.notices[0].text
    later = estimator.push(lab.part(leg.samples[only], slice(10, 2000)))
    assert later.angles
    assert not any(np.isfinite(b.ankle_deg).any() for b in (*later.angles, *estimator.finish().angles))


def test_the_other_leg_goes_on(lab: SimpleNamespace, walk: Any) -> None:
    three = walk.of(FOOT, SHANK, BodySite.LEFT_FOOT)
    result = lab.estimate(three)
    assert "one_sensor" in result.codes
    assert {b.side for b in result.blocks} == {"right", "left"}
    result.blocks = [b for b in result.blocks if b.side == "right"]
    lab.assert_same(result, lab.estimate(walk.of(FOOT, SHANK)))  # and is none the worse for it


def moved(block: SampleBlock, site: BodySite) -> SampleBlock:
    return SampleBlock(site, block.device_time_s, block.host_time_s, block.acc_m_s2, block.gyr_rad_s)


def assert_refused(result: Any, code: str, side: str = "right") -> None:
    """Said once, with nothing beside it that would mislead, and no angles."""
    assert_honest(result, side)
    assert [n.code for n in result.notices if n.level == "problem" and n.side == side] == [code]
    assert not np.isfinite(result.rows(side).ankle_deg).any()


def test_foot_and_shank_exchanged(lab: SimpleNamespace, leg: Any) -> None:
    swapped = leg.with_samples(moved(leg.samples[SHANK], FOOT), moved(leg.samples[FOOT], SHANK))
    assert_refused(lab.estimate(swapped), "sensors_exchanged")


@pytest.fixture(scope="module", params=["normal", "overpronated", "antalgic"])
def any_walk(request: pytest.FixtureRequest, simulate: Callable[..., Any]) -> Any:
    """Two legs of each style, sensors in any orientation."""
    body = BodyConfig(seed=33, style=str(request.param), standing_s=4.0, knee_bends=1)
    config = SimulationConfig(body, rate_hz=100.0, quality="typical", orientation="any")
    return simulate(f"wrong_leg_{request.param}", config, 24.0)


@pytest.mark.parametrize("segment", ["foot", "shank"])
def test_sensors_of_the_two_legs_exchanged(lab: SimpleNamespace, any_walk: Any, segment: Segment) -> None:
    left, right = BodySite.of("left", segment), BodySite.of("right", segment)
    samples = any_walk.samples
    result = lab.estimate(any_walk.with_samples(moved(samples[left], right), moved(samples[right], left)))
    for side in SIDES:
        assert_refused(result, "sensors_exchanged_between_legs", side)


def test_sensors_in_their_places_are_not_accused(lab: SimpleNamespace, any_walk: Any) -> None:
    result = lab.estimate(any_walk)
    assert [n.code for n in result.notices if n.level != "info"] == []
    for side in SIDES:
        assert np.isfinite(result.rows(side).ankle_deg).all(axis=1).sum() > 500


def zeros(block: SampleBlock) -> SampleBlock:
    nothing = np.zeros((len(block), 3))
    return SampleBlock(block.site, block.device_time_s, block.host_time_s, nothing, nothing)


@pytest.mark.parametrize("dead", [(FOOT,), (SHANK,), (FOOT, SHANK)])
def test_constant_zeros(lab: SimpleNamespace, leg: Any, dead: tuple[BodySite, ...]) -> None:
    result = lab.estimate(leg.with_samples(*(zeros(leg.samples[s]) for s in dead)))
    assert_honest(result)
    assert not (result.rows("right").quality < Quality.NOT_CALIBRATED).any()
    assert any(n.level == "problem" for n in result.notices)


@pytest.mark.parametrize("column", ["acc_m_s2"])
def test_a_sample_that_is_not_a_number(lab: SimpleNamespace, leg: Any, column: str) -> None:
    """Refused in one sentence, or left out and survived."""
    values = getattr(leg.samples[FOOT], column).copy()
    values[2000, 1] = np.nan
    broken = replace(leg.samples[FOOT], **{column: values})
    try:
        result = lab.estimate(leg.with_samples(broken))
    except SubtalarError:
        return
    assert_honest(result)
    rows = result.rows("right")
    assert np.isfinite(rows.ankle_deg[(rows.time_s > 25.0) & (rows.time_s < 33.0)]).all()
    assert worst_error_called_ok(lab, leg, result) < 4.0


def test_three_seconds(lab: SimpleNamespace, leg: Any) -> None:
    short = leg.with_samples(*(lab.part(b, slice(0, 300)) for b in leg.samples.values()))
    result = lab.estimate(short)
    assert_honest(result)
    assert len(result.rows("right").time_s) > 290
    assert result.strides == []
    assert any(n.level == "problem" for n in result.notices)


def test_nothing_at_all(leg: Any) -> None:
    assert GaitEstimator({}).finish().angles == ()
    assert GaitEstimator(leg.sensors).finish().angles == ()


def test_nobody_stands_still(lab: SimpleNamespace, leg: Any) -> None:
    walking = leg.with_samples(*(lab.part(b, slice(1200, 3200)) for b in leg.samples.values()))
    result = lab.estimate(walking)
    assert_honest(result)
    rows = result.rows("right")
    known = np.isfinite(rows.ankle_deg).all(axis=1)
    assert known.mean() > 0.5
    assert set(rows.quality[known]) <= {Quality.PROVISIONAL_ZERO, Quality.FEW_STRIDES}
    assert (rows.zero_sd_deg[known] > 3.0).all()
    assert (rows.ankle_sd_deg[known] > 3.0).all()
    assert result.codes == ["zero_pose"]


@pytest.mark.parametrize("block_s", [0.5, 5.0])
def test_a_long_stop_in_the_walk(lab: SimpleNamespace, simulate: Callable[..., Any], block_s: float) -> None:
    body = BodyConfig(seed=3, standing_s=4.0, knee_bends=0, stop_every_s=10.0, stop_s=12.0)
    config = SimulationConfig(body, sites=("right_foot", "right_shank"), rate_hz=50.0)
    walk = simulate("long_stop", config, 40.0)
    result = lab.estimate(walk, lab.in_order(walk, block_s))
    assert_honest(result)
    assert len(result.strides) > 12


@pytest.mark.parametrize("rate_hz", [5.0, 10.0])
def test_a_slow_sensor_is_taken_or_refused_in_a_sentence(rate_hz: float) -> None:
    with contextlib.suppress(SubtalarError):
        GaitEstimator({site: SensorInfo(site, rate_hz) for site in (FOOT, SHANK)})
