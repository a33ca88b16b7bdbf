"""Independent measurements on all cores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def side_by_side(measure: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """``measure`` (a function of a module) of each item, in their order; in one process where there is one item."""
    workers = min(len(items), os.cpu_count() or 1)
    if workers < 2:
        return [measure(item) for item in items]
    # Spawned, not forked: compiled filters may have started threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(measure, items))
