"""What is amiss is named by what explains the data: sign, clocks, range, a rest that is none."""

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.stance.flat_pose import FlatPose
from subtalar.types import BodySite, Quality, SampleBlock
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    """One leg stands, bends once and walks for half a minute; sensors in any orientation."""
    body = BodyConfig(seed=12, standing_s=4.0, knee_bends=1)
    config = SimulationConfig(
        body, sites=("right_foot", "right_shank"), rate_hz=100.0, quality="good", orientation="any"
    )
    return simulate("diagnosis", config, 42.0)


def problems(result: Any) -> list[str]:
    return [n.code for n in result.notices if n.level == "problem"]


@pytest.mark.parametrize("site", [FOOT, SHANK])
def test_an_accelerometer_with_its_sign_turned_is_named_and_gives_no_angles(
    lab: SimpleNamespace, walk: Any, site: BodySite
) -> None:
    block = walk.samples[site]
    result = lab.estimate(walk.with_samples(replace(block, acc_m_s2=-block.acc_m_s2)))
    assert problems(result) == ["accelerometer_sign"]
    rows = result.rows("right")
    late = rows.time_s > rows.time_s[-1] - 15.0
    assert not np.isfinite(rows.ankle_deg[late]).any()


def without_arrivals(block: SampleBlock, later_s: float = 0.0) -> SampleBlock:
    """Of a file that has the sensor's own times, which begin so much later."""
    t = block.device_time_s - block.device_time_s[0]
    kept = t >= later_s
    return SampleBlock(block.site, t[kept] - t[kept][0], None, block.acc_m_s2[kept], block.gyr_rad_s[kept])


@pytest.mark.parametrize("apart_s", [-0.2, 0.15, 0.22])
def test_clocks_that_are_apart_are_no_other_leg(lab: SimpleNamespace, walk: Any, apart_s: float) -> None:
    late = SHANK if apart_s > 0 else FOOT
    blocks = [without_arrivals(b, abs(apart_s) if b.site == late else 0.0) for b in walk.samples.values()]
    result = lab.estimate(walk.with_samples(*blocks))
    assert problems(result) == []
    (notice,) = [n for n in result.notices if n.level == "advice"]
    assert notice.code == "clocks_apart"
    told = re.search(r"are (\d\.\d+) s apart", notice.text)
    assert told is not None
    assert float(told[1]) == pytest.approx(abs(apart_s), abs=0.021)
    whole = lab.estimate(walk.with_samples(*(without_arrivals(b) for b in walk.samples.values()))).rows("right")
    rows = result.rows("right")
    shift_s = abs(apart_s) if late == FOOT else 0.0
    known = np.isfinite(rows.ankle_deg).all(axis=1) & (rows.time_s > 20.0)
    assert known.sum() > 1000
    held = np.column_stack(
        [np.interp(rows.time_s[known] + shift_s, whole.time_s, whole.ankle_deg[:, k]) for k in range(3)]
    )
    off = rows.ankle_deg[known] - held
    assert (np.sqrt(np.nanmean(off**2, axis=0)) < 1.6).all()


def test_half_a_stride_apart_is_either_and_it_is_said(lab: SimpleNamespace, walk: Any) -> None:
    blocks = [without_arrivals(b, 0.55 if b.site == SHANK else 0.0) for b in walk.samples.values()]
    result = lab.estimate(walk.with_samples(*blocks))
    assert problems(result) == ["sensors_exchanged_between_legs"]
    assert "clocks" in result.notices[-1].text


@pytest.mark.parametrize(("channel", "limit"), [("gyr_rad_s", np.radians(250.0)), ("acc_m_s2", 19.6)])
def test_a_range_that_nobody_declared_is_found(lab: SimpleNamespace, walk: Any, channel: str, limit: float) -> None:
    def clipped(block: SampleBlock) -> SampleBlock:
        return replace(block, **{channel: np.clip(getattr(block, channel), -limit, limit)})

    sensors = {s: replace(i, acc_range_m_s2=None, gyr_range_rad_s=None) for s, i in walk.sensors.items()}
    silent = replace(walk, sensors=sensors)
    assert problems(lab.estimate(silent)) == []
    assert Quality.CLIPPED not in lab.estimate(silent).rows("right").quality
    result = lab.estimate(silent.with_samples(*(clipped(b) for b in walk.samples.values())))
    assert set(problems(result)) >= {f"range_reached_{channel[:3]}"}
    assert (result.rows("right").quality == Quality.CLIPPED).sum() > 50
    assert "clipped" in [s.quality for s in result.strides]


@pytest.mark.parametrize(("scale", "level"), [(1.235, "problem"), (0.95, "info")])
def test_an_accelerometer_that_shows_no_gravity_is_told_as_that(
    lab: SimpleNamespace, walk: Any, scale: float, level: str
) -> None:
    block = walk.samples[FOOT]
    result = lab.estimate(walk.with_samples(replace(block, acc_m_s2=scale * block.acc_m_s2)))
    (notice,) = [n for n in result.notices if n.code == "accelerometer_scale"]
    assert (notice.level, notice.site) == (level, FOOT)
    assert f"{9.81 * scale:.1f}"[:3] in notice.text
    assert "accelerometer_scale" not in lab.estimate(walk).codes


def up(lean_deg: float) -> tuple[float, float, float]:
    return float(np.sin(np.radians(lean_deg))), 0.0, float(np.cos(np.radians(lean_deg)))


def test_a_moment_of_rest_in_the_air_is_no_rest_and_a_new_floor_is_one() -> None:
    flat = FlatPose(FootFlatParameters())
    assert [flat.is_flat(up(lean)) for lean in (0.0, 1.0, -1.0, 0.5, 18.0, 0.0, -25.0, 1.0)] == [
        *[True] * 4,
        False,
        True,
        False,
        True,
    ]
    assert [flat.is_flat(up(lean)) for lean in (15.0, 14.0, 16.0, 15.0)] == [False, False, True, True]
    flat.forget()
    assert flat.is_flat(up(-40.0))
