"""A sensor's clock on the session clock, from synthetic arrivals whose truth is known.

Batches of five samples at 100 Hz arrive 20 ms after the last of them plus exponential jitter of 6 ms. Twenty batches a
second: the least delayed of a second is late by 0.3 ms on average, which is how well the envelope can be known.
"""

import numpy as np
import pytest

from subtalar.estimation.clocks.sensor_clock import SensorClock, lower_line
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import ClockParameters, Parameters
from subtalar.types import BodySite, FloatArray, SampleBlock, SensorInfo

RATE_HZ = 100.0
DELAY_S = 0.020
SITE = BodySite.RIGHT_FOOT
REST = np.array([0.0, 0.0, 9.81])


def arrivals(true_s: FloatArray, *, batch: int = 5, jitter_s: float = 0.006, seed: int = 0) -> FloatArray:
    sent = true_s.reshape(-1, batch)[:, -1]
    late = sent + DELAY_S + np.random.default_rng(seed).exponential(jitter_s, len(sent))
    return np.repeat(np.maximum.accumulate(late), batch)


def run(
    device_s: FloatArray | None, host_s: FloatArray | None, block: int = 7, rate_rad_s: float = 0.0
) -> tuple[SensorStream, Records]:
    """The stream, and all its rows; the sensor turns about its vertical at ``rate_rad_s``."""
    times = device_s if device_s is not None else host_s
    assert times is not None
    stream = SensorStream(SensorInfo(SITE, RATE_HZ), Parameters())
    for i in range(0, len(times), block):
        n = len(times[i : i + block])
        stream.push(
            SampleBlock(
                SITE,
                None if device_s is None else device_s[i : i + n],
                None if host_s is None else host_s[i : i + n],
                np.tile(REST, (n, 1)),
                np.tile((0.0, 0.0, rate_rad_s), (n, 1)),
            )
        )
    stream.finish()
    rows = stream.rows.view(stream.rows.first, stream.rows.end).copy()
    assert (np.diff(rows["time_s"]) > 0).all()  # whatever happens, time goes on
    return stream, rows


def true_times(seconds: float) -> FloatArray:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


@pytest.mark.parametrize("drift_ppm", [-50.0, 0.0, 50.0])
@pytest.mark.parametrize("offset_s", [-3.0, 0.0, 86_000.0])
def test_offset_and_drift_are_found(offset_s: float, drift_ppm: float) -> None:
    t = true_times(240.0)
    _, rows = run(offset_s + t * (1 + drift_ppm * 1e-6), arrivals(t))
    error = rows["time_s"] - t - DELAY_S
    # Before drift shows it may add 15 s × 50 ppm; afterwards only the envelope's own scatter is left.
    assert np.abs(error[:3000]).max() < 2e-3
    assert np.abs(error[3000:]).max() < 0.7e-3
    assert abs(np.polyfit(t[-10000:], error[-10000:], 1)[0]) < 5e-6


@pytest.mark.parametrize(("batch", "jitter_s"), [(1, 0.002), (5, 0.020), (20, 0.006)])
def test_jitter_and_batches_do_not_reach_the_time(batch: int, jitter_s: float) -> None:
    t = true_times(120.0)
    _, rows = run(500.0 + t, arrivals(t, batch=batch, jitter_s=jitter_s))
    step = np.diff(rows["time_s"][1000:])
    np.testing.assert_allclose(step, 1 / RATE_HZ, rtol=0.006)  # arrivals would be zero or whole batches apart
    error = rows["time_s"][1000:] - t[1000:] - DELAY_S
    per_second = RATE_HZ / batch
    assert -0.5 * jitter_s < error.min()
    assert error.max() < 8 * jitter_s / per_second + 1e-3


def test_an_early_burst_of_late_arrivals_is_forgiven() -> None:
    t = true_times(60.0)
    host = arrivals(t)
    host[t < 3.0] += 0.15
    _, rows = run(40.0 + t, np.maximum.accumulate(host))
    # What had been told late cannot be told again: of the first three seconds 0.15 s are missing.
    assert len(t) - 17 <= len(rows) < len(t)
    error = rows["time_s"][-5400:] - t[-5400:] - DELAY_S
    assert np.abs(error).max() < 7e-3
    assert np.abs(error[1500:]).max() < 2e-3


