"""Losses: exact by device time, careful by arrival."""

from collections.abc import Callable

import numpy as np
import pytest

from subtalar.device.arrival_ledger import ArrivalLedger
from subtalar.device.device_time_ledger import DeviceTimeLedger
from subtalar.protocol import InertialSamples


def batch(times_us) -> InertialSamples:
    t = np.asarray(times_us, np.int64)
    marks = np.tile(t[:, None].astype(np.float64), (1, 3))
    return InertialSamples(t, marks, marks)


def feed(ledger: DeviceTimeLedger, times_us, size: int = 7) -> list[int]:
    """In batches that arrive when the device's clock says; the times that came out."""
    out: list[int] = []
    elapsed_s = 0.0
    for i in range(0, len(times_us), size):
        piece = times_us[i : i + size]
        elapsed_s += sum(step for step in np.diff([*times_us[max(i - 1, 0) : i], *piece]) if step > 0) * 1e-6
        for part in ledger.take(batch(piece), elapsed_s):
            assert part.device_time_us is not None
            assert (np.diff(part.device_time_us) > 0).all()
            assert (part.acc_m_s2[:, 0] == part.device_time_us).all()
            out += part.device_time_us.tolist()
    return out


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("true_period_us", [10_000, 10_031, 5_000, 20_000])
def test_every_gap_is_counted_exactly(size, true_period_us):
    rng = np.random.default_rng(3)
    t = 10**7 + true_period_us * np.arange(2000)
    keep = rng.random(2000) > 0.1
    keep[700:900] = False
    keep[[0, -1]] = True
    ledger = DeviceTimeLedger(100)
    out = feed(ledger, t[keep].tolist(), size)
    counts = ledger.counts()
    assert out == t[keep].tolist()
    assert counts.received == keep.sum()
    assert counts.lost == 2000 - keep.sum()
    assert counts.clock_restarts == counts.duplicated == counts.implausible == 0


@pytest.mark.parametrize(
    ("rate_hz", "tick_us", "nominal_hz"),
    [(99.26, 1000.0, 100.0), (198.5, 1000.0, 200.0), (204.8, 1e6 / 32768, 204.8), (60.0, 1.0, 60.0)],
)
def test_a_long_hole_is_exact_whatever_the_grain_of_the_clock(rate_hz, tick_us, nominal_hz):
    t = np.rint(np.rint(1e6 / rate_hz * np.arange(30_000) / tick_us) * tick_us)
    keep = np.ones(30_000, np.bool_)
    keep[4_000:24_000] = False
    ledger = DeviceTimeLedger(nominal_hz)
    feed(ledger, t[keep].astype(np.int64).tolist(), 5)
    assert ledger.counts().lost == 20_000


def test_a_device_that_takes_another_rate_is_followed():
    ledger = DeviceTimeLedger(100)
    slow = 10_000 * np.arange(1000)
    fast = slow[-1] + 5_000 * np.arange(1, 1001)
    feed(ledger, [*slow, *fast, *(fast[-1] + 5_000 * np.arange(501, 700))], 5)
    assert ledger.counts().lost == 500


def test_a_short_stream_is_judged_by_the_nominal_period():
    ledger = DeviceTimeLedger(100)
    feed(ledger, [0, 10_000, 40_000, 50_000])
    assert ledger.counts().lost == 2


def test_repeated_and_late_samples_are_dropped_and_counted():
    t = (10_000 * np.arange(1, 101)).tolist()
    ledger = DeviceTimeLedger(100)
    out = feed(ledger, [*t[:50], t[49], t[47], *t[50:]])
    assert out == t
    assert ledger.counts().duplicated == 2
    assert ledger.counts().lost == 0


@pytest.mark.parametrize("size", [1, 2, 7, 500])
def test_a_restart_is_noticed_and_costs_nothing(size):
    before = (10**9 + 10_000 * np.arange(100)).tolist()
    after = (2_000 + 10_000 * np.arange(100)).tolist()
    ledger = DeviceTimeLedger(100)
    assert feed(ledger, before + after, size) == before + after
    assert ledger.counts().clock_restarts == 1
    assert ledger.counts().lost == 0
    assert ledger.counts().received == 200


