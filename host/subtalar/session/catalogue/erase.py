"""Erase sessions or a whole participant: files, results, companions, links and rows, nothing that is somebody else's.

The files go first and the rows last, so that what is interrupted can be done again and finds the rest.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.catalogue.database import writing
from subtalar.session.catalogue.layout import LINKS, PARTICIPANTS, companions, session_key
from subtalar.session.catalogue.links import Link, read_links, result_links, session_links
from subtalar.session.catalogue.refresh import delete_orphans
from subtalar.session.catalogue.sidecar_files import participant_file, participant_notes_file, write_text
from subtalar.session.catalogue.store import Catalogue, SessionRow
from subtalar.session.durable_file import is_being_written
from subtalar.session.recording.read import sample_cache as cache

_SMALL = 2**20


@dataclass(frozen=True)
class Erasure:
    """What is going to go. ``kept``: sentences about what cannot or will not be erased.

    ``code`` is empty where single sessions go; ``paths`` are files and folders that exist. ``file_lists`` are
    those that exports keep of their files, and the names to be struck out of them.
    """

    code: str
    sessions: tuple[SessionRow, ...]
    paths: tuple[Path, ...]
    kept: tuple[str, ...]
    file_lists: tuple[tuple[Path, tuple[str, ...]], ...] = ()


def plan_participant(catalogue: Catalogue, code: str) -> Erasure:
    """Everything of one participant. Raises InputError where nobody has that code or is being recorded with it."""
    rows = catalogue.sessions(code)
    own = [participant_file(catalogue.folder, code), participant_notes_file(catalogue.folder, code)]
    if not rows and not any(p.exists() for p in own):
        catalogue.participant(code)  # says that there is none
    plan = _plan(catalogue, code, rows, own)
    return replace(plan, kept=(*plan.kept, *_mentions(catalogue, code, plan)))


def plan_session(catalogue: Catalogue, path: Path) -> Erasure:
    """One session with all that was made from it. Raises InputError where it is not known or being recorded."""
    key = session_key(catalogue.folder, path)
    rows = [row for row in catalogue.sessions() if session_key(catalogue.folder, row.path) == key]
    if not rows:
        raise InputError(f"{path} is not in the catalogue: `subtalar session list` shows what is.")
    return _plan(catalogue, "", rows, [])


def erase(catalogue: Catalogue, plan: Erasure) -> list[str]:
    """Do it. Returns a sentence for each thing that could not be removed; what belongs to it then stays listed."""
    failed: list[str] = []
    cache.forget(paths=[row.path for row in plan.sessions])
    for path in plan.paths:
        try:
            _remove(path)
        except OSError as error:
            failed.append(f"{path} could not be erased ({error.strerror}): erase it by hand.")
    for file_list, names in plan.file_lists:
        _remove_from_file_list(file_list, names)
    for folder in {path.parent for path in plan.paths}:
        if folder != catalogue.folder and folder.name not in (LINKS, PARTICIPANTS):
            with contextlib.suppress(OSError):
                _remove_if_empty(folder, plan)
    if not failed:
        _delete_rows(catalogue, plan)
    catalogue.refresh()
    return failed


def _plan(catalogue: Catalogue, code: str, rows: Sequence[SessionRow], own: Iterable[Path]) -> Erasure:
    links = list(read_links(catalogue.folder))
    to_sessions = session_links(links)
    paths: list[Path] = [*own]
    kept: list[str] = []
    file_lists: list[tuple[Path, tuple[str, ...]]] = []
    for row in rows:
        if is_being_written(row.path):
            raise InputError(f"{row.path.name} is being recorded at this moment: end that session first.")
        key = session_key(catalogue.folder, row.path)
        if row.state == "missing":
            kept.append(f"{row.path} is not there now: if it comes back (a stick, a network drive), erase it there.")
        held = _not_ours(row)
        if held:
            kept.append(held)
        else:
            paths += [row.path, *_staged(row.path)]
        paths += companions(row.path)
        for link in result_links(links, key):
            results, sentence = _results(link)
            paths += [*results, link.file]
            kept += sentence
            if link.file_list:
                file_lists.append((Path(link.folder) / link.file_list, link.files))
        if key in to_sessions:
            paths.append(to_sessions[key].file)
    existing = dict.fromkeys(path for path in paths if path.exists() or path.is_symlink())
    return Erasure(code, tuple(rows), tuple(existing), tuple(kept), tuple(file_lists))


def _not_ours(row: SessionRow) -> str:
    """A folder was imported, and may hold what was never ours to delete."""
    if row.path.is_dir():
        return f"{row.path} was not made by subtalar: its files are left, and what was made from them goes."
    return ""


def _staged(path: Path) -> list[Path]:
    """Copies that a program which was killed has left beside the recording."""
    try:
        return [p for p in path.parent.iterdir() if p.name.startswith(f".{path.name}.")]
    except OSError:
        return []


def _results(link: Link) -> tuple[list[Path], list[str]]:
    folder = Path(link.folder)
    files = [folder / name for name in link.files if (folder / name).exists()]
    if link.files and not folder.exists():
        return [], [f"{folder} with results is not there now: if it was moved, erase it there."]
    return files, []


def _mentions(catalogue: Catalogue, code: str, plan: Erasure) -> list[str]:
    """Where else the code stands: in the header of a recording that was given to somebody else, or in others' notes."""
    going = set(plan.paths)
    sentences = [
        f"{row.path} names {code} inside, but was assigned to {row.assignment.participant or 'nobody'}: it stays."
        for row in catalogue.sessions()
        if row.recorded_participant == code and row.assignment.participant != code
    ]
    needle = code.encode().lower()
    for root, _, names in os.walk(catalogue.folder):
        for path in (Path(root) / name for name in names if name.endswith((".json", ".jsonl"))):
            with contextlib.suppress(OSError):
                if path not in going and path.stat().st_size <= _SMALL and needle in path.read_bytes().lower():
                    sentences.append(f"{path} speaks of {code}, but belongs to somebody else: look at it by hand.")
    return sentences


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_from_file_list(file_list: Path, names: Iterable[str]) -> None:
    """Take names out of the list that an export keeps; an empty one goes. One that cannot be read is not ours."""
    try:
        stored = json.loads(file_list.read_text(encoding="utf-8"))
        left = {name: entry for name, entry in stored["files"].items() if name not in set(names)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    if left:
        write_text(file_list, json.dumps(stored | {"files": left}, indent=1, ensure_ascii=False) + "\n")
    else:
        file_list.unlink(missing_ok=True)


def _remove_if_empty(folder: Path, plan: Erasure) -> None:
    """A folder of results that held nothing else; a person's folder with recordings stays."""
    if not any(folder.iterdir()) and not any(row.path.parent == folder for row in plan.sessions):
        folder.rmdir()


def _delete_rows(catalogue: Catalogue, plan: Erasure) -> None:
    """Rows, and the bytes where they stood: SQLite overwrites, packs, and empties its log."""
    db = catalogue.db
    with writing(db):
        for row in plan.sessions:
            db.execute("DELETE FROM sessions WHERE path = ?", (session_key(catalogue.folder, row.path),))
        if plan.code:
            db.execute("DELETE FROM participants WHERE code = ?", (plan.code,))
        delete_orphans(db)
    db.execute("VACUUM")
    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise InputError("The files are erased, but the log of another open window may name them until it is closed.")
