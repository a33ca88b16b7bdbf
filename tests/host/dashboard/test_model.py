import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from subtalar.acquisition.ring import RingReader, RingWriter, find_sessions
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.sensor_rows import sensor_row
from subtalar.dashboard.places.live.stride_means import stride_means
from subtalar.dashboard.stream import WINDOW_S, LatencyProbe, SessionStream
from subtalar.dashboard.wording import STRIDE_COLUMNS
from subtalar.types import BodySite, Ledger, Quality, SensorInfo, SensorStatus

S = 1_000_000_000


class Clock:
    """Stands at the last sign of life of the writer, plus what the test adds."""

    def __init__(self, reader):
        self.reader, self.ahead_s = reader, 0.0

    def __call__(self):
        return self.reader.heartbeat_ns() + int(self.ahead_s * S)


@pytest.fixture
def clock(reader):
    return Clock(reader)


@pytest.fixture
def model(reader, clock):
    return LiveModel(SessionStream(reader, clock))


def test_before_anything_was_published(model):
    model.stream.refresh()
    assert model.instruction.text == "Getting ready"
    assert [r.note for r in model.readings("left")] == ["no data yet"] * 3
    assert model.readings("right")[0].value_deg is None
    assert model.stream.arrival_ns is None
    assert model.stream.running


def test_the_last_ten_seconds_however_often_one_looks(model, feeder, reader):
    feeder.session()
    for k in range(1, 30):
        feeder.feed_until(k * 0.7)
        if k % 3:
            model.stream.refresh()
    model.stream.refresh()
    trace = model.stream.sides["right"]
    assert trace.time_s[-1] == pytest.approx(29 * 0.7 - 0.01)
    assert WINDOW_S <= trace.time_s[-1] - trace.time_s[0] <= WINDOW_S + 0.6
    np.testing.assert_allclose(np.diff(trace.time_s), 0.01)
    rows = reader.angles_since("right").rows[-len(trace.time_s) :]
    np.testing.assert_array_equal(trace.angles_deg, rows["angles_deg"])
    np.testing.assert_array_equal(trace.angles_sd_deg, rows["angles_sd_deg"])
    assert trace.missed == 0


def test_a_value_carries_its_uncertainty(model, feeder, reader):
    feeder.session()
    feeder.feed_until(2.0)
    model.stream.refresh()
    last = reader.angles_since("left").rows[-1]
    for k, reading in enumerate(model.readings("left")):
        assert reading.value_deg == last["angles_deg"][k]
        assert reading.sd_deg == last["angles_sd_deg"][k]
        assert reading.note == ""


def test_a_stale_value_never_looks_fresh(model, feeder, clock):
    feeder.session()
    feeder.feed_until(2.0)
    clock.ahead_s = 0.3
    model.stream.refresh()
    assert model.readings("left")[0].value_deg is not None
    frozen = model.stream.now_s
    clock.ahead_s = 3.3
    model.stream.refresh()
    assert [r.value_deg for r in model.readings("left")] == [None] * 3
    assert model.readings("left")[0].note == "no data for 3 s"
    assert model.stream.now_s == pytest.approx(frozen + 3.0, abs=1e-6)  # the trace goes on to the left
    assert "does not answer" in model.instruction.text


def test_one_silent_side_is_stale_even_when_the_session_outruns_the_wall(model, feeder):
    feeder.session()
    feeder.feed_until(5.0)
    feeder.silent = {"left"}
    feeder.feed_until(9.0)  # four seconds of session within milliseconds
    model.stream.refresh()
    assert model.readings("left")[0].value_deg is None
    assert model.readings("left")[0].note == "no data for 4 s"
    assert model.readings("right")[0].value_deg is not None


def test_unknown_values_say_why(model, feeder):
    feeder.session()
    feeder.quality = Quality.NOT_CALIBRATED
    feeder.feed_until(1.0)
    model.stream.refresh()
    assert {(r.value_deg, r.sd_deg, r.note) for r in model.readings("left")} == {(None, None, "not calibrated yet")}
    assert model.instruction.text == "Stand still, then walk"


def test_when_the_session_ends_nothing_looks_live(model, feeder, writer, clock):
    feeder.feed_until(5.0)
    feeder.status()
    feeder.session(state="ended")
    model.stream.refresh()
    before = model.stream.now_s, model.stream.elapsed_s
    clock.ahead_s = 30.0
    model.stream.refresh()
    assert (model.stream.now_s, model.stream.elapsed_s) == before == (pytest.approx(4.99), 5.0)
    assert model.readings("right")[1].note == "ended"
    assert {(row.link, row.rate) for row in model.sensor_rows} == {("ended", "–")}
    assert model.instruction.detail.endswith("insole-A.mcap")


