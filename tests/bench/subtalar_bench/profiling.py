"""Where the estimator spends its time: python -m subtalar_bench.profiling [SECONDS]; what ``make profile`` runs.

Functions of Python by their own time over a simulated walk, and how much of all is compiled code and VQF.
"""

import cProfile
import pstats
import sys
import tempfile
from pathlib import Path

from subtalar.cli.simulation import simulated_session
from subtalar.estimation import GaitEstimator, warm_up
from subtalar.session.opening import open_session

_LINES = 20


def profile(seconds: float) -> pstats.Stats:
    """Blocks of a quarter of a second of four sensors at 200 Hz, as a replay pushes them."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(simulated_session(Path(folder) / "walk", seconds))
        blocks = list(session.blocks(0.25))
    warm_up()
    estimator = GaitEstimator(session.sensors)
    profiler = cProfile.Profile()
    profiler.enable()
    for block in blocks:
        estimator.push(block)
    estimator.finish()
    profiler.disable()
    return pstats.Stats(profiler)


if __name__ == "__main__":
    profile(float(sys.argv[1]) if len(sys.argv) > 1 else 120.0).sort_stats("tottime").print_stats(_LINES)
