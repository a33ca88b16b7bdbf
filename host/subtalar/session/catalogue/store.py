"""The catalogue: participants, visits, conditions, sessions and notes of one recordings folder, to be asked."""

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import Assignment, Participant
from subtalar.session.catalogue.database import (
    DamagedCatalogueError,
    catalogue_file,
    connection,
    remove_damaged,
    translated_errors,
    writing,
)
from subtalar.session.catalogue.facts import SessionFacts, SessionState
from subtalar.session.catalogue.layout import session_key, session_path
from subtalar.session.catalogue.links import read_links, session_links
from subtalar.session.catalogue.refresh import delete_orphans, refresh, upsert_session
from subtalar.session.catalogue.session_files import SessionRecord, change_stamp, read_session
from subtalar.session.catalogue.sidecar_files import Note
from subtalar.session.catalogue.takeover import take_over
from subtalar.session.paths import earlier_folders, recordings_folder

TIMEOUT_S = 10.0
STILL_LISTED = "Recordings in {place} are still listed; `subtalar recordings --move` moves them to the new ones."
REBUILT_NOTE = "The catalogue was damaged and has been made anew from the recordings."


@dataclass(frozen=True)
class SessionRow:
    """One session of the catalogue. ``path`` is whole; ``notes`` are free text and not to be shared."""

    path: Path
    assignment: Assignment
    facts: SessionFacts
    state: SessionState
    recorded_participant: str
    encrypted: bool
    size_bytes: int
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ParticipantRow:
    """One participant of the catalogue. ``visits`` are labels; ``notes`` are free text and not to be shared."""

    participant: Participant
    sessions: int
    visits: tuple[str, ...]
    notes: tuple[Note, ...]


