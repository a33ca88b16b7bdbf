"""Whose session it is, as a person types it in a view; what reads recordings is loaded only then."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class SessionOwner(NamedTuple):
    """A pseudonymous code, and what is compared; empty where nobody said."""

    participant: str
    visit: str
    condition: str


def checked_owner(participant: str, visit: str, condition: str) -> SessionOwner:
    """Without blanks at the ends, the code in capitals. Raises InputError, in a sentence for that person."""
    from subtalar.session.catalogue import checked_assignment

    assignment = checked_assignment(participant.strip(), visit.strip(), condition.strip())
    return SessionOwner(assignment.participant, assignment.visit, assignment.condition)


def keep_owner(recordings: Sequence[str], owner: SessionOwner) -> None:
    """Beside recordings of a session, which themselves are not changed.

    Raises InputError, in a sentence for that person, where it cannot be kept beside the first. The others may have
    gone with their disk.
    """
    from subtalar.errors import InputError
    from subtalar.session.catalogue import Assignment, write_sidecar
    from subtalar.session.paths import recordings_folder

    for number, path in enumerate(recordings):
        with contextlib.suppress(*(() if number == 0 else (InputError, OSError))):
            write_sidecar(recordings_folder(), Path(path), Assignment(*owner))
