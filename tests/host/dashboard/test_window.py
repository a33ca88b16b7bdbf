"""The window, painted offscreen: what a person would see."""

import signal

import numpy as np
import pytest

from subtalar.dashboard import run_dashboard
from subtalar.dashboard.stream import LatencyProbe
from subtalar.errors import InputError
from subtalar.types import BodySite, Quality, SensorInfo, SensorStatus

pytest.importorskip("PySide6.QtWidgets", reason="the gui extra is not installed")


def redraw(app, window):
    window.stream._facts_ns = None
    window.frame()
    app.processEvents()


def pixels(widget) -> np.ndarray:
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


def like(picture: np.ndarray, colour: str, within: int = 60) -> int:
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    return int((np.abs(picture - rgb).sum(axis=2) < within).sum())


def above_captions(canvas) -> np.ndarray:
    """The legs themselves: the captions have the colours of the sides in whatever font there is."""
    return pixels(canvas)[:-60]


def feed_walking(feeder, seconds=14.0):
    feeder.say("advice", "walk", "Walk")
    feeder.feed_until(seconds)
    feeder.status()
    feeder.session()


def test_a_walking_person(app, make_window, feeder):
    from subtalar.dashboard.widgets import theme

    feed_walking(feeder)
    window = make_window()
    redraw(app, window)
    for strip in window.views["live"].strips:
        picture = pixels(strip.plot)
        for side in ("left", "right"):
            assert like(picture, theme.SIDE_COLOUR[side], 150) > 300
            assert strip.readouts[side].value.text().endswith("°")
            assert strip.readouts[side].sd.text().startswith("± ")
    table = window.views["live"].strides.table
    assert table.rowCount() == 2 + len(window.stream.strides)
    assert table.item(0, 0).text() == "Left"
    assert table.item(2, 2).text() == f"{window.stream.strides[-1].stride_time_s:.2f}"
    assert window.views["live"].banner.text.text() == "Walk"
    assert window.views["live"].header.path.full_text().startswith("/home/clinic/recordings/")
    assert [line[1].text() for line in window.views["live"].sensors.cells] == ["● streaming"] * 4
    assert "low" in window.views["live"].sensors.cells[2][3].text()  # not by colour alone
    legs = pixels(window.views["live"].legs.canvas)
    assert like(legs, theme.SIDE_COLOUR["left"], 150) > 2000
    assert like(legs, theme.SIDE_COLOUR["right"], 150) > 2000


def test_every_view_of_the_legs_is_another_picture(app, make_window, feeder):
    feed_walking(feeder)
    window = make_window()
    pictures = []
    for view in ("behind", "front", "left", "right"):
        window.views["live"].legs.look_from(view)
        redraw(app, window)
        assert window.views["live"].legs._buttons[view].isChecked()
        pictures.append(pixels(window.views["live"].legs.canvas))
    assert all(np.abs(a - b).sum() > 1e5 for k, a in enumerate(pictures) for b in pictures[:k])


def test_a_long_reason_is_told_in_two_lines(app, make_window, feeder):
    feeder.session(state="ended", recording_path="")
    window = make_window()
    redraw(app, window)
    banner = window.views["live"].banner
    assert window.views["live"].strides._empty.text() == "No strides were found."
    assert banner.detail.text() == "Nothing was recorded."
    reason = "Right foot: " + "nothing answers at this address, " * 5 + "is it on?"
    banner.detail.set_full_text(reason)
    app.processEvents()
    assert banner.detail.text() == reason  # twice as much as one line holds
    assert banner.detail.heightForWidth(banner.detail.width()) < banner.height()
    banner.detail.set_full_text(reason * 5)
    assert "…" in banner.detail.text()
    assert banner.detail.heightForWidth(banner.detail.width()) < banner.height()


def test_before_calibration_there_are_words_and_no_curve(app, make_window, feeder):
    from subtalar.dashboard.widgets import theme

    feeder.quality = Quality.NOT_CALIBRATED
    feeder.say("advice", "stand", "Stand still")
    feeder.feed_until(3.0)
    feeder.session()
    window = make_window()
    redraw(app, window)
    strip = window.views["live"].strips[1]
    assert strip.plot.placeholder.isVisible()
    assert strip.plot.placeholder.text() == "not calibrated yet"
    assert strip.readouts["left"].value.text() == "–"
    assert like(pixels(strip.plot), theme.SIDE_COLOUR["left"]) == 0
    assert like(above_captions(window.views["live"].legs.canvas), theme.SIDE_COLOUR["left"], 150) == 0  # grey legs
    assert window.views["live"].banner.text.text() == "Stand still"
    assert window.views["live"].strides._stack.currentIndex() == 0


