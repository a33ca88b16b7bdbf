"""Gravity and accelerometer bias from strides: what turns tell, what walking straight on cannot."""

import numpy as np
import pytest
from vqf import VQF

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import GravityFilter, Stance
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.inclination.strapdown import Strapdown
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import GravityParameters, Parameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import BodySite, FloatArray, SampleBlock, SensorInfo

RATE_HZ = 200.0
BIAS = np.array([0.4, -0.25, 0.2])
LEVER = np.array([0.05, 0.02, -0.08])
NO_BIAS = np.zeros(3)


def stride(yaw_rad: float, turned_rad: float, start_s: float, bias: FloatArray) -> SegmentSamples:
    """One second of a sensor that pitches to and fro, is shaken without going anywhere, and turns with the walk.

    It does not pitch at either end; the ankle, ``LEVER`` away from the sensor, is what comes to rest.
    """
    t = np.arange(0, 1.0 + 0.5 / RATE_HZ, 1 / RATE_HZ)
    pitch = 0.5 * np.sin(np.pi * t) ** 2
    yaw = yaw_rad + turned_rad * (t - np.sin(2 * np.pi * t) / (2 * np.pi))
    zero = np.zeros_like(t)
    about_y = np.stack([np.cos(pitch / 2), zero, np.sin(pitch / 2), zero], axis=1)
    q = quat.multiply(quat.about_vertical(yaw), about_y)
    ahead = 6.0 * np.sin(2 * np.pi * t)
    world = np.stack([ahead * np.cos(yaw_rad), ahead * np.sin(yaw_rad), 3.0 * np.sin(4 * np.pi * t)], axis=1)
    force = quat.rotate(quat.conjugate(q), world + np.array([0.0, 0.0, GRAVITY_M_S2])) + bias
    rate = 2 * quat.multiply(quat.conjugate(q), np.gradient(q, t, axis=0))[:, 1:]
    rate[[0, -1]] = 0.0
    return SegmentSamples.of(start_s + t, q, rate, force, q)


def standing(bias: FloatArray) -> GravityFilter:
    force = np.array([0.0, 0.0, GRAVITY_M_S2]) + bias
    stance = Stance(force, np.array([1.0, 0.0, 0.0, 0.0]), force, np.eye(3))
    return GravityFilter(GravityParameters(), stance, 0.0)


def walked(bias: FloatArray, turns_rad: list[float]) -> GravityFilter:
    gravity, yaw = standing(bias), 0.0
    for k, turn in enumerate(turns_rad):
        samples = stride(yaw, turn, 1.1 * k, bias)
        gravity.add(samples, 0, len(samples.time_s) - 1, LEVER)
        yaw += turn
    return gravity


def tilt_deg(gravity: GravityFilter) -> float:
    up = gravity.gravity_m_s2 / np.linalg.norm(gravity.gravity_m_s2)
    return float(np.degrees(np.arccos(min(1.0, up[2]))))


def test_a_turn_tells_bias_from_gravity() -> None:
    gravity = walked(BIAS, [0.0] * 10 + [np.pi / 4] * 4 + [0.0] * 10)
    np.testing.assert_allclose(gravity.bias_m_s2, BIAS, atol=0.05)
    assert tilt_deg(gravity) < 0.3
    assert gravity.bias_sd_m_s2 < 0.08


def test_walking_straight_on_cannot_tell_and_says_so() -> None:
    gravity = walked(BIAS, [0.0] * 24)
    assert gravity.bias_sd_m_s2 > 0.15
    # What both together would show is known all the same.
    shown = gravity.gravity_m_s2 + gravity.bias_m_s2
    np.testing.assert_allclose(shown[:2], BIAS[:2], atol=0.12)


def test_without_a_bias_none_is_found() -> None:
    gravity = walked(NO_BIAS, [0.0] * 5 + [np.pi / 4] * 4 + [0.0] * 5)
    np.testing.assert_allclose(gravity.bias_m_s2, 0.0, atol=0.05)


def test_after_a_gap_gravity_is_found_anew_and_the_bias_kept() -> None:
    gravity = walked(BIAS, [np.pi / 4] * 8)
    bias = gravity.bias_m_s2.copy()
    gravity.restart()
    lost = quat.normalized(np.array([0.9, 0.3, -0.2, 0.1]))  # what the sensor turned by, unseen
    samples = stride(0.0, 0.0, 20.0, BIAS)
    free = quat.multiply(lost, samples.q)
    samples = SegmentSamples.of(samples.time_s, samples.q, samples.gyr_rad_s, samples.acc_m_s2, free)
    gravity.add(samples, 0, len(samples.time_s) - 1, LEVER)
    up = quat.rotate(quat.conjugate(lost), gravity.gravity_m_s2)
    assert np.degrees(np.arccos(up[2] / np.linalg.norm(up))) < 0.6
    np.testing.assert_allclose(gravity.bias_m_s2, bias, atol=0.02)


