"""A session that another process started, found by its name."""

import contextlib
import os
import signal
import sys
import time

from subtalar.acquisition.commands import Command, Stop
from subtalar.acquisition.commands.mailbox import post
from subtalar.acquisition.ring import RingReader, SessionFacts, find_sessions
from subtalar.errors import InputError, SubtalarError


class RunningSession:
    """Control of a session that another process started, whose pipe is gone: a signal to end it, else the mailbox."""

    def __init__(self, ring_name: str, pid: int) -> None:
        self.ring_name, self._pid = ring_name, pid

    def send(self, command: Command) -> None:
        """Ask the session for something. Raises OSError where it has ended."""
        if isinstance(command, Stop) and sys.platform != "win32":  # there a signal would end it, and the recording
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
            return
        if not self.is_alive():
            raise OSError(f"the session {self.ring_name} has ended")
        post(self.ring_name, command)

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.ring_name in find_sessions()

    def end(self, timeout_s: float = 30.0) -> SessionFacts:
        """Stop it, wait for its end and tell how it stands then. Raises SubtalarError where it does not end."""
        deadline = time.monotonic() + timeout_s
        with RingReader.attach(self.ring_name) as reader:
            self.send(Stop())
            while reader.writer_state() == "alive":
                if time.monotonic() > deadline:
                    raise SubtalarError(f"The live session {self.ring_name} does not end: end process {self._pid}.")
                time.sleep(0.05)
            return reader.session()


def running_session(name: str = "", *, only: bool = False) -> RunningSession:
    """The live session ``name`` of this computer, or the newest one where no name is given.

    Raises InputError where there is none, and, with ``only``, where a name would be needed to tell several apart.
    """
    names = find_sessions()
    if not names:
        raise InputError("No live session is running on this computer: start one with `subtalar live`.")
    if only and not name and len(names) > 1:
        raise InputError(f"{len(names)} live sessions are running on this computer: name one of {', '.join(names)}.")
    with RingReader.attach(name or names[0]) as reader:
        return RunningSession(reader.name, reader.writer_pid())
