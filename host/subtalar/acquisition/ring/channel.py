"""A ring of fixed-size rows with one writer and any number of readers.

The writer announces how far it is going to write, writes, then says how far it has written; a reader copies and then
asks whether what it copied was being overwritten meanwhile. No locks: a reader that dies in the middle holds nobody up,
and a writer that dies in the middle leaves every finished row readable.
"""

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]

_fence_lock = threading.Lock()


def fence() -> None:
    """Keep the stores before from passing those after, on processors that reorder (ARM).

    Python has no fence; releasing a lock and taking it again is one.
    """
    with _fence_lock:
        pass
    with _fence_lock:
        pass


@dataclass(frozen=True)
class Batch:
    """Rows copied out of a channel. ``cursor``: where to go on; ``missed``: rows overwritten before they were read."""

    rows: Rows
    cursor: int
    missed: int


class Channel:
    """One ring. Every row is stored twice, a capacity apart, so any window is one contiguous slice."""

    _RESERVED, _COUNT = 0, 1

    def __init__(self, head: npt.NDArray[np.int64], rows: Rows) -> None:
        self._head = head
        self._rows = rows
        self.capacity = len(rows) // 2

    @property
    def count(self) -> int:
        """Rows written since the start."""
        return int(self._head[self._COUNT])

    def append(self, rows: Rows) -> None:
        """Write rows (one writer only). Of more rows than fit, the last ones stay."""
        end = self.count + len(rows)
        rows = rows[-self.capacity :]
        self._head[self._RESERVED] = end
        fence()
        start = (end - len(rows)) % self.capacity
        until_wrap = self.capacity - start
        for part, at in ((rows[:until_wrap], start), (rows[until_wrap:], 0)):
            self._rows[at : at + len(part)] = part
            self._rows[at + self.capacity : at + self.capacity + len(part)] = part
        fence()
        self._head[self._COUNT] = end

    def since(self, cursor: int) -> Batch:
        """All rows from number ``cursor`` on that are still there."""
        while True:
            count = self.count
            fence()
            first = max(min(cursor, count), count - self.capacity, 0)
            at = first % self.capacity
            rows = self._rows[at : at + count - first].copy()
            fence()
            oldest_whole = int(self._head[self._RESERVED]) - self.capacity
            if first >= oldest_whole or not len(rows):
                return Batch(rows, count, max(first - cursor, 0))
            if oldest_whole < count:
                return Batch(rows[oldest_whole - first :], count, max(oldest_whole - cursor, 0))

    def last(self, n: int) -> Rows:
        """The newest ``n`` rows, or as many as there are."""
        return self.since(max(self.count - n, 0)).rows
