"""The handle of a session in the process that started it and shows it."""

import contextlib
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from subtalar.acquisition.commands import Command, Stop, encode
from subtalar.acquisition.plan import Outcome
from subtalar.acquisition.ring import find_sessions


class Acquisition:
    """The handle in the process that shows the session."""

    def __init__(
        self, process: SpawnProcess, pipe: "Connection[Any, Any]", ring_name: str, record_path: Path | None = None
    ) -> None:
        self.ring_name = ring_name
        self._record_path = record_path
        self._process, self._pipe = process, pipe
        self._outcome: Outcome | None = None

    def send(self, command: Command) -> None:
        """Ask the session for something; nothing happens where it has ended."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe.send(encode(command))

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """The outcome once the process has ended; None when it has not by then."""
        if self._outcome is None and self._pipe.poll(timeout_s):
            with contextlib.suppress(EOFError):
                kind, value = self._pipe.recv()
                if kind == "outcome":
                    self._outcome = value
            if self._outcome is None:
                self._process.join(10.0)
                find_sessions()  # removes the shared memory that it left behind
                self._outcome = self._crashed("The measuring process ended without a word")
        if self._outcome is not None:
            self._process.join(10.0)
        return self._outcome

    def close(self) -> Outcome:
        """Stop if it still runs, wait for the recording to be closed, and tell how it ended."""
        self.send(Stop())
        outcome = self.wait(30.0)
        if outcome is None:
            self._process.terminate()
            self._process.join(5.0)
            outcome = self._crashed("The measuring process did not end when asked")
        self._pipe.close()
        return outcome

    def _crashed(self, what: str) -> Outcome:
        path = self._record_path
        if path is None or not path.exists():
            return Outcome(error=f"{what}: start the session again.")
        advice = (
            f"what it recorded is kept, and 'subtalar session recover {path} --out FILE2' makes a clean file of it."
        )
        return Outcome(error=f"{what}; {advice}", recording_path=str(path))
