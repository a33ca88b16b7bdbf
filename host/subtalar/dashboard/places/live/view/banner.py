"""The one instruction, in big type."""

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout

from subtalar.dashboard.places.live.instruction import Instruction
from subtalar.dashboard.widgets import theme


class Banner(QFrame):
    """The one instruction, in big type."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Instruction | None = None
        self.text = theme.label("", 28, theme.INK, QFont.Weight.Bold)
        self.detail = theme.ElidedLabel(15, theme.INK, lines=2)
        self.setFixedHeight(64)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 4, 18, 4)
        row.setSpacing(20)
        row.addWidget(self.text)
        row.addWidget(self.detail, 1)

    def show_instruction(self, instruction: Instruction) -> None:
        """Update."""
        if instruction == self._shown:
            return
        self._shown = instruction
        ground, ink, border = theme.BANNER[instruction.level]
        self.setStyleSheet(f"Banner {{ background: {ground}; border: 1px solid {border}; border-radius: 8px; }}")
        self.text.setStyleSheet(f"color: {ink}")
        self.detail.setStyleSheet(f"color: {ink}")
        self.text.setText(instruction.text)
        self.text.setFont(theme.sized(28 if len(instruction.text) < 46 else 20, QFont.Weight.Bold))
        self.detail.set_full_text(instruction.detail)