def deliver(ledger: DeviceTimeLedger, times_us: list[int], at_s: float, size: int) -> None:
    for i in range(0, len(times_us), size):
        ledger.take(batch(times_us[i : i + size]), at_s + 0.01 * min(i + size, len(times_us)))


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_the_hole_of_a_device_that_was_off_is_counted_by_the_host(size):
    ledger = DeviceTimeLedger(100)
    deliver(ledger, (10**9 + 10_000 * np.arange(100)).tolist(), 0.0, size)
    ledger.reconnected()
    ledger.reconnected()
    deliver(ledger, (2_000 + 10_000 * np.arange(100)).tolist(), 17.0, size)
    counts = ledger.counts()
    assert counts.received == 200
    assert counts.clock_restarts == 1
    assert abs(counts.lost - 1600) <= 2
    assert counts.lost_over_restarts == counts.lost


@pytest.mark.parametrize("link_broke", [True, False])
@pytest.mark.parametrize("hole_s", [0.2, 1.5, 4.0, 30.0])
@pytest.mark.parametrize("behind_s", [0.5, 0.9, 1.2, 3.0])
@pytest.mark.parametrize("size", [1, 10])
def test_a_hole_counts_once_wherever_the_new_clock_stands(behind_s, hole_s, link_broke, size):
    """A sensor that starts anew soon after its last start has a clock near the one it had."""
    ledger = DeviceTimeLedger(100)
    rng = np.random.default_rng(3)
    for begin_s, clock_s in ((0.0, 5.0), (4.0 + hole_s, 9.0 - behind_s)):
        for i in range(0, 400, size):
            newest_s = 0.01 * (i + size - 1)
            times_us = 1_000_000 * clock_s + 10_000 * np.arange(i, i + size)
            ledger.take(batch(times_us.astype(np.int64).tolist()), begin_s + newest_s + 0.02 + 0.004 * rng.random())
        if link_broke:
            ledger.reconnected()
    counts = ledger.counts()
    assert counts.received == 800
    assert abs(counts.lost - 100 * hole_s) <= 2
    assert counts.lost_over_restarts > 0


@pytest.mark.parametrize(("hole_s", "ahead_s"), [(6.0, 2.0), (30.0, 10.0), (30.0, 28.5), (3000.0, 1.0)])
@pytest.mark.parametrize("size", [1, 10])
def test_a_new_clock_that_has_overtaken_the_old_one_is_a_new_clock(hole_s, ahead_s, size):
    """The sensor went off soon after it was switched on, and was away for longer than it had been there."""
    ledger, given = DeviceTimeLedger(100), []
    rng = np.random.default_rng(3)
    for begin_s, clock_s in ((0.0, 5.0), (4.0 + hole_s, 9.0 + ahead_s)):
        for i in range(0, 400, size):
            times_us = 1_000_000 * clock_s + 10_000 * np.arange(i, i + size)
            arrival_s = begin_s + 0.01 * (i + size - 1) + 0.02 + 0.004 * rng.random()
            given += ledger.take(batch(times_us.astype(np.int64).tolist()), arrival_s)
        ledger.reconnected()
    counts = ledger.counts()
    assert (counts.received, counts.clock_restarts, counts.duplicated) == (800, 1, 0)
    assert counts.lost == counts.lost_over_restarts
    assert abs(counts.lost - 100 * hole_s) <= 2
    times_s = 1e-6 * np.concatenate([part.device_time_us for part in given])
    (back,) = np.flatnonzero(np.diff(times_s) < 0)
    assert np.diff(times_s)[back] < -1.0  # as it is shown everywhere else
    assert back == 399


