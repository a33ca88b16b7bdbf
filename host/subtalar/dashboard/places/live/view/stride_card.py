"""The last strides as a table: each side's mean first, then stride by stride, newest on top."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.stride_means import MEAN_OF_STRIDES, StrideMean
from subtalar.dashboard.widgets import theme
from subtalar.dashboard.wording import SIDE_WORDS, STRIDE_COLUMNS, clock_text, quality_help, quality_text
from subtalar.types import Side, Stride

_SHOWN = 40
_FIRST = 2  # leg and time come before the numbers
_ROOMY_PX = 1000


class StrideCard(QFrame):
    """The table, or a sentence while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._shown_count = -1
        self.table = _table()
        self._count = theme.label("", 13, theme.INK_SOFT)
        self._empty = theme.label("Strides appear here once the person walks or runs.", 14, theme.INK_SOFT)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 8)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(theme.label("Strides", 15, theme.INK, QFont.Weight.Bold))
        head.addWidget(self._count)
        head.addStretch(1)
        column.addLayout(head)
        stacked = QWidget()
        self._stack = QStackedLayout(stacked)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)
        column.addWidget(stacked, 1)

    def show_strides(self, model: LiveModel) -> None:
        """Update when there are new strides."""
        stream = model.stream
        if not stream.running:
            self._empty.setText("No strides were found.")
        so_far = " so far" if stream.running else ""
        self._count.setText(f"{stream.stride_count}{so_far}" if stream.strides else "")
        if stream.stride_count == self._shown_count:
            return
        self._shown_count = stream.stride_count
        self._stack.setCurrentIndex(1 if stream.strides else 0)
        strides = stream.strides[: -_SHOWN - 1 : -1]
        self.table.setRowCount(len(model.stride_means) + len(strides))
        for row, mean in enumerate(model.stride_means):
            self._fill_mean(row, mean)
        for row, stride in enumerate(strides, len(model.stride_means)):
            self._fill_stride(row, stride)

    def _fill_mean(self, row: int, mean: StrideMean) -> None:
        texts = [c.mean_text(m, s) for c, m, s in zip(STRIDE_COLUMNS, mean.mean, mean.sd, strict=True)]
        tip = f"Mean ± standard deviation of the last {mean.n} good strides (at most {MEAN_OF_STRIDES})"
        self._fill(row, mean.side, f"mean {mean.n}", texts, "mean ± sd", tip, strong=True)

    def _fill_stride(self, row: int, stride: Stride) -> None:
        texts = [column.text(column.value(stride)) for column in STRIDE_COLUMNS]
        words = quality_text(stride.quality)
        tip = quality_help(stride.quality)
        self._fill(row, stride.side, clock_text(stride.initial_contact_s), texts, words, tip, faint=words != "ok")

    def _fill(
        self,
        row: int,
        side: Side,
        when: str,
        texts: list[str],
        quality: str,
        tip: str,
        *,
        strong: bool = False,
        faint: bool = False,
    ) -> None:
        for k, text in enumerate([SIDE_WORDS[side], when, *texts, quality]):
            item = self.table.item(row, k)
            if item is None:
                item = QTableWidgetItem()
                left = k == 0 or k == _FIRST + len(STRIDE_COLUMNS)
                item.setTextAlignment(
                    (Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight)
                    | Qt.AlignmentFlag.AlignVCenter
                )
                self.table.setItem(row, k, item)
            item.setText(text)
            item.setToolTip(tip)
            weight = QFont.Weight.DemiBold if strong or k == 0 else QFont.Weight.Normal
            item.setFont(theme.sized(11 if strong and k else 13, weight))
            colour = theme.SIDE_TEXT[side] if k == 0 else theme.INK_SOFT if faint else theme.INK
            item.setForeground(QBrush(QColor(colour)))
            item.setBackground(QBrush(QColor("#edf2f7" if strong else theme.CARD)))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Qt: leave out what is not essential when there is little room."""
        for k, column in enumerate(STRIDE_COLUMNS):
            self.table.setColumnHidden(_FIRST + k, not column.essential and self.width() < _ROOMY_PX)
        super().resizeEvent(event)


def _table() -> QTableWidget:
    last = _FIRST + len(STRIDE_COLUMNS)
    table = QTableWidget(0, last + 1)
    heads = ["Leg", "Time", *(f"{c.title} {c.unit}".strip() for c in STRIDE_COLUMNS), "Quality"]
    for k, text in enumerate(heads):
        head = QTableWidgetItem(text)
        if k in (0, last):
            head.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        if _FIRST <= k < last:
            head.setToolTip(STRIDE_COLUMNS[k - _FIRST].help)
        table.setHorizontalHeaderItem(k, head)
    header = table.horizontalHeader()
    header.setFont(theme.sized(11))
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    header.setMinimumSectionSize(36)
    for k, width in ((0, 44), (1, 58), (last, 92)):
        header.setSectionResizeMode(k, QHeaderView.ResizeMode.Fixed)
        table.setColumnWidth(k, width)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(22)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setShowGrid(False)
    table.setWordWrap(True)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return table
