"""Starts the acquisition process, which is told what to do through a pipe and watched by nobody.

If the process that shows the session dies, this one goes on recording until the session's own end; a new window can
attach to the shared memory by its name. If the person stops it (Ctrl-C, the window's button), it ends in order.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from subtalar.acquisition.plan import AcquisitionPlan
from subtalar.acquisition.process.acquisition import Acquisition
from subtalar.acquisition.process.body import run_acquisition_process
from subtalar.errors import LinkError, SubtalarError

START_TIMEOUT_S = 60.0
PREPARE_TIMEOUT_S = 600.0
"""Of the first start on a computer, which compiles the estimator."""


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
    process = context.Process(target=run_acquisition_process, args=(plan, theirs), name="subtalar acquisition")
    with _interrupts_kept_from_children():
        process.start()
    theirs.close()
    try:
        meanwhile()
        kind, value = _next_message(ours, START_TIMEOUT_S)
        if kind == "preparing":
            on_preparing()
            kind, value = _next_message(ours, PREPARE_TIMEOUT_S)
        if kind != "ring":
            raise SubtalarError(value.error)
    except BaseException:  # Ctrl-C included: nobody would be left to stop it
        process.terminate()
        process.join(5.0)
        ours.close()
        raise
    return Acquisition(process, ours, value, plan.record_path)


def _next_message(pipe: "Connection[Any, Any]", timeout_s: float) -> tuple[str, Any]:
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
