"""The card of the legs: their picture, and from where one looks."""

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from subtalar.dashboard.places.live.pose.projection import View
from subtalar.dashboard.places.live.view.leg_canvas import LegCanvas
from subtalar.dashboard.widgets import theme

_VIEWS: tuple[tuple[View, str], ...] = (
    ("behind", "Behind"),
    ("front", "Front"),
    ("left", "Left side"),
    ("right", "Right side"),
)


class LegCard(QFrame):
    """The picture with the buttons that choose where one looks from."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.canvas = LegCanvas()
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 8)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(theme.label("Legs", 15, theme.INK, QFont.Weight.Bold))
        head.addStretch(1)
        group = QButtonGroup(self)
        self._buttons: dict[View, QPushButton] = {}
        for view, words in _VIEWS:
            button = QPushButton(words)
            button.setProperty("view", True)
            button.setCheckable(True)
            button.setChecked(view == self.canvas.view)
            button.clicked.connect(lambda _=False, v=view: self.look_from(v))
            group.addButton(button)
            self._buttons[view] = button
            head.addWidget(button)
        column.addLayout(head)
        column.addWidget(self.canvas, 1)

    def look_from(self, view: View) -> None:
        """Switch the view."""
        self.canvas.view = view
        self._buttons[view].setChecked(True)
        self.canvas.update()