def test_samples_are_set_upright() -> None:
    gravity = walked(BIAS, [np.pi / 4] * 8)
    samples = stride(0.3, 0.0, 10.0, BIAS)
    tilted = quat.normalized(np.array([1.0, 0.02, -0.03, 0.0]))
    wrong = SegmentSamples.of(
        samples.time_s, quat.multiply(tilted, samples.q), samples.gyr_rad_s, samples.acc_m_s2, samples.q_strapdown
    )
    right = gravity.upright(wrong)
    up = quat.rotate(quat.conjugate(right.q), np.broadcast_to([0.0, 0.0, 1.0], (len(right.q), 3)))
    true = quat.rotate(quat.conjugate(samples.q), np.broadcast_to([0.0, 0.0, 1.0], (len(right.q), 3)))
    assert np.degrees(np.arccos(np.clip(np.sum(up * true, axis=1), -1, 1))).max() < 0.5
    np.testing.assert_allclose(right.acc_m_s2, samples.acc_m_s2 - gravity.bias_m_s2)


def vertical_of(vqf: VQF, gyr: FloatArray, acc: FloatArray, free: FloatArray) -> FloatArray:
    """VQF's vertical in the gyroscope's frame (n, 3)."""
    q = vqf.updateBatch(gyr, acc)["quat6D"]
    return quat.rotate(free, quat.rotate(quat.conjugate(q), np.broadcast_to([0.0, 0.0, GRAVITY_M_S2], (len(q), 3))))


@pytest.mark.parametrize("cut", [1, 700, 4000])
def test_the_low_passed_turning_is_how_a_bias_enters_vqf(cut: int) -> None:
    """Bias in, vertical of VQF out: the difference is the low-passed rotation matrix times the bias."""
    rng = np.random.default_rng(5)
    n = 4000
    gyr = np.cumsum(rng.normal(0, 0.05, (n, 3)), axis=0) * 0.3
    gyr -= gyr.mean(axis=0)
    out = np.empty(n, SENSOR_ROW)
    strapdown = Strapdown(1 / RATE_HZ)
    for a in range(0, n, cut):
        part = np.ascontiguousarray(gyr[a : a + cut])
        strapdown.push(part, np.zeros_like(part), out[a : a + cut])
    q, rotation = np.ascontiguousarray(out["q_strapdown"]), out["lowpassed_rotation"].reshape(n, 3, 3)
    acc = quat.rotate(quat.conjugate(q), np.broadcast_to([0.0, 0.0, GRAVITY_M_S2], (n, 3)))
    still = {"restBiasEstEnabled": False, "motionBiasEstEnabled": False}
    clean = vertical_of(VQF(1 / RATE_HZ, **still), gyr, np.ascontiguousarray(acc), q)
    leant = vertical_of(VQF(1 / RATE_HZ, **still), gyr, np.ascontiguousarray(acc + 0.3 * BIAS), q)
    expected = rotation @ (0.3 * BIAS)
    across = leant - clean - (expected - clean * np.sum(expected * clean, axis=1)[:, None] / GRAVITY_M_S2**2)
    assert np.abs(expected).max() > 0.05
    assert np.abs(across).max() < 0.006


@pytest.mark.parametrize("rate_hz", [50.0, 200.0])
def test_orientation_belongs_to_the_instant_of_its_sample(rate_hz: float) -> None:
    """To and fro at up to 360 °/s: half a sample's turn too early or too late would be 1° at 200 Hz and 4° at 50."""
    t = np.arange(0, 12, 1 / rate_hz)
    pitch = 0.5 * (1 - np.cos(4 * np.pi * t)) * (t > 3.0)
    gyr = np.stack([np.zeros_like(t), 2 * np.pi * np.sin(4 * np.pi * t) * (t > 3.0), np.zeros_like(t)], axis=1)
    acc = np.stack([-np.sin(pitch), np.zeros_like(t), np.cos(pitch)], axis=1) * GRAVITY_M_S2
    site = BodySite("right_foot")
    stream = SensorStream(SensorInfo(site, rate_hz), Parameters())
    stream.push(SampleBlock(site, t, t, acc, gyr))
    stream.finish()
    rows = stream.rows.view(0, stream.rows.end)
    for name in ("q", "q_strapdown"):
        q = rows[name]
        found = 2 * np.arctan2(q[:, 2], q[:, 0])
        assert np.degrees(np.abs(found - pitch)).max() < (0.35 if rate_hz < 100 else 0.12)


def test_a_rest_that_vqf_does_not_recognise_shows_the_bias() -> None:
    """Sway and the noise of a cheap gyroscope at 400 Hz, a bias of 5 °/s, and then a walk's worth of heading."""
    rng, rate_hz = np.random.default_rng(3), 400.0
    t = np.arange(0, 8, 1 / rate_hz)
    bias = np.radians([4.7, -1.4, -1.8])
    sway = np.radians(1.0) * np.sin(2 * np.pi * 0.6 * t)
    gyr = bias + rng.normal(0, np.radians(0.5), (len(t), 3)) + sway[:, None] * [0.3, 0.8, 0.5]
    acc = rng.normal(0, 0.08, (len(t), 3))
    acc[:, 2] += GRAVITY_M_S2
    stream = SensorStream(SensorInfo(BodySite("right_shank"), rate_hz), Parameters())
    stream.push(SampleBlock(BodySite("right_shank"), t, t, acc, gyr))
    stream.finish()
    rows = stream.rows.view(0, stream.rows.end)
    late = rows[rows["time_s"] > 4.0]
    unexplained = np.degrees(np.abs(late["gyr_rad_s"].mean(axis=0)))
    assert unexplained.max() < 0.6
    plain = VQF(1 / rate_hz, biasClip=8.0).updateBatch(gyr, acc)["bias"][-1]
    assert np.degrees(np.abs(plain - bias)).max() > 1.0
