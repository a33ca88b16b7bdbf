"""The acquisition process: started by the command, told to stop or mark through a pipe, watched by nobody.

If the process that shows the session dies, this one goes on recording until the session's own end; a new window can
attach to the shared memory by its name. If the person stops it (Ctrl-C, the window's button), it ends in order.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from subtalar.acquisition.engine import Engine
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, ProvidedSource, ReplaySource
from subtalar.acquisition.ring import RingReader, RingWriter, SessionFacts, find_sessions
from subtalar.acquisition.runs import Stop, run_replay, run_sensors, specs_of
from subtalar.errors import InputError, LinkError, SubtalarError

START_TIMEOUT_S = 60.0
_LINGER_S = 5.0


@dataclass(frozen=True)
class Outcome:
    """How a session ended: ``error`` is one sentence, empty when all went well."""

    error: str = ""
    recording_path: str = ""
    recording_error: str = ""
    strides: int = 0


class Acquisition:
    """The handle in the process that shows the session."""

    def __init__(self, process: SpawnProcess, pipe: "Connection[Any, Any]", ring_name: str) -> None:
        self.ring_name = ring_name
        self._process, self._pipe = process, pipe
        self._outcome: Outcome | None = None

    def stop(self) -> None:
        """End the session in order and close the recording."""
        self._send(("stop", ""))

    def mark(self, text: str) -> None:
        """Put a marker into the recording."""
        self._send(("mark", text))

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
                self._outcome = Outcome(error="The measuring process ended without a word; what it recorded is kept.")
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
            outcome = Outcome(error="The measuring process did not end when asked; what it recorded is kept.")
        self._pipe.close()
        return outcome


class RunningSession:
    """Control of a session that another process started, by signals: all that is left when its pipe is gone."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> None:
        """End the session in order and close the recording."""
        os.kill(self._pid, signal.SIGTERM)

    def mark(self, text: str) -> None:
        """Raises OSError: a signal carries no text."""
        raise OSError("markers need the window that started the session")


def running_session() -> tuple[str, RunningSession]:
    """Ring name and control of the newest live session on this computer. Raises InputError where there is none."""
    names = find_sessions()
    if not names:
        raise InputError("No live session is running on this computer: start one with `subtalar live`.")
    with RingReader.attach(names[0]) as reader:
        return names[0], RunningSession(reader.writer_pid())


def start_acquisition(plan: AcquisitionPlan) -> Acquisition:
    """Start the process and wait until its shared memory is there. Raises SubtalarError where it cannot start."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(plan, theirs), name="subtalar acquisition")
    process.start()
    theirs.close()
    if not ours.poll(START_TIMEOUT_S):
        process.terminate()
        raise LinkError("The measuring process does not start: try again, and restart the computer if that fails.")
    try:
        kind, value = ours.recv()
    except EOFError:
        process.join(5.0)
        raise SubtalarError("The measuring process ended before it began; is the installation complete?") from None
    if kind != "ring":
        process.join(5.0)
        raise SubtalarError(value.error)
    return Acquisition(process, ours, value)


def _main(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> None:
    """Body of the process."""
    # Ctrl-C reaches every process of the terminal; the one that shows the session decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the radio's libraries have to say goes through our own errors and ledgers.
    for name in ("bumble", "bleak"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if hasattr(os, "setpriority"):
        # Samples are stamped here: being late costs accuracy, being a little greedy costs nothing.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -5)
    try:
        outcome = asyncio.run(_session(plan, pipe))
    except SubtalarError as error:
        outcome = Outcome(error=str(error))
    except Exception as error:
        outcome = Outcome(error=f"The measuring process failed ({type(error).__name__}: {error}). This is a defect.")
        if os.environ.get("SUBTALAR_DEBUG"):
            raise
    with contextlib.suppress(OSError):
        pipe.send(("outcome", outcome))
    pipe.close()


async def _session(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> Outcome:
    stop = Stop()
    engines: list[Engine] = []
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError):
            loop.add_signal_handler(getattr(signal, name), stop.set)
    with RingWriter.create() as ring:
        pipe.send(("ring", ring.name))
        listening = asyncio.create_task(_listen(pipe, stop, engines))
        try:
            await _run(plan, ring, stop, engines.append)
        finally:
            facts = engines[0].facts if engines else SessionFacts(source=plan.source_text)
            ring.publish_session(replace(facts, state="ended"))
            # A window that is only just opening must still find the end of the session.
            await stop.within(_LINGER_S)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    facts = engines[0].facts
    return Outcome("", facts.recording_path, facts.recording_error, engines[0].strides)


async def _run(plan: AcquisitionPlan, ring: RingWriter, stop: Stop, on_engine: Callable[[Engine], None]) -> None:
    match plan.source:
        case ReplaySource() as source:
            await run_replay(source, plan, ring, stop, on_engine)
        case DeviceSource(specs):
            await run_sensors(specs, plan, ring, stop, on_engine)
        case ProvidedSource(opener):
            async with opener() as hardware:
                await run_sensors(specs_of(hardware), plan, ring, stop, on_engine, hardware)


async def _listen(pipe: "Connection[Any, Any]", stop: Stop, engines: list[Engine]) -> None:
    """Commands from the process that shows the session."""
    while True:
        await asyncio.sleep(0.05)
        try:
            while pipe.poll():
                command, text = pipe.recv()
                if command == "stop":
                    stop.set()
                elif command == "mark" and engines:
                    engines[0].mark(text)
        except (EOFError, OSError):
            return  # the window is gone; the session goes on
