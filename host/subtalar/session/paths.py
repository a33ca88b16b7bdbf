"""Where recordings go when nobody says otherwise."""

import os
from datetime import datetime
from pathlib import Path

from subtalar.errors import RecordingError

ENVIRONMENT_VARIABLE = "SUBTALAR_RECORDINGS"


def recordings_folder() -> Path:
    """``$SUBTALAR_RECORDINGS``, else the folder ``subtalar`` in the user's home. It need not exist."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / "subtalar"


def default_recording_path(now: datetime) -> Path:
    """A new name such as ``~/subtalar/2026-11-21_14-05-09.mcap``, in the time zone of ``now``.

    The folder is made where it does not exist. Raises RecordingError where that is not possible.
    """
    folder = recordings_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RecordingError(
            f"The folder {folder} for recordings cannot be made ({error.strerror}): "
            f"set {ENVIRONMENT_VARIABLE} to another one."
        ) from error
    stem = now.strftime("%Y-%m-%d_%H-%M-%S")
    path = folder / f"{stem}.mcap"
    number = 2
    while path.exists():
        path = folder / f"{stem}_{number}.mcap"
        number += 1
    return path
