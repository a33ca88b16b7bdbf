"""The acquisition process: started by the command, told to stop or mark through a pipe, watched by nobody.

If the process that shows the session dies, this one goes on recording until the session's own end; a new window can
attach to the shared memory by its name. If the person stops it (Ctrl-C, the window's button), it ends in order.

What takes seconds to load (estimator, radio, recorder) is imported by the acquisition process alone.
"""

import contextlib
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from subtalar.acquisition.commands.mailbox import put
from subtalar.acquisition.plan import AcquisitionPlan, Outcome
from subtalar.acquisition.ring import RingReader, SessionFacts, find_sessions
from subtalar.errors import InputError, LinkError, SubtalarError

START_TIMEOUT_S = 60.0
PREPARE_TIMEOUT_S = 600.0
"""Of the first start on a computer, which compiles the estimator."""


class Acquisition:
    """The handle in the process that shows the session."""

    def __init__(
        self, process: SpawnProcess, pipe: "Connection[Any, Any]", ring_name: str, record_path: Path | None = None
    ) -> None:
        self.ring_name = ring_name
        self._record_path = record_path
        self._process, self._pipe = process, pipe
        self._outcome: Outcome | None = None

    def stop(self) -> None:
        """End the session in order and close the recording."""
        self._send(("stop", ""))

    def mark(self, text: str) -> None:
        """Put a marker into the recording."""
        self._send(("mark", text))

    def record_to(self, place: str) -> None:
        """Go on recording in this folder or file, after the disk failed."""
        self._send(("record", place))

    def say_about(self, participant: str, visit: str, condition: str) -> None:
        """Show in every view whose session it is, and keep it beside the recording."""
        self._send(("about", _about(participant, visit, condition)))

    def _send(self, message: tuple[str, str]) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._pipe.send(message)

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
        self.stop()
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


class RunningSession:
    """Control of a session that another process started, whose pipe is gone: a signal to end it, else the mailbox."""

    def __init__(self, ring_name: str, pid: int) -> None:
        self.ring_name, self._pid = ring_name, pid

    def stop(self) -> None:
        """End the session in order and close the recording."""
        if sys.platform == "win32":
            put(self.ring_name, "stop")  # a signal would end it at once there, and the recording with it
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.ring_name in find_sessions()

    def end(self, timeout_s: float = 30.0) -> SessionFacts:
        """Stop it, wait for its end and tell how it stands then. Raises SubtalarError where it does not end."""
        deadline = time.monotonic() + timeout_s
        with RingReader.attach(self.ring_name) as reader:
            self.stop()
            while reader.writer_state() == "alive":
                if time.monotonic() > deadline:
                    raise SubtalarError(f"The live session {self.ring_name} does not end: end process {self._pid}.")
                time.sleep(0.05)
            return reader.session()

    def mark(self, text: str) -> None:
        """Put a marker into the recording. Raises OSError where nobody listens."""
        self._tell("mark", text)

    def record_to(self, place: str) -> None:
        """Go on recording in this folder or file, after the disk failed. Raises OSError where nobody listens."""
        self._tell("record", place)

    def say_about(self, participant: str, visit: str, condition: str) -> None:
        """Show in every view whose session it is, and keep it. Raises OSError where nobody listens."""
        self._tell("about", _about(participant, visit, condition))

    def _tell(self, command: str, text: str) -> None:
        if not self.is_alive():
            raise OSError(f"the session {self.ring_name} has ended")
        put(self.ring_name, command, text)


def _about(participant: str, visit: str, condition: str) -> str:
    return json.dumps([participant, visit, condition])


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


def start_acquisition(
    plan: AcquisitionPlan,
    *,
    on_preparing: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Acquisition:
    """Start the process and wait until its shared memory is there. Raises SubtalarError where it cannot start.

    ``on_preparing`` is called when the wait will be about a minute, as on the first start on a computer;
    ``meanwhile`` while the process loads, which takes seconds.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(plan, theirs), name="subtalar acquisition")
    with _interrupts_kept_from_children():
        process.start()
    theirs.close()
    try:
        meanwhile()
        kind, value = _next_word(ours, START_TIMEOUT_S)
        if kind == "preparing":
            on_preparing()
            kind, value = _next_word(ours, PREPARE_TIMEOUT_S)
        if kind != "ring":
            raise SubtalarError(value.error)
    except BaseException:  # Ctrl-C included: nobody would be left to stop it
        process.terminate()
        process.join(5.0)
        ours.close()
        raise
    return Acquisition(process, ours, value, plan.record_path)


def _next_word(pipe: "Connection[Any, Any]", timeout_s: float) -> tuple[str, Any]:
    if not pipe.poll(timeout_s):
        raise LinkError("The measuring process does not start: try again, and restart the computer if that fails.")
    try:
        kind, value = pipe.recv()
    except EOFError:
        raise SubtalarError("The measuring process ended before it began; is the installation complete?") from None
    return kind, value


@contextlib.contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal, and this one alone decides what it means.

    A child inherits the signals that are blocked when it starts; ignoring them in its own first lines is too late.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_precedence() -> None:
    """Of this process over others, where that is allowed: it stamps samples, and being late costs accuracy."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -5)


def _main(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> None:
    """Body of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems without signal masks
    # What the radio's libraries have to say goes through our own errors and ledgers.
    for name in ("bumble", "bleak"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    take_precedence()
    try:
        from subtalar.acquisition.measuring.measure import measure

        outcome = measure(plan, pipe)
    except SubtalarError as error:
        outcome = Outcome(error=str(error))
    except Exception as error:
        outcome = Outcome(error=f"The measuring process failed ({type(error).__name__}: {error}). This is a defect.")
        if os.environ.get("SUBTALAR_DEBUG"):
            raise
    with contextlib.suppress(OSError):
        pipe.send(("outcome", outcome))
    pipe.close()
