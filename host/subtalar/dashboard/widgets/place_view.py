"""What the window asks of the view of a place."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class PlaceView(QWidget):
    """One place of the window. It owns its model, which follows the ``SessionStream`` by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def show_frame(self) -> None:
        """Draw what moves. Thirty times a second while the place is seen."""

    def show_facts(self) -> None:
        """Draw what changes slowly. A few times a second while the place is seen, and when it comes into sight."""

    def show_stopping(self) -> None:
        """The session was asked to end; that it has, is told by the stream."""
