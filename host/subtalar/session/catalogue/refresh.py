"""Bring the catalogue in line with the files: from nothing, that is how it is made anew.

Files are read before the database is locked, so that nobody waits for a slow disk; what is written is the same
whoever writes it, so two programs may do this at once.
"""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from subtalar.errors import InputError
from subtalar.session.catalogue.assignment import Participant, checked_code
from subtalar.session.catalogue.database import writing
from subtalar.session.catalogue.layout import NOTES_SUFFIX, PARTICIPANTS, find_sessions, session_key, session_path
from subtalar.session.catalogue.links import read_links, session_links
from subtalar.session.catalogue.session_files import SessionRecord, change_stamp, read_session
from subtalar.session.catalogue.sidecar_files import Note, participant_notes_file, read_notes, read_participant
from subtalar.session.paths import sessions_in

_BEGINNING: Final = timedelta(minutes=1)


def refresh(db: sqlite3.Connection, folder: Path, elsewhere: Iterable[Path] = ()) -> list[str]:
    """Returns a sentence for each file that could not be read. ``elsewhere``: folders whose sessions belong too."""
    problems: list[str] = []
    links = list(read_links(folder))
    problems += [link for link in links if isinstance(link, str)]
    linked = session_links(links)
    known = {row["path"]: row for row in db.execute("SELECT path, stamp, state, start_utc FROM sessions")}
    keys = {session_key(folder, path) for path in find_sessions(folder)} | set(linked)
    keys |= {session_key(folder, path) for place in elsewhere for path in sessions_in(place)}
    changed: list[SessionRecord] = []
    gone: list[str] = []
    for key in sorted(keys | set(known)):
        stamp = change_stamp(session_path(folder, key))
        row = known.get(key)
        if row is not None and stamp == row["stamp"] and (stamp or row["state"] == "missing" or _only_begins(row)):
            continue
        if row is not None and not stamp:
            gone.append(key)
            continue
        try:
            changed.append(read_session(folder, key, linked.get(key)))
        except InputError as error:
            problems.append(str(error))
    people = {person.code: (person, notes) for person, notes in _participants(folder, problems)}
    if changed or gone or _participants_differ(db, people):
        with writing(db):
            for record in changed:
                upsert_session(db, record)
            for key in gone:
                db.execute("DELETE FROM sessions WHERE path = ? AND stamp = ''", (key,))  # it never came to be
                db.execute("UPDATE sessions SET state = 'missing', stamp = '' WHERE path = ?", (key,))
            _replace_participants(db, people.values())
            delete_orphans(db)
    return problems


def _only_begins(row: sqlite3.Row) -> bool:
    """Whether another program may be about to write the first byte of what it has announced."""
    if row["state"] != "open" or not row["start_utc"]:
        return False
    announced = datetime.fromisoformat(row["start_utc"])
    return timedelta(0) <= datetime.now(UTC) - announced < _BEGINNING


def upsert_session(db: sqlite3.Connection, record: SessionRecord) -> None:
    """Write one session with its participant, visit, condition and notes; inside a transaction."""
    assignment, facts = record.assignment, record.facts
    visit = condition = None
    if assignment.participant:
        db.execute("INSERT OR IGNORE INTO participants (code) VALUES (?)", (assignment.participant,))
        if assignment.visit:
            pair = (assignment.participant, assignment.visit)
            db.execute("INSERT OR IGNORE INTO visits (participant, label) VALUES (?, ?)", pair)
            visit = db.execute("SELECT id FROM visits WHERE participant = ? AND label = ?", pair).fetchone()[0]
    if assignment.condition:
        db.execute("INSERT OR IGNORE INTO conditions (label) VALUES (?)", (assignment.condition,))
        condition = db.execute("SELECT id FROM conditions WHERE label = ?", (assignment.condition,)).fetchone()[0]
    values = {
        "path": record.path,
        "participant": assignment.participant or None,
        "visit": visit,
        "condition": condition,
        "recorded_participant": record.recorded_participant,
        "start_utc": facts.start_utc,
        "duration_s": facts.duration_s,
        "strides": facts.strides,
        "sensors": " ".join(facts.sensors),
        "state": record.state,
        "encrypted": int(record.encrypted),
        "bytes": record.size_bytes,
        "stamp": record.stamp,
    }
    columns = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != "path")
    db.execute(f"INSERT INTO sessions ({columns}) VALUES ({places}) ON CONFLICT (path) DO UPDATE SET {updates}", values)
    number = db.execute("SELECT id FROM sessions WHERE path = ?", (record.path,)).fetchone()[0]
    _replace_notes(db, "session", number, record.notes)


