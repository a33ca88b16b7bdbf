"""One angle over the last ten seconds: what + and − mean on the left, the value now on the right."""

import functools

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout

from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.view.strip_plot import StripPlot
from subtalar.dashboard.places.live.view.strip_readout import StripReadout
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.wording import SIGNALS
from subtalar.types import SIDES

_WORDS_PX = 132


class AngleStrip(QFrame):
    """The card of one angle (``index`` as in ``wording.SIGNALS``); its title is a menu of all others."""

    def __init__(self, index: int, with_time_axis: bool) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._index = index
        self.chosen_by_hand = False
        self.plot = StripPlot(with_time_axis)
        self.readouts = {side: StripReadout(side) for side in SIDES}
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
            menu.addAction(words.title, functools.partial(self.choose, index))
        button.setMenu(menu)
        return button

    def choose(self, index: int) -> None:
        """The person wants to see this one, and keeps it."""
        self.chosen_by_hand = True
        self.show_signal(index)

    def show_signal(self, index: int) -> None:
        """Show another of ``wording.SIGNALS`` from now on."""
        if index != self._index:
            self._index = index
            self.plot.forget_limit()
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

    def show_traces(self, model: LiveModel) -> None:
        """Shift the traces to the present. Once a frame."""
        truth_shown = self.plot.show_traces(model, self._index)
        self._scale.setText("± 1 sd; dots: true angle" if truth_shown else "degrees, ± 1 sd")

    def show_readings(self, model: LiveModel) -> None:
        """Update the numbers. A few times a second: faster cannot be read."""
        for side in SIDES:
            self.readouts[side].show_reading(model.reading(side, self._index))
