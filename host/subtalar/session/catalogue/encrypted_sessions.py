"""What the catalogue keeps of a session while it is encrypted: its label, date and length, never its notes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.catalogue.layout import (
    ENCRYPTED_SUFFIX,
    SIDECAR_SUFFIX,
    companion_path,
    find_sessions,
    session_key,
)
from subtalar.session.catalogue.session_files import read_session, write_sidecar
from subtalar.session.catalogue.store import open_catalogue
from subtalar.session.opening import is_recording, is_session_folder
from subtalar.session.paths import recordings_folder


def sessions_to_encrypt(path: Path) -> list[Path]:
    """What to encrypt: the session itself, or every recording below a folder that is none. Raises InputError."""
    if path.is_dir() and not is_session_folder(path):
        found = sorted({p for p in find_sessions(path) if p.exists() and is_recording(p)})
        if not found:
            raise InputError(f"{path} holds no recording and is no session: there is nothing to encrypt.")
        return found
    if path.is_file() and not is_recording(path) and not path.name.endswith(ENCRYPTED_SUFFIX):
        raise InputError(f"{path} is not a recording: name a recording or the folder of a session.")
    return [path]


def archives_to_decrypt(path: Path) -> list[Path]:
    """What to decrypt: the archive, named by either name, or every one below a folder. Raises InputError."""
    archive = companion_path(path, ENCRYPTED_SUFFIX)
    if path.is_dir():
        found = sorted({companion_path(p, ENCRYPTED_SUFFIX) for p in find_sessions(path)})
        found = [p for p in found if p.exists()]
        if not found:
            raise InputError(f"{path} holds no encrypted session.")
        return found
    if path.name.endswith(ENCRYPTED_SUFFIX) and path.is_file():
        return [path]
    if archive.is_file():
        return [archive]
    raise InputError(f"{path} is not an encrypted session: `subtalar session list` says which ones are.")


@contextmanager
def keeping_catalogue_entry(path: Path) -> Iterator[None]:
    """Around the encryption: keep what the list shows, then let the notes go from the catalogue and its bytes."""
    folder = recordings_folder()
    before = companion_path(path, SIDECAR_SUFFIX).exists()
    record = read_session(folder, session_key(folder, path))
    write_sidecar(folder, path, record.assignment, facts=record.facts)
    try:
        yield
    except BaseException:
        if not before:
            companion_path(path, SIDECAR_SUFFIX).unlink(missing_ok=True)
        raise
    with open_catalogue(folder, refreshed=False) as catalogue:
        catalogue.refresh_session(path)
        catalogue.db.execute("VACUUM")
        catalogue.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def restore_catalogue_entry(path: Path) -> None:
    """After the decryption: the notes are back."""
    with open_catalogue(refreshed=False) as catalogue:
        catalogue.refresh_session(path)
