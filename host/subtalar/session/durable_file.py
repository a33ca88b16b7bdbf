"""A new file that only one process writes, that only its owner may read, and that reaches the disk when told to."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subtalar.errors import RecordingError

if sys.platform == "win32":
    import msvcrt

_LOCK_OFFSET = 1 << 62
"""Windows locks forbid reading too: lock a byte that no reader will ever touch."""


class DurableFile:
    """Append-only, unbuffered. Every failure is a RecordingError with one sentence.

    The lock is the operating system's and dies with the process. An existing file is never opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            self._fd = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise _refuse_existing(path) from error
        except OSError as error:
            raise _translate(path, error) from error
        self._length = 0
        _try_lock(self._fd)
        sync_folder(path.parent)

    def write(self, data: bytes) -> int:
        """Write all of it, or raise RecordingError (disk full, file too large, disk gone)."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self._cut_back()
            raise _translate(self.path, error) from error
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._length

    def flush(self) -> None:
        """Nothing is held back here."""

    def sync(self) -> None:
        """Wait until the disk has everything; raise RecordingError where it does not, or the file was removed."""
        try:
            os.fsync(self._fd)
            mine, named = os.fstat(self._fd), os.stat(self.path)
        except FileNotFoundError as error:
            raise RecordingError(
                f"{self.path} was removed or its folder is gone while it was being recorded: "
                "start a new recording somewhere else."
            ) from error
        except OSError as error:
            raise _translate(self.path, error) from error
        if (mine.st_dev, mine.st_ino) != (named.st_dev, named.st_ino):
            raise RecordingError(
                f"{self.path} was replaced by another file while it was being recorded: start a new one."
            )

    def close(self) -> None:
        """Let go of the file and its lock; may be called twice."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _cut_back(self) -> None:
        """After a failed write, end the file where the last good write ended."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self._length)
            os.lseek(self._fd, self._length, os.SEEK_SET)


def check_new(path: Path) -> None:
    """Raise RecordingError where it is known beforehand that ``path`` cannot become a new recording."""
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _translate(path, error) from error
    else:
        raise _refuse_existing(path)
    if not path.parent.is_dir():
        raise _translate(path, FileNotFoundError(errno.ENOENT, "no such folder"))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _translate(path, PermissionError(errno.EACCES, "not writable"))


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Make ``path`` and hold its lock, then remove it. False, and nothing done, where another process holds it.

    Raises OSError where the file cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    held = _try_lock(fd)
    try:
        yield held
    finally:
        os.close(fd)
        if held:
            with contextlib.suppress(OSError):
                path.unlink()


def is_being_written(path: Path) -> bool:
    """Whether some process holds the lock of this recording."""
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False  # what may not be written is not being written by us
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


@contextmanager
def lock_of(path: Path) -> Iterator[bool]:
    """Hold the lock of an existing file without writing to it; False where somebody else does.

    Raises OSError where the file cannot be opened for writing.
    """
    fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        yield _try_lock(fd)
    finally:
        os.close(fd)


def _try_lock(fd: int) -> bool:
    """Lock for as long as the descriptor lives. False only where somebody else holds the lock."""
    try:
        if sys.platform == "win32":
            os.lseek(fd, _LOCK_OFFSET, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(fd, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks (some network drives) is no reason not to record: O_EXCL still guards the name.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def _refuse_existing(path: Path) -> RecordingError:
    if path.is_dir():
        return RecordingError(f"{path} is a folder: give the name of a new file in it, such as {path / 'walk.mcap'}.")
    if is_being_written(path):
        return RecordingError(f"{path} is being recorded by another program at this moment: choose another name.")
    return RecordingError(f"{path} exists already and a recording is never overwritten: choose another name.")


def _translate(path: Path, error: OSError) -> RecordingError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecordingError(
            f"The disk is full: {path} ends here; make room, or record to another disk. What was recorded is kept."
        )
    if error.errno == errno.EFBIG:
        return RecordingError(f"{path} has grown larger than files may be there: what was recorded is kept.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RecordingError(f"{path.parent} may not be written to: choose another folder for the recording.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return RecordingError(f"The folder {path.parent} does not exist: create it or choose another one.")
    return RecordingError(f"{path} cannot be written ({error.strerror}): choose another folder or disk.")


def sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can (not on Windows)."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
