"""The catalogue of a recordings folder: who was measured, when, under which condition, and where the files are.

An index in SQLite over recordings and small files beside them, made anew from these whenever it is lost.
"""

from subtalar.session.catalogue.assignment import (
    CONFIGURATION_KEY,
    NOBODY,
    About,
    Participant,
    about_of,
    checked_about,
    checked_code,
    checked_height,
    checked_label,
)
from subtalar.session.catalogue.session_files import (
    add_session_note,
    forget_unmade,
    is_known,
    remember_results,
    remember_session,
    session_about,
    write_about,
)
from subtalar.session.catalogue.store import Catalogue, ParticipantRow, SessionRow, open_catalogue

__all__ = [
    "CONFIGURATION_KEY",
    "NOBODY",
    "About",
    "Catalogue",
    "Participant",
    "ParticipantRow",
    "SessionRow",
    "about_of",
    "add_session_note",
    "checked_about",
    "checked_code",
    "checked_height",
    "checked_label",
    "forget_unmade",
    "is_known",
    "open_catalogue",
    "remember_results",
    "remember_session",
    "session_about",
    "write_about",
]
