"""The top of the place: what is measured, for how long, where it is saved; marker and stop."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.stream import SessionStream
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.wording import Severity, clock_text, is_replay, owner_text, size_text

_CONFIRM_MS = 4000


class Header(QFrame):
    """State, time, file and buttons. A callback None: no button. That for another place shows while it is needed."""

    def __init__(
        self,
        on_mark: Callable[[], None] | None,
        on_stop: Callable[[], None] | None,
        on_elsewhere: Callable[[], None] | None = None,
        on_owner: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._on_stop = on_stop
        self.title = theme.ElidedLabel(18, theme.INK, Qt.TextElideMode.ElideRight, weight=QFont.Weight.Bold)
        self.source = theme.ElidedLabel(13, theme.INK_SOFT, Qt.TextElideMode.ElideRight)
        self.state = theme.label("", 15, theme.INK, QFont.Weight.DemiBold)
        self.path = theme.ElidedLabel(13, theme.INK_SOFT)
        self.elapsed = theme.label("0:00", 30, theme.INK, QFont.Weight.DemiBold)
        self.mark_button = QPushButton("Marker")
        self.mark_button.setToolTip("Put a marker into the recording, now (M)")
        self.mark_button.setShortcut("M")
        self._on_elsewhere = on_elsewhere
        self.owner_button = QPushButton("Participant …")
        self.owner_button.setToolTip("Say whose session it is, which visit, under which condition")
        self.owner_button.setVisible(False)
        self._on_owner = on_owner
        self.elsewhere_button = QPushButton("Record elsewhere …")
        self.elsewhere_button.setToolTip("Go on recording in another folder: on another disk, or after making room")
        self.elsewhere_button.setVisible(False)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setObjectName("stop")
        self.stop_button.setMinimumWidth(150)
        self.stop_button.setToolTip("End the measurement and close the recording")
        self._confirm = QTimer(self, singleShot=True, interval=_CONFIRM_MS)
        self._confirm.timeout.connect(self._reset_stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 12, 8)
        row.setSpacing(16)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.source)
        file = QVBoxLayout()
        file.setSpacing(2)
        file.addWidget(self.state)
        file.addWidget(self.path)
        row.addLayout(names, 2)
        row.addWidget(self.owner_button)
        row.addWidget(self.elapsed)
        row.addLayout(file, 5)
        row.addWidget(self.elsewhere_button)
        row.addWidget(self.mark_button)
        row.addWidget(self.stop_button)
        self.mark_button.setVisible(on_mark is not None)
        self.stop_button.setVisible(on_stop is not None)
        if on_mark is not None:
            self.mark_button.clicked.connect(lambda: on_mark())
        if on_owner is not None:
            self.owner_button.clicked.connect(lambda: on_owner())
        if on_elsewhere is not None:
            self.elsewhere_button.clicked.connect(lambda: on_elsewhere())
        self.stop_button.clicked.connect(self._stop_pressed)

    def _stop_pressed(self) -> None:
        """Twice, because once may be a slip that ends a session which cannot be repeated."""
        if not self._confirm.isActive():
            self._confirm.start()
            self.stop_button.setText("Press again to stop")
            return
        self._confirm.stop()
        self.show_stopping()
        if self._on_stop is not None:
            self._on_stop()

    def _reset_stop(self) -> None:
        self.stop_button.setText("Stop")

    def show_stopping(self) -> None:
        """The command went out; the answer comes with the session's state."""
        self.stop_button.setEnabled(False)
        self.stop_button.setText("Stopping …")

    def show_facts(self, model: LiveModel) -> None:
        """Update."""
        stream, facts = model.stream, model.stream.facts
        severity, words = _state_words(stream)
        text = f"{theme.SEVERITY_MARK[severity]} {words}"
        if text != self.state.text():
            self.state.setText(text)
            self.state.setStyleSheet(f"color: {theme.SEVERITY_COLOUR[severity]}")
        size = f"  ·  {size_text(facts.recorded_bytes)}" if facts.recorded_bytes else ""
        missing = "nothing new is recorded" if is_replay(facts.source) else "no recording file"
        self.path.set_full_text(f"{facts.recording_path}{size}" if facts.recording_path else missing)
        failed = stream.running and bool(facts.recording_error)
        self.elsewhere_button.setVisible(failed and self._on_elsewhere is not None)
        self.source.set_full_text(facts.source or "waiting for the measuring process")
        is_somebodys = bool(facts.recording_path) and not is_replay(facts.source)
        self.owner_button.setVisible(is_somebodys and self._on_owner is not None)
        self.title.set_full_text(owner_text(*model.owner) or "Ankle angles")
        self.elapsed.setText(clock_text(stream.elapsed_s))
        if not stream.running:
            self._confirm.stop()
            self.mark_button.setEnabled(False)
            self.stop_button.setEnabled(False)
            self.stop_button.setText("Stopped")


def _state_words(stream: SessionStream) -> tuple[Severity, str]:
    facts = stream.facts
    if stream.died:
        return "problem", "Stopped unexpectedly"
    if not stream.running:
        severity: Severity = "problem" if stream.failed_because else "off"
        return severity, "Ended, saved in" if facts.recording_path else "Ended"
    if is_replay(facts.source) and not facts.recording_path and not facts.recording_error:
        return "off", "Replay of a recording"
    if facts.recording_error:
        return "problem", "Not recording"
    if facts.state == "starting":
        return "waiting", "Starting"
    return ("ok", "Recording to") if facts.recording_path else ("waiting", "Measuring, not recorded")
