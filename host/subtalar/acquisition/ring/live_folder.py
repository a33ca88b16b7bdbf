"""The folder of this user's live sessions: a lock file for each, and what is left for it.

The owner of a session holds an advisory lock on its file for life, and the operating system lets go of that lock
however the process ends. So "is the writer alive?" is answered at once and exactly, with no guess from process numbers
that may have been given out again, and sessions can be listed on systems that offer no listing of shared memory.
"""

import os
import sys
import tempfile
from pathlib import Path

from subtalar.errors import InputError, SubtalarError

MAIL_SUFFIX = ".mail"
"""Of commands that are left for a session (``commands.mailbox``), behind its name and a dot."""
_LOCK_OFFSET = 1 << 20  # Windows locks are mandatory: lock a byte that nobody reads


def live_folder() -> Path:
    """Where sessions of this user are found. Raises SubtalarError where somebody else made it."""
    owner = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"subtalar-live-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32" and folder.stat().st_uid != owner:
        raise SubtalarError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
    return folder


def live_names() -> tuple[str, ...]:
    """Names of the segments whose owners run, newest first."""
    found = [(file.stat().st_mtime, file.stem) for file in live_folder().glob("*.lock") if is_held(file)]
    return tuple(name for _, name in sorted(found, reverse=True))


def lock_file(name: str) -> Path:
    """Of a session. Raises InputError for what cannot be the name of one."""
    if not name or any(c in name for c in "/\\:. \0"):
        raise InputError(f"{name!r} cannot be the name of a live session: use letters, digits and hyphens")
    return live_folder() / f"{name}.lock"


if sys.platform == "win32":
    import msvcrt

    def try_lock(fd: int) -> bool:
        """Take the lock for as long as the file is open; whether nobody else had it."""
        os.lseek(fd, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def try_lock(fd: int) -> bool:
        """Take the lock for as long as the file is open; whether nobody else had it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def is_held(lock_file: Path) -> bool:
    """Whether some process holds the lock."""
    try:
        fd = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(fd)
    finally:
        os.close(fd)
