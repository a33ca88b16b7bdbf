"""The angle about the subtalar axis: exact where two hinges made the rotation, the closest where they did not."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from subtalar.errors import InputError
from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.angles.subtalar_axis import axis_in_foot, hinge_angles, subtalar_angles
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.types import SIDES, FloatArray, Side

MEAN = SubtalarAxis()
ANGLE = st.floats(-60.0, 60.0)


def hinge(axis: FloatArray, angle_deg: float) -> FloatArray:
    half = 0.5 * np.radians(angle_deg)
    return np.concatenate(([np.cos(half)], np.sin(half) * axis))


def two_hinges(ankle_deg: float, subtalar_deg: float, side: Side, axis: SubtalarAxis = MEAN) -> FloatArray:
    return quat.multiply(hinge(np.array([0.0, 0.0, 1.0]), ankle_deg), hinge(axis_in_foot(axis, side), subtalar_deg))


def turn_between_deg(p: FloatArray, q: FloatArray) -> float:
    return float(np.degrees(2 * np.arccos(min(1.0, abs(float(p @ q))))))


@settings(deadline=None)
@given(ANGLE, ANGLE, st.sampled_from(SIDES), st.floats(15.0, 70.0), st.floats(0.0, 45.0), st.booleans())
def test_what_two_hinges_made_comes_back(
    ankle: float, subtalar: float, side: Side, inclination: float, deviation: float, other_sign: bool
) -> None:
    axis = SubtalarAxis(inclination, deviation)
    q = two_hinges(ankle, subtalar, side, axis)[None] * (-1.0 if other_sign else 1.0)
    found = hinge_angles(q, axis, side)
    assert found.ankle_deg[0] == pytest.approx(ankle, abs=1e-6)
    assert found.subtalar_deg[0] == pytest.approx(subtalar, abs=1e-6)
    assert found.unexplained_deg[0] < 1e-4
    angles = ankle_angles_deg(q, side)
    again, _, unexplained = subtalar_angles(angles, np.zeros((1, 3)), axis, side)
    assert again[0] == pytest.approx(subtalar, abs=1e-6)
    assert unexplained[0] < 1e-4


@pytest.mark.parametrize("side", SIDES)
def test_dorsiflexion_alone_is_none_of_it(side: Side) -> None:
    angles = np.array([[a, 0.0, 0.0] for a in (-40.0, 0.0, 25.0)])
    found, _, unexplained = subtalar_angles(angles, np.zeros((3, 3)), MEAN, side)
    np.testing.assert_allclose(found, 0.0, atol=1e-12)
    np.testing.assert_allclose(unexplained, 0.0, atol=1e-5)


@settings(deadline=None)
@given(ANGLE, st.floats(-30, 30), st.floats(-30, 30))
def test_both_legs_agree_and_dorsiflexion_does_not_matter(
    dorsiflexion: float, inversion: float, rotation: float
) -> None:
    angles, sd = np.array([[dorsiflexion, inversion, rotation]]), np.array([[0.8, 0.7, 1.1]])
    right, left = (subtalar_angles(angles, sd, MEAN, side) for side in ("right", "left"))
    np.testing.assert_allclose(right, left, atol=1e-9)
    level = subtalar_angles(angles * [0, 1, 1], sd, MEAN, "right")
    np.testing.assert_allclose(right, level, atol=1e-9)


def test_pronation_is_everted_abducted_and_turns_the_tibia_in() -> None:
    for side in SIDES:
        dorsiflexion, inversion, tibial = ankle_angles_deg(two_hinges(0.0, -10.0, side)[None], side)[0]
        assert dorsiflexion > 1
        assert inversion < -5
        assert tibial > 5


@settings(deadline=None)
@given(st.floats(-25, 25), st.floats(-25, 25), st.floats(-25, 25), st.sampled_from(SIDES))
def test_no_two_hinge_angles_come_closer(x: float, y: float, z: float, side: Side) -> None:
    q = np.roll(Rotation.from_rotvec(np.radians([x, y, z])).as_quat(), 1)
    found = hinge_angles(q[None], MEAN, side)
    ours = turn_between_deg(q, two_hinges(float(found.ankle_deg[0]), float(found.subtalar_deg[0]), side))
    assert found.unexplained_deg[0] == pytest.approx(ours, abs=1e-5)

    def rest(p: FloatArray) -> FloatArray:
        """Vector part of the rotation that is left: its length is the sine of half the angle."""
        return quat.multiply(quat.conjugate(q), two_hinges(float(p[0]), float(p[1]), side))[1:]

    best = least_squares(rest, [0.0, 0.0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert ours <= turn_between_deg(q, two_hinges(*best.x, side)) + 1e-5
    assert found.subtalar_deg[0] == pytest.approx(best.x[1], abs=1e-3)


@settings(deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20), st.sampled_from(SIDES))
def test_sd_is_that_of_scattered_angles(inversion: float, rotation: float, side: Side) -> None:
    middle, sd = np.array([5.0, inversion, rotation]), np.array([0.8, 0.7, 1.2])
    scattered = middle + sd * np.random.default_rng(4).standard_normal((4000, 3))
    found, _, _ = subtalar_angles(scattered, np.zeros((1, 3)), MEAN, side)
    _, told, _ = subtalar_angles(middle[None], sd[None], MEAN, side)
    assert told[0] == pytest.approx(float(found.std()), rel=0.06)


def test_what_is_not_known_stays_unknown() -> None:
    found, sd, unexplained = subtalar_angles(np.full((2, 3), np.nan), np.full((2, 3), np.nan), MEAN, "left")
    assert np.isnan(found).all()
    assert np.isnan(sd).all()
    assert np.isnan(unexplained).all()


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_cutting_changes_no_bit(sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    angles, sd = rng.normal(0, 15, (sum(sizes), 3)), rng.uniform(0.5, 2, (sum(sizes), 3))
    whole = subtalar_angles(angles, sd, MEAN, "left")
    edges = np.cumsum([0, *sizes])
    parts = [subtalar_angles(angles[a:b], sd[a:b], MEAN, "left") for a, b in itertools.pairwise(edges)]
    for k in range(3):
        assert np.concatenate([part[k] for part in parts]).tobytes() == whole[k].tobytes()


@pytest.mark.parametrize(
    ("inclination", "deviation"), [(90, 23), (42, 75), (-42, 23), (float("nan"), 23), (42, float("inf"))]
)
def test_no_foot_has_such_an_axis(inclination: float, deviation: float) -> None:
    with pytest.raises(InputError, match="42,23"):
        SubtalarAxis(inclination, deviation)
