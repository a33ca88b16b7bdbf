"""Angles of a segment to the floor: signs, both legs, and no dependence on the heading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from subtalar.estimation.angles.segment_angles import foot_to_floor_deg, shank_to_floor_deg, to_floor_sd_deg
from subtalar.estimation.parameters import SegmentParameters
from subtalar.types import SIDES, FloatArray, Side

LEVEL = Rotation.from_matrix([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
"""The standing segment (x forward, y up, z right) in a world with z up."""


def segment(*turns: tuple[str, float], heading_deg: float = 30.0) -> FloatArray:
    """Turns about the segment's own axes, one after the other, in a world that faces anywhere."""
    r = Rotation.from_euler("z", heading_deg, degrees=True) * LEVEL
    for axis, degrees in turns:
        r = r * Rotation.from_euler(axis, degrees, degrees=True)
    return np.roll(r.as_quat(), 1)[None]


@pytest.mark.parametrize("side", SIDES)
def test_standing_is_zero(side: Side) -> None:
    for to_floor in (foot_to_floor_deg, shank_to_floor_deg):
        np.testing.assert_allclose(to_floor(segment(), side), 0.0, atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_signs(side: Side) -> None:
    inward = 1.0 if side == "right" else -1.0
    np.testing.assert_allclose(foot_to_floor_deg(segment(("Z", 20)), side), [[20, 0]], atol=1e-9)  # toes up
    np.testing.assert_allclose(foot_to_floor_deg(segment(("X", inward * 9)), side), [[0, 9]], atol=1e-9)
    np.testing.assert_allclose(shank_to_floor_deg(segment(("Z", -15)), side), [[15, 0]], atol=1e-9)  # knee before ankle
    # The top of a right shank that turns by + about x goes to the right, away from the midline.
    np.testing.assert_allclose(shank_to_floor_deg(segment(("X", -inward * 6)), side), [[0, 6]], atol=1e-9)


@settings(deadline=None)
@given(st.floats(-170, 170), st.floats(-60, 60), st.floats(-180, 180), st.sampled_from(SIDES))
def test_a_shank_beyond_the_horizontal_is_told_right(lean: float, frontal: float, heading: float, side: Side) -> None:
    mirror = 1.0 if side == "right" else -1.0
    q = segment(("X", -mirror * frontal), ("Z", -lean), heading_deg=heading)
    np.testing.assert_allclose(shank_to_floor_deg(q, side), [[lean, frontal]], atol=1e-6)


@settings(deadline=None)
@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-180, 180), st.sampled_from(SIDES))
def test_heading_does_not_matter(pitch: float, inversion: float, heading: float, side: Side) -> None:
    turns = (("Z", pitch), ("X", inversion))
    for to_floor in (foot_to_floor_deg, shank_to_floor_deg):
        here, there = to_floor(segment(*turns), side), to_floor(segment(*turns, heading_deg=heading), side)
        np.testing.assert_allclose(here, there, atol=1e-6)


def test_sd_of_the_frontal_angle_grows_with_the_sagittal_one() -> None:
    p = SegmentParameters()
    sd = to_floor_sd_deg(np.array([0.0, 60.0]), 0.0, 3.0, p)
    np.testing.assert_allclose(sd[:, 0], p.floor_sd_deg)
    assert sd[0, 1] == pytest.approx(p.floor_sd_deg)
    assert sd[1, 1] == pytest.approx(np.hypot(p.floor_sd_deg, 3.0 * np.sin(np.radians(60))))
