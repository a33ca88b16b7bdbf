"""The window and the terminal say whose session it is."""

import dataclasses
import os
from pathlib import Path

import pytest

from subtalar.dashboard.model import DashboardModel
from subtalar.dashboard.terminal import summary_lines


def test_the_window_shows_code_visit_and_condition(app, reader, feeder, monkeypatch):
    from subtalar.dashboard.qt.window import DashboardWindow

    monkeypatch.setattr("subtalar.dashboard.model.FACTS_EVERY_S", 0.0)
    feeder.feed_until(2.0)
    window = DashboardWindow(DashboardModel(reader, reader.heartbeat_ns), None)
    try:
        window.resize(1280, 800)
        window.show()
        window.frame()
        assert window.header.title.full_text() == "Ankle angles"
        feeder.facts = dataclasses.replace(feeder.facts, participant="P017", visit="week 6", condition="Einlage härt")
        feeder.feed_until(3.0)
        feeder.writer.publish_session(feeder.facts)
        window.frame()
        app.processEvents()
        assert window.header.title.full_text() == "P017 · week 6 · Einlage härt"
        assert window.header.title.text().startswith("P017 · ")
        if os.environ.get("SUBTALAR_PICTURES"):
            window.grab().save(str(Path(os.environ["SUBTALAR_PICTURES"]) / "whose_session.png"))
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
    model = DashboardModel(reader, reader.heartbeat_ns)
    model.refresh()
    assert any(line.startswith(begins) for line in summary_lines(model))
