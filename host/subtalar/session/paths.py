"""Where recordings go when nobody says otherwise, and where others may lie that nobody told us of."""

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from subtalar.errors import InputError, RecordingError
from subtalar.places import data_folder, documents_folder

ENVIRONMENT_VARIABLE: Final = "SUBTALAR_RECORDINGS"
FOLDER_NAME: Final = "subtalar-recordings"
"""Not ``subtalar``: that is what ``git clone`` makes."""
_EARLIER_PLACE: Final = "~/subtalar"
"""Where recordings went before there was a folder for them in the documents, and where many have their clone."""
_SOURCES: Final = frozenset({"host", "firmware_sim", "calibration", "tests", "docs", "scripts"})


def recordings_folder() -> Path:
    """``$SUBTALAR_RECORDINGS``, else ``subtalar-recordings`` in the documents. It need not exist.

    Where there are no documents: ``recordings`` where this system keeps a program's data. A usual place that holds
    recordings or a catalogue is used on, so that a folder of documents that appears later hides nothing. None in a
    checkout of our own source is ever taken. Raises RecordingError where there is no place at all.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return _expanded(named)
    earlier, new = _earlier_place(), _new_places()
    outside = [place for place in (*new, *earlier) if checkout_around(place) is None]
    for place in outside:
        if _holds_ours(place):
            return place
    for place in outside:
        if place not in earlier and (place != new[0] or _can_be_made(place)):
            return place
    why = "There is no place for recordings outside of our own source" if new else "Nothing says where your home is"
    raise RecordingError(f"{why}: set {ENVIRONMENT_VARIABLE} to a folder of yours.")


def earlier_folders() -> tuple[Path, ...]:
    """Other usual places that hold recordings: these are listed beside those of ``recordings_folder``.

    None where ``$SUBTALAR_RECORDINGS`` says what there is.
    """
    if os.environ.get(ENVIRONMENT_VARIABLE):
        return ()
    chosen = recordings_folder()
    return tuple(place for place in (*_new_places(), *_earlier_place()) if place != chosen and _holds_ours(place))


def checkout_around(path: Path) -> Path | None:
    """The top folder of a copy of our source in which ``path`` lies or would lie; None where it does not."""
    real = Path(os.path.realpath(path))
    for folder in (real, *real.parents):
        try:
            if (folder / "host" / "subtalar" / "__init__.py").is_file() and (folder / "pyproject.toml").is_file():
                return folder
        except OSError:
            continue
    return None


def sessions_in(folder: Path) -> Iterator[Path]:
    """As ``find_sessions``; of a checkout, without what belongs to the source."""
    from subtalar.session.catalogue.layout import find_sessions

    checkout = checkout_around(folder)
    for path in find_sessions(folder):
        if checkout is None or not _SOURCES.intersection(path.relative_to(folder).parts[:-1][:1]):
            yield path


def default_recording_path(now: datetime) -> Path:
    """A new name such as ``2026-11-21_14-05-09.mcap`` in the recordings folder, in the time zone of ``now``.

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


def _new_places() -> list[Path]:
    """In the documents, then out of sight. None of them need exist; a home that nobody knows has none."""
    places = []
    for base, name in ((documents_folder, FOLDER_NAME), (data_folder, "recordings")):
        with contextlib.suppress(InputError):
            places.append(base() / name)
    return places


def _earlier_place() -> list[Path]:
    with contextlib.suppress(RecordingError):
        return [_expanded(_EARLIER_PLACE)]
    return []


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise RecordingError(f"The folder {path} cannot be found ({error}): give it without ~.") from error


def _holds_ours(folder: Path) -> bool:
    """Whether there are recordings, or what the catalogue is made from."""
    if not os.path.isdir(folder):  # which takes what may not be looked into for nothing
        return False
    from subtalar.session.catalogue.layout import CATALOGUE, LINKS, PARTICIPANTS

    if any(any((folder / name).glob("*.json*")) for name in (LINKS, PARTICIPANTS)):
        return True
    # An empty catalogue among the sources is an index of nothing.
    if checkout_around(folder) is None and os.path.exists(folder / CATALOGUE):
        return True
    return any(True for _ in sessions_in(folder))


def _can_be_made(folder: Path) -> bool:
    """A folder that exists, or whose parent does, and that may be written to."""
    place = folder if os.path.lexists(folder) else folder.parent
    return os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)
