"""The relative heading over strides: drift, honesty, and what happens after something turned a sensor."""

import numpy as np
import pytest

from subtalar.estimation.joint.heading import HeadingFilter, wrapped
from subtalar.estimation.joint.joint_path import StrideHeading, stride_heading
from subtalar.estimation.parameters import HeadingParameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.types import FloatArray

STRIDE_S = 1.1


def walked(headings_deg: FloatArray, guess_deg: float = 0.0) -> HeadingFilter:
    heading = HeadingFilter(HeadingParameters(), 0.0, np.radians(guess_deg))
    for k, degrees in enumerate(headings_deg):
        heading.add(StrideHeading((k + 0.5) * STRIDE_S, np.radians(degrees), 0.1, 1.3 + 0.0j))
    return heading


def now_deg(heading: HeadingFilter) -> float:
    return float(np.degrees(heading.heading_rad(np.array([heading.time_s])))[0])


@pytest.mark.parametrize("drift_deg_min", [-20.0, 0.0, 2.0, 20.0])
@pytest.mark.parametrize("start_deg", [0.0, 179.0])
def test_drift_is_followed_and_its_start_remembered(drift_deg_min: float, start_deg: float) -> None:
    """Six-axis fusion drifts by 2 to 20 °/min (measured on five people after stroke)."""
    k = np.arange(100)
    scatter = np.random.default_rng(1).normal(0.0, 0.8, 100)
    true = start_deg + drift_deg_min / 60.0 * (k + 0.5) * STRIDE_S
    heading = walked(true + scatter, start_deg)
    assert abs(np.degrees(wrapped(np.radians(now_deg(heading) - true[-1])))) < 1.0
    assert abs(np.degrees(wrapped(heading.reference_rad - np.radians(start_deg)))) < 1.5
    assert heading.strides > 95
    assert 0.2 < np.degrees(heading.sd_rad(np.array([heading.time_s])))[0] < 1.5


def test_one_stumble_is_not_believed() -> None:
    heading = walked(np.zeros(30))
    assert not heading.add(StrideHeading(31 * STRIDE_S, np.radians(25.0), 0.1, 1.0 + 0.0j))
    assert abs(now_deg(heading)) < 0.1
    assert not heading.add(StrideHeading(32 * STRIDE_S, 0.0, 0.9, 1.0 + 0.0j))  # the sensors do not agree at all
    assert heading.strides == 30


def test_uncertainty_grows_while_nothing_is_seen() -> None:
    heading = walked(np.zeros(30))
    sd = heading.sd_rad(heading.time_s + np.array([0.0, 1.0, 10.0, 60.0, 600.0]))
    assert (np.diff(sd) > 0).all()
    heading.restart()
    assert np.degrees(heading.sd_rad(np.array([heading.time_s])))[0] > 19.0


def test_after_a_known_disturbance_the_next_strides_are_believed() -> None:
    heading = walked(np.zeros(60))
    heading.restart()
    for k in range(60, 66):
        assert heading.add(StrideHeading(k * STRIDE_S, np.radians(25.0), 0.1, 1.3 + 0.0j))
    assert abs(now_deg(heading) - 25.0) < 1.5


@pytest.mark.parametrize("jump_deg", [10.0, 20.0])
def test_a_jump_nobody_announced_is_learnt_or_doubted(jump_deg: float) -> None:
    """Clipping or an unseen loss may turn a heading for good: after 15 strides that agree, believe or doubt."""
    heading = walked(np.concatenate((np.zeros(60), np.full(15, jump_deg))))
    sd_deg = float(np.degrees(heading.sd_rad(np.array([75 * STRIDE_S])))[0])
    assert abs(now_deg(heading) - jump_deg) < 2 * sd_deg


def synthetic_window(heading_deg: float, offset_s: float = 0.0) -> StrideWindow:
    """A step of 1 s and about a metre; the shank's world is turned by minus ``heading_deg`` against the foot's."""
    t = np.arange(-0.12, 1.12, 0.005)

    def felt(times: FloatArray, turn_deg: float) -> SegmentSamples:
        inside = (times >= 0) & (times <= 1)
        forward = np.where(inside, 6.0 * np.sin(2 * np.pi * times), 0.0)
        sideways = np.where(inside, 0.8 * np.sin(4 * np.pi * times), 0.0)
        c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        acc = np.column_stack((c * forward - s * sideways, s * forward + c * sideways, np.full(len(times), 9.80665)))
        q = np.tile([1.0, 0.0, 0.0, 0.0], (len(times), 1))
        return SegmentSamples.of(times, q, np.zeros_like(acc), acc, q)

    foot, shank = felt(t, 0.0), felt(t, -heading_deg)
    shank.rows["time_s"] += offset_s
    return StrideWindow(foot, shank, 24, 224, np.zeros(len(t)), 224)


@pytest.mark.parametrize("heading_deg", [-170.0, -35.0, 0.0, 60.0, 179.0])
def test_the_ankle_path_shows_the_heading(heading_deg: float) -> None:
    evidence = stride_heading(synthetic_window(heading_deg, 0.013), np.zeros(3), np.zeros(3), 0.013)
    assert abs(np.degrees(wrapped(evidence.heading_rad - np.radians(heading_deg)))) < 0.1
    assert evidence.mismatch < 0.02
    travel_m = complex(6.0 / (2 * np.pi), 0.8 / (4 * np.pi))  # the curves above integrated twice, in the foot's world
    assert abs(evidence.travel_m - travel_m) < 0.01
    assert evidence.time_s == pytest.approx(0.5)


def test_a_wrong_clock_offset_shows_as_mismatch() -> None:
    evidence = stride_heading(synthetic_window(20.0, 0.1), np.zeros(3), np.zeros(3), 0.0)
    assert evidence.mismatch > 0.1


def test_two_gyroscopes_that_disagree_by_a_share_of_each_turn() -> None:
    """One per cent of every turn: learnt from the first turns, foreseen in the later ones."""
    gain, yaw, error_deg, errors = 0.01, 0.0, 0.0, []
    heading = HeadingFilter(HeadingParameters(), 0.0, 0.0)
    for k in range(80):
        turn = np.radians(60.0) if k % 10 in (5, 6, 7) else 0.0
        predicted = now_deg(heading)
        middle_deg = error_deg + 0.5 * np.degrees(gain * turn)
        error_deg += np.degrees(gain * turn)
        if k % 10 == 8:
            errors.append(abs(predicted - error_deg))
        yaws = (float(wrapped(yaw)), float(wrapped(yaw + turn)))
        heading.add(StrideHeading((k + 0.5) * STRIDE_S, np.radians(middle_deg), 0.02, 1.3 + 0.0j, yaws))
        yaw += turn
    assert error_deg == pytest.approx(14.4)
    assert max(errors[3:]) < 0.3
