"""Faults: repeatable, counted, and never out of order."""

import numpy as np
import pytest

from subtalar_sim.clock import SessionClock
from subtalar_sim.faults import DelayLine, FaultPlan, GapDrawer, SentLedger
from subtalar_sim.types import Payload


def test_the_same_samples_are_lost_however_the_run_is_cut() -> None:
    plan = FaultPlan(gap_rate_per_s=3.0, gap_samples=4.0)
    whole = GapDrawer(plan, 200.0, 5, "left_foot").kept(10_000)
    drawer = GapDrawer(plan, 200.0, 5, "left_foot")
    parts = np.concatenate([drawer.kept(n) for n in (1, 7, 992, 9000)])
    np.testing.assert_array_equal(whole, parts)
    assert 0.03 < 1.0 - whole.mean() < 0.09
    assert not np.array_equal(whole, GapDrawer(plan, 200.0, 5, "right_foot").kept(10_000))


def test_jitter_keeps_the_order_and_delays_everything() -> None:
    line = DelayLine(FaultPlan(delay_s=0.05, jitter_s=0.03), 1, "left_foot", SentLedger())
    for i in range(200):
        line.push(0.01 * i, Payload(bytes([i]), 1))
    arrived: list[tuple[float, int]] = []
    for now in np.arange(0.0, 3.0, 0.001):
        line.deliver(float(now), lambda p, now=now: arrived.append((float(now), p.data[0])) or True)
    assert [i for _, i in arrived] == list(range(200))
    late = np.array([t - 0.01 * i for t, i in arrived])
    assert late.min() >= 0.05
    assert late.std() > 0.01


def test_a_broken_link_loses_what_was_on_its_way_and_says_how_much() -> None:
    line = DelayLine(FaultPlan(delay_s=1.0), 1, "left_foot", SentLedger(sent=7))
    line.push(0.0, Payload(b"a", 4))
    line.push(0.1, Payload(b"b", 3))
    assert line.clear() == 7
    assert (line.ledger.sent, line.ledger.unsent) == (0, 7)
    line.deliver(10.0, lambda _: pytest.fail("what is gone does not arrive"))


def test_outages_have_edges() -> None:
    plan = FaultPlan(outages=((5.0, 2.0), (10.0, 1.0)))
    assert [plan.is_down(t) for t in (4.9, 5.0, 6.9, 7.0, 10.5)] == [False, True, True, False, True]
    assert [plan.next_change_s(t) for t in (0.0, 5.0, 7.5, 11.0)] == [5.0, 7.0, 10.0, float("inf")]


def test_senseless_faults_are_refused() -> None:
    with pytest.raises(ValueError, match=r"gap_samples lies in 1\.\.100000, not 0\.5"):
        FaultPlan(gap_samples=0.5)
    with pytest.raises(ValueError, match="delay is at least 0 s and at most a day, not -1 s"):
        FaultPlan(delay_s=-1.0)


def test_session_clock_runs_at_its_speed_on_any_clock() -> None:
    now = [100.0]
    clock = SessionClock(4.0, lambda: now[0])
    now[0] = 102.5
    assert clock.session_s() == 10.0
    assert clock.wait_s(14.0) == 1.0
    assert clock.wait_s(3.0) == 0.0
    np.testing.assert_allclose(clock.from_host(np.array([100.0, 101.0])), [0.0, 4.0])