@pytest.mark.parametrize("late_s", [0.3, 0.9])
def test_a_restarted_clock_is_known_however_late_its_first_samples(late_s: float) -> None:
    t = true_times(60.0)
    keep = (t < 30.0) | (t >= 33.0)
    host = arrivals(t)
    first = (t >= 33.0) & (t < 33.0 + late_s)
    host[first] = np.maximum(host[first], 33.0 + late_s)
    _, rows = run(np.where(t < 30.0, 500.0 + t, t - 32.5)[keep], np.maximum.accumulate(host)[keep])
    assert len(rows) == keep.sum()
    error = rows["time_s"] - t[keep] - DELAY_S
    assert np.abs(error[3000:]).max() < 6e-3
    assert np.abs(error[3500:]).max() < 3e-3


def test_short_losses_are_bridged_on_the_beat_and_long_ones_flagged() -> None:
    t = true_times(30.0)
    keep = np.ones(len(t), dtype=bool)
    keep[[700, 1500, 1501, 1502, 1503]] = False
    keep[2000:2050] = False
    stream, rows = run(9.0 + t[keep], arrivals(t)[keep], rate_rad_s=1.0)
    assert (stream.counts.received, stream.counts.bridged, stream.counts.gaps) == (keep.sum(), 5, 1)
    assert (rows["real"] < 1).sum() == 5
    step = np.diff(rows["time_s"])
    assert (step > 0.2).sum() == 1
    assert step.max() == pytest.approx(0.51, abs=0.005)
    np.testing.assert_allclose(np.delete(step, np.argmax(step)), 0.01, rtol=0.01)
    np.testing.assert_allclose(rows["step_s"][1:], step, atol=1e-9)


def test_repeated_samples_count_once() -> None:
    t = true_times(10.0)
    twice = np.sort(np.concatenate((np.arange(len(t)), [300, 301, 650])))
    stream, rows = run(t[twice], arrivals(t)[twice])
    assert stream.counts.repeated == 3
    assert len(rows) == len(t)


@pytest.mark.parametrize("again_s", [0.0, 3.0, 900.0])
def test_a_device_clock_that_begins_anew_is_carried_on(again_s: float) -> None:
    t = true_times(60.0)
    device = np.where(t < 30.0, 500.0 + t, again_s + t - 30.0)
    stream, rows = run(device, arrivals(t))
    assert stream.counts.clock_restarts == 1
    # Only the arrivals tell how long the restart took: to one batch, which may be filled in and is then forgotten.
    assert stream.counts.bridged < 10
    measured = rows[rows["real"] > 0]
    assert len(measured) == len(t)
    error = measured["time_s"] - t - DELAY_S
    assert np.abs(error).max() < 0.08
    assert np.abs(error[5000:]).max() < 2e-3


def test_without_a_device_clock_the_real_rate_is_found() -> None:
    t = true_times(120.0) / 1.008  # sold as 100 Hz, runs at 100.8
    _, rows = run(None, arrivals(t))
    error = rows["time_s"] - t - DELAY_S
    assert len(rows) == len(t)
    assert np.abs(error[:1000]).max() < 0.02  # one second at 0.8 % is 8 ms, twice, and the jitter
    assert np.abs(error[1000:]).max() < 2e-3


def test_counted_samples_catch_up_after_a_loss() -> None:
    t = true_times(90.0)
    keep = (t < 50.0) | (t >= 50.4)
    _, rows = run(None, arrivals(t)[keep])
    error = rows["time_s"] - t[keep] - DELAY_S
    assert np.abs(error[t[keep] > 62.0]).max() < 3e-3


@pytest.mark.parametrize("away_s", [3.0, 40.0, 300.0])
def test_what_was_not_counted_while_the_link_was_down_is_told_by_the_arrivals(away_s: float) -> None:
    t = true_times(120.0 + away_s)
    keep = (t < 60.0) | (t >= 60.0 + away_s)
    stream, rows = run(None, arrivals(t)[keep])
    assert (stream.counts.clock_restarts, stream.counts.gaps) == (1, 1)
    back = t[keep] >= 60.0 + away_s
    error = rows["time_s"][rows["real"] > 0] - t[keep] - DELAY_S
    assert np.abs(error[back]).max() < 0.08  # one batch and its jitter, which only more of them tell
    assert np.abs(error[t[keep] >= 63.0 + away_s]).max() < 2e-3


def test_samples_that_were_held_up_after_all_do_not_put_the_count_ahead() -> None:
    t = true_times(90.0)
    host = arrivals(t)
    host[(t > 40.0) & (t < 43.5)] = 43.6  # a process that was stopped for a while
    host = np.maximum.accumulate(host)
    stream, rows = run(None, host)
    assert stream.counts.repeated > 200
    assert rows["time_s"][-1] - t[-1] - DELAY_S == pytest.approx(0.0, abs=3e-3)
    assert abs((rows["time_s"] > 50.0).sum() - (t + DELAY_S > 50.0).sum()) <= 1


