"""The catalogue of a recordings folder: who was measured, when, under which condition, and where the files are.

An index in SQLite over recordings and small files beside them, made anew from these whenever it is lost.
"""

from subtalar.session.catalogue.assignment import (
    CONFIGURATION_KEY,
    UNASSIGNED,
    Assignment,
    Participant,
    assignment_in,
    checked_assignment,
    checked_code,
    checked_height,
    checked_label,
)
from subtalar.session.catalogue.links import link_session
from subtalar.session.catalogue.session_files import (
    add_session_note,
    is_catalogued,
    link_results,
    read_assignment,
    remove_unused_link,
    write_sidecar,
)
from subtalar.session.catalogue.store import Catalogue, ParticipantRow, SessionRow, open_catalogue

__all__ = [
    "CONFIGURATION_KEY",
    "UNASSIGNED",
    "Assignment",
    "Catalogue",
    "Participant",
    "ParticipantRow",
    "SessionRow",
    "add_session_note",
    "assignment_in",
    "checked_assignment",
    "checked_code",
    "checked_height",
    "checked_label",
    "is_catalogued",
    "link_results",
    "link_session",
    "open_catalogue",
    "read_assignment",
    "remove_unused_link",
    "write_sidecar",
]