def test_a_bad_day_of_all_sensors_is_told_whole(app, make_window, feeder):
    """A figure whose beginning is cut off is another figure."""
    feeder.lost = (2494,) * 4
    feeder.feed_until(14.0)
    feeder.status(left_foot="reconnecting")
    window = make_window()
    redraw(app, window)
    cells = [cell for line in window.views["live"].sensors.cells for cell in line]
    assert "▲ ≈ 64.0 %" in [cell.text() for cell in cells]
    assert [cell.text() for cell in cells if cell.width() < cell.sizeHint().width()] == []


def test_a_silent_side_turns_grey_and_says_so(app, make_window, feeder):
    from subtalar.dashboard.widgets import theme

    feed_walking(feeder)
    feeder.silent = {"left"}
    feeder.feed_until(17.0)
    feeder.status(left_foot="silent")
    window = make_window()
    redraw(app, window)
    readout = window.views["live"].strips[0].readouts["left"]
    assert (readout.value.text(), readout.sd.text(), readout.note.full_text()) == ("–", "", "no data for 3 s")
    assert window.views["live"].strips[0].readouts["right"].value.text() != "–"
    assert window.views["live"].banner.text.text() == "Left foot sensor lost"
    assert "no data" in window.views["live"].sensors.cells[0][1].text()
    assert like(above_captions(window.views["live"].legs.canvas), theme.SIDE_COLOUR["left"], 150) == 0
    assert like(above_captions(window.views["live"].legs.canvas), theme.SIDE_COLOUR["right"], 150) > 1000


def test_stop_needs_two_presses_and_markers_count(app, make_window, feeder, control):
    feed_walking(feeder)
    window = make_window(control)
    redraw(app, window)
    window.views["live"].header.mark_button.click()
    window.views["live"].header.mark_button.click()
    assert control.marks == ["marker 1", "marker 2"]
    assert window.views["live"].header.mark_button.text() == "Marker (2)"
    window.views["live"].header.stop_button.click()
    assert control.stops == 0
    assert window.views["live"].header.stop_button.text() == "Press again to stop"
    window.views["live"].header.stop_button.click()
    assert control.stops == 1
    assert not window.views["live"].header.stop_button.isEnabled()
    feeder.session(state="ended")
    redraw(app, window)
    assert window.isVisible()  # the result stays on the screen
    assert window.views["live"].banner.text.text() == "Session ended"
    assert window.views["live"].header.stop_button.text() == "Stopped"
    assert not window.views["live"].header.mark_button.isEnabled()


def test_the_window_outlives_the_measuring_process(app, make_window, feeder, control, reader, monkeypatch):
    feed_walking(feeder)
    window = make_window(control)
    monkeypatch.setattr(reader, "writer_state", lambda: "died")
    control.broken = True
    window.views["live"].mark()
    redraw(app, window)
    assert window.views["live"].banner.text.text() == "Recording stopped: the measuring process ended"
    assert "insole-A.mcap" in window.views["live"].banner.detail.full_text()
    assert window.views["live"].strips[0].readouts["left"].value.text() == "–"
    assert window.views["live"].header.mark_button.text() == "Marker"


def test_without_a_control_there_are_no_buttons(app, make_window, feeder):
    window = make_window()
    assert not window.views["live"].header.stop_button.isVisible()
    assert not window.views["live"].header.mark_button.isVisible()


def test_closing_while_measuring_asks_first(app, make_window, feeder, control, monkeypatch):
    feed_walking(feeder)
    closed = []
    window = make_window(control, on_close=lambda: closed.append(1))
    redraw(app, window)
    monkeypatch.setattr(window, "_confirm_close", lambda: False)
    window.close()
    assert window.isVisible()
    monkeypatch.setattr(window, "_confirm_close", lambda: True)
    window.close()
    assert (window.isVisible(), control.stops, closed) == (True, 1, [])
    feeder.session(state="ended")
    redraw(app, window)
    assert not window.isVisible()
    assert closed == [1]


def test_true_angles_are_announced_only_where_they_are_drawn(app, make_window, feeder):
    feeder.truth = True
    feed_walking(feeder)
    window = make_window()
    redraw(app, window)
    assert window.views["live"].strips[0]._scale.text() == "± 1 sd; dots: true angle"
    window.views["live"].strips[0].choose(4)
    redraw(app, window)
    assert window.views["live"].strips[0]._scale.text() == "degrees, ± 1 sd"


def test_the_scale_widens_at_once_and_does_not_jump_back(app, make_window, feeder):
    feed_walking(feeder)
    window = make_window()
    strip = window.views["live"].strips[0]
    strip.plot.fit(55.0, 10.0)
    assert strip.plot.backdrop.limit_deg == 60
    strip.plot.fit(12.0, 12.0)
    assert strip.plot.backdrop.limit_deg == 60
    strip.plot.fit(12.0, 21.0)
    assert strip.plot.backdrop.limit_deg == 20


