"""Whose session it is, as a person types it in a view; what reads recordings is loaded only then."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

Said: TypeAlias = tuple[str, str, str]
"""Participant, visit, condition."""


def checked_said(participant: str, visit: str, condition: str) -> Said:
    """Without blanks at the ends, the code in capitals. Raises InputError, in a sentence for that person."""
    from subtalar.session.catalogue import checked_assignment

    about = checked_assignment(participant.strip(), visit.strip(), condition.strip())
    return about.participant, about.visit, about.condition


def keep_said(recordings: Sequence[str], said: Said) -> None:
    """Beside recordings of a session, which themselves are not changed.

    Raises InputError, in a sentence for that person, where it cannot be kept beside the first. The others may have
    gone with their disk.
    """
    from subtalar.errors import InputError
    from subtalar.session.catalogue import Assignment, write_sidecar
    from subtalar.session.paths import recordings_folder

    for number, path in enumerate(recordings):
        with contextlib.suppress(*(() if number == 0 else (InputError, OSError))):
            write_sidecar(recordings_folder(), Path(path), Assignment(*said))
