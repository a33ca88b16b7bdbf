"""A bounded window on an endless series: rows that grow at the end and are forgotten at the start."""

import numpy as np

from subtalar.estimation.numerics.records import Records, opaque


class History:
    """Rows (n,) of a dtype with named fields, addressed by their index since the beginning of the stream.

    ``first`` is the index of the oldest row that is still held, ``end`` the one after the newest.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.first = 0
        self.end = 0
        self._rows = np.empty(1024, dtype)
        self._shift = 0  # from index of the stream to index in ``_rows``

    def append(self, rows: Records) -> None:
        """Add rows (n,) at the end."""
        opaque(self.room(len(rows)))[:] = opaque(rows)
        self.end += len(rows)

    def room(self, n: int) -> Records:
        """Where the next rows (n,) will be: write them there, then raise ``end``."""
        at = self.end + self._shift
        if at + n > len(self._rows):
            # Never in place: windows on the past stay what they were.
            held = self.view(self.first, self.end)
            grown = np.empty(max(1024, 2 * (len(held) + n)), self._rows.dtype)
            opaque(grown)[: len(held)] = opaque(held)
            self._rows, self._shift = grown, -self.first
            at = len(held)
        return self._rows[at : at + n]

    def view(self, start: int, stop: int) -> Records:
        """Rows ``start`` to ``stop`` (indices of the stream); clipped to what is held."""
        a = (start if start > self.first else self.first) + self._shift
        b = (stop if stop < self.end else self.end) + self._shift
        return self._rows[a : b if b > a else a]

    def forget_before(self, index: int) -> None:
        """Let go of rows older than ``index``."""
        if index > self.first:
            self.first = min(index, self.end)

    def __getstate__(self) -> dict[str, object]:
        """What is held, without the room around it."""
        return {"first": self.first, "end": self.end, "_rows": self.view(self.first, self.end), "_shift": -self.first}
