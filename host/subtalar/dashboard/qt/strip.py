"""One angle over the last ten seconds, both legs: what + and − mean on the left, the value now on the right.

Drawn the cheap way that was measured: ``PlotCurveItem``, pen width 1, fixed x range with shifted data, own static
grid lines, minimum and maximum per bucket.
"""

import functools
import time
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsItem,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStyleOptionGraphicsItem,
    QVBoxLayout,
    QWidget,
)

from subtalar.anatomy import ANKLE_COUNT
from subtalar.dashboard import decimate
from subtalar.dashboard.latency import LatencyProbe
from subtalar.dashboard.model import WINDOW_S, DashboardModel, Reading
from subtalar.dashboard.qt import theme
from subtalar.dashboard.wording import SIDE_WORDS, SIGNALS, angle_text
from subtalar.types import SIDES, FloatArray, Side

_BUCKET_S = WINDOW_S / 500
_BAND_BUCKET_S = WINDOW_S / 200
_RANGES_DEG = (20, 30, 45, 60, 90, 120, 180)
_SHRINK_AFTER_S = 8.0
_WORDS_PX = 132


class _Backdrop(QGraphicsItem):
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
            painter.setPen(_pen(theme.ZERO if degrees == 0 else theme.GRID))
            painter.drawLine(QPointF(-WINDOW_S, degrees), QPointF(0, degrees))
        for pen, ticks in self.contacts:
            painter.setPen(pen)
            painter.drawLines(ticks)


def _pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(QColor(colour), 1, style)
    pen.setCosmetic(True)
    return pen


class _Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that says when it has been painted."""

    def __init__(self) -> None:
        super().__init__(background=theme.CARD)
        self.probe: LatencyProbe | None = None
        self.prepare_ns = 0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Qt: paint, then report."""
        began = time.perf_counter_ns()
        super().paintEvent(event)
        self.prepare_ns += time.perf_counter_ns() - began
        if self.probe is not None:
            self.probe.painted(self.prepare_ns)
            self.prepare_ns = 0


class _Readout(QWidget):
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


