"""A strap that slips in mid-walk is noticed within a few strides, about any axis of either sensor; nothing else is."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.estimation import GaitEstimator
from subtalar.types import BodySite, FloatArray, Quality, SampleBlock
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.sensor import draw_mounting

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK
SEED = 41
SLIP_S, SLIP_LASTS_S = 24.0, 0.2
AXES = {"forward": (1.0, 0.0, 0.0), "up": (0.0, 1.0, 0.0), "right": (0.0, 0.0, 1.0)}


def styled(simulate: Callable[..., Any], style: str, quality: str) -> Any:
    """One leg stands, bends once and walks to the end, its sensors in any orientation."""
    body = BodyConfig(seed=SEED, style=style, standing_s=4.0, knee_bends=1)
    sites = ("right_foot", "right_shank")
    config = SimulationConfig(body, sites=sites, rate_hz=100.0, quality=quality, orientation="any")
    return simulate(f"strap_{style}_{quality}", config, 60.0)


def slipped(
    block: SampleBlock, axis_of_segment: tuple[float, float, float], angle_deg: float, lasts_s: float = SLIP_LASTS_S
) -> SampleBlock:
    """The sensor turns on its segment about an axis of the segment (x forward, y up, z right)."""
    assert block.device_time_s is not None
    assert block.host_time_s is not None
    axis: FloatArray = np.array(axis_of_segment) @ draw_mounting(block.site.value, SEED, "any").matrix()
    t = block.device_time_s - block.device_time_s[np.searchsorted(block.host_time_s, SLIP_S)]
    done = np.clip(t / lasts_s, 0.0, 1.0)
    angle = np.radians(angle_deg) * done**2 * (3.0 - 2.0 * done)
    cross = np.cross(np.eye(3), axis)
    turn = np.eye(3) + np.sin(angle)[:, None, None] * cross + (1 - np.cos(angle))[:, None, None] * (cross @ cross)
    acc, gyr = (np.einsum("nji,nj->ni", turn, values) for values in (block.acc_m_s2, block.gyr_rad_s))
    gyr += np.gradient(angle, block.device_time_s)[:, None] * axis
    return SampleBlock(block.site, block.device_time_s, block.host_time_s, acc, gyr)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("site", [FOOT, SHANK])
@pytest.mark.parametrize(
    ("style", "quality", "angle_deg"),
    [("normal", "good", 15.0), ("normal", "good", 5.0), ("overpronated", "good", -7.0), ("antalgic", "poor", -15.0)],
)
def test_a_slip_is_said_and_the_session_goes_on_with_the_new_mounting(
    lab: SimpleNamespace,
    simulate: Callable[..., Any],
    style: str,
    quality: str,
    angle_deg: float,
    site: BodySite,
    axis: str,
) -> None:
    walk = styled(simulate, style, quality)
    slip = walk.with_samples(slipped(walk.samples[site], AXES[axis], angle_deg))
    result = lab.estimate(slip)
    (notice,) = [n for n in result.notices if n.level == "problem"]
    assert (notice.code, notice.site) == ("strap_slipped", site)
    assert f"{site.segment} sensor" in notice.text
    assert SLIP_S < notice.time_s < SLIP_S + 20.0  # far less than twenty strides
    rows, whole = result.rows("right"), lab.estimate(walk).rows("right")
    before = (rows.time_s > SLIP_S - 5.0) & (rows.time_s < SLIP_S)
    assert (rows.quality[before] == Quality.OK).mean() > 0.9
    # Beside the same walk with a strap that held, after it was told and before.
    t = rows.time_s
    held = np.column_stack([np.interp(t, whole.time_s, whole.ankle_deg[:, k]) for k in range(3)])
    off = np.abs(rows.ankle_deg - held)
    known = np.isfinite(off).all(axis=1)
    unnoticed = known & (t > SLIP_S + 0.5) & (t < notice.time_s)
    assert off[unnoticed].max() > 0.7 * abs(angle_deg)  # the fault was real
    after = known & (t > notice.time_s + 0.5)
    assert after.sum() > 300
    assert (np.sqrt((off[after] ** 2).mean(axis=0)) < 2.5).all()
    assert (off[after] < 2 * rows.ankle_sd_deg[after]).mean() > 0.95
    assert set(rows.quality[after]) <= {Quality.PROVISIONAL_ZERO, Quality.HEADING_STALE, Quality.BRIDGED_GAP}
    assert (rows.zero_sd_deg[after] >= 1.5).all()


def test_doubt_begins_with_the_first_stride_after_it(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    walk = styled(simulate, "normal", "good")
    result = lab.estimate(walk.with_samples(slipped(walk.samples[FOOT], AXES["right"], 10.0)))
    rows = result.rows("right")
    (notice,) = [n for n in result.notices if n.level == "problem"]
    doubted = (rows.time_s > SLIP_S + 2.5) & (rows.time_s < notice.time_s)
    assert doubted.sum() > 100
    assert (rows.ankle_sd_deg[doubted, 0] > 4.0).all()


def test_a_stance_after_a_slip_makes_zero_exact_again(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    body = BodyConfig(seed=SEED, standing_s=4.0, knee_bends=0, stop_every_s=40.0, stop_s=4.0)
    sites = ("right_foot", "right_shank")
    config = SimulationConfig(body, sites=sites, rate_hz=100.0, quality="good", orientation="any")
    walk = simulate("strap_stop", config, 65.0)
    estimator, result = GaitEstimator(walk.sensors), lab.Result()
    for block in lab.in_order(walk.with_samples(slipped(walk.samples[SHANK], AXES["right"], 8.0))):
        result.take(estimator.push(block))
    result.take(estimator.finish())
    # That zero belongs to the new mounting: it says nothing of the strides before.
    assert estimator.again() is None
    codes = [(n.code, n.level) for n in result.notices]
    assert ("strap_slipped", "problem") in codes
    assert ("zero_pose", "info") in codes
    rows = result.rows("right")
    last = np.isfinite(rows.ankle_deg).all(axis=1) & (rows.time_s > rows.time_s[-1] - 5.0)
    assert (rows.zero_sd_deg[last] < 1.0).all()
    truth = np.column_stack(
        [np.interp(rows.time_s[last] - 0.02, walk.truth_time_s, walk.truth_deg["right"][:, k]) for k in range(3)]
    )
    assert (np.abs((rows.ankle_deg[last] - truth).mean(axis=0)) < 1.2).all()


def test_a_strap_that_creeps_is_seen(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    body = BodyConfig(seed=SEED, standing_s=4.0, knee_bends=1)
    sites = ("right_foot", "right_shank")
    config = SimulationConfig(body, sites=sites, rate_hz=100.0, quality="good", orientation="any")
    walk = simulate("strap_creep", config, 100.0)
    creeping = slipped(walk.samples[FOOT], AXES["forward"], 8.0, lasts_s=60.0)
    result = lab.estimate(walk.with_samples(creeping))
    assert "strap_slipped" in result.codes
    error, which = lab.error_deg(walk, result, "right", 0.02)
    late = result.rows("right").time_s[which] > SLIP_S + 62.0
    assert late.sum() > 500
    assert np.abs(error[late].mean(axis=0)).max() < 4.5
    assert (np.abs(error) < 2 * result.rows("right").ankle_sd_deg[which])[late].mean() > 0.9


@pytest.mark.parametrize(("style", "quality"), [("normal", "good"), ("antalgic", "poor"), ("overpronated", "typical")])
def test_a_strap_that_holds_is_not_accused(
    lab: SimpleNamespace, simulate: Callable[..., Any], style: str, quality: str
) -> None:
    result = lab.estimate(styled(simulate, style, quality))
    assert len(result.strides) > 10
    assert [n.code for n in result.notices if n.level != "info"] == []


def test_pauses_and_turns_are_no_slip(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    body = BodyConfig(seed=5, standing_s=4.0, knee_bends=1, stop_every_s=10.0, stop_s=4.0, turn_rate_deg_s=25.0)
    walk = simulate("strap_turns", SimulationConfig(body, rate_hz=100.0, quality="poor", orientation="any"), 60.0)
    result = lab.estimate(walk)
    assert len(result.strides) > 40
    assert [n.code for n in result.notices if n.level != "info"] == []


@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_a_gap_is_no_slip(lab: SimpleNamespace, simulate: Callable[..., Any], site: BodySite) -> None:
    walk = styled(simulate, "normal", "good")
    result = lab.estimate(walk.with_samples(lab.lose(walk.samples[site], SLIP_S, SLIP_S + 0.2)))
    assert (result.rows("right").quality == Quality.NO_DATA).any()
    assert [n.code for n in result.notices if n.level != "info"] == []


def test_the_cut_and_a_restart_of_the_process_do_not_matter(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    walk = styled(simulate, "normal", "good")
    walk = walk.with_samples(slipped(walk.samples[SHANK], AXES["up"], 15.0))
    reference, result = lab.estimate(walk), lab.Result()
    assert "strap_slipped" in reference.codes
    estimator = GaitEstimator(walk.sensors)
    for k, block in enumerate(lab.in_order(walk, 0.37)):
        result.take(estimator.push(block))
        if k % 40 == 39:
            estimator = GaitEstimator.restore(estimator.save())
    result.take(estimator.finish())
    lab.assert_same(result, reference)
    assert result.codes == reference.codes
