"""Whose session it is, said while it runs or after its end: kept beside the recording, which itself is not changed."""

from pathlib import Path

from subtalar.session.catalogue import checked_about, write_about
from subtalar.session.paths import recordings_folder


def keep_about(recording_path: str, participant: str, visit: str, condition: str) -> tuple[str, str, str]:
    """Check what a person typed and keep it. Raises InputError, in a sentence for that person."""
    about = checked_about(participant.strip(), visit.strip(), condition.strip())
    write_about(recordings_folder(), Path(recording_path), about)
    return about.participant, about.visit, about.condition
