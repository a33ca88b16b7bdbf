"""The IMU model: gravity, orientation, errors, and that a run may be cut anywhere."""

from dataclasses import replace

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.body.rotations import small_log
from subtalar_sim.clock import SensorClock
from subtalar_sim.sensor import QUALITIES, Imu, Mounting, draw_mounting, quaternion_of
from subtalar_sim.types import GRAVITY_M_S2, SITES, FloatArray

BODY = WalkingBody(BodyConfig(seed=4, walking_s=40.0, sway_deg=0.0))


def make(site: str, quality: str = "perfect", mounting: Mounting | None = None, **options: float) -> Imu:
    return Imu(BODY, site, mounting or draw_mounting(site, 9, "any"), QUALITIES[quality], 9, **options)


@pytest.mark.parametrize("site", SITES)
def test_at_rest_it_feels_gravity_upwards_and_no_rotation(site: str) -> None:
    aligned = make(site, mounting=Mounting((0.05, 0.1, 0.02))).measure(np.linspace(1.0, 4.0, 50), 200.0)
    np.testing.assert_allclose(aligned.acc_m_s2, np.tile([0.0, GRAVITY_M_S2, 0.0], (50, 1)), atol=1e-6)  # y is up
    np.testing.assert_allclose(aligned.gyr_rad_s, 0.0, atol=1e-9)
    tilted = make(site).measure(np.linspace(1.0, 4.0, 50), 200.0)
    np.testing.assert_allclose(np.linalg.norm(tilted.acc_m_s2, axis=1), GRAVITY_M_S2, atol=1e-6)


@pytest.mark.parametrize("site", SITES)
def test_integrated_angular_velocity_is_the_change_of_orientation(site: str) -> None:
    rate = 2000.0
    t = 16.0 + np.arange(int(4.0 * rate)) / rate
    sample = make(site).measure(t, rate)
    step = 0.5 * (sample.gyr_rad_s[1:] + sample.gyr_rad_s[:-1]) / rate
    R = sample.orientation[0]
    for v in step:
        R = R @ exponential(v)
    error = small_log((R.T @ sample.orientation[-1])[None])
    assert np.degrees(np.linalg.norm(error)) < 0.05
    assert np.degrees(np.abs(sample.gyr_rad_s)).max() > 200.0


def exponential(v: FloatArray) -> FloatArray:
    angle = float(np.linalg.norm(v))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = v / angle
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


@pytest.mark.parametrize("side", ["right", "left"])
def test_both_sensors_of_a_leg_carry_the_same_ankle(side: str) -> None:
    """Moved to the joint centre with the lever arm, foot and shank feel one acceleration: the ankle is one point."""
    rate = 1000.0
    t = 15.0 + np.arange(int(6.0 * rate)) / rate
    found = []
    for segment in ("foot", "shank"):
        imu = make(f"{side}_{segment}")
        sample = imu.measure(t, rate)
        lever = -imu.mounting.matrix().T @ np.array(imu.mounting.lever_m)  # sensor -> ankle, sensor axes
        w = sample.gyr_rad_s
        turning = np.gradient(w, 1.0 / rate, axis=0)
        local = sample.acc_m_s2 + np.cross(turning, lever) + np.cross(w, np.cross(w, lever))
        found.append(np.einsum("nij,nj->ni", sample.orientation, local)[2:-2])
    assert np.abs(found[0]).max() > 20.0
    assert np.sqrt(np.mean((found[0] - found[1]) ** 2)) < 0.05


def test_acceleration_integrates_to_the_distance_walked() -> None:
    strides = BODY.strides("right")[5:8]
    start, end = (s.initial_contact_s + 0.25 * s.stride_time_s for s in (strides[0], strides[2]))
    t = np.linspace(start, end, 8001)
    sample = make("right_foot", mounting=Mounting((0.0, 0.0, 0.0))).measure(t, 4000.0)
    world = np.einsum("nij,nj->ni", sample.orientation, sample.acc_m_s2) - [0.0, 0.0, GRAVITY_M_S2]
    dt = t[1] - t[0]
    velocity = np.concatenate([np.zeros((1, 3)), np.cumsum(0.5 * (world[1:] + world[:-1]), axis=0) * dt])
    moved = np.trapezoid(velocity, t, axis=0)
    true = np.diff(BODY.pose("right", np.array([start, end])).ankle_m, axis=0)[0]
    assert np.linalg.norm(true) > 2.0
    np.testing.assert_allclose(velocity[-1], 0.0, atol=5e-3)
    np.testing.assert_allclose(moved, true, atol=1e-2)


