"""A named piece of shared memory with one owner: created, attached, known to be alive (``live_folder``), cleaned up."""

import contextlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from subtalar.acquisition.ring.live_folder import MAIL_SUFFIX, is_held, live_folder, live_names, lock_file, try_lock
from subtalar.errors import InputError, SubtalarError

_PREFIX = "subtalar-"
_GRACE_S = 5.0  # between making the lock file and locking it a new owner looks dead
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
        lock_fd = os.open(lock_file(name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not try_lock(lock_fd):
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
            if is_held(lock_file(name)):
                with _untracked():
                    return cls(name, _shared_memory(name, create=False, size=0), None)
        running = ", ".join(live_names()) or "none"
        raise InputError(f"no live session is called {name} (running now: {running}); start one with `subtalar live`")

    def owner_alive(self) -> bool:
        """Whether the process that created the segment still runs."""
        return self._lock_fd is not None or is_held(lock_file(self.name))

    def close(self) -> None:
        """Let go of the memory; the owner also removes it. All arrays over ``buffer`` must be gone."""
        self._memory.close()
        if self._lock_fd is not None:
            _unlink_memory(self.name)
            os.close(self._lock_fd)
            self._lock_fd = None
            lock_file(self.name).unlink(missing_ok=True)


def clean_stale() -> tuple[str, ...]:
    """Remove the segments that dead owners left behind, and mail that nobody will take; returns their names."""
    removed = []
    for file in live_folder().glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > _GRACE_S and not is_held(file):
                _unlink_memory(file.stem)
                file.unlink()
                removed.append(file.stem)
    for mail in live_folder().glob(f"*{MAIL_SUFFIX}"):
        with contextlib.suppress(OSError, InputError):  # whatever else lies there is no concern of ours
            if not lock_file(mail.name.partition(".")[0]).exists():
                mail.unlink(missing_ok=True)
    return tuple(removed)


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