@pytest.mark.parametrize("still_s", [0.5, 2.0, 20.0])
def test_what_waited_while_the_computer_stood_still_after_a_return_is_of_the_old_clock(still_s):
    """It comes late, but all at once."""
    ledger = DeviceTimeLedger(100)
    n_given = 0
    for i in range(400):
        n_given += sum(map(len, ledger.take(batch([10_000 * i]), 0.01 * i + 0.02)))
    ledger.reconnected()
    woke_s = 10.0 + still_s
    for i in range(1000, 1000 + round(100 * still_s) + 300):
        n_given += sum(map(len, ledger.take(batch([10_000 * i]), max(0.01 * i + 0.02, woke_s + 1e-5 * (i - 1000)))))
    counts = ledger.counts()
    assert (counts.lost, counts.lost_over_restarts, counts.clock_restarts) == (600, 0, 0)
    assert counts.received == n_given == 700 + round(100 * still_s)


def test_a_link_that_was_down_on_one_clock_is_counted_once_and_exactly():
    ledger = DeviceTimeLedger(100)
    deliver(ledger, (10_000 * np.arange(100)).tolist(), 0.0, 7)
    ledger.reconnected()
    deliver(ledger, (10_000 * np.arange(600, 700)).tolist(), 6.0, 7)
    assert ledger.counts().lost == 500
    assert ledger.counts().lost_over_restarts == 0


@pytest.mark.parametrize("size", [1, 2, 7, 500])
@pytest.mark.parametrize("wrong_us", [2**50, 3])
def test_one_damaged_timestamp_is_no_restart(size, wrong_us):
    t = (10**9 + 10_000 * np.arange(200)).tolist()
    damaged = [*t[:100], wrong_us, *t[101:]]
    ledger = DeviceTimeLedger(100)
    for i in range(0, len(damaged), size):
        ledger.take(batch(damaged[i : i + size]), 1.0)
    counts = ledger.counts()
    assert counts.implausible == 1
    assert counts.clock_restarts == 0
    assert counts.lost == 1
    assert counts.received == 199


Delay = Callable[[np.random.Generator, float], float]


def on_grid(interval_s: float) -> Delay:
    return lambda rng, t: float(np.ceil((t + 0.002) / interval_s) * interval_s - t + 0.0002 * rng.random())


def jumping(
    by_s: float, *, jitter_s: float = 0.005, size: int = 2, lost: int = 0, stall_s: float = 0.0, after: int = 700
) -> tuple[DeviceTimeLedger, list[int]]:
    """A sensor at 100 Hz whose clock jumps before sample 1001, with ``lost`` samples gone there, on a jittery link."""
    rng = np.random.default_rng(8)
    ledger = DeviceTimeLedger(100)
    out: list[int] = []
    number = np.delete(np.arange(1001 + after), np.arange(1001, 1001 + lost))
    arrival_s = 0.0
    for i in range(0, len(number), size):
        piece = number[i : i + size]
        measured_s = 0.01 * piece
        device_us = 500_000_000 + 10_000 * piece + round(1e6 * by_s) * (piece >= 1001)
        arrival_s = max(arrival_s, float(measured_s[-1] + 0.03 + rng.exponential(jitter_s)))
        if stall_s and 10.0 - 0.5 * stall_s < arrival_s < 10.0 + 0.5 * stall_s:
            arrival_s = 10.0 + 0.5 * stall_s
        for part in ledger.take(batch(device_us), arrival_s):
            assert part.device_time_us is not None
            out += part.device_time_us.tolist()
    return ledger, out


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("by_s", [0.3, 1.5, 2.5, 4.9, -0.4, -0.9])
def test_a_clock_that_jumps_a_little_is_no_loss_and_stays_on_its_axis(by_s, size):
    ledger, out = jumping(by_s, size=size)
    counts = ledger.counts()
    assert counts.clock_jumps == 1
    assert counts.lost == counts.duplicated == counts.implausible == counts.clock_restarts == 0
    assert counts.received == len(out) == 1701
    assert np.ptp(np.diff(out)) <= 1


@pytest.mark.parametrize("lost", [3, 30, 400])
@pytest.mark.parametrize("jitter_s", [0.0, 0.005, 0.04])
def test_a_gap_that_agrees_with_the_arrivals_is_loss(lost, jitter_s):
    ledger, _ = jumping(0.0, lost=lost, jitter_s=jitter_s, after=1000)
    assert ledger.counts().lost == lost
    assert ledger.counts().clock_jumps == 0


