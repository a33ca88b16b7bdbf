"""What lies behind the curves of a strip."""

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from subtalar.dashboard.stream import WINDOW_S
from subtalar.dashboard.widgets import theme


class Backdrop(QGraphicsItem):
    """Grid lines, bands of ± one standard deviation and ticks at initial contacts, in one item.

    A band is painted as rectangles: a sixth of what a polygon costs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limit_deg = 20.0
        self.step_deg = 10.0
        self.bands: list[tuple[QColor, list[QRectF]]] = []
        self.contacts: list[tuple[QPen, list[QLineF]]] = []

    def boundingRect(self) -> QRectF:  # noqa: N802
        """Qt: all of the strip, whatever its range."""
        return QRectF(-WINDOW_S, -180, WINDOW_S, 360)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Qt: draw."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, columns in self.bands:
            painter.setBrush(QBrush(colour))
            painter.drawRects(columns)
        for degrees in np.arange(-self.limit_deg, self.limit_deg + 0.1, self.step_deg):
            painter.setPen(cosmetic_pen(theme.ZERO if degrees == 0 else theme.GRID))
            painter.drawLine(QPointF(-WINDOW_S, degrees), QPointF(0, degrees))
        for pen, ticks in self.contacts:
            painter.setPen(pen)
            painter.drawLines(ticks)


def cosmetic_pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """One pixel wide, whatever the scale."""
    pen = QPen(QColor(colour), 1, style)
    pen.setCosmetic(True)
    return pen