class Strip(QFrame):
    """The card of one angle (``index`` as in ``wording.SIGNALS``); its title is a menu of all others."""

    def __init__(self, index: int, with_time_axis: bool) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._index = index
        self.chosen_by_hand = False
        self._limit_since_s = 0.0
        self.plot = _Plot()
        self._backdrop = _Backdrop()
        self._truth = {side: self._curve(_pen(theme.TRUTH, Qt.PenStyle.DotLine)) for side in SIDES}
        self._curves = {side: self._curve(_pen(theme.SIDE_COLOUR[side])) for side in SIDES}
        self.readouts = {side: _Readout(side) for side in SIDES}
        self._empty = theme.label("", 15, theme.INK_FAINT, parent=self.plot)
        self._empty.setStyleSheet(f"background: {theme.CARD}; color: {theme.INK_SOFT}; padding: 0 8px")
        self._set_up_plot(with_time_axis)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 14, 6 if with_time_axis else 8)
        row.setSpacing(10)
        row.addLayout(self._words(with_time_axis))
        row.addWidget(self.plot, 1)
        values = QVBoxLayout()
        values.setSpacing(6)
        values.addStretch(1)
        for side in SIDES:
            self.readouts[side].setFixedWidth(184)
            values.addWidget(self.readouts[side])
        values.addStretch(1)
        row.addLayout(values)

    def _curve(self, pen: QPen) -> Any:
        return pg.PlotCurveItem(pen=pen, antialias=True, skipFiniteCheck=True)

    def _words(self, with_time_axis: bool) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(0)

        def line(pixels: int, colour: str, weight: QFont.Weight = QFont.Weight.Normal) -> QLabel:
            made = theme.label("", pixels, colour, weight)
            made.setFixedWidth(_WORDS_PX)
            column.addWidget(made)
            return made

        self._plus = line(13, theme.INK, QFont.Weight.DemiBold)
        self._plus_means = line(12, theme.INK_SOFT)
        column.addStretch(1)
        self.title = self._menu_button()
        column.addWidget(self.title)
        self._scale = line(11, theme.INK_SOFT)
        self._scale.setText("degrees, ± 1 sd")
        column.addStretch(1)
        self._minus_means = line(12, theme.INK_SOFT)
        self._minus = line(13, theme.INK, QFont.Weight.DemiBold)
        if with_time_axis:
            column.addSpacing(18)
        self._show_words()
        return column

    def _menu_button(self) -> QPushButton:
        button = QPushButton()
        button.setFont(theme.sized(15, QFont.Weight.Bold))
        button.setFixedWidth(_WORDS_PX)
        button.setToolTip("Show another angle here")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setStyleSheet(
            f"QPushButton {{ border: none; background: none; color: {theme.INK}; padding: 0; text-align: left; }}"
            "QPushButton::menu-indicator { subcontrol-position: right center; }"
        )
        menu = QMenu(button)
        for index, words in enumerate(SIGNALS):
            menu.addAction(words.title, functools.partial(self._choose, index))
        button.setMenu(menu)
        return button

    def _choose(self, index: int) -> None:
        self.chosen_by_hand = True
        self.show_signal(index)

    def show_signal(self, index: int) -> None:
        """Show another of ``wording.SIGNALS`` from now on."""
        if index != self._index:
            self._index = index
            self._limit_since_s = -_SHRINK_AFTER_S
            self._show_words()

    def _show_words(self) -> None:
        words = SIGNALS[self._index]
        for label, text in (
            (self._plus, f"{words.plus} ↑"),
            (self._plus_means, words.plus_means),
            (self._minus_means, words.minus_means),
            (self._minus, f"{words.minus} ↓"),
        ):
            label.setText(text)
        self.title.setText(words.title)

    def _set_up_plot(self, with_time_axis: bool) -> None:
        plot = self.plot
        plot.setMinimumHeight(64)
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.getPlotItem().setContentsMargins(0, 4, 14, 0)
        box = plot.getViewBox()
        box.disableAutoRange()
        box.setDefaultPadding(0)
        box.setXRange(-WINDOW_S, 0, padding=0)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for name in ("left", "bottom"):
            axis = plot.getAxis(name)
            axis.setPen(_pen(theme.LINE))
            axis.setTextPen(QColor(theme.INK_SOFT))
            axis.setStyle(tickLength=0, tickFont=theme.sized(11), hideOverlappingLabels=False)
        plot.getAxis("left").setWidth(36)
        bottom = plot.getAxis("bottom")
        if with_time_axis:
            bottom.setHeight(20)
            ticks = [(-s, f"−{s:g} s" if s else "now") for s in (10.0, 8.0, 6.0, 4.0, 2.0, 0.0)]
            bottom.setTicks([ticks])
        else:
            bottom.setHeight(1)
            bottom.setTicks([])
        plot.addItem(self._backdrop, ignoreBounds=True)
        for item in (*self._truth.values(), *self._curves.values()):
            plot.addItem(item, ignoreBounds=True)
        self._set_limit(20.0)

    def _set_limit(self, limit_deg: float) -> None:
        self._backdrop.limit_deg = limit_deg
        step = self._backdrop.step_deg = 10.0 if limit_deg <= 30 else 15.0 if limit_deg <= 45 else 30.0
        shown = np.arange(-limit_deg, limit_deg + 0.1, step)
        ticks = [(float(v), f"{v:+.0f}".replace("-", "−") if v else "0") for v in shown]
        self.plot.getAxis("left").setTicks([ticks])
        self.plot.getViewBox().setYRange(-limit_deg, limit_deg, padding=0.04)

    def _fit(self, largest_deg: float, now_s: float) -> None:
        """Widen at once, narrow only after a while: the scale must not jump about."""
        wanted = float(next((r for r in _RANGES_DEG if r >= largest_deg), 180))
        current = self._backdrop.limit_deg
        if wanted >= current:
            self._limit_since_s = now_s
        if wanted > current or (wanted < current and abs(now_s - self._limit_since_s) > _SHRINK_AFTER_S):
            self._limit_since_s = now_s
            self._set_limit(wanted)

    def show_traces(self, model: DashboardModel) -> None:
        """Shift the traces to the present. Once a frame."""
        now_s, largest, truth_shown = model.now_s, 0.0, False
        bands: list[tuple[QColor, list[QRectF]]] = []
        contacts: list[tuple[QPen, list[QLineF]]] = []
        for side in SIDES:
            trace = model.sides[side]
            inside = slice(int(np.searchsorted(trace.time_s, now_s - WINDOW_S)), None)
            values, spread = trace.signal(self._index)
            t, y, sd = trace.time_s[inside], values[inside], spread[inside]
            _draw(self._curves[side], t, y, now_s)
            has_truth = len(trace.truth_time_s) > 0 and self._index < ANKLE_COUNT
            truth_shown |= has_truth
            self._truth[side].setVisible(has_truth)
            if has_truth:
                inside = slice(int(np.searchsorted(trace.truth_time_s, now_s - WINDOW_S)), None)
                _draw(self._truth[side], trace.truth_time_s[inside], trace.truth_deg[inside, self._index], now_s)
            contacts.append((_pen(theme.SIDE_COLOUR[side]), self._ticks(model.contacts_s[side] - now_s)))
            if np.isfinite(y).any():
                largest = max(largest, float(np.nanmax(np.abs(y))))
            colour = QColor(theme.SIDE_COLOUR[side])
            colour.setAlpha(38)
            middle, low, high = decimate.band(t, y, sd, _BAND_BUCKET_S)
            bands.append((colour, _columns(middle - now_s, low, high)))
        self._backdrop.bands, self._backdrop.contacts = bands, contacts
        self._backdrop.update()
        self._scale.setText("± 1 sd; dots: true angle" if truth_shown else "degrees, ± 1 sd")
        self._fit(largest * 1.05, now_s)
        self._show_empty(model, largest == 0.0)

    def _ticks(self, x: FloatArray) -> list[QLineF]:
        low, high = -1.04 * self._backdrop.limit_deg, -0.93 * self._backdrop.limit_deg
        return [QLineF(at, low, at, high) for at in x[(x > -WINDOW_S) & (x <= 0)].tolist()]

    def _show_empty(self, model: DashboardModel, empty: bool) -> None:
        if empty:
            notes = {model.reading(side, self._index).note for side in SIDES} - {"", "no sensor"}
            self._empty.setText(" · ".join(sorted(notes)))
            self._empty.adjustSize()
            middle = self.plot.rect().adjusted(36, 0, -14, 0).center()
            self._empty.move(middle - self._empty.rect().center())
        self._empty.setVisible(empty)

    def show_readings(self, model: DashboardModel) -> None:
        """Update the numbers. A few times a second: faster cannot be read."""
        for side in SIDES:
            self.readouts[side].show_reading(model.reading(side, self._index))


def _draw(curve: Any, t: FloatArray, y: FloatArray, now_s: float) -> None:
    x, points = decimate.trace(t, y[:, None], _BUCKET_S)
    line = points[:, 0]
    curve.setData(x - now_s, line, connect="all" if np.isfinite(line).all() else "finite")


def _columns(x: FloatArray, low: FloatArray, high: FloatArray) -> list[QRectF]:
    left = (x - _BAND_BUCKET_S / 2).tolist()
    return [
        QRectF(at, bottom, _BAND_BUCKET_S, height)
        for at, bottom, height in zip(left, low.tolist(), (high - low).tolist(), strict=True)
    ]
