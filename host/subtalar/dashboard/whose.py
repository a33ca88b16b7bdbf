"""Whose session it is, as a person types it in a view; what reads recordings is loaded only then."""

from pathlib import Path
from typing import TypeAlias

Said: TypeAlias = tuple[str, str, str]
"""Participant, visit, condition."""


def checked_said(participant: str, visit: str, condition: str) -> Said:
    """Without blanks at the ends, the code in capitals. Raises InputError, in a sentence for that person."""
    from subtalar.session.catalogue import checked_about

    about = checked_about(participant.strip(), visit.strip(), condition.strip())
    return about.participant, about.visit, about.condition


def keep_said(recording_path: str, said: Said) -> None:
    """Beside a recording, which itself is not changed. Raises InputError, in a sentence for that person."""
    from subtalar.session.catalogue import About, write_about
    from subtalar.session.paths import recordings_folder

    write_about(recordings_folder(), Path(recording_path), About(*said))