class Catalogue:
    """Use ``open_catalogue``. ``problems`` are sentences about files that could not be read, or were mended."""

    def __init__(self, folder: Path, db: sqlite3.Connection, elsewhere: tuple[Path, ...] = ()) -> None:
        self.folder = folder
        self.elsewhere = elsewhere
        self.problems: tuple[str, ...] = ()
        self.db = db
        db.row_factory = sqlite3.Row
        db.create_function("fold", 1, _fold, deterministic=True)

    def refresh(self) -> None:
        """Take in whatever has changed in the folder. Raises InputError."""
        self.problems += tuple(refresh(self.db, self.folder, self.elsewhere))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else changes the catalogue meanwhile, nor the files of participants. Raises InputError."""
        with writing(self.db):
            yield

    def add_upcoming(self, path: Path, assignment: Assignment, start_utc: str) -> None:
        """A recording that is about to begin. Raises InputError."""
        record = SessionRecord(session_key(self.folder, path), assignment, SessionFacts(start_utc), "open")
        with writing(self.db):
            upsert_session(self.db, record)

    def refresh_session(self, path: Path) -> None:
        """Take in one session that has changed; a recording that never came to be is forgotten. Raises InputError."""
        key = session_key(self.folder, path)
        link = session_links(read_links(self.folder)).get(key)
        record = read_session(self.folder, key, link) if change_stamp(session_path(self.folder, key)) else None
        with writing(self.db):
            if record is not None:
                upsert_session(self.db, record)
            else:
                self.db.execute("DELETE FROM sessions WHERE path = ? AND stamp = ''", (key,))
            delete_orphans(self.db)

    def sessions(
        self, participant: str = "", *, visit: str = "", condition: str = "", search: str = ""
    ) -> list[SessionRow]:
        """Sessions, oldest first. ``search``: every word of it in the path, a label, a code or a note."""
        wheres, values = ["1"], list[Any]()
        for column, value in (("s.participant", participant), ("v.label", visit), ("c.label", condition)):
            if value:
                wheres.append(f"fold({column}) = ?")
                values.append(_fold(value))
        for word in _fold(search).split():
            wheres.append(_ANYWHERE)
            values.append(word)
        rows = self.db.execute(
            f"SELECT s.*, v.label AS visit_label, c.label AS condition_label FROM {_JOINED} "
            f"WHERE {' AND '.join(wheres)} ORDER BY s.start_utc = '', s.start_utc, s.path",
            values,
        ).fetchall()
        return [self._session(row) for row in rows]

    def participants(self, search: str = "") -> list[ParticipantRow]:
        """Participants by code. ``search``: every word of it in the code, the footwear or a note."""
        wheres, values = ["1"], list[Any]()
        for word in _fold(search).split():
            wheres.append(
                "instr(fold(p.code || ' ' || p.affected_sides || ' ' || p.footwear || ' ' || coalesce((SELECT "
                "group_concat(n.text, ' ') FROM private_notes n WHERE n.participant = p.code), '')), ?) > 0"
            )
            values.append(word)
        query = f"SELECT p.* FROM participants p WHERE {' AND '.join(wheres)} ORDER BY p.code"
        return [self._participant(row) for row in self.db.execute(query, values).fetchall()]

    def participant(self, code: str) -> ParticipantRow:
        """One participant. Raises InputError where the code is not known."""
        row = self.db.execute("SELECT * FROM participants WHERE code = ?", (code,)).fetchone()
        if row is None:
            raise InputError(f"No participant {code} is known in {self.folder}: `subtalar participant list` shows all.")
        return self._participant(row)

    def _session(self, row: sqlite3.Row) -> SessionRow:
        return SessionRow(
            session_path(self.folder, row["path"]),
            Assignment(row["participant"] or "", row["visit_label"] or "", row["condition_label"] or ""),
            SessionFacts(row["start_utc"], row["duration_s"], row["strides"], tuple(row["sensors"].split())),
            row["state"],
            row["recorded_participant"],
            bool(row["encrypted"]),
            row["bytes"],
            self._notes("session", row["id"]),
        )

    def _participant(self, row: sqlite3.Row) -> ParticipantRow:
        code = row["code"]
        sides = tuple(row["affected_sides"].split())
        visits = self.db.execute(
            "SELECT v.label FROM visits v JOIN sessions s ON s.visit = v.id WHERE v.participant = ? "
            "GROUP BY v.id ORDER BY min(s.start_utc), v.label",
            (code,),
        ).fetchall()
        count = self.db.execute("SELECT count(*) FROM sessions WHERE participant = ?", (code,)).fetchone()[0]
        person = Participant(code, sides, row["height_m"], row["footwear"])
        return ParticipantRow(person, count, tuple(v["label"] for v in visits), self._notes("participant", code))

    def _notes(self, owner: str, key: object) -> tuple[Note, ...]:
        rows = self.db.execute(f"SELECT * FROM private_notes WHERE {owner} = ? ORDER BY id", (key,)).fetchall()
        return tuple(Note(row["text"], row["written_utc"], row["at_s"]) for row in rows)


@contextmanager
def open_catalogue(
    folder: Path | None = None, *, timeout_s: float = TIMEOUT_S, refreshed: bool = True
) -> Iterator[Catalogue]:
    """The catalogue of ``folder`` (default: the recordings folder), made where there is none, made anew if damaged.

    Not to be kept open: others wait to write. Raises InputError, in one sentence, where it cannot be used.
    """
    usual = recordings_folder()
    folder = usual if folder is None else folder
    elsewhere = earlier_folders() if folder == usual else ()
    # Said once: after this there is a folder.
    notes = [STILL_LISTED.format(place=place) for place in elsewhere if not folder.exists()]
    problems = (*notes, *(trouble for place in elsewhere for trouble in take_over(folder, place, timeout_s)))
    made_anew = _remove_if_damaged(folder, timeout_s)
    try:
        with connection(folder, timeout_s) as db, translated_errors(catalogue_file(folder)):
            catalogue = Catalogue(folder, db, elsewhere)
            catalogue.problems = (*problems, REBUILT_NOTE) if made_anew else problems
            if refreshed or made_anew:
                catalogue.refresh()
            yield catalogue
    except DamagedCatalogueError as error:
        raise InputError(
            f"The catalogue {catalogue_file(folder)} is damaged: remove that file, and it is made anew."
        ) from error


def _remove_if_damaged(folder: Path, timeout_s: float) -> bool:
    """Whether a damaged catalogue had to be taken away."""
    try:
        with connection(folder, timeout_s):
            return False
    except DamagedCatalogueError:
        remove_damaged(folder, timeout_s)
        return True


def _fold(text: str | None) -> str:
    """For comparing: without case and accents."""
    plain = unicodedata.normalize("NFKD", (text or "").casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


_JOINED = "sessions s LEFT JOIN visits v ON v.id = s.visit LEFT JOIN conditions c ON c.id = s.condition"
_ANYWHERE = (
    "instr(fold(s.path || ' ' || coalesce(s.participant, '') || ' ' || coalesce(v.label, '') || ' ' || "
    "coalesce(c.label, '') || ' ' || coalesce((SELECT group_concat(n.text, ' ') FROM private_notes n "
    "WHERE n.session = s.id OR n.participant = s.participant), '')), ?) > 0"
)
