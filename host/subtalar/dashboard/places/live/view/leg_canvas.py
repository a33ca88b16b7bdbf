"""Both legs in space, painted with QPainter (works without OpenGL): far faces first."""

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from subtalar.anatomy import ANKLE, columns_of
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.pose.leg_mesh import FOOT_EDGES, FOOT_FACES, SHANK_EDGES, SHANK_FACES
from subtalar.dashboard.places.live.pose.leg_pair import Leg, LegPair
from subtalar.dashboard.places.live.pose.projection import View, camera, project
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.wording import SIDE_WORDS, direction_text
from subtalar.types import SIDES, FloatArray, Side

_FOOT = list(columns_of("foot"))


class LegCanvas(QWidget):
    """The picture itself."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(260, 180)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # or the card behind is painted anew each frame
        self.view: View = "behind"
        self._pair = LegPair()
        self._legs: dict[Side, Leg] = {}
        self._captions: dict[Side, tuple[str, str]] = {}
        self._last_ns = 0

    def show_pose(self, model: LiveModel) -> None:
        """Take the newest pose and ask for a repaint."""
        stream = model.stream
        unknown = np.full(4, np.nan)
        fresh = {side: stream.is_fresh(side) for side in SIDES}
        orientation = {s: stream.sides[s].shank_orientation if fresh[s] else unknown for s in SIDES}
        angles = {s: stream.sides[s].angles_deg[-1, ANKLE] if fresh[s] else unknown[:3] for s in SIDES}
        dt_s = (stream.now_ns - self._last_ns) / 1e9 if self._last_ns else 0.0
        self._last_ns = stream.now_ns
        foot = {s: stream.sides[s].angles_deg[-1, _FOOT] if fresh[s] else unknown[:2] for s in SIDES}
        self._legs = self._pair.pose(orientation, angles, dt_s, foot)
        frontal = 1 if self.view in ("behind", "front") else 0
        for side in SIDES:
            index = model.signals_of(side)[frontal]
            reading = model.reading(side, index)
            known = reading.value_deg is not None
            text = direction_text(index, reading.value_deg or 0.0) if known else reading.note or "not known"
            self._captions[side] = (SIDE_WORDS[side], text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Qt: paint."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CARD))
        if self._legs:
            self._paint_legs(painter)
        painter.end()

    def _paint_legs(self, painter: QPainter) -> None:
        view = camera(self.view)
        scale, centre = self._fit()
        self._paint_floor(painter, view, scale, centre)
        depth_of = {side: float((leg.ankle @ view.T)[2]) for side, leg in self._legs.items()}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for side in sorted(SIDES, key=lambda s: depth_of[s]):
            self._paint_leg(painter, side, view, scale, centre)
        if self.view == "behind":
            for side in SIDES:
                self._paint_lines(painter, side, view, scale, centre)
        self._paint_captions(painter, view, scale, centre)

    def _fit(self) -> tuple[float, QPointF]:
        frontal = self.view in ("behind", "front")
        scale = min((self.height() - 84) / 0.52, self.width() / (0.50 if frontal else 0.82))
        forward = {"left": -1, "right": 1}.get(self.view, 0)
        return scale, QPointF(self.width() / 2 + forward * 0.08 * scale, self.height() - 50 - 0.03 * scale)

    def _paint_floor(self, painter: QPainter, view: FloatArray, scale: float, centre: QPointF) -> None:
        painter.setPen(QPen(QColor(theme.GRID), 1))
        for k in np.arange(-0.24, 0.25, 0.08):
            for line in ([[k, 0, -0.24], [k, 0, 0.24]], [[-0.24, 0, k], [0.24, 0, k]]):
                a, b = (_point(p, scale, centre) for p in np.array(line) @ view.T)
                painter.drawLine(a, b)

    def _paint_leg(self, painter: QPainter, side: Side, view: FloatArray, scale: float, centre: QPointF) -> None:
        leg = self._legs[side]
        (shank_brushes, shank_pen), (foot_brushes, foot_pen) = (
            _TONES[side if known else None] for known in (leg.shank_known, leg.foot_known)
        )
        parts = [
            project(leg.shank, SHANK_FACES, SHANK_EDGES, view),
            project(leg.foot, FOOT_FACES, FOOT_EDGES, view),
        ]
        corners = np.concatenate([part.corners for part in parts])
        outline = np.concatenate([part.outline for part in parts])  # of the shank, then of the foot
        tones = (np.concatenate([part.brightness for part in parts]) * (_N_TONES - 1)).astype(int).tolist()
        of_shank, rim_of_shank = len(parts[0].corners), len(parts[0].outline)
        middle, flip = (centre.x(), centre.y()), (scale, -scale)
        faces = (corners[:, :, :2] * flip + middle).tolist()
        lines = (outline[:, :, :2] * flip + middle).tolist()
        # Filled without smoothing, faces meet without a seam at a third of the cost; the smooth rim lies beneath.
        for pen, rim in ((shank_pen, lines[:rim_of_shank]), (foot_pen, lines[rim_of_shank:])):
            painter.setPen(pen)
            painter.drawLines([QLineF(*a, *b) for a, b in rim])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for k in np.argsort(corners[:, :, 2].sum(axis=1)).tolist():
            a, b, c, d = faces[k]
            painter.setBrush((shank_brushes if k < of_shank else foot_brushes)[tones[k]])
            painter.drawConvexPolygon((QPointF(*a), QPointF(*b), QPointF(*c), QPointF(*d)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_lines(self, painter: QPainter, side: Side, view: FloatArray, scale: float, centre: QPointF) -> None:
        """Midline of the lower leg and of the heel: the rearfoot angle as it is drawn by hand."""
        for line in (self._legs[side].shank_line, self._legs[side].heel_line):
            a, b = (_point(p, scale, centre) for p in line @ view.T)
            painter.setPen(QPen(QColor(255, 255, 255, 210), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(a, b)
            painter.setPen(QPen(QColor(theme.INK), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(a, b)

    def _paint_captions(self, painter: QPainter, view: FloatArray, scale: float, centre: QPointF) -> None:
        order = sorted(SIDES, key=lambda s: float(view[0, 2]) * (1 if s == "right" else -1))
        frontal = self.view in ("behind", "front")
        if not frontal:
            order = list(SIDES)
        for k, side in enumerate(order):
            name, text = self._captions[side]
            middle = centre.x() + (2 * k - 1) * scale * 0.12 if frontal else (0.25 + 0.5 * k) * self.width()
            box = QRectF(middle - 100, self.height() - 40, 200, 20)
            painter.setFont(theme.sized(13, QFont.Weight.Bold))
            painter.setPen(QColor(theme.SIDE_TEXT[side]))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
            painter.setFont(theme.sized(13))
            painter.setPen(QColor(theme.INK if self._legs[side].known else theme.INK_SOFT))
            painter.drawText(box.translated(0, 18), Qt.AlignmentFlag.AlignCenter, text)


def _point(p: FloatArray, scale: float, centre: QPointF) -> QPointF:
    return QPointF(centre.x() + scale * float(p[0]), centre.y() - scale * float(p[1]))


def _shade(base: QColor, light: float) -> QColor:
    """From a dark tone of the colour through the colour to a light tint."""
    target = QColor("#ffffff") if light > 0.5 else QColor("#1b2733")
    share = (light - 0.5) * 0.9 if light > 0.5 else (0.5 - light) * 0.8
    channels = ((base.red(), target.red()), (base.green(), target.green()), (base.blue(), target.blue()))
    return QColor(*(round(b + (t - b) * share) for b, t in channels))


def _tones(colour: str) -> tuple[list[QBrush], QPen]:
    base = QColor(colour)
    return [QBrush(_shade(base, k / (_N_TONES - 1))) for k in range(_N_TONES)], QPen(_shade(base, 0.25), 2.0)


_N_TONES = 24
_TONES: dict[Side | None, tuple[list[QBrush], QPen]] = {
    None: _tones("#c3cad2"),
    "left": _tones(theme.SIDE_COLOUR["left"]),
    "right": _tones(theme.SIDE_COLOUR["right"]),
}
"""Brushes from dark to light and the pen of the outline; None while the pose is not known."""
