"""The SQLite file: tables, connections that share it, and what happens when it is damaged.

Only an index: everything in it stands in recordings and small files as well. Two programs may use it at once (WAL).
"""

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from subtalar.errors import InputError
from subtalar.session.catalogue.layout import CATALOGUE, LOCK
from subtalar.session.catalogue.sidecar_files import private_folder

APPLICATION_ID: Final = 0x53554254  # "SUBT"
SCHEMA_VERSION: Final = 1

# Free text stands in private_notes alone: whoever shares a catalogue drops that one table.
_SCHEMA = """
CREATE TABLE participants (
    code TEXT PRIMARY KEY,
    affected_sides TEXT NOT NULL DEFAULT '',
    height_m REAL,
    footwear TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE visits (
    id INTEGER PRIMARY KEY,
    participant TEXT NOT NULL REFERENCES participants (code) ON DELETE CASCADE ON UPDATE CASCADE,
    label TEXT NOT NULL,
    UNIQUE (participant, label)
) STRICT;
CREATE TABLE conditions (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    participant TEXT REFERENCES participants (code) ON DELETE CASCADE,
    visit INTEGER REFERENCES visits (id) ON DELETE SET NULL,
    condition INTEGER REFERENCES conditions (id) ON DELETE SET NULL,
    recorded_participant TEXT NOT NULL DEFAULT '',
    start_utc TEXT NOT NULL DEFAULT '',
    duration_s REAL,
    strides INTEGER,
    sensors TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'salvaged', 'missing')),
    encrypted INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    stamp TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE private_notes (
    id INTEGER PRIMARY KEY,
    participant TEXT REFERENCES participants (code) ON DELETE CASCADE,
    session INTEGER REFERENCES sessions (id) ON DELETE CASCADE,
    written_utc TEXT NOT NULL,
    at_s REAL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_of ON sessions (participant);
CREATE INDEX notes_of_session ON private_notes (session);
"""


class DamagedCatalogueError(Exception):
    """The file is no usable catalogue; it can be made anew."""


def catalogue_file(folder: Path) -> Path:
    """Where the catalogue of a recordings folder stands."""
    return folder / CATALOGUE


@contextmanager
def connection(folder: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode; begin and end transactions with ``writing``.

    Raises InputError (busy, not allowed, newer version) and DamagedCatalogueError.
    """
    private_folder(folder)
    path = catalogue_file(folder)
    with _file_lock(folder, exclusive=False, timeout_s=timeout_s):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same rights
        except OSError as error:
            raise InputError(f"The catalogue {path} cannot be opened ({error.strerror}).") from error
        with translated_errors(path):
            db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        try:
            with translated_errors(path):
                _prepare(db)
            yield db
        finally:
            with contextlib.suppress(sqlite3.Error):
                db.close()


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction, all or nothing, that waits its turn before it begins."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise InputError(f"The catalogue {path} is in use by another program: try again in a moment.") from error
        if name.startswith("SQLITE_FULL"):
            raise InputError(f"The disk is full, and the catalogue {path} cannot grow: make room.") from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
            raise InputError(f"The catalogue {path} cannot be written or read ({error}).") from error
        raise DamagedCatalogueError(f"{path}: {error}") from error


def remove_damaged(folder: Path, timeout_s: float) -> None:
    """Take a damaged catalogue away, if it still is damaged and nobody uses it. Raises InputError."""
    path = catalogue_file(folder)
    with _file_lock(folder, exclusive=True, timeout_s=timeout_s):
        if _is_sound(path):
            return  # another program has been here first
        try:
            _unlink(path)
        except OSError as error:
            raise InputError(f"The damaged catalogue {path} cannot be replaced ({error.strerror}).") from error


def remove_catalogue(folder: Path, timeout_s: float) -> None:
    """Take away the catalogue of a folder whose sessions are in another one's, if there is one and nobody uses it.

    Raises InputError and OSError.
    """
    if catalogue_file(folder).exists():
        with _file_lock(folder, exclusive=True, timeout_s=timeout_s):
            _unlink(catalogue_file(folder))
        (folder / LOCK).unlink(missing_ok=True)


def _unlink(path: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal", ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise InputError("The catalogue was made by a newer subtalar: update this one, or remove catalogue.sqlite.")
    if version == 0:
        db.execute("PRAGMA journal_mode = WAL")
        with writing(db):  # the other window may have made them while we waited
            if int(db.execute("PRAGMA user_version").fetchone()[0]) == 0:
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise DamagedCatalogueError("tables of something else")
                for statement in _SCHEMA.split(";"):
                    if statement.strip():
                        db.execute(statement)
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif int(db.execute("PRAGMA application_id").fetchone()[0]) != APPLICATION_ID:
        raise DamagedCatalogueError("somebody else's database")
    db.execute("PRAGMA synchronous = NORMAL")
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise DamagedCatalogueError("quick_check")


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return True
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as db:
            _prepare(db)
            db.execute("SELECT max(id) FROM sessions")
    except InputError:
        return True  # of a newer version, which is no damage
    except (sqlite3.Error, DamagedCatalogueError):
        return False
    return True


@contextmanager
def _file_lock(folder: Path, *, exclusive: bool, timeout_s: float) -> Iterator[None]:
    """Connections share it; who replaces the file has it alone, or the last connection would remove a new one's log.

    Windows does not let an open file be replaced, and needs none of this.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = folder / LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"The catalogue in {folder} cannot be used ({error.strerror}: {path.name}).") from error
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise InputError(
                        f"The catalogue in {folder} is in use by another program: close its windows and try again."
                    ) from None
                time.sleep(0.02)
            except OSError:
                break  # a file system without locks
        yield
    finally:
        os.close(fd)