def delete_orphans(db: sqlite3.Connection) -> None:
    """Forget visits, conditions and participants that nothing speaks of any more; inside a transaction."""
    db.execute("DELETE FROM visits WHERE id NOT IN (SELECT visit FROM sessions WHERE visit IS NOT NULL)")
    db.execute("DELETE FROM conditions WHERE id NOT IN (SELECT condition FROM sessions WHERE condition IS NOT NULL)")


def _participants(folder: Path, problems: list[str]) -> Iterable[tuple[Participant, tuple[Note, ...]]]:
    """Those who have a file; a file that cannot be read is said, and its participant is known by the code alone."""
    codes = set()
    try:
        names = [p.name for p in (folder / PARTICIPANTS).iterdir()]
    except OSError:
        names = []
    for name in names:
        stem = name.removesuffix(NOTES_SUFFIX) if name.endswith(NOTES_SUFFIX) else name.removesuffix(".json")
        try:
            if not name.startswith(".") and stem != name and checked_code(stem) == stem:
                codes.add(stem)
        except InputError:
            continue
    for code in sorted(codes):
        person = None
        try:
            person = read_participant(folder, code)
        except InputError as error:
            problems.append(str(error))
        notes, unreadable = read_notes(participant_notes_file(folder, code))
        if unreadable:
            problems.append(f"{unreadable} notes about {code} cannot be read.")
        yield person or Participant(code), tuple(notes)


def _participants_differ(db: sqlite3.Connection, people: dict[str, tuple[Participant, tuple[Note, ...]]]) -> bool:
    """Whether the catalogue says anything else of participants than their files."""
    known = {}
    lone = set()
    for row in db.execute("SELECT * FROM participants").fetchall():
        person = Participant(row["code"], tuple(row["affected_sides"].split()), row["height_m"], row["footwear"])
        rows = db.execute("SELECT * FROM private_notes WHERE participant = ? ORDER BY id", (person.code,)).fetchall()
        known[person.code] = (person, tuple(Note(r["text"], r["written_utc"], r["at_s"]) for r in rows))
        if db.execute("SELECT 1 FROM sessions WHERE participant = ? LIMIT 1", (person.code,)).fetchone() is None:
            lone.add(person.code)
    unsaid = {code: (Participant(code), ()) for code in known}
    return (unsaid | people) != known or not lone <= set(people)


def _replace_participants(db: sqlite3.Connection, people: Iterable[tuple[Participant, tuple[Note, ...]]]) -> None:
    db.execute("UPDATE participants SET affected_sides = '', height_m = NULL, footwear = ''")
    db.execute("DELETE FROM private_notes WHERE participant IS NOT NULL")
    codes = set()
    for person, notes in people:
        codes.add(person.code)
        db.execute(
            "INSERT INTO participants VALUES (?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET "
            "affected_sides = excluded.affected_sides, height_m = excluded.height_m, footwear = excluded.footwear",
            (person.code, " ".join(person.affected_sides), person.height_m, person.footwear),
        )
        _replace_notes(db, "participant", person.code, notes)
    for row in db.execute("SELECT code FROM participants").fetchall():
        if row["code"] not in codes:
            db.execute(
                "DELETE FROM participants WHERE code = :code AND NOT EXISTS "
                "(SELECT 1 FROM sessions WHERE participant = :code)",
                {"code": row["code"]},
            )


def _replace_notes(db: sqlite3.Connection, owner: str, key: object, notes: Iterable[Note]) -> None:
    db.execute(f"DELETE FROM private_notes WHERE {owner} = ?", (key,))
    db.executemany(
        f"INSERT INTO private_notes ({owner}, written_utc, at_s, text) VALUES (?, ?, ?, ?)",
        [(key, note.written_utc, note.at_s, note.text) for note in notes],
    )
