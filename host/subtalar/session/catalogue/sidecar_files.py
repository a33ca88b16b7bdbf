"""The small files that everything in the catalogue can be made from again. Owner-only; whole or not at all."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from subtalar.atomic_file import replacing
from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import Participant, participant_from_json
from subtalar.session.catalogue.layout import NOTES_SUFFIX, PARTICIPANTS

LONGEST_NOTE: Final = 10_000
_LARGEST_FILE = 16 * 2**20
_VERSION = 1


@dataclass(frozen=True)
class Note:
    """Free text. ``at_s``: the moment of the session that it is about, on the session clock; None: all of it."""

    text: str
    written_utc: str
    at_s: float | None = None


def private_folder(folder: Path) -> Path:
    """Make a folder for its owner alone where there is none. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made ({error.strerror}): choose another one.") from error
    return folder


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file whole, so that a reader or a power cut meets the old or the new one. Raises InputError."""
    stored = {"format": f"subtalar-{_kind(path)}", "version": _VERSION, **content}
    write_text(path, json.dumps(stored, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """As ``write_json``."""
    try:
        with replacing(path) as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): make room or ask for the right.") from error


def read_json(path: Path) -> dict[str, Any] | None:
    """The content; None where there is no such file. Raises InputError where it is damaged or of a newer version."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("version"), int):
            raise ValueError("not ours")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: put back a copy, or remove it and say again what it said.") from error
    if content["version"] > _VERSION:
        raise InputError(f"{path} was written by a newer subtalar: update this one.")
    return content


def append_note(path: Path, text: str, at_s: float | None = None, *, now: datetime | None = None) -> Note:
    """Add one line to a ``.notes.jsonl``; two programs may do so at once. Raises InputError."""
    text = text.strip()
    if not text:
        raise InputError("The note is empty: write what there is to say.")
    if len(text) > LONGEST_NOTE:
        raise InputError(f"The note has {len(text)} characters: at most {LONGEST_NOTE}.")
    note = Note(text, (now or datetime.now(UTC)).isoformat(timespec="seconds"), at_s)
    # The line feed in front ends a line that a power cut left unfinished; blank lines mean nothing.
    line = ("\n" + json.dumps(asdict(note), ensure_ascii=True) + "\n").encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags, 0o600)
        try:
            if os.write(fd, line) != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise InputError(f"The note cannot be kept in {path} ({error.strerror}).") from error
    return note


def read_notes(path: Path) -> tuple[list[Note], int]:
    """The notes in a file, and how many lines could not be read. No file: no notes."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return [], 1
        lines = path.read_bytes().splitlines()
    except OSError:
        return [], 0
    notes: list[Note] = []
    bad = 0
    for line in filter(None, lines):
        try:
            stored = json.loads(line)
            at_s = stored.get("at_s")
            notes.append(Note(str(stored["text"]), str(stored["written_utc"]), None if at_s is None else float(at_s)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            bad += 1
    return notes, bad


def participant_file(folder: Path, code: str) -> Path:
    """Where what may be shared of a participant stands."""
    return folder / PARTICIPANTS / f"{code}.json"


def participant_notes_file(folder: Path, code: str) -> Path:
    """Where what may not be shared of a participant stands."""
    return folder / PARTICIPANTS / f"{code}{NOTES_SUFFIX}"


def write_participant(folder: Path, participant: Participant) -> None:
    """Keep a participant's facts. Raises InputError."""
    path = participant_file(folder, participant.code)
    private_folder(path.parent)
    write_json(path, asdict(participant))


def read_participant(folder: Path, code: str) -> Participant | None:
    """A participant's facts; None where none were ever said. Raises InputError where the file is damaged."""
    path = participant_file(folder, code)
    stored = read_json(path)
    if stored is None:
        return None
    try:
        return participant_from_json(stored)
    except (InputError, ValueError, TypeError) as error:
        raise InputError(f"{path} does not describe a participant: put back a copy, or remove it.") from error


def _kind(path: Path) -> str:
    if path.parent.name == PARTICIPANTS:
        return "participant"
    return "session-about" if path.name.endswith(".about.json") else "link"
