"""Which sessions lie in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.opening import is_session_folder

RECORDING_SUFFIX = ".mcap"


def find_sessions(folder: Path, *, but_not_in: Path) -> list[Path]:
    """Recordings and session folders at any depth of ``folder``, or that folder itself, in order of their names.

    Whatever is named like a recording counts, so that a damaged one is told and not passed over. Hidden folders, links
    to folders and ``but_not_in`` are left out. Raises InputError where the folder cannot be read or has none.
    """
    if not folder.is_dir():
        kind = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {kind}: name a folder that holds sessions.")
    try:
        found = sorted(_walk(folder, os.path.realpath(but_not_in)))
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be read ({error.strerror}).") from error
    if not found:
        raise InputError(f"{folder} holds no recording ({RECORDING_SUFFIX}) and no session folder.")
    return found


def _walk(folder: Path, left_out: str) -> Iterator[Path]:
    if os.path.realpath(folder) == left_out:
        return
    if is_session_folder(folder):
        yield folder
        return
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _walk(entry, left_out)
        elif entry.name.lower().endswith(RECORDING_SUFFIX):
            yield entry
