"""Starts Qt, shows the window, ends with it."""

import signal
import sys
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from subtalar.acquisition.commands import CommandSender
from subtalar.acquisition.ring import RingReader
from subtalar.dashboard.stream import LatencyProbe, SessionStream
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.window.window import DashboardWindow


def run(
    ring_name: str,
    sender: CommandSender | None,
    on_close: Callable[[], None] | None,
    *,
    wait_s: float,
    close_when_ended: bool,
    failure: Callable[[], str | None],
    probe: LatencyProbe | None,
) -> int:
    """See ``subtalar.dashboard.run_dashboard``."""
    with RingReader.attach(ring_name, wait_s=wait_s) as reader:
        existing = QApplication.instance()
        app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
        theme.apply(app)
        stream = SessionStream(reader, failure=failure)
        window = DashboardWindow(stream, sender, on_close=app.quit, close_when_ended=close_when_ended, probe=probe)
        available = app.primaryScreen().availableGeometry()
        window.resize(min(1600, available.width()), min(1000, available.height()))
        # Python sees the signal because the frame timer returns to it thirty times a second.
        asked = (signal.SIGINT, signal.SIGTERM)
        previous = {s: signal.signal(s, lambda *_: window.stop_and_close()) for s in asked}
        try:
            window.show()
            QTimer.singleShot(0, window.start)  # inside the loop, or closing at once would not end it
            app.exec()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if on_close is not None:
            on_close()
        return 1 if stream.died else 0
