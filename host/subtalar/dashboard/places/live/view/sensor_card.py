"""The sensors: link, rate, battery and lost samples, in words and colour."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout

from subtalar.dashboard.places.live.sensor_rows import SensorRow
from subtalar.dashboard.widgets import theme

_HEADS = ("Sensor", "Link", "Rate", "Battery", "Lost")


class SensorCard(QFrame):
    """One line a sensor."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._shown: tuple[SensorRow, ...] | None = None
        self.cells: list[list[QLabel]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        column.addWidget(theme.label("Sensors", 15, theme.INK, QFont.Weight.Bold))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(6)
        for k, head in enumerate(_HEADS):
            self._grid.addWidget(_aligned(theme.label(head, 12, theme.INK_SOFT), k), 0, k)
        self._grid.setColumnStretch(1, 1)
        self._empty = theme.label("No sensor has answered yet.", 13, theme.INK_SOFT)
        column.addLayout(self._grid)
        column.addWidget(self._empty)
        column.addStretch(1)

    def show_rows(self, rows: tuple[SensorRow, ...]) -> None:
        """Update; nothing is touched when nothing changed."""
        if rows == self._shown:
            return
        self._shown = rows
        self._empty.setVisible(not rows)
        while len(self.cells) < len(rows):
            line = [_aligned(theme.label("", 12), k) for k in range(len(_HEADS))]
            for k, cell in enumerate(line):
                self._grid.addWidget(cell, len(self.cells) + 1, k)
            self.cells.append(line)
        for row, (name, link, rate, battery, lost) in zip(rows, self.cells, strict=False):
            name.setText(row.name)
            for cell in (name, link, rate, battery, lost):
                cell.setToolTip(row.details)
            _set(link, f"{theme.SEVERITY_MARK[row.severity]} {row.link}", theme.SEVERITY_COLOUR[row.severity])
            rate.setText(row.rate)
            _set(
                battery,
                f"▲ {row.battery} low" if row.battery_low else row.battery,
                theme.SEVERITY_COLOUR["problem"] if row.battery_low else theme.INK,
            )
            _set(
                lost,
                f"▲ {row.lost_in_short}" if row.lost_many else row.lost_in_short,
                theme.SEVERITY_COLOUR["problem"] if row.lost_many else theme.INK,
            )


def _aligned(cell: QLabel, column: int) -> QLabel:
    if column >= 2:
        cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return cell


def _set(cell: QLabel, text: str, colour: str) -> None:
    cell.setText(text)
    cell.setStyleSheet(f"color: {colour}")
