"""The signs on the screen are those of the contract."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtalar.dashboard.places.live.pose.leg_pair import LegPair
from subtalar.dashboard.places.live.pose.projection import camera
from subtalar.dashboard.places.live.pose.rotations import foot_in_shank, rotation_of

X, Y, Z = np.eye(3)
SIDES = ("left", "right")


@pytest.mark.parametrize("side", SIDES)
def test_plus_means_the_same_on_both_legs(side):
    to_midline = Z if side == "left" else -Z
    toes = foot_in_shank(side, np.array([10.0, 0, 0])) @ X
    assert toes @ Y == pytest.approx(np.sin(np.radians(10)))  # dorsiflexion: toes up
    sole = foot_in_shank(side, np.array([0.0, 10, 0])) @ -Y
    assert sole @ to_midline == pytest.approx(np.sin(np.radians(10)))  # inversion: sole to the midline
    toes = foot_in_shank(side, np.array([0.0, 0, 10])) @ X
    assert toes @ to_midline == pytest.approx(-np.sin(np.radians(10)))  # tibia in = foot out relative to it


def test_sequence_is_z_x_y():
    expected = Rotation.from_euler("ZXY", [12.0, -7.0, -5.0], degrees=True).as_matrix()
    np.testing.assert_allclose(foot_in_shank("right", np.array([12.0, -7.0, 5.0])), expected, atol=1e-12)


def test_quaternions_are_scalar_first():
    r = Rotation.from_euler("xyz", [0.3, -0.2, 0.9])
    x, y, z, w = r.as_quat()
    np.testing.assert_allclose(rotation_of(np.array([w, x, y, z])), r.as_matrix(), atol=1e-12)


@pytest.mark.parametrize(("view", "right_of_screen"), [("behind", Z), ("front", -Z), ("right", X), ("left", -X)])
def test_views_look_the_right_way(view, right_of_screen):
    frame = camera(view)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert frame[0] @ right_of_screen > 0.9
    assert frame[1] @ Y > 0.9


def turned(heading_deg: float) -> np.ndarray:
    x, y, z, w = Rotation.from_euler("y", heading_deg, degrees=True).as_quat()
    return np.array([w, x, y, z])


def test_behind_stays_behind_when_the_person_turns():
    pair, zero = LegPair(), {side: np.zeros(3) for side in SIDES}
    for _ in range(200):
        legs = pair.pose({side: turned(90) for side in SIDES}, zero, 0.1)
    toes = legs["right"].foot[:, 0].max()
    assert toes > 0.15  # still forward, not to the side
    assert legs["left"].ankle[2] < 0 < legs["right"].ankle[2]


def test_unknown_angles_give_a_standing_leg_marked_unknown_and_feet_on_the_floor():
    unknown = {"left": np.full(4, np.nan), "right": turned(0)}
    legs = LegPair().pose(unknown, {"left": np.full(3, np.nan), "right": np.array([20.0, 0, 0])}, 0.03)
    assert [legs[side].known for side in SIDES] == [False, True]
    assert all(np.isfinite(leg.foot).all() and np.isfinite(leg.shank).all() for leg in legs.values())
    assert min(leg.foot[:, 1].min() for leg in legs.values()) == pytest.approx(0)


def test_a_foot_alone_is_posed_to_the_floor_and_its_shank_is_not_known():
    nan = {side: np.full(3, np.nan) for side in SIDES}
    floor = {"left": np.array([20.0, 0.0]), "right": np.full(2, np.nan)}
    legs = LegPair().pose({side: np.full(4, np.nan) for side in SIDES}, nan, 0.03, floor)
    level = LegPair().pose({side: np.full(4, np.nan) for side in SIDES}, nan, 0.03)
    assert (legs["left"].foot_known, legs["left"].shank_known) == (True, False)
    assert not legs["right"].known
    toes = np.argmax(level["left"].foot[:, 0])
    raised = legs["left"].foot[toes] - legs["left"].ankle
    assert raised[1] > (level["left"].foot[toes] - level["left"].ankle)[1] + 0.04


def test_a_shank_alone_leans_over_a_flat_foot():
    nan = {side: np.full(3, np.nan) for side in SIDES}
    half = np.radians(-15) / 2
    lean = {"right": np.array([np.cos(half), 0, 0, np.sin(half)]), "left": np.full(4, np.nan)}
    leg = LegPair().pose(lean, nan, 0.03)["right"]
    assert (leg.shank_known, leg.foot_known) == (True, False)
    assert leg.shank_line[0, 0] > leg.shank_line[1, 0]  # the knee is before the ankle
    assert np.ptp(leg.heel_line[:, 2]) == pytest.approx(0.0)
