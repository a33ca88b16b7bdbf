"""Measure in a fresh process that has one thread for arithmetic and nothing else loaded."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from subtalar.errors import SubtalarError

Figures = dict[str, float]

_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMBA")
}
_CODE = "import sys; from subtalar.bench.own_process import run; run(*sys.argv[1:])"


def in_own_process(module: str, function: str, folder: Path) -> Figures:
    """What ``function`` of ``module`` measures on the session in ``folder``. Raises SubtalarError where it does.

    The module is loaded in the new process only. Libraries read the number of their threads when they are loaded.
    """
    command = [sys.executable, "-c", _CODE, module, function, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | _ONE_THREAD)
    if done.returncode:
        raise SubtalarError((done.stderr.strip().splitlines() or ["The measurement ended without a word."])[-1])
    figures: Figures = json.loads(done.stdout)
    return figures


def run(module: str, function: str, folder: str) -> None:
    """Body of the new process."""
    try:
        print(json.dumps(getattr(import_module(module), function)(Path(folder))))  # noqa: T201
    except SubtalarError as error:
        sys.exit(str(error))


def peak_memory_mb() -> float:
    """Of this process since it began, loaded libraries included."""
    try:
        # Linux hands getrusage the peak of the process that started this one (man 2 getrusage, ru_maxrss).
        status = Path("/proc/self/status").read_text("ascii")
        return float(status.split("VmHWM:")[1].split()[0]) / 2**10
    except (OSError, IndexError):
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def resident_memory_mb() -> float:
    """Of this process now; where the system does not tell, its peak."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return float(status.split("VmRSS:")[1].split()[0]) / 2**10
    except (OSError, IndexError):
        return peak_memory_mb()
