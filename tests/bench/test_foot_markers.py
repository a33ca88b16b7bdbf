"""Angles of a foot to the floor from markers."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtalar.types import SIDES, Side
from subtalar_bench.accuracy.foot_markers import (
    Reference,
    compare,
    compare_turned,
    floor_angles_deg,
    levelled,
    turned,
    unbent,
    up_in_foot,
    up_of_angles,
)

ANGLES = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 10.0], [-45.0, 12.0], [30.0, -7.0]])
T = np.arange(0.0, 10.0, 0.01)
WALK = np.stack((30 * np.sin(6 * T), 8 * np.cos(7 * T)), axis=1)


def reference(up: np.ndarray) -> Reference:
    """All but the ends; bent in the last third."""
    return Reference(T[100:-100], up[100:-100], T[100:-100] < 6.0)


@pytest.mark.parametrize("side", SIDES)
def test_angles_there_and_back(side: Side) -> None:
    np.testing.assert_allclose(floor_angles_deg(up_of_angles(ANGLES, side), side), ANGLES, atol=1e-9)


@pytest.mark.parametrize(("side", "lateral"), [("right", 0.05), ("left", -0.05)])
def test_markers_of_a_foot_in_any_heading(side: Side, lateral: float) -> None:
    """Toes lifted by 20° and then the inner border by 10°: x forward, y to the left, z up in the lab."""
    inner_up = np.radians(10.0 if side == "right" else -10.0)
    pose = Rotation.from_rotvec([0, 0, 2.2]) * Rotation.from_rotvec([0, np.radians(-20.0), 0])
    pose = pose * Rotation.from_rotvec([inner_up, 0, 0])
    toe, heel, fifth = (pose.apply(np.array([p])) + 5.0 for p in ([0.2, 0, 0], [0, 0, 0], [0.15, -lateral, 0]))
    pitch, inversion = floor_angles_deg(up_in_foot(toe, heel, fifth, side), side)[0]
    assert pitch == pytest.approx(20.0)
    assert np.sin(np.radians(inversion)) == pytest.approx(np.sin(np.radians(10.0)) * np.cos(np.radians(20.0)))


def test_levelling_makes_flat_flat() -> None:
    flat = up_of_angles(np.array([[4.0, -7.0]]), "right")[0]
    np.testing.assert_allclose(levelled(flat[None], flat), [[0, 1, 0]], atol=1e-12)
    many = up_of_angles(ANGLES, "right")
    np.testing.assert_allclose(np.linalg.norm(levelled(many, flat), axis=1), 1.0)


def test_only_offset_and_lag_are_taken_out() -> None:
    truth = up_of_angles(WALK, "left")
    wrong = up_of_angles(WALK + np.array([2.0, -3.0]) + np.array([0.0, 1.0]) * np.sin(40 * T)[:, None], "left")
    error = compare(reference(truth), T + 0.02, wrong, "left")
    assert error.lag_s == pytest.approx(0.02)
    assert error.pitch_deg == pytest.approx(0.0, abs=0.02)
    assert error.inversion_deg == pytest.approx(np.sqrt(0.5), abs=0.03)


def test_a_wrong_forward_axis_shows_unless_it_is_fitted() -> None:
    truth = up_of_angles(WALK, "right")
    seen = turned(truth, np.radians(10.0))
    assert compare(reference(truth), T, seen, "right").inversion_deg > 2.0
    fitted = compare_turned(reference(truth), T, seen, "right")
    assert fitted.yaw_deg == pytest.approx(-10.0, abs=0.3)
    assert fitted.inversion_deg < 0.1


def test_what_only_the_bent_shoe_shows_is_told_apart() -> None:
    truth = up_of_angles(WALK, "left")
    bent = (T >= 6.0)[:, None] * np.array([0.0, 5.0]) * np.sin(3 * T)[:, None]
    error = compare(reference(truth), T, up_of_angles(WALK + bent, "left"), "left")
    assert error.inversion_deg > 1.0
    assert error.unbent_inversion_deg == pytest.approx(0.0, abs=1e-6)
    assert error.unbent_pitch_deg == pytest.approx(0.0, abs=1e-6)


def test_a_shoe_is_bent_while_its_markers_are_nearer() -> None:
    heel, fifth = np.zeros((9, 3)), np.tile([0.15, 0.05, 0.0], (9, 1))
    toe = np.tile([0.2, 0.0, 0.0], (9, 1))
    toe[3] = [0.196, 0.0, 0.0]
    assert unbent(toe, heel, fifth).tolist() == [k != 3 for k in range(9)]