def test_a_jump_back_in_time_drops_the_old_trace(model, feeder):
    feeder.session()
    feeder.feed_until(8.0)
    model.stream.refresh()
    feeder.time_s = 0.0
    feeder.feed_until(1.0)
    model.stream.refresh()
    assert (np.diff(model.stream.sides["left"].time_s) > 0).all()
    assert model.stream.sides["left"].time_s[0] == 0.0


def test_overrun_is_counted_and_the_newest_shown(feeder_module):
    with RingWriter.create(angle_rows=300) as writer, RingReader.attach(writer.name) as reader:
        feeder, model = feeder_module.Feeder(writer), LiveModel(SessionStream(reader))
        feeder.feed_until(1.0)
        model.stream.refresh()
        for k in range(2, 9):
            feeder.feed_until(float(k))
        model.stream.refresh()
        trace = model.stream.sides["left"]
        assert trace.missed == 400
        assert trace.time_s[-1] == pytest.approx(7.99)
        assert len(trace.time_s) == 400


def test_another_window_sees_the_same(model, feeder, writer):
    feeder.feed_until(30.0)
    feeder.status()
    feeder.session()
    feeder.say("advice", "walk", "Walk")
    model.stream.refresh()
    with RingReader.attach(writer.name) as other_reader:
        other = LiveModel(SessionStream(other_reader))
        other.stream.refresh()
        np.testing.assert_array_equal(other.stream.sides["left"].angles_deg, model.stream.sides["left"].angles_deg)
        assert other.stream.strides == model.stream.strides
        assert other.sensor_rows == model.sensor_rows
        assert other.instruction == model.instruction
        assert len(other.stream.strides) > 40


def test_truth_and_contacts(model, feeder):
    feeder.truth = True
    feeder.feed_until(6.0)
    model.stream.refresh()
    trace = model.stream.sides["right"]
    np.testing.assert_allclose(trace.truth_time_s, trace.time_s)
    np.testing.assert_allclose(trace.truth_deg, feeder.angles("right", trace.time_s), atol=1e-9)
    assert 4 <= len(model.stream.contacts_s["right"]) <= 6


def test_stride_means_use_good_strides_of_their_own_side(feeder):
    good = [feeder.stride("left", k) for k in range(12)]
    good = [dataclasses.replace(s, quality="ok", peak_eversion_deg=float(k)) for k, s in enumerate(good)]
    bad = dataclasses.replace(good[0], quality="turning", peak_eversion_deg=1000.0)
    unknown = dataclasses.replace(good[-1], peak_eversion_deg=float("nan"))
    (mean,) = stride_means((*good, unknown, bad))
    assert (mean.side, mean.n) == ("left", 10)
    assert mean.mean[3] == pytest.approx(np.mean(range(3, 12)))
    assert mean.sd[3] == pytest.approx(np.std(range(3, 12), ddof=1))
    assert stride_means((bad,)) == ()


def test_sensor_words():
    info = SensorInfo(BodySite.LEFT_SHANK, 100.0)
    row = sensor_row(SensorStatus(info, "streaming", 99.6, 12.0, Ledger(9900, 100, True)))
    assert (row.name, row.link, row.severity) == ("Left shank", "streaming", "ok")
    assert (row.rate, row.battery, row.battery_low) == ("100 Hz", "12 %", True)
    assert (row.lost, row.lost_in_short, row.lost_many) == ("≈ 1.00 % (100)", "≈ 1.0 %", True)
    unknown = sensor_row(SensorStatus(info))
    assert (unknown.rate, unknown.battery, unknown.lost, unknown.severity) == ("–", "–", "–", "off")


def test_where_losses_are_estimated_none_is_about_none():
    status = SensorStatus(SensorInfo(BodySite.LEFT_FOOT, 100.0), "streaming", ledger=Ledger(900, 0, True))
    assert (sensor_row(status).lost, sensor_row(status).lost_in_short) == ("≈ 0 %", "≈ 0 %")
    few = dataclasses.replace(status, ledger=Ledger(100_000, 3))
    assert (sensor_row(few).lost, sensor_row(few).lost_in_short) == ("0.00 % (3)", "0.00 %")


def test_a_spread_is_never_shown_as_none_at_all():
    stance = next(c for c in STRIDE_COLUMNS if c.title.endswith("Stance"))
    assert stance.mean_text(61.44, 2.0) == "61\u2009±\u20092"
    assert stance.mean_text(61.44, 0.31) == "61.4\u2009±\u20090.3"
    assert stance.mean_text(61.44, 0.0) == "61\u2009±\u20090"
    assert stance.mean_text(61.44, float("nan")) == "61"
    assert stance.mean_text(float("nan"), float("nan")) == "–"


def test_a_leg_without_sensors_is_not_waited_for(model, feeder, writer):
    feeder.silent = {"left"}
    infos = [SensorInfo(site, 100.0) for site in (BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK)]
    writer.publish_status([SensorStatus(info, "streaming") for info in infos])
    feeder.feed_until(3.0)
    model.stream.refresh()
    assert model.reading("left", 0).note == "no sensor"
    assert model.reading("right", 0).value_deg is not None


