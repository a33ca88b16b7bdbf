"""What lies where in the recordings folder, and what belongs to one session.

Everything but ``catalogue.sqlite`` is a source; the catalogue is made from them and can be made again.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CATALOGUE: Final = "catalogue.sqlite"
LOCK: Final = "catalogue.lock"
PARTICIPANTS: Final = "participants"
"""Folder: ``P017.json`` with what may be shared, ``P017.notes.jsonl`` with what may not."""
LINKS: Final = "links"
"""Folder: a small file for every session elsewhere, and for every folder of results."""

NOTES_SUFFIX: Final = ".notes.jsonl"
SIDECAR_SUFFIX: Final = ".about.json"
ENCRYPTED_SUFFIX: Final = ".encrypted.tar"
RECORDING_SUFFIX: Final = ".mcap"


def companion_path(path: Path, suffix: str) -> Path:
    """The companion of a session: ``walk.mcap`` has ``walk.mcap.notes.jsonl``."""
    return path.with_name(path.name + suffix)


def companions(path: Path) -> list[Path]:
    """All files and folders beside a session that belong to it: their names continue the session's after a dot."""
    try:
        return sorted(p for p in path.parent.iterdir() if p.name.startswith(path.name + "."))
    except OSError:
        return []


def plain_path(path: Path) -> Path:
    """The session that an encrypted file holds; any other path as it is."""
    return path.with_name(path.name.removesuffix(ENCRYPTED_SUFFIX))


def decryption_hint(path: Path) -> str:
    """A sentence for whoever opens an encrypted session under either of its names; empty for any other path."""
    archive = (
        path if path.name.endswith(ENCRYPTED_SUFFIX) else companion_path(path, ENCRYPTED_SUFFIX) if path.name else path
    )
    try:
        if not archive.name.endswith(ENCRYPTED_SUFFIX) or not archive.is_file() or plain_path(archive).exists():
            return ""
    except OSError:
        return ""
    return f"{path} is encrypted: run `subtalar session decrypt '{archive}'` first."


def session_key(folder: Path, path: Path) -> str:
    """How the catalogue calls a session: below the recordings folder, or else by its whole path."""
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else str(real)


def session_path(folder: Path, key: str) -> Path:
    """The inverse of ``session_key``."""
    return folder / key


def link_path(folder: Path, kind: str, path: str) -> Path:
    """Where the link to a session or folder of results stands; the same for the same target."""
    name = hashlib.sha256(f"{kind}\n{path}".encode()).hexdigest()[:24]
    return folder / LINKS / f"{kind}-{name}.json"


def find_sessions(folder: Path) -> Iterator[Path]:
    """Every recording below ``folder``, plain or encrypted, by its plain name; in no order, some twice."""
    own = {PARTICIPANTS, LINKS}
    for root, folders, files in os.walk(folder):
        top = Path(root) == folder
        folders[:] = [f for f in folders if not f.startswith(".") and not (top and f in own)]
        for name in files:
            if name.startswith("."):
                continue
            if name.endswith(ENCRYPTED_SUFFIX) and len(name) > len(ENCRYPTED_SUFFIX):
                yield plain_path(Path(root) / name)
            elif name.endswith(RECORDING_SUFFIX):
                yield Path(root) / name
