"""Where recordings lie, and readers of those that are no session: one sensor, no clock of the host."""

from pathlib import Path

from subtalar.errors import InputError


def existing(data: Path, name: str) -> Path:
    """A part of the folder of recordings. Raises InputError where it is missing."""
    if not (data / name).exists():
        raise InputError(
            f"There is no {name} in {data}: name a folder that holds it, or measure another part (--only)."
        )
    return data / name
