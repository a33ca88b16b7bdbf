"""Find recordings that a crash left open, and close them under their own name.

A clean copy is written beside the recording, checked, and only then takes its place in one step; until then the
original is as it was. What is damaged in the middle as well keeps its original: a person should decide.
"""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from subtalar.errors import InputError, SubtalarError
from subtalar.session.durable_file import is_being_written, lock_of, sync_folder
from subtalar.session.recording.read.container import MAGIC
from subtalar.session.recording.read.scan import scan_recording
from subtalar.session.recording.repair.verify import recover

_STAGING = ".salvaged"
_QUIET_S = 600.0
"""Where the file system has no locks, a recording is left alone until nobody has written to it for so long."""


@dataclass(frozen=True)
class SalvageResult:
    """What became of one recording that was left open; ``text`` is one sentence. ``ok``: it is closed now."""

    path: Path
    ok: bool
    text: str


def unclosed_recordings(folder: Path) -> tuple[Path, ...]:
    """Recordings in a folder that end without their end mark and that nobody is writing. Reads some bytes of each."""
    try:
        files = sorted(folder.glob("*.mcap"))
    except OSError:
        return ()
    return tuple(file for file in files if not file.name.startswith(".") and _is_unclosed(file))


def salvage(path: Path) -> SalvageResult:
    """Close one of them. Never raises what a person could have met, and never leaves less than there was."""
    staging = path.with_name(f".{path.name}{_STAGING}")
    try:
        _remove_stale(staging)
        if not _is_unclosed(path):
            return SalvageResult(path, True, f"{path.name} is whole.")
        before, found = path.stat(), scan_recording(path)
        if found.from_newer:
            return SalvageResult(path, False, f"{path.name} was left open by a newer subtalar: that one can close it.")
        if found.damaged:
            return SalvageResult(
                path,
                False,
                f"{path.name} was left open by a crash and is damaged in the middle, too: it is as it was; "
                f"'subtalar session recover {path} --out FILE2' saves what can be read.",
            )
        if not found.totals.samples.total():
            return SalvageResult(
                path, False, f"{path.name} was left open by a crash before the first sample: delete it."
            )
        report = recover(path, staging)
        now = path.stat()
        same = (now.st_size, now.st_mtime_ns, now.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
        if not same or report.status != "ok" or report.sample_count != found.totals.samples.total():
            staging.unlink(missing_ok=True)
            return SalvageResult(
                path, False, f"{path.name} was left open by a crash and cannot be closed: it is as it was."
            )
        os.utime(staging, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.replace(staging, path)
        sync_folder(path.parent)
        return SalvageResult(
            path, True, f"{path.name} was left open by a crash and is whole again: {report.readable_s:.1f} s are saved."
        )
    except (SubtalarError, OSError) as error:
        with contextlib.suppress(OSError, InputError):
            _remove_stale(staging)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return SalvageResult(path, False, f"{path.name} was left open by a crash and could not be saved yet: {reason}")


def _is_unclosed(path: Path) -> bool:
    try:
        if not path.is_file() or path.is_symlink():
            return False
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(MAGIC)))
            if size > len(MAGIC) and file.read(len(MAGIC)) == MAGIC:
                return False
        if is_being_written(path):
            return False
        return _locks_work(path) or time.time() - path.stat().st_mtime > _QUIET_S
    except OSError:
        return False


def _locks_work(path: Path) -> bool:
    """Whether a lock held on this file would be seen."""
    with lock_of(path) as held:
        return held and is_being_written(path)


def _remove_stale(staging: Path) -> None:
    """A copy whose maker was killed. Raises InputError where it is being made at this moment."""
    if staging.exists():
        if is_being_written(staging):
            raise InputError(f"{staging.name} is being made by another program at this moment.")
        staging.unlink()
