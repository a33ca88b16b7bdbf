"""Drift and delay of a device clock from arrivals whose truth is known."""

import numpy as np
import pytest

from subtalar.device.arrival_clock import ArrivalClock


def fed(drift_ppm: float, jitter_s: float, seconds: float = 120.0, lag_s: float = 0.03) -> ArrivalClock:
    clock, rng = ArrivalClock(), np.random.default_rng(4)
    for t in np.arange(0.0, seconds, 0.02):
        device_us = round(1e6 * (7.0 + t * (1.0 + 1e-6 * drift_ppm)))
        clock.take(device_us, float(t + lag_s + rng.exponential(jitter_s)))
    return clock


@pytest.mark.parametrize("drift_ppm", [-50.0, 0.0, 80.0])
def test_drift(drift_ppm: float) -> None:
    found = fed(drift_ppm, jitter_s=0.004).drift_ppm
    assert found is not None
    assert abs(found - drift_ppm) < 5.0


def test_delay_is_what_the_radio_adds_whatever_the_drift() -> None:
    # The median of an exponential delay is ln 2 of its mean.
    assert fed(80.0, jitter_s=0.010).delay_ms == pytest.approx(6.9, abs=1.5)
    assert fed(80.0, jitter_s=0.0).delay_ms == pytest.approx(0.0, abs=0.5)


def test_too_little_to_say() -> None:
    assert ArrivalClock().delay_ms is None
    assert ArrivalClock().drift_ppm is None
    assert fed(0.0, 0.004, seconds=10.0).drift_ppm is None


def test_a_clock_that_begins_anew_is_no_drift() -> None:
    clock = fed(20.0, jitter_s=0.002)
    clock.restart()
    for t in np.arange(120.0, 240.0, 0.02):
        clock.take(round(1e6 * (t - 120.0) * (1 + 20e-6)), float(t + 0.03))
    assert clock.drift_ppm == pytest.approx(20.0, abs=3.0)
