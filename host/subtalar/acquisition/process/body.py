"""What the acquisition process does from its first line on."""

import contextlib
import logging
import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from subtalar.acquisition.plan import AcquisitionPlan, Outcome
from subtalar.errors import SubtalarError


def raise_priority() -> None:
    """Above other processes, where that is allowed: this one stamps samples, and being late costs accuracy."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -5)


def run_acquisition_process(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> None:
    """Measure, and tell through the pipe how it ended. Whatever happens is told there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems without signal masks
    # What the radio's libraries have to say goes through our own errors and ledgers.
    for name in ("bumble", "bleak"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    raise_priority()
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