def test_without_arrivals_the_device_clock_is_the_session_clock() -> None:
    t = true_times(20.0)
    _, rows = run(7000.0 + t, None)
    np.testing.assert_allclose(rows["time_s"], t, atol=1e-9)


def test_without_arrivals_a_restart_keeps_the_pace() -> None:
    t = true_times(60.0)
    _, rows = run(np.where(t < 20.0, 700.0 + t, t - 20.0), None)
    assert rows["time_s"][-1] - rows["time_s"][2500] == pytest.approx(t[-1] - t[2500], abs=1e-3)


def test_less_than_one_bin_is_delivered_at_the_end() -> None:
    t = true_times(0.5)
    stream = SensorStream(SensorInfo(SITE, RATE_HZ), Parameters())
    stream.push(SampleBlock(SITE, t, arrivals(t), np.tile(REST, (50, 1)), np.zeros((50, 3))))
    assert stream.rows.end == 0
    stream.finish()
    assert stream.rows.end == 50


@pytest.mark.parametrize("block", [1, 13, 1000, 6000])
def test_times_do_not_depend_on_the_blocks(block: int) -> None:
    t = true_times(60.0)
    device = np.where(t < 30.0, 500.0 + t * (1 + 4e-5), t - 28.0)
    keep = np.random.default_rng(3).uniform(size=len(t)) > 0.01
    keep[4000:4030] = False
    _, reference = run(device[keep], arrivals(t)[keep])
    _, rows = run(device[keep], arrivals(t)[keep], block)
    np.testing.assert_array_equal(rows, reference)


def test_the_line_lies_below_all_points() -> None:
    rng = np.random.default_rng(2)
    x = np.arange(120.0)
    y = 4.0 + 3e-5 * x + rng.exponential(0.002, 120)
    slope, intercept = lower_line(x, y, 300e-6)
    assert (y - slope * x - intercept).min() == pytest.approx(0.0, abs=1e-12)
    assert slope == pytest.approx(3e-5, abs=1e-5)
    assert lower_line(x, 0.01 * x, 300e-6)[0] == 300e-6


def late_by(t: FloatArray, late_s: FloatArray) -> FloatArray:
    """Errors (n,) in seconds of the times of samples that arrive so late."""
    _, rows = run(700.0 + t * (1 + 5e-5), np.maximum.accumulate(t + late_s), block=6000)
    return np.asarray(rows["time_s"] - t)


def test_rare_packets_that_come_earlier_do_not_move_the_clock() -> None:
    """As of a radio whose turns go with the samples: every 40 s one slips in 3.4 ms before the least of the others."""
    t = true_times(300.0)
    usual = 0.006 + np.random.default_rng(6).exponential(0.004, len(t))
    early = usual.copy()
    early[1700::4000] = 0.0026
    error = late_by(t, early)
    assert np.abs(error - late_by(t, usual))[t > 10.0].max() < 1e-3
    assert np.abs(error - 0.006)[t > 60.0].max() < 0.5e-3


def test_turns_of_a_radio_that_beat_with_the_samples_are_seen_through() -> None:
    """Turns of 7.5 ms at 100 Hz: the least delay wanders by 2.5 ms within 50 s, again and again."""
    t = true_times(600.0)
    sent = t / (1 + 5e-5)  # what the sensor takes for 10 ms
    error = late_by(sent, np.ceil(sent / 0.0075) * 0.0075 - sent)
    settled = error[t > 180.0]
    assert settled.max() - settled.min() < 0.5e-3
    assert settled.max() < 0.75e-3  # the least is 0


def test_a_drift_that_changes_with_the_temperature_is_followed() -> None:
    t = true_times(2400.0)
    turn = 2.0 * np.pi / 2400.0
    device = 90.0 + t * (1 - 4e-5) + 1e-5 / turn * np.sin(turn * t)
    _, rows = run(device, arrivals(t), block=6000)
    error = rows["time_s"] - t - DELAY_S
    assert np.abs(error[t > 60.0]).max() < 1e-3


def test_mapping_is_continuous_at_every_knot() -> None:
    clock = SensorClock(ClockParameters(), counted=False)
    rng = np.random.default_rng(4)
    end = clock.next_knot(0.0)
    clock.learn(0.3, 0.05)
    clock.start(0.0)
    for _ in range(60):
        before = clock.session_time(np.array([end]))
        clock.close_bin()
        np.testing.assert_allclose(clock.session_time(np.array([end])), before, atol=1e-12)
        clock.learn(end + 0.5, 0.05 + rng.exponential(0.01))
        end = clock.next_knot(end)
