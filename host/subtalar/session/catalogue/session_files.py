"""Sessions as their files tell them: the recording and its companions. Writes and reads no catalogue."""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import Assignment, assignment_from_json
from subtalar.session.catalogue.facts import SessionFacts, SessionState, facts_from_json, recording_facts
from subtalar.session.catalogue.layout import (
    ENCRYPTED_SUFFIX,
    NOTES_SUFFIX,
    SIDECAR_SUFFIX,
    companion_path,
    session_key,
    session_path,
)
from subtalar.session.catalogue.links import Link, is_linked, link_files, link_session, session_link_path
from subtalar.session.catalogue.sidecar_files import (
    Note,
    append_note,
    read_json,
    read_notes,
    write_json,
)
from subtalar.session.opening import is_recording
from subtalar.session.paths import earlier_folders


@dataclass(frozen=True)
class SessionRecord:
    """One session. ``path``: see ``session_key``; ``recorded_participant``: the code that stands inside the recording.

    ``stamp`` changes whenever one of its files does.
    """

    path: str
    assignment: Assignment
    facts: SessionFacts
    state: SessionState
    recorded_participant: str = ""
    encrypted: bool = False
    size_bytes: int = 0
    stamp: str = ""
    notes: tuple[Note, ...] = ()


def change_stamp(path: Path) -> str:
    """Changes with every change of the session's files; "" where there is no session any more."""
    parts = []
    for file in (
        path,
        companion_path(path, ENCRYPTED_SUFFIX),
        companion_path(path, SIDECAR_SUFFIX),
        companion_path(path, NOTES_SUFFIX),
    ):
        try:
            status = file.stat()
            parts.append(f"{status.st_size}.{status.st_mtime_ns}")
        except OSError:
            parts.append("-")
    return "" if parts[:2] == ["-", "-"] else " ".join(parts)


def read_session(folder: Path, key: str, link: Link | None = None) -> SessionRecord:
    """What the files say. ``link`` where there is one. Raises InputError where they cannot be read."""
    path = session_path(folder, key)
    stamp = change_stamp(path)
    stored = read_json(companion_path(path, SIDECAR_SUFFIX)) or {}
    facts = facts_from_json(stored.get("facts")) if "facts" in stored else (link.facts if link else SessionFacts())
    encrypted = companion_path(path, ENCRYPTED_SUFFIX).exists() and not path.exists()
    record = SessionRecord(key, Assignment(), facts, "missing", encrypted=encrypted, stamp=stamp)
    if path.exists() and is_recording(path):
        facts, assignment, closed = recording_facts(path)
        if facts.duration_s is None and stored.get("salvaged"):
            facts = replace(facts, duration_s=record.facts.duration_s)
        state: SessionState = "salvaged" if stored.get("salvaged") else "closed" if closed else "open"
        record = replace(
            record, assignment=assignment, facts=facts, state=state, recorded_participant=assignment.participant
        )
    elif path.is_file() and path.suffix == ".mcap":
        raise InputError(f"{path} is named like a recording but is none, or its beginning is damaged.")
    elif path.exists() or encrypted:
        record = replace(record, state="salvaged" if stored.get("salvaged") else "closed")
    if "about" in stored:
        record = replace(record, assignment=assignment_from_json(stored["about"]))
    notes, unreadable = read_notes(companion_path(path, NOTES_SUFFIX))
    if unreadable:
        notes.append(Note(f"({unreadable} notes of this session cannot be read)", ""))
    return replace(record, size_bytes=_size(path, encrypted=encrypted), notes=tuple(notes))


def link_results(folder: Path, session: Path, results: Path, files: Iterable[str], file_list: str = "") -> None:
    """Make sure that files made from a session can be erased with it, if the catalogue has to know of it at all.

    ``files`` are names in the folder ``results``, ``file_list`` that of a list of them there. Files of other sessions
    that these have replaced are forgotten. Raises InputError.
    """
    if not is_catalogued(folder, session):
        return
    link_files(folder, link_session(folder, session), os.path.realpath(results), set(files), file_list)


def is_catalogued(folder: Path, path: Path) -> bool:
    """Whether the catalogue has to know what becomes of a session: it is in its folders, linked, or somebody's."""
    key = Path(session_key(folder, path))
    if not key.is_absolute() or any(key.is_relative_to(os.path.realpath(place)) for place in earlier_folders()):
        return True
    return is_linked(folder, path) or bool(read_assignment(folder, path).participant)


def write_sidecar(
    folder: Path,
    path: Path,
    assignment: Assignment | None = None,
    *,
    facts: SessionFacts | None = None,
    salvaged: bool | None = None,
) -> None:
    """Say beside a session what it is about, in place of what its header says; None leaves what was said.

    Raises InputError where there is no such session, or it may not be written there.
    """
    if not change_stamp(path):
        raise InputError(f"There is no {path}: check the name and the folder.")
    file = companion_path(path, SIDECAR_SUFFIX)
    stored = {k: v for k, v in (read_json(file) or {}).items() if k in ("about", "facts", "salvaged")}
    new = {
        "about": None if assignment is None else assignment.as_json(),
        "facts": None if facts is None else facts.as_json(),
        "salvaged": salvaged,
    }
    write_json(file, stored | {k: v for k, v in new.items() if v is not None})
    if not is_linked(folder, path):
        link_session(folder, path)


def add_session_note(path: Path, text: str, at_s: float | None = None) -> Note:
    """Keep free text beside a session. Raises InputError."""
    if not change_stamp(path):
        raise InputError(f"There is no {path}: check the name and the folder.")
    return append_note(companion_path(path, NOTES_SUFFIX), text, at_s)


def read_assignment(folder: Path, path: str | Path) -> Assignment:
    """What a session is about, from its files; nothing where they cannot be read."""
    try:
        return read_session(folder, session_key(folder, Path(path).expanduser())).assignment
    except InputError:
        return Assignment()


def remove_unused_link(folder: Path, path: Path) -> None:
    """Remove the link to a recording elsewhere that never came to be."""
    if not change_stamp(path):
        with contextlib.suppress(OSError):
            session_link_path(folder, path).unlink()


def _size(path: Path, *, encrypted: bool) -> int:
    with contextlib.suppress(OSError):
        if path.is_dir():
            return sum(f.stat().st_size for f in path.iterdir() if f.is_file())
        return (companion_path(path, ENCRYPTED_SUFFIX) if encrypted else path).stat().st_size
    return 0
