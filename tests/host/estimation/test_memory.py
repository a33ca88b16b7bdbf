"""Hours of data in bounded memory and bounded work."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import GaitEstimator, Parameters
from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.leg.leg_calibration import LegCalibration
from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.foot_flat import FootFlatDetector
from subtalar.estimation.stance.standing import Standing
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.slow
def test_memory_is_flat_from_the_fifth_minute_to_the_tenth(lab: SimpleNamespace, simulate: Callable[..., Any]) -> None:
    config = SimulationConfig(
        BodyConfig(seed=8, standing_s=4.0, knee_bends=0), sites=("right_foot", "right_shank"), rate_hz=50.0
    )
    walk = simulate("ten_minutes", config, 600.0)
    estimator, peaks, strides, minute = GaitEstimator(walk.sensors), [], 0, 5
    try:
        for block in lab.in_order(walk, 2.0):
            strides += len(estimator.push(block).strides)
            if float(block.host_time_s[0]) > 60.0 * minute:
                minute += 1
                if tracemalloc.is_tracing():
                    peaks.append(tracemalloc.get_traced_memory()[1])
                    tracemalloc.reset_peak()
                else:
                    tracemalloc.start()  # tracing takes time: only from here on
    finally:
        tracemalloc.stop()
    assert strides > 450
    # In the first two minutes of tracing buffers older than the tracing are replaced by ones that it sees.
    assert len(peaks) >= 4
    assert max(peaks[3:]) < max(peaks[1:3]) + 300_000


def test_a_foot_that_never_moves_is_not_remembered(traced: None) -> None:
    detector = FootFlatDetector(FootFlatParameters(), 200.0)
    gravity = np.zeros(12_000, SENSOR_ROW)
    gravity["acc_m_s2"] = 0.0, 0.0, GRAVITY_M_S2
    for minute in range(60):
        detector.push(gravity)
        detector.next_before(12_000 * (minute + 1))
    assert tracemalloc.get_traced_memory()[0] < gravity.nbytes + 3_000_000


def marching_window() -> StrideWindow:
    """One step on the spot, as both sensors feel it: to and fro, ending where it began."""
    t = np.arange(-0.12, 1.12, 0.01)
    inside = (t >= 0) & (t <= 1)
    acc = np.zeros((len(t), 3))
    acc[:, 0] = np.where(inside, 3.0 * np.cos(2 * np.pi * t), 0.0)
    acc[:, 2] = GRAVITY_M_S2
    q = np.tile([1.0, 0.0, 0.0, 0.0], (len(t), 1))
    still = SegmentSamples.of(t, q, np.zeros_like(acc), acc, q)
    return StrideWindow(still, still, 12, 112, np.zeros(len(t)), 112)


def test_steps_that_lead_nowhere_do_not_pile_up() -> None:
    calibration = LegCalibration(Parameters())
    upright = np.array([1.0, 0.0, 0.0, 0.0])
    force = np.array([0.0, 0.0, GRAVITY_M_S2])
    stance = Stance(force, upright, force, np.eye(3))
    calibration.stand(Standing(0, 200, 0.0, 2.0, stance, stance, 0.0), None)
    for _ in range(40):
        calibration.add(marching_window())
        assert calibration.solve() is None  # no travel: no direction
    assert calibration.strides <= Parameters().placement.settle_strides


@pytest.mark.slow
@pytest.mark.parametrize("speaks", ["foot", "shank"])
def test_rows_of_a_silent_partner_are_let_go(lab: SimpleNamespace, short_walk: Any, traced: None, speaks: str) -> None:
    """14 minutes of one sensor, none of the other: the time passes, so nothing waits."""
    one = next(b for site, b in short_walk.samples.items() if site.segment == speaks)
    estimator, held = GaitEstimator(short_walk.sensors), []
    length_s = float(one.device_time_s[-1] - one.device_time_s[0]) + 0.02
    for again in range(32):
        later = again * length_s
        block = replace(one, device_time_s=one.device_time_s + later, host_time_s=one.host_time_s + later)
        estimator.push(block)
        estimator.advance(float(block.host_time_s[-1]))
        held.append(tracemalloc.get_traced_memory()[0])
    # After six minutes all that is held on purpose is held; what piles up doubles its buffer once more later.
    assert max(held[20:]) < max(held[13:20]) + 500_000
