"""Many trials, as figures."""

import time
from collections.abc import Callable
from functools import partial

from subtalar.bench.result import Result
from subtalar_bench.faults.fault_run import FaultRun, FaultRunResult, run_fault_script

TRIAL_S = 20.0
"""How long one lasts, in the sensors' time."""


def measure(
    random_trial: Callable[[int, float, Callable[[], float]], FaultRun],
    n: int,
    first_seed: int = 0,
    tell: Callable[[FaultRunResult], None] = lambda _: None,
) -> tuple[list[Result], list[FaultRunResult]]:
    """``n`` trials with the seeds from ``first_seed`` on: the figures, and the trials with which something is wrong.

    ``tell`` is told of each of the latter at once.
    """
    begin = time.monotonic()
    wrong: list[FaultRunResult] = []
    exact = sensors = received = lost = 0
    for seed in range(first_seed, first_seed + n):
        finding = run_fault_script(partial(random_trial, seed, TRIAL_S), TRIAL_S)
        if finding.problems:
            wrong.append(finding)
            tell(finding)
        for sensor in finding.sensors:
            sensors += 1
            exact += sensor.is_exact
            received += sensor.ledger.received
            lost += sensor.missing
    on = f"{n} random fault scripts of {TRIAL_S:g} s from seed {first_seed} on"
    return [
        Result("trials with a crash, a leak or a wrong count", len(wrong), "trials", on),
        Result("sensors", sensors, "sensors", on),
        Result("of which every lost sample must be known", exact, "sensors", on),
        Result("received samples", received, "samples", on),
        Result("samples missing between them", lost, "samples", on),
        Result("times real time", TRIAL_S * n / max(time.monotonic() - begin, 1e-9), "x", on),
    ], wrong
