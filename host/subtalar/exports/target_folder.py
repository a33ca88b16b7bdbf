"""Where an export lands: nothing of anybody else's is written over, and the session's own files never."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from subtalar.errors import InputError
from subtalar.exports.content import session_stem
from subtalar.session.model import Session

LIST_FILE: Final = ".subtalar-export.json"
"""Which files of a folder come from here, and how they were when they were written."""
_LIST_FORMAT: Final = "subtalar-export-files"


@dataclass(frozen=True)
class Target:
    """A folder for exports. ``shared`` are files that belong to all sessions in it, such as a list of participants."""

    out_dir: Path
    session: Session
    shared: frozenset[str] = frozenset()
    _extended: set[str] = field(default_factory=set)

    def may_extend(self, name: str) -> None:
        """A shared file whose every line was taken over into the new one may be replaced, whoever wrote it."""
        self._extended.add(name)

    def check_early(self) -> None:
        """Before an hour of data is worked through. Raises InputError."""
        if any(folder.resolve() == self.out_dir.resolve() for folder in _held_folders(self.session)):
            raise InputError(
                f"{self.out_dir} holds the samples of this session: name another folder "
                "with --out, so that the session stays as it is."
            )

    def publish(self, staged: Path) -> tuple[Path, ...]:
        """Move everything in ``staged`` into the folder and return it as it is named there.

        All names are checked before the first file is moved. Files that an earlier export of the same session left
        under other names stay. Raises InputError where a file of somebody else is in the way.
        """
        names = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
        known = self._known()
        for name in names:
            self._check(name, known.get(name))
        for name in names:
            target = self.out_dir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, target)
            known[name] = {"session": self._identity(), "state": _state(target)}
        text = json.dumps({"format": _LIST_FORMAT, "version": 1, "files": known}, indent=1, ensure_ascii=False)
        (staged / LIST_FILE).write_text(text + "\n", encoding="utf-8")
        os.replace(staged / LIST_FILE, self.out_dir / LIST_FILE)
        return tuple(self.out_dir / name for name in names)

    def _check(self, name: str, entry: Any) -> None:
        path = self.out_dir / name
        if os.path.realpath(path) in {os.path.realpath(file) for file in self.session.files}:
            raise InputError(
                f"{path} holds samples of this session, and a result of that name would take its place: name another "
                "folder with --out."
            )
        if not os.path.lexists(path) or (name in self._extended and path.is_file() and not path.is_symlink()):
            return
        if not isinstance(entry, dict):
            raise InputError(f"{path} was made by no export and is not overwritten: name another folder with --out.")
        if name not in self.shared and entry.get("session") != self._identity():
            raise InputError(f"{path} is the export of another session: name another folder with --out.")
        if path.is_symlink() or not path.is_file() or entry.get("state") != _state(path):
            raise InputError(
                f"{path} was changed since it was exported and is not overwritten: move it, or name another folder "
                "with --out."
            )

    def _identity(self) -> list[Any]:
        start = self.session.start_utc
        return [session_stem(self.session), None if start is None else start.isoformat(), self.session.sample_count]

    def _known(self) -> dict[str, Any]:
        try:
            listed = json.loads((self.out_dir / LIST_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:  # damaged: then nothing is known to be ours
            return {}
        files = listed.get("files") if isinstance(listed, dict) and listed.get("format") == _LIST_FORMAT else None
        return files if isinstance(files, dict) else {}


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _held_folders(session: Session) -> set[Path]:
    """The folder of a session that is a folder; a recording's folder holds other things, too."""
    return set() if session.kind == "recording" else {session.path, *(file.parent for file in session.files)}