def test_why_a_session_failed_is_asked_until_it_is_known(reader, feeder):
    answers = iter([None, "right_foot: Nothing listens.", "never asked"])
    model = LiveModel(SessionStream(reader, failure=lambda: next(answers)))
    feeder.session()
    model.stream.refresh()
    assert model.stream.failed_because is None
    feeder.session(state="ended", recording_path="")
    for level in ("done", "problem", "problem"):
        model.stream._facts_ns = None
        model.stream.refresh()
        assert model.instruction.level == level
    assert model.stream.failed_because == "right_foot: Nothing listens."


def test_latency_counts_each_new_sample_once():
    probe = LatencyProbe()
    assert probe.latency().n == 0
    probe.painted()
    arrival_ns = time.monotonic_ns() - 20_000_000
    for _ in range(3):
        probe.prepared(arrival_ns)
        probe.spent(4_000_000)
        probe.painted()
    summary = probe.latency()
    assert summary.n == 1
    assert 20 <= summary.p50_ms == summary.p95_ms == summary.max_ms < 2000
    assert probe.paint_cost().p50_ms == pytest.approx(4.0)


def test_a_killed_measuring_process_is_told_with_the_path(tmp_path):
    feeder = str(Path(__file__).with_name("feeder.py"))
    name = f"test-killed-{os.getpid()}"
    process = subprocess.Popen([sys.executable, feeder, name, "--seconds", "30"])
    try:
        with RingReader.attach(name, wait_s=20) as reader:
            clock = Clock(reader)
            model = LiveModel(SessionStream(reader, clock))
            deadline = time.monotonic() + 20
            while model.stream.arrival_ns is None or model.stream.facts.state != "running":
                assert time.monotonic() < deadline
                time.sleep(0.02)
                clock.ahead_s += 0.3
                model.stream.refresh()
            assert model.stream.running
            process.kill()
            process.wait()
            clock.ahead_s += 1.0
            model.stream.refresh()
            assert model.instruction.text == "Recording stopped: the measuring process ended"
            assert "anna-bergstroem" in model.instruction.detail
            assert model.readings("left")[0].note == "stopped"
            assert len(model.stream.sides["left"].time_s) > 0  # what was measured stays on the screen
    finally:
        process.kill()
        process.wait()
        for lock in tmp_path.glob("subtalar-live-*/*.lock"):
            os.utime(lock, (0, 0))
        find_sessions()  # removes what the killed process left


def test_importing_the_dashboard_loads_neither_qt_nor_rich():
    code = (
        "import sys, subtalar.dashboard.places.live.model, subtalar.dashboard.places.live.pose.leg_pair\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('PySide6', 'pyqtgraph', 'rich', 'bleak')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def only(feeder, *sites):
    """The session has these sensors and no others."""
    feeder.writer.publish_status([SensorStatus(SensorInfo(site, 100.0), "streaming") for site in sites])


def test_further_angles_are_read_as_they_were_published(model, feeder, reader):
    feeder.feed_until(3.0)
    model.stream.refresh()
    rows = reader.angles_since("left").rows
    for k in range(5):
        values, sd = model.stream.sides["left"].signal(3 + k)
        np.testing.assert_array_equal(values, rows["angles_deg"][:, 3 + k])
        np.testing.assert_array_equal(sd, rows["angles_sd_deg"][:, 3 + k])
        assert model.reading("left", 3 + k).value_deg == rows["angles_deg"][-1, 3 + k]


def test_a_leg_with_one_sensor_shows_its_segment_and_says_why_the_rest_is_empty(model, feeder):
    only(feeder, BodySite.LEFT_FOOT, BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK)
    feeder.lone = {"left": "foot"}
    feeder.feed_until(3.0)
    model.stream.refresh()
    assert model.signals == (0, 1, 2, 4, 5)
    assert model.signals_of("left") == (4, 5)
    assert model.reading("left", 4).value_deg is not None
    assert [r.note for r in model.readings("left")] == ["foot sensor only"] * 3
    assert model.reading("left", 6).note == "foot sensor only"
    assert model.readings("right")[0].value_deg is not None


@pytest.mark.parametrize(("segment", "shown"), [("foot", (4, 5)), ("shank", (6, 7))])
def test_without_a_pair_only_the_segments_are_shown(model, feeder, segment, shown):
    only(feeder, BodySite.of("right", segment))
    model.stream.refresh()
    assert model.signals == shown


def test_all_sensors_show_the_ankle(model, feeder):
    model.stream.refresh()
    assert model.signals == (0, 1, 2)  # nothing is known of the sensors yet
    feeder.status()
    time.sleep(0.25)
    model.stream.refresh()
    assert model.signals == (0, 1, 2)
