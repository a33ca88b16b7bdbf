"""What another recordings folder holds comes to this one: what is known of people at once, recordings when asked."""

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import Participant
from subtalar.session.catalogue.database import remove_catalogue, writing
from subtalar.session.catalogue.layout import (
    CATALOGUE,
    ENCRYPTED_SUFFIX,
    LINKS,
    NOTES_SUFFIX,
    PARTICIPANTS,
    companion_path,
    companions,
    session_key,
)
from subtalar.session.catalogue.links import Link, read_links, write_link
from subtalar.session.catalogue.sidecar_files import private_folder, read_json, read_participant, write_participant
from subtalar.session.durable_file import is_being_written
from subtalar.session.paths import sessions_in

if TYPE_CHECKING:
    from subtalar.session.catalogue.store import Catalogue


@dataclass(frozen=True)
class Moved:
    """``paths``: where the sessions are now; ``left``: a sentence for each that stayed where it was."""

    paths: tuple[Path, ...]
    left: tuple[str, ...]


def take_over(folder: Path, place: Path, timeout_s: float) -> list[str]:
    """Bring participants and links from ``place`` to ``folder``; recordings stay, and the index over them goes.

    One place knows of a person, or erasing would leave the rest behind. Returns a sentence for what could not be
    brought; all of it is found again at the next call.
    """
    if not any(os.path.lexists(place / name) for name in (PARTICIPANTS, LINKS, CATALOGUE)):
        return []
    problems: list[str] = []
    for file in sorted((place / PARTICIPANTS).glob("*.json*")):
        with _collecting(problems, file):
            _take_person(folder, file)
    for link in read_links(place):
        if isinstance(link, str):
            problems.append(link)
            continue
        with _collecting(problems, link.file):
            _take_link(folder, place, link)
    for name in (PARTICIPANTS, LINKS):
        if (place / name).is_dir() and not any((place / name).iterdir()):
            (place / name).rmdir()
    with _collecting(problems, place / CATALOGUE):
        remove_catalogue(place, timeout_s)
    return problems


def move_here(catalogue: "Catalogue", place: Path) -> Moved:
    """Move every session of ``place`` with what lies beside it into the catalogue's folder. Raises InputError."""
    moved: list[Path] = []
    left: list[str] = []
    for path in sorted(set(sessions_in(place))):
        target = catalogue.folder / path.relative_to(place)
        left_behind = path.parent.glob(f".{glob.escape(path.name)}.*")  # by a program that was killed
        files = [p for p in (path, *companions(path), *left_behind) if os.path.lexists(p)]
        if is_being_written(path):
            left.append(f"{path} is being recorded at this moment.")
        elif any(
            os.path.lexists(target.parent / file.name) for file in (*files, companion_path(path, ENCRYPTED_SUFFIX))
        ):
            left.append(f"{path} stays, because {target.parent} holds a file of that name: rename one of the two.")
        else:
            _move(catalogue, path, target, files)
            moved.append(target)
    catalogue.refresh()
    return Moved(tuple(moved), tuple(left))


def _move(catalogue: "Catalogue", path: Path, target: Path, files: list[Path]) -> None:
    before, after = session_key(catalogue.folder, path), session_key(catalogue.folder, target)
    private_folder(target.parent)
    done: list[Path] = []
    try:
        for file in files:
            shutil.move(file, target.parent / file.name)
            done.append(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            for file in done:
                shutil.move(target.parent / file.name, file)
        raise InputError(f"{path} cannot be moved to {target.parent} ({error.strerror or error}).") from error
    for link in list(read_links(catalogue.folder)):
        if isinstance(link, Link) and link.session == before:
            _rewrite(catalogue.folder, link, after)
    with writing(catalogue.db):
        catalogue.db.execute("DELETE FROM sessions WHERE path = ?", (before,))


def _take_person(folder: Path, file: Path) -> None:
    target = folder / PARTICIPANTS / file.name
    private_folder(target.parent)
    if not target.exists():
        shutil.move(file, target)
        return
    if file.name.endswith(NOTES_SUFFIX):
        with target.open("ab") as notes:
            notes.write(b"\n" + file.read_bytes())
            notes.flush()
            os.fsync(notes.fileno())
    else:
        new, old = read_participant(folder, file.stem), read_participant(file.parent.parent, file.stem)
        if new is not None and old is not None:
            height_m = old.height_m if new.height_m is None else new.height_m
            sides = new.affected_sides or old.affected_sides
            write_participant(folder, Participant(new.code, sides, height_m, new.footwear or old.footwear))
    file.unlink()


def _take_link(folder: Path, place: Path, link: Link) -> None:
    """Sessions below ``place`` were called by their path below it."""
    session = link.session if os.path.isabs(link.session) else os.path.join(os.path.realpath(place), link.session)
    _rewrite(folder, link, session)


def _rewrite(folder: Path, link: Link, session: str) -> None:
    content = {k: v for k, v in (read_json(link.file) or {}).items() if k not in ("kind", "format", "version")}
    target = session if not link.folder else f"{session}\n{link.folder}"
    write_link(folder, link.kind, target, {**content, "session": session})
    link.file.unlink()


@contextlib.contextmanager
def _collecting(problems: list[str], path: Path) -> Iterator[None]:
    """A file that cannot be brought is said, and stays."""
    try:
        yield
    except InputError as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(f"{path} cannot be brought here ({error.strerror or error}).")
