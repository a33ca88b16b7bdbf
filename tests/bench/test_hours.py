"""Clocks that wrap and run apart, through the whole chain of a leg: for minutes here, for hours on the command line."""

from functools import partial

import numpy as np
import pytest

from subtalar.types import FloatArray
from subtalar_bench.hours import LegDayResult, run_leg
from subtalar_bench.hours.measure import day_script, of_leg
from subtalar_bench.hours.sync import SyncMeter
from subtalar_sim.clock import SensorClock
from subtalar_sim.serve.hours import TurningTeller, make_hours_trial

MINUTES_S = 150.0


def leg(device: str, script: str) -> LegDayResult:
    return run_leg(partial(make_hours_trial, device, script), MINUTES_S, 60.0)


@pytest.mark.slow
@pytest.mark.parametrize("device", ["movella-dot", "shimmer3"])
def test_sensors_stay_together_over_a_wrap_losses_and_lost_links(device: str) -> None:
    found = leg(device, day_script(MINUTES_S))
    assert found.has_device_time
    assert found.settled_ms[0] < 2.0
    assert of_leg(found, MINUTES_S / 3600.0)[1] == []
    assert found.compared > 0.7 * 50.0 * MINUTES_S
    assert [t.ledger.reconnects for t in found.sensors.values()] == [2, 1]
    assert all(t.ledger.lost > 100 for t in found.sensors.values())


def test_a_sensor_without_a_clock_is_in_time_again_soon_after_its_link() -> None:
    found = leg("witmotion", "jitter=4ms, right_foot: drop_link@80s+10s")
    assert not found.has_device_time
    assert [t.ledger.reconnects for t in found.sensors.values()] == [1, 0]
    assert found.worst_ms[2] < 2.0  # from the 120th second on
    assert found.worst_ms[1] < 500.0  # what the first arrivals tell, and not the seconds that were missed


def steady(late_s: float, rate_hz: float, begin_s: float = 0.0) -> FloatArray:
    t = np.arange(begin_s, 300.0, 1.0 / rate_hz)
    return np.column_stack([t, np.full_like(t, late_s)])


def test_the_error_is_what_one_sensor_is_later_than_the_other() -> None:
    meter = SyncMeter(5, 60.0)
    foot, shank = steady(0.025, 50.0), steady(0.021, 60.0, 0.003)
    foot[(foot[:, 0] > 200.0) & (foot[:, 0] < 201.0), 1] += 0.003
    silent = (shank[:, 0] > 230.0) & (shank[:, 0] < 240.0)
    foot[(foot[:, 0] > 231.0) & (foot[:, 0] < 239.0), 1] += 5.0  # nothing to compare it with
    for k in range(5):
        meter.take(
            foot[(foot[:, 0] >= 60.0 * k) & (foot[:, 0] < 60.0 * (k + 1))],
            shank[~silent & (shank[:, 0] >= 61.0 * k) & (shank[:, 0] < 61.0 * (k + 1))],
        )
    np.testing.assert_allclose(meter.worst_ms, [4.0, 4.0, 4.0, 7.0, 4.0], atol=1e-6)
    assert meter.first_ms == pytest.approx(4.0)
    assert meter.share_ms(0.99) == pytest.approx(4.0, abs=0.002)
    assert meter.share_ms(1.0) == pytest.approx(7.0, abs=0.002)
    assert 285.0 * 50.0 < meter.compared < 291.0 * 50.0
    assert 1e3 * meter.late_s / meter.compared == pytest.approx(23.0, abs=0.1)


def test_a_clock_that_sways_shows_an_even_rate_at_its_samples() -> None:
    clock = SensorClock(7.0, -40.0, sway_ppm=10.0, sway_period_s=2400.0)
    t = clock.sample_times(3.0, np.arange(0, 500_000, 1000), 50.0)
    np.testing.assert_allclose(np.diff(clock.reading(t)), 20.0, atol=1e-9)
    ppm = 1e6 * (np.diff(clock.reading(t)) / np.diff(t) - 1.0)
    assert ppm.min() == pytest.approx(-50.0, abs=0.1)
    assert ppm.max() == pytest.approx(-30.0, abs=0.1)


def test_samples_tell_when_they_were_measured() -> None:
    trial = make_hours_trial("talus", "", lambda: 0.0)
    t = 27_000.0 + np.arange(0.0, 200.0, 0.0173)
    told = TurningTeller().measure(t, 50.0)
    late_s = t + np.random.default_rng(1).uniform(0.0, 20.0, len(t))
    np.testing.assert_allclose(trial.told_time_near_s(told.acc_m_s2, told.gyr_rad_s, late_s), t, atol=1e-6)
