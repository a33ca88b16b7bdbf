"""Asks whose session it is."""

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from subtalar.dashboard.places.live.session_owner import SessionOwner
from subtalar.dashboard.widgets import theme
from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import LONGEST_LABEL

_FIELDS = (
    ("participant", "Participant", "a code such as P017, no name"),
    ("visit", "Visit", "such as baseline"),
    ("condition", "Condition", "such as barefoot or insole A"),
)


class OwnerDialog(QDialog):
    """Three fields. ``keep`` is called with them, and may raise InputError, whose sentence is shown; then
    ``owner`` is what it returned."""

    def __init__(self, parent: QWidget, before: SessionOwner, keep: Callable[[str, str, str], SessionOwner]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Whose session is it?")
        self.setMinimumWidth(460)
        self._keep = keep
        self.owner: SessionOwner | None = None
        self.fields = {name: QLineEdit(text) for (name, _, _), text in zip(_FIELDS, before, strict=True)}
        self.complaint = theme.label("", 13, theme.SEVERITY_COLOUR["problem"])
        self.complaint.setWordWrap(True)
        form = QFormLayout()
        form.setSpacing(10)
        for name, words, example in _FIELDS:
            self.fields[name].setPlaceholderText(example)
            self.fields[name].setMaxLength(2 * LONGEST_LABEL)
            form.addRow(words, self.fields[name])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self.complaint)
        column.addWidget(buttons)

    def accept(self) -> None:
        """Qt: OK was pressed. The dialog stays open until what was typed could be kept."""
        try:
            self.owner = self._keep(*(self.fields[name].text() for name, _, _ in _FIELDS))
        except InputError as error:
            self.complaint.setText(str(error))
            return
        super().accept()
