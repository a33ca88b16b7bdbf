"""A named piece of shared memory with one owner: created, found, attached, known to be alive, cleaned up.

Beside each segment lies a small lock file in the user's temporary folder. The owner holds an advisory lock
on it for life, and the operating system lets go of that lock however the process ends. So "is the writer
alive?" is answered at once and exactly, with no guess from process numbers that may have been given out again,
and segments can be listed on systems that offer no listing.
"""

import contextlib
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

from subtalar.errors import InputError, SubtalarError

MAIL_SUFFIX = ".mail"
"""Of what is left for a session in the folder (``mailbox.py``), behind its name and a dot."""
_PREFIX = "subtalar-"
_GRACE_S = 5.0  # between making the lock file and locking it a new owner looks dead
_LOCK_OFFSET = 1 << 20  # Windows locks are mandatory: lock a byte that nobody reads
_tracker_lock = threading.Lock()


class Segment:
    """Shared memory ``name``; ``buffer`` is the bytes. Made by ``create`` (the owner) or ``attach``."""

    def __init__(self, name: str, memory: SharedMemory, lock_fd: int | None) -> None:
        self.name = name
        self._memory = memory
        self._lock_fd = lock_fd

    @property
    def buffer(self) -> memoryview:
        """The bytes. Raises SubtalarError after ``close``."""
        if self._memory.buf is None:
            raise SubtalarError(f"the live session {self.name} was closed here")
        return self._memory.buf

    @classmethod
    def create(cls, name: str | None, size: int) -> "Segment":
        """Create and own a segment of ``size`` zero bytes; segments whose owner died are removed first.

        Raises SubtalarError when the name is taken or the shared memory of the machine is full.
        """
        clean_stale()
        name = name or _PREFIX + secrets.token_hex(4)
        lock_fd = os.open(_lock_file(name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_lock(lock_fd):
                raise SubtalarError(f"a live session called {name} is already running; stop it or choose another name")
            os.ftruncate(lock_fd, 0)
            os.write(lock_fd, f"{os.getpid()}\n".encode())
            _unlink_memory(name)
            with _untracked():
                memory = _shared_memory(name, create=True, size=size)
            _allocate(name, size)
        except BaseException:
            os.close(lock_fd)
            raise
        return cls(name, memory, lock_fd)

    @classmethod
    def attach(cls, name: str) -> "Segment":
        """Attach to a segment whose owner runs. Raises InputError when there is none of that name."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            if _is_held(_lock_file(name)):
                with _untracked():
                    return cls(name, _shared_memory(name, create=False, size=0), None)
        running = ", ".join(live_names()) or "none"
        raise InputError(f"no live session is called {name} (running now: {running}); start one with `subtalar live`")

    def owner_alive(self) -> bool:
        """Whether the process that created the segment still runs."""
        return self._lock_fd is not None or _is_held(_lock_file(self.name))

    def close(self) -> None:
        """Let go of the memory; the owner also removes it. All arrays over ``buffer`` must be gone."""
        self._memory.close()
        if self._lock_fd is not None:
            _unlink_memory(self.name)
            os.close(self._lock_fd)
            self._lock_fd = None
            _lock_file(self.name).unlink(missing_ok=True)


def live_names() -> tuple[str, ...]:
    """Names of the segments whose owners run, newest first."""
    found = [(file.stat().st_mtime, file.stem) for file in live_folder().glob("*.lock") if _is_held(file)]
    return tuple(name for _, name in sorted(found, reverse=True))


def clean_stale() -> tuple[str, ...]:
    """Remove the segments that dead owners left behind, and mail that nobody will take; returns their names."""
    removed = []
    for file in live_folder().glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > _GRACE_S and not _is_held(file):
                _unlink_memory(file.stem)
                file.unlink()
                removed.append(file.stem)
    for mail in live_folder().glob(f"*{MAIL_SUFFIX}"):
        with contextlib.suppress(OSError, InputError):  # whatever else lies there is no concern of ours
            if not _lock_file(mail.name.partition(".")[0]).exists():
                mail.unlink(missing_ok=True)
    return tuple(removed)


def live_folder() -> Path:
    """Where sessions of this user are found. Raises SubtalarError where somebody else made it."""
    owner = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"subtalar-live-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32" and folder.stat().st_uid != owner:
        raise SubtalarError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
    return folder


def _lock_file(name: str) -> Path:
    if not name or any(c in name for c in "/\\:. \0"):
        raise InputError(f"{name!r} cannot be the name of a live session: use letters, digits and hyphens")
    return live_folder() / f"{name}.lock"


if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
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

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _is_held(lock_file: Path) -> bool:
    try:
        fd = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _untracked() -> Iterator[None]:
    """Keep the resource tracker out: before Python 3.13 it removes a segment when a mere reader exits.

    (python/cpython#82300; 3.13 has ``track=False``.)
    """
    if sys.version_info >= (3, 13):
        yield
        return
    with _tracker_lock:
        register, unregister = resource_tracker.register, resource_tracker.unregister
        resource_tracker.register = resource_tracker.unregister = lambda name, rtype: None
        try:
            yield
        finally:
            resource_tracker.register, resource_tracker.unregister = register, unregister


def _shared_memory(name: str, *, create: bool, size: int) -> SharedMemory:
    options: dict[str, Any] = {"track": False} if sys.version_info >= (3, 13) else {}
    return SharedMemory(name, create=create, size=size, **options)


def _unlink_memory(name: str) -> None:
    """Remove a segment if it is there. Windows removes it with its last user."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(FileNotFoundError, ValueError), _untracked():
        memory = _shared_memory(name, create=False, size=0)
        memory.unlink()
        memory.close()


def _allocate(name: str, size: int) -> None:
    """Reserve the pages now: on a full /dev/shm the first write would otherwise kill the process (SIGBUS)."""
    path = f"/dev/shm/{name}"
    if sys.platform != "linux" or not os.path.exists(path):
        return
    fd = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        os.unlink(path)
        raise SubtalarError(
            f"the live view needs {size / 1e6:.0f} MB of shared memory in /dev/shm and it is full ({error.strerror}); "
            "free some, or give the container a larger --shm-size"
        ) from None
    finally:
        os.close(fd)
