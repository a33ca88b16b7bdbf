"""The main window: pulls the stream thirty times a second and lets the place that is seen draw it."""

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QMessageBox, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from subtalar.acquisition.commands import CommandSender, Stop
from subtalar.dashboard.commands import try_send
from subtalar.dashboard.stream import LatencyProbe, SessionStream
from subtalar.dashboard.widgets.place_view import PlaceView
from subtalar.dashboard.window.registry import PLACES, Place

FRAME_MS = 33
IDLE_MS = 250


class DashboardWindow(QMainWindow):
    """Shows a ``SessionStream`` in places; tabs choose among several. ``on_close`` is called once, when it goes."""

    def __init__(
        self,
        stream: SessionStream,
        sender: CommandSender | None = None,
        *,
        on_close: Callable[[], None] | None = None,
        close_when_ended: bool = False,
        probe: LatencyProbe | None = None,
        places: Sequence[Place] = PLACES,
    ) -> None:
        super().__init__()
        self.stream = stream
        self._sender = sender
        self._on_close = on_close
        self._close_when_ended = close_when_ended
        self._stopping = False
        self._probe = probe
        self.setWindowTitle("Ankle angles – subtalar")
        self.setMinimumSize(1280, 800)
        self.views = {place.name: place.open_view(stream, sender, probe) for place in places}
        self.tabs = QTabBar()
        self._stack = QStackedWidget()
        for place in places:
            self.tabs.addTab(place.title)
            self._stack.addWidget(self.views[place.name])
        self.tabs.setVisible(len(places) > 1)
        self.tabs.currentChanged.connect(self._show_place)
        page = self._lay_out()
        self.setCentralWidget(page)
        page.setFocus()  # not a button: a stray space bar must not press one
        self._frames = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._frames.timeout.connect(self.frame)

    def _lay_out(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        return page

    @property
    def view(self) -> PlaceView:
        """The place that is seen."""
        return tuple(self.views.values())[self._stack.currentIndex()]

    def _show_place(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.view.show_facts()
        self.view.show_frame()

    def start(self) -> None:
        """Show the first frame and keep going."""
        self.frame()
        self._frames.start()

    def frame(self) -> None:
        """One frame: pull, then draw what changed."""
        began = time.perf_counter_ns()
        facts_are_new = self.stream.refresh()
        if self._probe is not None:
            self._probe.prepared(self.stream.arrival_ns)
        if facts_are_new:
            self._show_facts()
        if not self.isMinimized():
            self.view.show_frame()
        if self._probe is not None:
            self._probe.spent(time.perf_counter_ns() - began)

    def _show_facts(self) -> None:
        self.view.show_facts()
        self._frames.setInterval(FRAME_MS if self.stream.running else IDLE_MS)
        if not self.stream.running and (self._close_when_ended or self._stopping):
            self.close()

    def stop_and_close(self) -> None:
        """End the session and close when it has ended."""
        if self._sender is None or not self.stream.running:
            self._stopping = True
            self.close()
        elif not self._stopping:
            self._stopping = True
            for view in self.views.values():
                view.show_stopping()
            try_send(self._sender, Stop())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Qt: closing must not silently end, or silently leave running, a measurement."""
        if self.stream.running and self._sender is not None and not self._stopping:
            event.ignore()
            if self._confirm_close():
                self.stop_and_close()
            return
        self._frames.stop()
        if self._on_close is not None:
            on_close, self._on_close = self._on_close, None
            on_close()
        event.accept()

    def _confirm_close(self) -> bool:
        box = QMessageBox(self)
        box.setWindowTitle("Still measuring")
        box.setText("The measurement is still running.")
        box.setInformativeText("Stop it, close the recording and close this window?")
        stop = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton("Keep measuring", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.exec()
        return box.clickedButton() is stop
