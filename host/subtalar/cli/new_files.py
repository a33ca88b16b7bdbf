"""Where a live session writes: what is known to fail is said before anything is started."""

import os
from pathlib import Path

from subtalar.cli.places import say_earlier
from subtalar.errors import InputError


def recording_path(record: str | None, *, wanted: bool) -> Path | None:
    """Of the new recording; None where none is wanted. Raises SubtalarError where it cannot be made."""
    if not wanted:
        return None
    if record is not None:
        return _writable(record)
    from datetime import datetime

    from subtalar.session import default_recording_path, earlier_folders, recordings_folder

    if not recordings_folder().exists():  # said once: from now on there is one
        say_earlier(earlier_folders())
    return default_recording_path(datetime.now().astimezone())


def _writable(path: str) -> Path:
    from subtalar.session import check_new

    if not path:
        raise InputError("The name of the file is empty: give one, such as walk.mcap.")
    chosen = Path(path).expanduser().absolute()
    check_new(chosen)  # what is known to fail is said before anything is started
    return chosen


def truth_path(path: str) -> Path:
    """Of a file that may be overwritten where it holds true angles: the same seed gives the same truth."""
    from subtalar.session.importing.table import read_table

    chosen = Path(path).expanduser().absolute()
    if not chosen.name.endswith(".csv.gz"):
        raise InputError(f"The true angles cannot be written to {chosen.name}: give a name that ends in .csv.gz.")
    if chosen.is_file():
        try:
            columns = read_table(chosen).columns
        except InputError:
            columns = ("",)
        if not all(name == "time_s" or name.startswith(("left_", "right_")) for name in columns):
            raise InputError(f"{chosen} exists already and holds no true angles: choose another name.")
    if chosen.is_dir():
        raise InputError(f"{chosen} is a folder: give the name of a file in it.")
    if not os.access(chosen if chosen.exists() else chosen.parent, os.W_OK):
        raise InputError(f"{chosen} cannot be written: choose a folder that exists and that you may write to.")
    return chosen