def test_long_names_do_not_widen_the_window(app, make_window, feeder):
    feeder.say("advice", "x", "Please walk up and down at a comfortable pace until you have made twenty strides")
    feeder.feed_until(2.0)
    feeder.session(source="replay of " + "very-" * 40 + "long", recording_path="/data/" + "folder/" * 60 + "end.mcap")
    window = make_window()
    redraw(app, window)
    assert window.width() == 1280
    assert window.centralWidget().minimumSizeHint().width() <= 1280
    shown = window.views["live"].header.path.text()
    assert "…" in shown
    assert "end.mcap" in shown


def test_run_dashboard_ends_with_the_session_and_measures_latency(app, feeder, writer, when):
    feed_walking(feeder)
    probe, closed = LatencyProbe(), []
    when(lambda: probe.latency().n, lambda: feeder.session(state="ended"))
    code = run_dashboard(writer.name, on_close=lambda: closed.append(1), close_when_ended=True, probe=probe, wait_s=1.0)
    assert (code, closed) == (0, [1])
    assert probe.latency().n == 1  # one batch was published, so one new picture
    assert probe.paint_cost().p50_ms > 0


def test_a_session_that_ended_before_the_window_opened_closes_it(app, feeder, writer):
    feed_walking(feeder)
    feeder.session(state="ended")
    assert run_dashboard(writer.name, close_when_ended=True, wait_s=1.0) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_asks_the_session_to_stop(app, feeder, writer, control, when, number):
    feed_walking(feeder)
    probe, before = LatencyProbe(), signal.getsignal(number)
    when(lambda: probe.latency().n, lambda: signal.raise_signal(number))
    when(lambda: control.stops, lambda: feeder.session(state="ended"))
    assert run_dashboard(writer.name, control, probe=probe, wait_s=1.0) == 0
    assert control.stops == 1
    assert signal.getsignal(number) is before


def test_a_session_that_does_not_exist_is_one_sentence(app):
    with pytest.raises(InputError, match="no live session is called nothing-here"):
        run_dashboard("nothing-here", wait_s=0.0)


def lone_feet(feeder):
    sites = (BodySite.LEFT_FOOT, BodySite.RIGHT_FOOT)
    feeder.writer.publish_status([SensorStatus(SensorInfo(site, 100.0), "streaming") for site in sites])
    feeder.lone = {"left": "foot", "right": "foot"}


def test_feet_alone_show_two_strips_of_their_own(app, make_window, feeder):
    lone_feet(feeder)
    feeder.feed_until(14.0)
    window = make_window()
    redraw(app, window)
    assert [s.title.text() for s in window.views["live"].strips if s.isVisible()] == ["Foot pitch", "Foot inversion"]
    shown = next(s for s in window.views["live"].strips if s.isVisible())
    assert "°" in shown.readouts["left"].value.text()
    assert like(pixels(shown.plot), theme_colour("left")) > 200


def test_any_strip_can_show_any_angle_and_keeps_it(app, make_window, feeder):
    feeder.status()
    feed_walking(feeder)
    window = make_window()
    redraw(app, window)
    assert [s.title.text() for s in window.views["live"].strips] == ["Dorsiflexion", "Inversion", "Tibial rotation"]
    strip = window.views["live"].strips[1]
    before = strip.readouts["right"].value.text()
    next(a for a in strip.title.menu().actions() if a.text() == "Subtalar axis").trigger()
    redraw(app, window)
    assert strip.title.text() == "Subtalar axis"
    assert strip.readouts["right"].value.text() not in (before, "–")
    redraw(app, window)
    assert [s.title.text() for s in window.views["live"].strips] == ["Dorsiflexion", "Subtalar axis", "Tibial rotation"]


def theme_colour(side):
    from subtalar.dashboard.widgets import theme

    return theme.SIDE_COLOUR[side]


def test_a_recording_that_failed_can_go_on_in_a_folder_that_the_person_chooses(
    app, make_window, feeder, control, monkeypatch
):
    feed_walking(feeder)
    window = make_window(control)
    redraw(app, window)
    assert not window.views["live"].header.elsewhere_button.isVisible()
    feeder.session(recording_error="The disk is full: make room, or record to another disk.")
    redraw(app, window)
    assert window.views["live"].banner.text.text() == "Not recording"
    assert window.views["live"].header.elsewhere_button.isVisible()
    monkeypatch.setattr(window.views["live"], "_choose_folder", lambda: "")  # thought better of it
    window.views["live"].header.elsewhere_button.click()
    assert control.places == []
    monkeypatch.setattr(window.views["live"], "_choose_folder", lambda: "/media/stick é")
    window.views["live"].header.elsewhere_button.click()
    assert control.places == ["/media/stick é"]
    feeder.session(recording_error="", recording_note="It goes on in /media/stick é/a_part2.mcap, because: full.")
    redraw(app, window)
    assert not window.views["live"].header.elsewhere_button.isVisible()
    assert window.views["live"].banner.text.text() == "Recording goes on in another place"
    assert "a_part2.mcap" in window.views["live"].banner.detail.full_text()
