"""What is measured, by name."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from subtalar_bench.accuracy import closed_loops, foot_floor, inclination, treadmill, truth_trials, unprepared
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.table import Table

MEASUREMENTS: dict[str, Callable[[Path], list[Table]]] = {
    "truth_trials": truth_trials.measure,
    "unprepared": unprepared.measure,
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
    existing(data)
    for name in only or MEASUREMENTS:
        yield from MEASUREMENTS[name](data)
