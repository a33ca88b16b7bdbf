"""The window and the terminal say whose session it is, and the window can be told."""

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.stream import SessionStream
from subtalar.dashboard.terminal.lines import summary_lines
from subtalar.session import Recorder
from subtalar.session.catalogue import Assignment, read_assignment
from subtalar.types import BodySite, SensorInfo


def redraw(app, window):
    window.stream._facts_ns = None
    window.frame()
    app.processEvents()


def picture(widget, name):
    if os.environ.get("SUBTALAR_PICTURES"):
        widget.grab().save(str(Path(os.environ["SUBTALAR_PICTURES"]) / f"{name}.png"))


def test_the_window_shows_code_visit_and_condition(app, reader, feeder, monkeypatch):
    from subtalar.dashboard.window.window import DashboardWindow

    monkeypatch.setattr("subtalar.dashboard.stream.session_stream.FACTS_EVERY_S", 0.0)
    feeder.feed_until(2.0)
    window = DashboardWindow(SessionStream(reader, reader.heartbeat_ns), None)
    try:
        window.resize(1280, 800)
        window.show()
        window.frame()
        assert window.views["live"].header.title.full_text() == "Ankle angles"
        feeder.facts = dataclasses.replace(feeder.facts, participant="P017", visit="week 6", condition="Einlage härt")
        feeder.feed_until(3.0)
        feeder.writer.publish_session(feeder.facts)
        window.frame()
        app.processEvents()
        assert window.views["live"].header.title.full_text() == "P017 · week 6 · Einlage härt"
        assert window.views["live"].header.title.text().startswith("P017 · ")
        picture(window, "whose_session")
    finally:
        window._stopping = True
        window.close()
        window.deleteLater()
        app.processEvents()


@pytest.mark.parametrize(("code", "begins"), [("P017", "P017 · barefoot  "), ("", "barefoot  ")])
def test_the_terminal_does_so_too(reader, feeder, code, begins):
    feeder.facts = dataclasses.replace(feeder.facts, participant=code, condition="barefoot")
    feeder.feed_until(2.0)
    feeder.writer.publish_session(feeder.facts)
    model = LiveModel(SessionStream(reader, reader.heartbeat_ns))
    model.stream.refresh()
    assert any(line.startswith(begins) for line in summary_lines(model))


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A recording of which nobody said whose it is."""
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path))
    path = tmp_path / "visit é.mcap"
    with Recorder(path, [SensorInfo(BodySite.LEFT_FOOT, 100.0)], datetime(2026, 5, 14, tzinfo=UTC)):
        pass
    return path


def filled(window, **texts):
    """Opens the dialog, types, presses OK; what the dialog complains of, or nothing once it has closed."""
    complaints = []

    def type_and_confirm(dialog):
        for name, text in texts.items():
            dialog.fields[name].setText(text)
        dialog.show()
        dialog.accept()
        picture(dialog, f"whose_session_{'asked' if dialog.owner is None else 'said'}")
        complaints.append(dialog.complaint.text())

    window.views["live"]._ask = type_and_confirm
    window.views["live"].header.owner_button.click()
    return complaints[0]


def test_whose_session_it_is_can_be_said_in_the_window(app, make_window, feeder, control, recorded, tmp_path):
    feeder.feed_until(3.0)
    feeder.session(recording_path=str(recorded))
    window = make_window(control)
    redraw(app, window)
    assert window.views["live"].header.title.full_text() == "Ankle angles"
    assert filled(window, participant="p017", visit=" baseline ", condition="insole A") == ""
    assert control.owners == [("P017", "baseline", "insole A")]
    assert read_assignment(tmp_path, recorded) == Assignment("P017", "baseline", "insole A")
    feeder.session(recording_path=str(recorded), participant="P017", visit="baseline", condition="insole A")
    redraw(app, window)
    assert window.views["live"].header.title.full_text() == "P017 · baseline · insole A"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [({"participant": "Anna Muster"}, "looks like a name"), ({"visit": "baseline"}, "code of the participant")],
)
def test_a_name_is_not_kept_and_the_dialog_says_why(
    app, make_window, feeder, control, recorded, tmp_path, typed, sentence
):
    feeder.feed_until(3.0)
    feeder.session(recording_path=str(recorded))
    window = make_window(control)
    redraw(app, window)
    assert sentence in filled(window, **typed)
    assert control.owners == []
    assert read_assignment(tmp_path, recorded) == Assignment()
    assert window.views["live"].header.title.full_text() == "Ankle angles"


def test_whose_session_it_was_can_be_said_after_its_end(app, make_window, feeder, control, recorded, tmp_path):
    feeder.feed_until(3.0)
    feeder.session(recording_path=str(recorded), state="ended")
    window = make_window(control)
    redraw(app, window)
    control.broken = True  # its process is gone
    assert filled(window, participant="P18") == ""
    assert read_assignment(tmp_path, recorded) == Assignment("P18")
    redraw(app, window)
    assert window.views["live"].header.title.full_text() == "P18"


def test_what_was_recorded_before_the_disk_failed_is_theirs_too(app, make_window, feeder, control, recorded, tmp_path):
    first = tmp_path / "first.mcap"
    first.write_bytes(recorded.read_bytes())
    gone = tmp_path / "pulled" / "second.mcap"
    feeder.feed_until(3.0)
    window = make_window(control)
    for path in (first, gone, recorded):
        feeder.session(recording_path=str(path))
        redraw(app, window)
    feeder.session(recording_path=str(recorded), state="ended")
    redraw(app, window)
    assert filled(window, participant="P18") == ""
    assert read_assignment(tmp_path, recorded) == read_assignment(tmp_path, first) == Assignment("P18")


def test_what_could_not_be_kept_is_said_and_the_session_is_told_all_the_same(
    app, make_window, feeder, control, tmp_path
):
    feeder.feed_until(3.0)
    feeder.session(recording_path=str(tmp_path / "pulled" / "a.mcap"))  # its stick is gone
    window = make_window(control)
    redraw(app, window)
    assert "There is no " in filled(window, participant="P017")
    assert control.owners == [("P017", "", "")]


def test_a_recorded_replay_stays_whose_it_is(app, make_window, feeder, control):
    feeder.feed_until(3.0)
    feeder.session(recording_path="/tmp/a.mcap", source="replay of walk")
    window = make_window(control)
    redraw(app, window)
    assert not window.views["live"].header.owner_button.isVisible()


def test_a_session_that_is_not_recorded_is_nobodys(app, make_window, feeder, control):
    feeder.feed_until(3.0)
    feeder.session(recording_path="")
    window = make_window(control)
    redraw(app, window)
    assert not window.views["live"].header.owner_button.isVisible()
