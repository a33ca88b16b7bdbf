"""What is measured, by name."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from subtalar.bench.accuracy import closed_loops, foot_floor, inclination, treadmill, truth_trials
from subtalar.bench.table import Table
from subtalar.errors import InputError

MEASUREMENTS: dict[str, Callable[[Path], list[Table]]] = {
    "truth_trials": truth_trials.measure,
    "treadmill": treadmill.measure,
    "inclination": inclination.measure,
    "foot_floor": foot_floor.measure,
    "closed_loops": closed_loops.measure,
}
"""Each takes the folder of recordings and gives tables. Raises InputError where its own part is missing."""


def measure(data: Path, only: Sequence[str] = ()) -> Iterator[Table]:
    """The chosen measurements (all, unless named) in order, each table as soon as it is there.

    Raises InputError where the folder of recordings is absent.
    """
    if not data.is_dir():
        raise InputError(
            f"There is no folder {data} with recordings to measure accuracy on: name the one you have with --data."
        )
    for name in only or MEASUREMENTS:
        yield from MEASUREMENTS[name](data)
