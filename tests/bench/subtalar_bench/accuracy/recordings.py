"""Where recordings lie."""

from pathlib import Path

from subtalar.errors import InputError


def existing(data: Path, name: str = "") -> Path:
    """The folder of recordings, or a part of it. Raises InputError where it is missing."""
    if not data.is_dir():
        raise InputError(f"There is no folder {data} with recordings to measure on: name the one you have with --data.")
    if not (data / name).exists():
        raise InputError(
            f"There is no {name} in {data}: name a folder that holds it, or measure another part (--only)."
        )
    return data / name
