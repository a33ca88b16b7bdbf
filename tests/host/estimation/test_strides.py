"""Strides and events against the simulator's own."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.types import SIDES, FloatArray, Side, Stride
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig

CONTACT, OFF, TIME, EVERSION, ROTATION, LENGTH = 1, 2, 3, 4, 6, 8
"""Columns of the true strides."""


@pytest.fixture(scope="module")
def walk(simulate: Callable[..., Any]) -> Any:
    """Two bouts with a short stop between them; gentle bends only."""
    body = BodyConfig(seed=21, knee_bends=2, stop_every_s=16.0, stop_s=4.0)
    return simulate("two_bouts", SimulationConfig(body, rate_hz=100.0, quality="good", orientation="any"), 50.0)


@pytest.fixture(scope="module")
def result(walk: Any, estimated: Callable[[Any], Any]) -> Any:
    return estimated(walk)


def pairs(lab: SimpleNamespace, walk: Any, result: Any, side: Side) -> tuple[list[tuple[FloatArray, Stride]], int, int]:
    """True and found strides that belong together (lag taken out), how many were missed and how many invented."""
    lag = lab.lag_of(walk, result, side)
    found = [s for s in result.strides if s.side == side]
    starts = np.array([s.initial_contact_s for s in found]) - lag
    truth = walk.truth_strides[side]
    matched = [(row, found[int(np.argmin(np.abs(starts - row[CONTACT])))]) for row in truth]
    near = [np.abs(starts - row[CONTACT]).min() < 0.25 for row in truth]
    invented = sum(np.abs(truth[:, CONTACT] - s).min() >= 0.25 for s in starts)
    return [m for m, is_near in zip(matched, near, strict=True) if is_near], near.count(False), int(invented)


@pytest.mark.parametrize("side", SIDES)
def test_strides_are_neither_invented_nor_missed(lab: SimpleNamespace, walk: Any, result: Any, side: Side) -> None:
    assert len(walk.truth_strides[side]) > 20
    _, missed, invented = pairs(lab, walk, result, side)
    assert invented == 0
    assert missed <= 2  # the last before the end of each bout: its foot never rises again


@pytest.mark.parametrize("side", SIDES)
def test_each_stride_once_and_in_order(result: Any, side: Side) -> None:
    starts = [s.initial_contact_s for s in result.strides if s.side == side]
    assert (np.diff(starts) > 0.5).all()


@pytest.mark.parametrize("side", SIDES)
def test_measures(lab: SimpleNamespace, walk: Any, result: Any, side: Side) -> None:
    together, _, _ = pairs(lab, walk, result, side)
    measured = [(row, s) for row, s in together if np.isfinite(s.peak_eversion_deg)]
    assert len(measured) > 15

    def median_error(mine: Callable[[Stride], float], column: int) -> float:
        return float(np.median([mine(s) - row[column] for row, s in measured]))

    assert abs(median_error(lambda s: s.stride_time_s, TIME)) < 0.01
    assert abs(median_error(lambda s: s.stride_length_m, LENGTH)) < 0.05
    assert abs(median_error(lambda s: s.peak_eversion_deg, EVERSION)) < 1.5
    assert abs(median_error(lambda s: s.tibial_rotation_excursion_deg, ROTATION)) < 1.5


@pytest.mark.parametrize("side", SIDES)
def test_initial_contact_and_foot_off_are_on_time(lab: SimpleNamespace, walk: Any, result: Any, side: Side) -> None:
    together, _, _ = pairs(lab, walk, result, side)
    lag = lab.lag_of(walk, result, side)
    contact = np.array([s.initial_contact_s - lag - row[CONTACT] for row, s in together])
    off = np.array([s.foot_off_s - lag - row[OFF] for row, s in together])
    assert abs(np.median(contact)) < 0.030
    assert abs(np.median(off)) < 0.040
    assert np.percentile(np.abs(contact - np.median(contact)), 90) < 0.02
    assert np.percentile(np.abs(off - np.median(off)), 90) < 0.02


@pytest.mark.parametrize("side", SIDES)
def test_events_make_sense(result: Any, side: Side) -> None:
    events = [e for e in result.events if e.side == side]
    assert {e.kind for e in events} == {"initial_contact", "foot_flat", "foot_off"}
    assert all(e.detected_s > e.time_s for e in events)  # nothing is known before it happens
    for kind in ("initial_contact", "foot_flat", "foot_off"):
        times = [e.time_s for e in events if e.kind == kind]
        assert (np.diff(times) > 0.5).all()
    contacts = [e.time_s for e in events if e.kind == "initial_contact"]
    assert {s.initial_contact_s for s in result.strides if s.side == side} <= set(contacts)


@pytest.mark.parametrize("side", SIDES)
def test_events_are_soon_known(walk: Any, result: Any, side: Side) -> None:
    first_angle_s = result.rows(side).time_s[np.isfinite(result.rows(side).ankle_deg).all(axis=1)][0]
    delays = [
        e.detected_s - e.time_s
        for e in result.events
        if e.side == side and e.kind == "initial_contact" and e.time_s > first_angle_s
    ]
    assert len(delays) > 10
    assert np.median(delays) < 0.8  # at heel rise


@pytest.mark.parametrize("side", SIDES)
def test_no_stride_spans_the_stop(walk: Any, result: Any, side: Side) -> None:
    for s in result.strides:
        if s.side == side:
            assert 0.7 < s.stride_time_s < 1.6
            assert s.initial_contact_s < s.foot_off_s < s.initial_contact_s + s.stride_time_s
            assert s.stance_ratio == pytest.approx((s.foot_off_s - s.initial_contact_s) / s.stride_time_s)
