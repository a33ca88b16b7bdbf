"""Faster than life: arrays from simulated sensors, judged by the truth."""

import numpy as np
import pytest
from my_lab.cadence import cadence_per_min, landings
from my_lab.dorsiflexion import lean_deg


@pytest.mark.parametrize("style", ["normal", "antalgic"])
@pytest.mark.parametrize("faults", ["", "loss=0.02"])
def test_every_step_is_found(simulated_leg, style, faults):
    leg = simulated_leg(seconds=30, style=style, faults=faults)
    foot = leg.samples("right_foot")
    landed = landings(foot.t_s, foot.gyr_rad_s)
    contacts = np.array([stride.initial_contact_s for stride in leg.strides("right")])
    assert len(contacts) > 8
    assert np.abs(landed[:, None] - contacts).min(axis=0).max() < 0.25
    stride_time = np.median([stride.stride_time_s for stride in leg.strides("right")])
    assert cadence_per_min(landed) == pytest.approx(120.0 / stride_time, rel=0.02)


def test_knee_bends_are_measured_to_three_degrees(simulated_leg, truth_angles):
    leg = simulated_leg(seconds=20, seed=4)
    (bends,) = [(start, end) for label, start, end in leg.body.annotations if label == "knee_bends"]
    shank = leg.samples("right_shank")
    lean = lean_deg(shank.t_s, shank.acc_m_s2, standing_until_s=4.0)
    during = (shank.t_s > bends[0]) & (shank.t_s < bends[1])
    dorsiflexion = truth_angles("right", shank.t_s[during], seed=4)[:, 0]
    assert dorsiflexion.max() > 15.0
    assert np.abs(lean[during] - dorsiflexion).max() < 3.0
