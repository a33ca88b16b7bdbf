"""The curves of one angle over the last ten seconds, both legs.

Drawn the cheap way that was measured: ``PlotCurveItem``, pen width 1, fixed x range with shifted data, own static
grid lines, minimum and maximum per bucket.
"""

import time
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPaintEvent, QPen

from subtalar.anatomy import ANKLE_COUNT
from subtalar.dashboard.places.live import decimate
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.view.strip_backdrop import Backdrop, cosmetic_pen
from subtalar.dashboard.stream import WINDOW_S, LatencyProbe
from subtalar.dashboard.widgets import theme
from subtalar.types import SIDES, FloatArray

_BUCKET_S = WINDOW_S / 500
_BAND_BUCKET_S = WINDOW_S / 200
_RANGES_DEG = (20, 30, 45, 60, 90, 120, 180)
_SHRINK_AFTER_S = 8.0


class StripPlot(pg.PlotWidget):  # type: ignore[misc]
    """Curves, bands of ± one standard deviation and true angles; ``probe`` hears when they have been painted."""

    def __init__(self, with_time_axis: bool) -> None:
        super().__init__(background=theme.CARD)
        self.probe: LatencyProbe | None = None
        self.backdrop = Backdrop()
        self._limit_since_s = 0.0
        self._truth = {side: _curve(cosmetic_pen(theme.TRUTH, Qt.PenStyle.DotLine)) for side in SIDES}
        self._curves = {side: _curve(cosmetic_pen(theme.SIDE_COLOUR[side])) for side in SIDES}
        self.placeholder = theme.label("", 15, theme.INK_FAINT, parent=self)
        self.placeholder.setStyleSheet(f"background: {theme.CARD}; color: {theme.INK_SOFT}; padding: 0 8px")
        self._set_up(with_time_axis)

    def _set_up(self, with_time_axis: bool) -> None:
        self.setMinimumHeight(64)
        self.setMouseEnabled(x=False, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getPlotItem().setContentsMargins(0, 4, 14, 0)
        box = self.getViewBox()
        box.disableAutoRange()
        box.setDefaultPadding(0)
        box.setXRange(-WINDOW_S, 0, padding=0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(cosmetic_pen(theme.LINE))
            axis.setTextPen(QColor(theme.INK_SOFT))
            axis.setStyle(tickLength=0, tickFont=theme.sized(11), hideOverlappingLabels=False)
        self.getAxis("left").setWidth(36)
        bottom = self.getAxis("bottom")
        if with_time_axis:
            bottom.setHeight(20)
            ticks = [(-s, f"−{s:g} s" if s else "now") for s in (10.0, 8.0, 6.0, 4.0, 2.0, 0.0)]
            bottom.setTicks([ticks])
        else:
            bottom.setHeight(1)
            bottom.setTicks([])
        self.addItem(self.backdrop, ignoreBounds=True)
        for item in (*self._truth.values(), *self._curves.values()):
            self.addItem(item, ignoreBounds=True)
        self._set_limit(20.0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Qt: paint, then report."""
        began = time.perf_counter_ns()
        super().paintEvent(event)
        if self.probe is not None:
            self.probe.spent(time.perf_counter_ns() - began)
            self.probe.painted()

    def _set_limit(self, limit_deg: float) -> None:
        self.backdrop.limit_deg = limit_deg
        step = self.backdrop.step_deg = 10.0 if limit_deg <= 30 else 15.0 if limit_deg <= 45 else 30.0
        shown = np.arange(-limit_deg, limit_deg + 0.1, step)
        ticks = [(float(v), f"{v:+.0f}".replace("-", "−") if v else "0") for v in shown]
        self.getAxis("left").setTicks([ticks])
        self.getViewBox().setYRange(-limit_deg, limit_deg, padding=0.04)

    def fit(self, largest_deg: float, now_s: float) -> None:
        """Widen at once, narrow only after a while: the scale must not jump about."""
        wanted = float(next((r for r in _RANGES_DEG if r >= largest_deg), 180))
        current = self.backdrop.limit_deg
        if wanted >= current:
            self._limit_since_s = now_s
        if wanted > current or (wanted < current and abs(now_s - self._limit_since_s) > _SHRINK_AFTER_S):
            self._limit_since_s = now_s
            self._set_limit(wanted)

    def forget_limit(self) -> None:
        """Another angle is going to be shown: the scale may narrow at once."""
        self._limit_since_s = -_SHRINK_AFTER_S

    def show_traces(self, model: LiveModel, index: int) -> bool:
        """Shift the traces of an angle to the present; whether true angles are among them."""
        stream = model.stream
        now_s, largest, truth_shown = stream.now_s, 0.0, False
        bands: list[tuple[QColor, list[QRectF]]] = []
        contacts: list[tuple[QPen, list[QLineF]]] = []
        for side in SIDES:
            trace = stream.sides[side]
            inside = slice(int(np.searchsorted(trace.time_s, now_s - WINDOW_S)), None)
            values, spread = trace.signal(index)
            t, y, sd = trace.time_s[inside], values[inside], spread[inside]
            _draw(self._curves[side], t, y, now_s)
            has_truth = len(trace.truth_time_s) > 0 and index < ANKLE_COUNT
            truth_shown |= has_truth
            self._truth[side].setVisible(has_truth)
            if has_truth:
                inside = slice(int(np.searchsorted(trace.truth_time_s, now_s - WINDOW_S)), None)
                _draw(self._truth[side], trace.truth_time_s[inside], trace.truth_deg[inside, index], now_s)
            contacts.append((cosmetic_pen(theme.SIDE_COLOUR[side]), self._ticks(stream.contacts_s[side] - now_s)))
            if np.isfinite(y).any():
                largest = max(largest, float(np.nanmax(np.abs(y))))
            colour = QColor(theme.SIDE_COLOUR[side])
            colour.setAlpha(38)
            middle, low, high = decimate.band(t, y, sd, _BAND_BUCKET_S)
            bands.append((colour, _columns(middle - now_s, low, high)))
        self.backdrop.bands, self.backdrop.contacts = bands, contacts
        self.backdrop.update()
        self.fit(largest * 1.05, now_s)
        self._show_placeholder(model, index, largest == 0.0)
        return truth_shown

    def _ticks(self, x: FloatArray) -> list[QLineF]:
        low, high = -1.04 * self.backdrop.limit_deg, -0.93 * self.backdrop.limit_deg
        return [QLineF(at, low, at, high) for at in x[(x > -WINDOW_S) & (x <= 0)].tolist()]

    def _show_placeholder(self, model: LiveModel, index: int, empty: bool) -> None:
        """Why there is no curve."""
        if empty:
            notes = {model.reading(side, index).note for side in SIDES} - {"", "no sensor"}
            self.placeholder.setText(" · ".join(sorted(notes)))
            self.placeholder.adjustSize()
            middle = self.rect().adjusted(36, 0, -14, 0).center()
            self.placeholder.move(middle - self.placeholder.rect().center())
        self.placeholder.setVisible(empty)


def _curve(pen: QPen) -> Any:
    return pg.PlotCurveItem(pen=pen, antialias=True, skipFiniteCheck=True)


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