def test_noise_and_bias_have_the_stated_size_and_chunks_do_not_matter() -> None:
    quality = replace(QUALITIES["typical"], gyr_drift_rad_s_sqrt_s=0.0, acc_drift_m_s2_sqrt_s=0.0, scale=0.0)
    mounting = draw_mounting("left_foot", 1)
    t = 0.5 + np.arange(800) / 200.0
    imu = Imu(BODY, "left_foot", mounting, quality, 9)
    whole = imu.measure(t, 200.0)
    np.testing.assert_allclose(whole.gyr_rad_s.std(axis=0), quality.gyr_noise_rad_s_sqrt_hz * 10.0, rtol=0.15)
    np.testing.assert_allclose(whole.acc_m_s2.std(axis=0), quality.acc_noise_m_s2_sqrt_hz * 10.0, rtol=0.15)
    np.testing.assert_allclose(whole.gyr_rad_s.mean(axis=0), imu.gyr_bias_rad_s, atol=2e-4)
    again = Imu(BODY, "left_foot", mounting, quality, 9)
    parts = [again.measure(p, 200.0) for p in np.split(t, [1, 2, 300, 301])]
    np.testing.assert_array_equal(whole.gyr_rad_s, np.concatenate([p.gyr_rad_s for p in parts]))
    np.testing.assert_array_equal(whole.acc_m_s2, np.concatenate([p.acc_m_s2 for p in parts]))


def test_bias_drifts_as_a_random_walk_whatever_the_chunks() -> None:
    t = 0.5 + np.arange(4000) / 10.0
    ends = []
    for cuts in ([], [17, 1000, 1001]):
        imu = make("right_shank", "poor")
        start = imu.gyr_bias_rad_s.copy()
        for part in np.split(t, cuts):
            imu.measure(part, 10.0)
        ends.append(imu.gyr_bias_rad_s - start)
    np.testing.assert_array_equal(ends[0], ends[1])
    expected = QUALITIES["poor"].gyr_drift_rad_s_sqrt_s * np.sqrt(400.0)
    assert 0.1 * expected < np.linalg.norm(ends[0]) < 4.0 * expected


def test_ranges_clip_and_a_low_pass_smooths() -> None:
    t = 16.0 + np.arange(2000) / 200.0
    free = make("right_foot").measure(t, 200.0)
    clipped = make("right_foot", acc_range_m_s2=20.0, gyr_range_rad_s=3.0).measure(t, 200.0)
    assert np.abs(free.acc_m_s2).max() > 25.0
    assert np.abs(clipped.acc_m_s2).max() == 20.0
    assert np.abs(clipped.gyr_rad_s).max() == 3.0
    smooth = make("right_foot", bandwidth_hz=20.0).measure(t, 200.0)
    assert np.abs(np.diff(smooth.acc_m_s2, axis=0)).max() < 0.6 * np.abs(np.diff(free.acc_m_s2, axis=0)).max()


def test_mountings_differ_by_seed_and_words_are_checked() -> None:
    a, b = (draw_mounting("left_shank", seed, "any") for seed in (1, 2))
    assert a != b
    assert a == draw_mounting("left_shank", 1, "any")
    np.testing.assert_allclose(quaternion_of(a.matrix()), np.array(a.q_segment_sensor) * np.sign(a.q_segment_sensor[0]))
    for site in SITES:
        R = draw_mounting(site, 3, "typical").matrix()
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(R) > 0.99
    with pytest.raises(ValueError, match="aligned, typical or any"):
        draw_mounting("left_shank", 1, "upside-down")
    with pytest.raises(ValueError, match="no such sensor site"):
        draw_mounting("left_knee", 1)


def test_a_clock_has_its_own_zero_and_pace() -> None:
    clock = SensorClock(100.0, 50.0)
    np.testing.assert_allclose(clock.reading(np.array([0.0, 1000.0])), [100.0, 1100.05])
    assert clock.true_rate(200.0) == pytest.approx(200.01)
