"""The live place: instruction, three angles over time, strides, legs and sensors."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QVBoxLayout

from subtalar.acquisition.commands import CommandSender
from subtalar.anatomy import ANKLE_COUNT
from subtalar.dashboard.places.live.actions import LiveActions
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.view.angle_strip import AngleStrip
from subtalar.dashboard.places.live.view.banner import Banner
from subtalar.dashboard.places.live.view.header import Header
from subtalar.dashboard.places.live.view.leg_card import LegCard
from subtalar.dashboard.places.live.view.owner_dialog import OwnerDialog
from subtalar.dashboard.places.live.view.sensor_card import SensorCard
from subtalar.dashboard.places.live.view.stride_card import StrideCard
from subtalar.dashboard.stream import LatencyProbe, SessionStream
from subtalar.dashboard.widgets.place_view import PlaceView


class LiveView(PlaceView):
    """Shows a ``LiveModel`` of the stream, and carries out ``LiveActions``."""

    def __init__(
        self, stream: SessionStream, sender: CommandSender | None = None, probe: LatencyProbe | None = None
    ) -> None:
        super().__init__()
        self.model = LiveModel(stream)
        self.commands = LiveActions(stream, sender)
        callbacks = self.mark, self.stop, self.record_elsewhere, self.set_owner
        self.header = Header(*(callbacks if sender else (None, None)))
        self.banner = Banner()
        self.strips = [AngleStrip(k, with_time_axis=k == ANKLE_COUNT - 1) for k in range(ANKLE_COUNT)]
        self.strips[-1].plot.probe = probe
        self.legs = LegCard()
        self.sensors = SensorCard()
        self.strides = StrideCard()
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
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

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Qt: the legs get their share of a wide screen."""
        for card in (self.legs, self.sensors):
            card.setFixedWidth(max(404, round(0.29 * self.width())))
        super().resizeEvent(event)

    def show_frame(self) -> None:
        """Shift the traces and pose the legs."""
        for strip in self.strips:
            strip.show_traces(self.model)
        self.legs.canvas.show_pose(self.model)

    def show_facts(self) -> None:
        """Update words and numbers."""
        model = self.model
        self.header.show_facts(model)
        self.banner.show_instruction(model.instruction)
        self.sensors.show_rows(model.sensor_rows)
        self.strides.show_strides(model)
        self._choose_signals()
        for strip in self.strips:
            strip.show_readings(model)

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

    def show_stopping(self) -> None:
        """The session was asked to end."""
        self.header.show_stopping()

    def mark(self) -> None:
        """Put a numbered marker into the recording."""
        if self.commands.mark():
            self.header.mark_button.setText(f"Marker ({self.commands.marked})")

    def stop(self) -> None:
        """Ask the measuring process to end the session; the result stays on the screen."""
        self.header.show_stopping()
        self.commands.stop()

    def record_elsewhere(self) -> None:
        """Ask for a folder and go on recording there; the measurement runs on meanwhile."""
        chosen = self._choose_folder()
        if chosen:
            self.commands.record_to(chosen)

    def set_owner(self) -> None:
        """Ask whose session it is; also after its end."""
        dialog = OwnerDialog(self, self.model.owner, self.commands.set_owner)
        self._ask(dialog)
        if dialog.owner is not None:
            self.model.owner = dialog.owner
            self.header.show_facts(self.model)

    def _ask(self, dialog: QDialog) -> None:
        dialog.exec()

    def _choose_folder(self) -> str:
        from subtalar.session.paths import recordings_folder  # loads what reads recordings: seldom needed here

        return QFileDialog.getExistingDirectory(self, "Go on recording in", str(recordings_folder()))
