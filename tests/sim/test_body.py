"""The body: signs, joint centre, contact with the ground, and that time may be cut anywhere."""

from dataclasses import replace

import numpy as np
import pytest

from subtalar_sim.body import STYLES, BodyConfig, WalkingBody
from subtalar_sim.body.leg import ANKLE_HEIGHT_M, BALL_M, HEEL_M, SHOCK_S
from subtalar_sim.body.rotations import joint_angles, joint_rotation, upright
from subtalar_sim.types import SIDES, FloatArray, Side

STILL = BodyConfig(seed=2, walking_s=30.0, sway_deg=0.0)


MOVING = sorted(name for name, style in STYLES.items() if not style.stays)


@pytest.fixture(scope="module", params=MOVING)
def body(request: pytest.FixtureRequest) -> WalkingBody:
    return WalkingBody(replace(STILL, style=request.param))


def turned(heading_deg: float, axis: str, angle_deg: float) -> FloatArray:
    """A segment facing ``heading_deg``, then turned about one of its own axes; written out by hand."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    about = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    return upright(np.radians([heading_deg]))[0] @ np.array(about, dtype=float)


@pytest.mark.parametrize("side", SIDES)
def test_toes_up_is_dorsiflexion(side: Side) -> None:
    shank, foot = upright(np.array([0.4])), turned(np.degrees(0.4), "z", 12.0)[None]
    toes = foot[0] @ [1.0, 0.0, 0.0]
    assert toes[2] > 0.2  # the pose itself: toes point up
    np.testing.assert_allclose(np.degrees(joint_angles(shank, foot, side)), [[12.0, 0.0, 0.0]], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_sole_towards_the_midline_is_inversion(side: Side) -> None:
    midline = np.array([0.0, 1.0, 0.0]) if side == "right" else np.array([0.0, -1.0, 0.0])  # facing world x
    foot = turned(0.0, "x", 9.0 if side == "right" else -9.0)
    sole = foot @ [0.0, -1.0, 0.0]
    assert sole @ midline > 0.1
    angles = joint_angles(upright(np.zeros(1)), foot[None], side)
    np.testing.assert_allclose(np.degrees(angles), [[0.0, 9.0, 0.0]], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_shank_turned_inwards_over_a_fixed_foot_is_internal_rotation(side: Side) -> None:
    inwards = 7.0 if side == "right" else -7.0  # counter-clockwise from above for the right leg
    shank = upright(np.radians([inwards]))
    knee_forward = shank[0] @ [1.0, 0.0, 0.0]
    assert knee_forward[1] * (1 if side == "right" else -1) > 0.1  # the front of the shin faces the midline
    angles = joint_angles(shank, upright(np.zeros(1)), side)
    np.testing.assert_allclose(np.degrees(angles), [[0.0, 0.0, 7.0]], atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_joint_rotation_and_angles_are_inverse(side: Side) -> None:
    angles = np.random.default_rng(0).uniform(-0.7, 0.7, (200, 3))
    eye = np.broadcast_to(np.eye(3), (200, 3, 3))
    np.testing.assert_allclose(joint_angles(eye, joint_rotation(angles, side), side), angles, atol=1e-12)


def test_truth_is_what_the_segments_show(body: WalkingBody) -> None:
    t = np.arange(0.0, body.walk_end_s + 1.0, 0.013)
    for side in SIDES:
        state = body.pose(side, t)
        np.testing.assert_allclose(joint_angles(state.shank, state.foot, side), state.angles_rad, atol=1e-10)
        for R in (state.foot, state.shank):
            np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-12)


def test_quiet_standing_is_exactly_zero_without_sway_and_zero_on_average_with_it() -> None:
    t = np.arange(0.1, STILL.standing_s - 0.1, 0.01)
    assert not WalkingBody(STILL).angles_deg("left", t).any()
    swaying = WalkingBody(replace(STILL, sway_deg=0.12)).angles_deg("left", np.arange(0.0, 5.0, 0.001))
    assert 0.05 < swaying[:, 0].std() < 0.2
    assert np.abs(swaying.mean(axis=0)).max() < 0.03


def test_amplitudes_lie_in_published_bands() -> None:
    t = np.arange(15.0, 40.0, 0.005)
    normal = WalkingBody(replace(STILL, style="normal"))
    for side in SIDES:
        low, high = normal.angles_deg(side, t).min(axis=0), normal.angles_deg(side, t).max(axis=0)
        assert 25.0 < (high - low)[0] < 32.0
        assert 4.0 < -low[1] < 7.0
        assert 5.0 < high[2] < 8.0
        pronated = WalkingBody(replace(STILL, style="overpronated")).angles_deg(side, t)
        assert 9.0 < -pronated[:, 1].min() < 12.0


def test_foot_rests_flat_and_stationary_in_mid_stance(body: WalkingBody) -> None:
    checked = 0
    for side in SIDES:
        for stride in body.strides(side)[2:-2]:
            stance_s = stride.foot_off_s - stride.initial_contact_s
            begin_s = max(0.27 * stance_s, SHOCK_S)
            t = stride.initial_contact_s + np.linspace(begin_s, 0.52 * stance_s, 40)
            state = body.pose(side, t)
            assert np.ptp(state.ankle_m, axis=0).max() < 1e-12
            np.testing.assert_allclose(state.ankle_m[:, 2], ANKLE_HEIGHT_M, atol=1e-12)
            np.testing.assert_allclose(state.foot[:, 2, 1], 1.0, atol=1e-12)
            assert np.ptp(state.shank[:, 0, 1]) + np.ptp(state.shank[:, 1, 1]) > 0.01  # while the shank rolls over it
            checked += 1
    assert checked > 20


def test_sole_never_sinks_and_heel_or_ball_holds_the_ground_in_stance(body: WalkingBody) -> None:
    for side in SIDES:
        t = np.arange(0.0, body.walk_end_s + 1.0, 0.004)
        state = body.pose(side, t)
        heights = [state.ankle_m[:, 2] + state.foot[:, 2] @ np.array(p) for p in (HEEL_M, BALL_M)]
        assert min(h.min() for h in heights) > -0.004
        for stride in body.strides(side):
            inside = (t > stride.initial_contact_s + 0.1) & (t < stride.foot_off_s - 0.05)
            assert np.minimum(*heights)[inside].max() < 0.004


@pytest.mark.parametrize(("style", "most_g"), [("normal", 10.0), ("running", 16.0)])
def test_motion_is_smooth_and_impacts_are_short_shocks(style: str, most_g: float) -> None:
    body = WalkingBody(replace(STILL, style=style))
    h = 1e-4
    t = np.arange(10.0, 30.0, h)
    for side in SIDES:
        acceleration = np.diff(body.pose(side, t).ankle_m, n=2, axis=0) / h**2
        size = np.linalg.norm(acceleration, axis=1) / 9.80665
        assert 2.0 < size.max() < most_g
        # Continuous acceleration: in a tenth of a millisecond it cannot jump.
        assert np.abs(np.diff(acceleration, axis=0)).max() < 3.0


def test_legs_alternate_and_strides_vary_by_a_few_percent(body: WalkingBody) -> None:
    right, left = (body.initial_contacts_s(s) for s in SIDES)
    both = np.sort(np.concatenate([right, left]))
    assert len(right) > 15
    assert abs(len(right) - len(left)) <= 1
    assert np.isin(both[::2], right).all()
    assert np.isin(both[1::2], left).all()
    times = [s.stride_time_s for s in body.strides("right")]
    assert 0.005 < np.std(times) / np.mean(times) < 0.06
    assert np.abs(np.mean(times) / STYLES[body.config.style].stride_time_s - 1.0) < 0.03


def test_the_knee_stays_where_a_thigh_can_reach_it(body: WalkingBody) -> None:
    """40 cm above the ankle (Winter 1991: a quarter of the height). It bends far only where the ankle is lifted."""
    for side in SIDES:
        t = np.arange(body.bouts[0][0] + 3.0, body.bouts[-1][1] - 3.0, 0.007)
        state = body.pose(side, t)
        knee_m = state.ankle_m[:, 2] + 0.40 * state.shank[:, 2, 1]
        assert 0.38 < knee_m.min() < knee_m.max() < 0.54


def test_who_runs_has_both_feet_in_the_air_and_is_faster() -> None:
    walker, runner = (WalkingBody(replace(STILL, style=s)) for s in ("normal", "running"))
    for body, slowest, fastest in ((walker, 1.1, 1.4), (runner, 2.7, 3.2)):
        assert slowest < np.mean([s.stride_length_m / s.stride_time_s for s in body.strides("left")[3:-3]]) < fastest
    stance = {
        b: np.mean([(s.foot_off_s - s.initial_contact_s) / s.stride_time_s for s in b.strides("left")[2:-2]])
        for b in (walker, runner)
    }
    assert stance[walker] > 0.58
    assert stance[runner] < 0.40
    assert [a[0] for a in runner.annotations] == ["standing", "knee_bends", "running"]


def test_running_angles_lie_in_published_bands() -> None:
    t = np.arange(17.0, 40.0, 0.005)
    low, high = (
        f(WalkingBody(replace(STILL, style="running")).angles_deg("left", t), axis=0) for f in (np.min, np.max)
    )
    assert 18.0 < high[0] < 27.0
    assert -28.0 < low[0] < -15.0
    assert -12.0 < low[1] < -6.0
    assert 5.0 < high[2] < 10.0


def test_who_stays_sways_and_makes_no_step() -> None:
    body = WalkingBody(replace(STILL, style="standing", walking_s=40.0, sway_deg=0.12))
    assert [label for label, _, _ in body.annotations] == ["standing", "knee_bends", "standing"]
    t = np.arange(body.walk_start_s, body.walk_end_s, 0.01)
    for side in SIDES:
        assert not len(body.initial_contacts_s(side))
        assert not body.strides(side)
        angles = body.angles_deg(side, t)
        assert 0.05 < angles[:, 0].std() < 0.2
        assert np.abs(np.diff(angles, axis=0)).max() < 0.05
        assert np.ptp(body.pose(side, t).ankle_m, axis=0).max() < 1e-12
        first, second = angles[: len(t) // 4], angles[len(t) // 4 : len(t) // 2]
        assert np.abs(first - second).max() > 0.05  # not the same sway again and again


def test_antalgic_walk_is_slow_and_spares_the_painful_leg() -> None:
    normal, antalgic = (WalkingBody(replace(STILL, style=s)) for s in ("normal", "antalgic"))
    speed = {
        b.config.style: np.mean([s.stride_length_m / s.stride_time_s for s in b.strides("right")[3:-3]])
        for b in (normal, antalgic)
    }
    assert speed["antalgic"] < 0.6 * speed["normal"]
    stance = {
        side: np.mean([(s.foot_off_s - s.initial_contact_s) / s.stride_time_s for s in antalgic.strides(side)[1:-1]])
        for side in SIDES
    }
    assert stance["left"] > stance["right"] + 0.05


def test_same_seed_same_walk_whatever_the_chunks_and_another_seed_another_walk() -> None:
    t = np.arange(8.0, 40.0, 0.011)
    whole = WalkingBody(STILL).pose("left", t)
    again = WalkingBody(STILL)
    parts = [again.pose("left", p) for p in np.array_split(t, 7)]
    np.testing.assert_array_equal(whole.ankle_m, np.concatenate([p.ankle_m for p in parts]))
    np.testing.assert_array_equal(whole.shank, np.concatenate([p.shank for p in parts]))
    other = WalkingBody(replace(STILL, seed=3)).pose("left", t)
    assert np.abs(whole.angles_rad - other.angles_rad).max() > 0.01


def test_a_longer_session_begins_with_the_same_steps() -> None:
    short, long = (WalkingBody(replace(STILL, walking_s=w)) for w in (30.0, 90.0))
    np.testing.assert_array_equal(short.initial_contacts_s("right")[:12], long.initial_contacts_s("right")[:12])


def test_stops_bring_both_feet_to_rest_and_the_walk_goes_on() -> None:
    body = WalkingBody(replace(STILL, walking_s=60.0, stop_every_s=15.0, stop_s=5.0))
    assert len(body.bouts) == 3
    for (_, end), (start, _) in zip(body.bouts[:-1], body.bouts[1:], strict=True):
        t = np.linspace(end + 0.7, start - 0.05, 50)
        for side in SIDES:
            state = body.pose(side, t)
            assert not state.angles_rad.any()
            assert np.ptp(state.ankle_m, axis=0).max() < 1e-12
    t = np.arange(body.bouts[1][0] + 3.0, body.bouts[1][1] - 3.0, 0.01)
    assert np.ptp(body.angles_deg("right", t)[:, 0]) > 20.0


def test_bad_configurations_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no style 'moonwalk'"):
        BodyConfig(style="moonwalk")
    with pytest.raises(ValueError, match="five strides"):
        BodyConfig(stop_every_s=2.0)
