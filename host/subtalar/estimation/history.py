"""A bounded window on an endless series: columns that grow at the end and are forgotten at the start."""

import numpy as np

from subtalar.types import FloatArray


class History:
    """Rows (n, width) addressed by their index since the beginning of the stream."""

    def __init__(self, width: int) -> None:
        self._rows = np.empty((1024, width))
        self._first = 0
        self._offset = 0
        self._end = 0

    @property
    def first(self) -> int:
        """Index of the oldest row that is still held."""
        return self._first

    @property
    def end(self) -> int:
        """Index after the newest row."""
        return self._first + self._end - self._offset

    def append(self, rows: FloatArray) -> None:
        """Add rows (n, width) at the end."""
        need = self._end + len(rows)
        if need > len(self._rows):
            held = self._rows[self._offset : self._end]
            grown = np.empty((max(1024, 2 * (len(held) + len(rows))), self._rows.shape[1]))
            grown[: len(held)] = held
            self._rows, self._offset, self._end = grown, 0, len(held)
        self._rows[self._end : self._end + len(rows)] = rows
        self._end += len(rows)

    def view(self, start: int, stop: int) -> FloatArray:
        """Rows ``start`` to ``stop`` (indices of the stream); clipped to what is held."""
        start, stop = max(start, self._first), min(stop, self.end)
        a = self._offset + start - self._first
        return self._rows[a : a + max(0, stop - start)]

    def forget_before(self, index: int) -> None:
        """Let go of rows older than ``index``."""
        drop = min(max(0, index - self._first), self._end - self._offset)
        self._first += drop
        self._offset += drop
