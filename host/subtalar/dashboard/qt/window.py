"""The main window: pulls the model thirty times a second and hands it to the parts."""

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QMainWindow, QMessageBox, QVBoxLayout, QWidget

from subtalar.acquisition.commands import Command, CommandSender, Mark, RecordTo, SetOwner, Stop
from subtalar.anatomy import ANKLE_COUNT
from subtalar.dashboard.latency import LatencyProbe
from subtalar.dashboard.model import DashboardModel
from subtalar.dashboard.qt.header import Banner, Header
from subtalar.dashboard.qt.leg_view import LegCard
from subtalar.dashboard.qt.sensor_card import SensorCard
from subtalar.dashboard.qt.stride_card import StrideCard
from subtalar.dashboard.qt.strip import Strip
from subtalar.dashboard.whose import Said, checked_said, keep_said

FRAME_MS = 33
IDLE_MS = 250


class DashboardWindow(QMainWindow):
    """Shows a ``DashboardModel``. ``on_close`` is called once, when the window goes."""

    def __init__(
        self,
        model: DashboardModel,
        control: CommandSender | None = None,
        *,
        on_close: Callable[[], None] | None = None,
        close_when_ended: bool = False,
        probe: LatencyProbe | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self._control = control
        self._on_close = on_close
        self._close_when_ended = close_when_ended
        self._stopping = False
        self._probe = probe
        self._markers = 0
        self.setWindowTitle("Ankle angles – subtalar")
        self.setMinimumSize(1280, 800)
        commands = self.mark, self.stop, self.record_elsewhere, self.say_about
        self.header = Header(*(commands if control else (None, None)))
        self.banner = Banner()
        self.strips = [Strip(k, with_time_axis=k == ANKLE_COUNT - 1) for k in range(ANKLE_COUNT)]
        self.strips[-1].plot.probe = probe
        self.legs = LegCard()
        self.sensors = SensorCard()
        self.strides = StrideCard()
        page = self._lay_out()
        self.setCentralWidget(page)
        page.setFocus()  # not a button: a stray space bar must not press one
        self._frames = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._frames.timeout.connect(self.frame)

    def _lay_out(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.header)
        column.addWidget(self.banner)
        body = QHBoxLayout()
        body.setSpacing(8)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.setSpacing(8)
        right.setSpacing(8)
        for strip in self.strips:
            left.addWidget(strip, 10)
        left.addWidget(self.strides, 16)
        right.addWidget(self.legs, 1)
        right.addWidget(self.sensors)
        body.addLayout(left, 1)
        body.addLayout(right)
        column.addLayout(body, 1)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Qt: the legs get their share of a wide screen."""
        for card in (self.legs, self.sensors):
            card.setFixedWidth(max(404, round(0.29 * self.width())))
        super().resizeEvent(event)

    def start(self) -> None:
        """Show the first frame and keep going."""
        self.frame()
        self._frames.start()

    def frame(self) -> None:
        """One frame: pull, then draw what changed."""
        began = time.perf_counter_ns()
        facts_are_new = self.model.refresh()
        if self._probe is not None:
            self._probe.prepared(self.model.arrival_ns)
        if facts_are_new:
            self._show_facts()
        if not self.isMinimized():
            for strip in self.strips:
                strip.show_traces(self.model)
            self.legs.canvas.show_pose(self.model)
        self.strips[-1].plot.prepare_ns += time.perf_counter_ns() - began

    def _show_facts(self) -> None:
        model = self.model
        self.header.show_facts(model)
        self.banner.show_instruction(model.instruction)
        self.sensors.show_rows(model.sensor_rows)
        self.strides.show_strides(model)
        self._choose_signals()
        for strip in self.strips:
            strip.show_readings(model)
        self._frames.setInterval(FRAME_MS if model.running else IDLE_MS)
        if not model.running and (self._close_when_ended or self._stopping):
            self.close()

    def _choose_signals(self) -> None:
        """The strips show what the sensors can measure, unless the person chose otherwise."""
        shown = self.model.signals[: len(self.strips)]
        for strip, signal in zip(self.strips, shown, strict=False):
            if not strip.chosen_by_hand:
                strip.show_signal(signal)
        # The last strip carries the time axis and stays; of two signals the middle one makes room.
        spare = len(shown) < len(self.strips)
        if spare and not self.strips[-1].chosen_by_hand:
            self.strips[-1].show_signal(shown[-1])
        self.strips[1].setVisible(not spare)

    def mark(self) -> None:
        """Put a numbered marker into the recording."""
        if self._control is not None and self._send(Mark(f"marker {self._markers + 1}")):
            self._markers += 1
            self.header.mark_button.setText(f"Marker ({self._markers})")

    def record_elsewhere(self) -> None:
        """Ask for a folder and go on recording there; the measurement runs on meanwhile."""
        chosen = self._choose_folder()
        if chosen:
            self._send(RecordTo(chosen))

    def say_about(self) -> None:
        """Ask whose session it is; also after its end."""
        from subtalar.dashboard.qt.about_dialog import AboutDialog

        dialog = AboutDialog(self, self.model.about, lambda *typed: self._keep(checked_said(*typed)))
        self._ask(dialog)
        if dialog.said is not None:
            self.model.about = dialog.said
            self.header.show_facts(self.model)

    def _keep(self, said: Said) -> Said:
        """The session that runs does so for its other files; here it can be said if it fails."""
        if self.model.running:
            self._send(SetOwner(*said))
        keep_said(self.model.recordings, said)
        return said

    def _ask(self, dialog: QDialog) -> None:
        dialog.exec()

    def _choose_folder(self) -> str:
        from subtalar.session.paths import recordings_folder  # loads what reads recordings: seldom needed here

        return QFileDialog.getExistingDirectory(self, "Go on recording in", str(recordings_folder()))

    def stop(self) -> None:
        """Ask the measuring process to end the session; the window stays to show the result."""
        self.header.show_stopping()
        self._send(Stop())

    def stop_and_close(self) -> None:
        """End the session and close when it has ended."""
        if self._control is None or not self.model.running:
            self._stopping = True
            self.close()
        elif not self._stopping:
            self._stopping = True
            self.stop()

    def _send(self, command: Command) -> bool:
        if self._control is None:
            return False
        try:
            self._control.send(command)
        except (OSError, EOFError):
            return False  # nobody listens any more: the model says so within a fifth of a second
        return True

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Qt: closing must not silently end, or silently leave running, a measurement."""
        if self.model.running and self._control is not None and not self._stopping:
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
