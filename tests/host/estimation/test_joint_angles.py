"""Signs of the ankle angles by hand-made poses, and the sequence against SciPy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.types import SIDES, FloatArray, Side

# A leg that stands facing world x, world z up: ISB x forward, y up, z right (world −y).
STANDING = Rotation.from_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]))
FORWARD, UP = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def midline(side: Side) -> FloatArray:
    return np.array([0.0, 1.0, 0.0]) if side == "right" else np.array([0.0, -1.0, 0.0])


def in_world(axis: FloatArray, degrees: float) -> Rotation:
    return Rotation.from_rotvec(np.radians(degrees) * axis)


def angles(shank: Rotation, foot: Rotation, side: Side) -> FloatArray:
    q = (shank.inv() * foot).as_quat(scalar_first=True)
    return ankle_angles_deg(q[None], side)[0]


@pytest.mark.parametrize("side", SIDES)
def test_standing_is_zero(side: Side) -> None:
    np.testing.assert_allclose(angles(STANDING, STANDING, side), 0.0, atol=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_toes_up_is_dorsiflexion(side: Side) -> None:
    foot = in_world(np.array([0.0, -1.0, 0.0]), 12.0) * STANDING
    assert foot.apply([1.0, 0.0, 0.0]) @ UP > 0.2  # the pose itself: toes point up
    np.testing.assert_allclose(angles(STANDING, foot, side), [12.0, 0.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_shank_leaning_forward_over_a_flat_foot_is_dorsiflexion(side: Side) -> None:
    shank = in_world(np.array([0.0, 1.0, 0.0]), 9.0) * STANDING
    assert shank.apply([0.0, 1.0, 0.0]) @ FORWARD > 0.1  # the knee is in front of the ankle
    np.testing.assert_allclose(angles(shank, STANDING, side), [9.0, 0.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_sole_to_the_midline_is_inversion(side: Side) -> None:
    foot = in_world(FORWARD, 8.0 if side == "right" else -8.0) * STANDING
    sole = foot.apply([0.0, -1.0, 0.0])
    assert sole @ midline(side) > 0.1
    np.testing.assert_allclose(angles(STANDING, foot, side), [0.0, 8.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_tibia_turned_inwards_over_a_fixed_foot_is_internal_rotation(side: Side) -> None:
    shank = in_world(UP, 7.0 if side == "right" else -7.0) * STANDING
    shin = shank.apply([1.0, 0.0, 0.0])
    assert shin @ midline(side) > 0.1  # the front of the shin faces the other leg
    np.testing.assert_allclose(angles(shank, STANDING, side), [0.0, 0.0, 7.0], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_world_heading_of_the_leg_does_not_matter(side: Side) -> None:
    foot = in_world(np.array([0.3, -1.0, 0.2]) / np.linalg.norm([0.3, -1.0, 0.2]), 15.0) * STANDING
    turned = in_world(UP, 123.0)
    np.testing.assert_allclose(
        angles(turned * STANDING, turned * foot, side), angles(STANDING, foot, side), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("side", SIDES)
def test_sequence_is_scipys_intrinsic_zxy(side: Side) -> None:
    mirror = 1.0 if side == "right" else -1.0
    wanted = np.random.default_rng(5).uniform(-60.0, 60.0, (500, 3))
    cardan = wanted * np.array([1.0, mirror, -mirror])  # SciPy's capital letters are intrinsic: Z, X', Y''
    q = Rotation.from_euler("ZXY", cardan, degrees=True).as_quat(scalar_first=True)
    np.testing.assert_allclose(ankle_angles_deg(q, side), wanted, atol=1e-9)
    np.testing.assert_array_equal(ankle_angles_deg(-q, side), ankle_angles_deg(q, side))  # both signs, one rotation


def test_an_unknown_orientation_gives_no_angle() -> None:
    q = np.array([[1.0, 0.0, 0.0, 0.0], [np.nan] * 4])
    out = ankle_angles_deg(q, "right")
    assert np.isfinite(out[0]).all()
    assert np.isnan(out[1]).all()