def test_a_sample_that_is_earlier_than_the_first_few_were_is_no_jump_of_the_clock():
    """Delays that go on for a while have not shown yet how early a sample can come."""
    ledger = DeviceTimeLedger(50)
    for i in range(60):
        if i != 30:
            late_s = 0.150 + 0.002 * (i % 5) if i < 30 else 0.120
            ledger.take(batch([20_000 * i]), 0.02 * i + late_s)
    assert (ledger.counts().lost, ledger.counts().clock_jumps) == (1, 0)


def test_a_jump_together_with_a_loss_is_told_apart_as_far_as_arrivals_go():
    ledger, out = jumping(1.0, lost=50, after=1000)
    counts = ledger.counts()
    assert counts.clock_jumps == 1
    assert abs(counts.lost - 50) <= 3
    assert counts.lost_over_restarts == counts.lost
    assert abs(out[-1] - 500_000_000 - 20_000_000) <= 30_000


def test_a_stall_hides_a_jump_for_a_moment_only():
    ledger, _ = jumping(0.8, stall_s=3.0, size=1)
    assert ledger.counts().lost == 0
    assert ledger.counts().clock_jumps == 1


def test_a_jump_within_the_jitter_is_counted_as_loss():
    ledger, _ = jumping(0.05, jitter_s=0.2)
    assert ledger.counts().lost == 5
    assert ledger.counts().clock_jumps == 0


DELAYS: dict[str, Delay] = {
    "prompt": lambda rng, t: 0.004,
    "jitter 20 ms": lambda rng, t: 0.004 + 0.02 * rng.random(),
    "exponential 10 ms": lambda rng, t: 0.003 + float(rng.exponential(0.01)),
    "connection interval 30 ms": on_grid(0.03),
    "connection interval 40 ms, beating": on_grid(0.0399),
    "connection interval 45 ms": on_grid(0.045),
}


def arrivals(delay: Delay, *, lost=(), stalls=(), seed=0, duration_s=60.0, per=4, rate_hz=99.26) -> ArrivalLedger:
    """A sensor at 99.26 Hz that says 100, four samples a notification, as measured on hardware."""
    rng = np.random.default_rng(seed)
    ledger = ArrivalLedger(100)
    last = 0.0
    for k in range(int(duration_s * rate_hz / per)):
        t = (k + 1) * per / rate_hz
        arrival = t + delay(rng, t)
        arrival = max([arrival, last, *(end for begin, end in stalls if begin < arrival < end)])
        if k not in lost:
            last = arrival
            ledger.take(per, arrival)
    return ledger


@pytest.mark.parametrize("name", DELAYS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_jittery_link_and_a_busy_host_invent_nothing(name, seed):
    stalls = ((20.0, 20.8), (33.0, 34.9), (40.0, 40.3))
    assert arrivals(DELAYS[name], seed=seed).counts().lost == 0
    assert arrivals(DELAYS[name], seed=seed, stalls=stalls).counts().lost == 0


@pytest.mark.parametrize("name", ["prompt", "jitter 20 ms", "exponential 10 ms", "connection interval 45 ms"])
def test_missing_notifications_are_found(name):
    lost = arrivals(DELAYS[name], lost={500, 900}).counts().lost
    assert abs(lost - 8) <= 1


def test_frequent_losses_are_found_in_part_and_never_overstated():
    rng = np.random.default_rng(4)
    gone = set(np.flatnonzero(rng.random(1488) < 0.05).tolist())
    found = arrivals(DELAYS["jitter 20 ms"], lost=gone).counts().lost
    assert 0.4 * 4 * len(gone) < found <= 4 * len(gone)


def test_a_device_that_keeps_another_rate_loses_nothing():
    assert arrivals(DELAYS["jitter 20 ms"], rate_hz=50, per=1).counts().lost == 0


def test_a_gap_between_connections_is_estimated():
    ledger = ArrivalLedger(100)
    for k in range(100):
        ledger.take(1, 0.01 * (k + 1))
    ledger.reconnected()
    ledger.take(1, 4.0)
    assert ledger.counts().lost == 299
    assert ledger.counts().received == 101
