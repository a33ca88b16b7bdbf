"""The value of one angle of one leg now."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QWidget

from subtalar.dashboard.places.live.reading import Reading
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.wording import SIDE_WORDS, angle_text
from subtalar.types import Side


class StripReadout(QWidget):
    """The value of one leg now, or why there is none."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        self._known: bool | None = None
        bar = QFrame()
        bar.setFixedWidth(4)
        bar.setStyleSheet(f"background: {theme.SIDE_COLOUR[side]}; border-radius: 2px")
        self.name = theme.label(SIDE_WORDS[side], 12, theme.SIDE_TEXT[side], QFont.Weight.DemiBold)
        self.value = theme.label("–", 24, theme.INK, QFont.Weight.DemiBold)
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance("−88.8°") + 2)  # neither cut nor jumping
        self.sd = theme.label("", 12, theme.INK_SOFT)
        self.note = theme.ElidedLabel(11, theme.INK_SOFT, Qt.TextElideMode.ElideRight)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.addWidget(bar, 0, 0, 2, 1)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.name)
        head.addWidget(self.note, 1)
        grid.addLayout(head, 0, 1)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.value, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.sd, 1, Qt.AlignmentFlag.AlignBaseline)
        grid.addLayout(row, 1, 1)
        grid.setColumnStretch(1, 1)

    def show_reading(self, reading: Reading) -> None:
        """Update; a value that is not known and fresh is a grey dash."""
        known = reading.value_deg is not None
        self.value.setText("–" if reading.value_deg is None else angle_text(reading.value_deg))
        if known != self._known:
            self._known = known
            self.value.setStyleSheet(f"color: {theme.INK if known else theme.INK_FAINT}")
        self.sd.setText(f"± {reading.sd_deg:.1f}°" if known and reading.sd_deg is not None else "")
        self.note.set_full_text(reading.note)
