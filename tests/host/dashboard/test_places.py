"""The places of the window: one more is a view and a line in the registry."""

import pytest

from subtalar.dashboard.stream import SessionStream

pytest.importorskip("PySide6.QtWidgets", reason="the gui extra is not installed")


def redraw(app, window):
    window.stream._facts_ns = None
    window.frame()
    app.processEvents()


def test_another_place_is_a_line_in_the_registry_and_has_a_tab(app, reader, feeder):
    from subtalar.dashboard.widgets.place_view import PlaceView
    from subtalar.dashboard.window.registry import PLACES, Place
    from subtalar.dashboard.window.window import DashboardWindow

    class Calls(PlaceView):
        """A place that only says what it was asked to draw."""

        def __init__(self, stream, sender, probe):
            super().__init__()
            self.drawn = []

        def show_frame(self):
            self.drawn.append("frame")

        def show_facts(self):
            self.drawn.append("facts")

    feeder.feed_until(3.0)
    window = DashboardWindow(
        SessionStream(reader, reader.heartbeat_ns), places=(*PLACES, Place("calls", "Calls", Calls))
    )
    window.show()
    redraw(app, window)
    assert [window.tabs.tabText(k) for k in range(window.tabs.count())] == ["Live", "Calls"]
    assert window.tabs.isVisible()
    calls = window.views["calls"]
    assert calls.drawn == []
    assert window.views["live"].isVisible()
    window.tabs.setCurrentIndex(1)
    redraw(app, window)
    assert calls.drawn == ["facts", "frame"] * 2
    assert calls.isVisible()
    assert not window.views["live"].isVisible()
    window._stopping = True
    window.close()
    window.deleteLater()
    app.processEvents()


def test_one_place_needs_no_tabs(app, make_window, feeder):
    feeder.feed_until(3.0)
    window = make_window()
    redraw(app, window)
    assert not window.tabs.isVisible()
    assert window.views["live"].size() == window.size()
