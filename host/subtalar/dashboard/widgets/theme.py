"""Colours, type and style sheet: light, high contrast, told apart without red and green."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from subtalar.dashboard.wording import Level, Severity
from subtalar.types import Side

INK: Final = "#17202b"
INK_SOFT: Final = "#52606d"
INK_FAINT: Final = "#8a95a1"
PAGE: Final = "#eef1f5"
CARD: Final = "#ffffff"
LINE: Final = "#d9dfe6"
GRID: Final = "#e6eaef"
ZERO: Final = "#9aa5b1"
TRUTH: Final = "#6b7682"

SIDE_COLOUR: Final[dict[Side, str]] = {"left": "#0072b2", "right": "#d55e00"}
"""Okabe and Ito's blue and vermillion: distinct for every common kind of colour blindness."""
SIDE_TEXT: Final[dict[Side, str]] = {"left": "#005b8f", "right": "#a84700"}
"""The same, dark enough for text on white (contrast over 5:1)."""

SEVERITY_COLOUR: Final[dict[Severity, str]] = {
    "ok": "#0a7d5a",
    "waiting": "#8a6100",
    "problem": "#b3261e",
    "off": "#5f6b77",
}
SEVERITY_MARK: Final[dict[Severity, str]] = {"ok": "●", "waiting": "◐", "problem": "▲", "off": "○"}

BANNER: Final[dict[Level, tuple[str, str, str]]] = {
    "info": ("#ffffff", INK, LINE),
    "advice": ("#0b4f7a", "#ffffff", "#0b4f7a"),
    "problem": ("#fdeceb", "#8c1d18", "#e0a09b"),
    "done": ("#e7f4ee", "#0b5740", "#a9d3c1"),
}
"""Background, text, border of the instruction line."""

_FAMILIES = ("Inter", "Segoe UI Variable", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "Liberation Sans")
_SAMPLE: Final = "Right shank mean ± 0.12"
_SAMPLE_PX: Final = 155
"""What the layout has room for. The font of a bare Debian, DejaVu Sans, takes a sixth more, and is drawn narrower."""

STYLE: Final = f"""
QWidget {{ color: {INK}; }}
QMainWindow, QWidget#page {{ background: {PAGE}; }}
QFrame[card="true"] {{ background: {CARD}; border: 1px solid {LINE}; border-radius: 8px; }}
QLabel {{ background: transparent; }}
QToolTip {{ background: {CARD}; color: {INK}; border: 1px solid {LINE}; padding: 4px; }}
QPushButton {{ background: {CARD}; border: 1px solid #b9c3cd; border-radius: 6px; padding: 8px 18px;
  font-weight: 600; }}
QPushButton:hover {{ background: #f3f6f9; }}
QPushButton:pressed {{ background: #e3e9ef; }}
QPushButton:focus {{ border: 2px solid #0b4f7a; padding: 7px 17px; }}
QPushButton:disabled {{ color: {INK_FAINT}; border-color: {LINE}; }}
QPushButton#stop {{ background: #b3261e; border-color: #b3261e; color: white; }}
QPushButton#stop:hover {{ background: #9c1f18; }}
QPushButton#stop:focus {{ border: 2px solid {INK}; }}
QPushButton#stop:disabled {{ background: #eceff3; border-color: {LINE}; color: {INK_FAINT}; }}
QPushButton[view="true"] {{ border-radius: 0; padding: 4px 12px; font-weight: 500; border-color: {LINE}; }}
QPushButton[view="true"]:checked {{ background: #0b4f7a; border-color: #0b4f7a; color: white; }}
QTableWidget {{ background: {CARD}; border: none; gridline-color: transparent; selection-background-color: #dcebf5;
  selection-color: {INK}; alternate-background-color: #f7f9fb; }}
QHeaderView::section {{ background: {CARD}; border: none; border-bottom: 1px solid {LINE}; color: {INK_SOFT};
  padding: 2px 3px; font-size: 11px; font-weight: 500; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: #c5cdd6; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
"""


def apply(app: QApplication) -> None:
    """Fix the look, whatever the desktop's theme."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, PAGE),
        (QPalette.ColorRole.Base, CARD),
        (QPalette.ColorRole.AlternateBase, "#f7f9fb"),
        (QPalette.ColorRole.Button, CARD),
        (QPalette.ColorRole.Text, INK),
        (QPalette.ColorRole.WindowText, INK),
        (QPalette.ColorRole.ButtonText, INK),
        (QPalette.ColorRole.ToolTipBase, CARD),
        (QPalette.ColorRole.ToolTipText, INK),
        (QPalette.ColorRole.Highlight, "#dcebf5"),
        (QPalette.ColorRole.HighlightedText, INK),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    installed = set(QFontDatabase.families())
    family = next((f for f in _FAMILIES if f in installed), app.font().family())
    base = QFont(family)
    base.setPixelSize(14)
    if family not in _FAMILIES and QFontMetricsF(base).horizontalAdvance(_SAMPLE) > _SAMPLE_PX:
        base.setStretch(round(100 * _SAMPLE_PX / QFontMetricsF(base).horizontalAdvance(_SAMPLE)))
    app.setFont(base)
    app.setStyleSheet(STYLE)


def sized(pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The application's font in another size, digits of equal width where the font has them."""
    chosen = QFont(QApplication.font())
    chosen.setPixelSize(pixels)
    chosen.setWeight(weight)
    if hasattr(QFont, "setFeature"):
        chosen.setFeature(QFont.Tag("tnum"), 1)
    return chosen


def label(
    text: str = "",
    pixels: int = 14,
    colour: str = INK,
    weight: QFont.Weight = QFont.Weight.Normal,
    parent: QWidget | None = None,
) -> QLabel:
    """A label in one call."""
    made = QLabel(text, parent)
    made.setFont(sized(pixels, weight))
    made.setStyleSheet(f"color: {colour}")
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


class ElidedLabel(QLabel):
    """A label that shortens its text in the middle, so that the end of a path stays readable."""

    def __init__(
        self,
        pixels: int = 13,
        colour: str = INK_SOFT,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        lines: int = 1,
        weight: QFont.Weight = QFont.Weight.Normal,
    ) -> None:
        super().__init__()
        self._lines = lines
        self.setWordWrap(lines > 1)
        self.setFont(sized(pixels, weight))
        self.setStyleSheet(f"color: {colour}")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._mode, self._full = mode, ""

    def set_full_text(self, text: str) -> None:
        """Show as much of the text as fits; all of it in the tool tip."""
        if text != self._full:
            self._full = text
            self.setToolTip(text)
            self._elide()

    def full_text(self) -> str:
        """What was asked to be shown."""
        return self._full

    def _elide(self) -> None:
        # Words that do not fit at the end of a line leave room there: most of a word a line.
        room = self.width() - 2 if self._lines == 1 else self._lines * (self.width() - 80) + 60
        self.setText(self.fontMetrics().elidedText(self._full, self._mode, max(room, 0)))

    def resizeEvent(self, event: object) -> None:  # noqa: N802
        """Qt: the width changed."""
        self._elide()
