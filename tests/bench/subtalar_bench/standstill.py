"""Whether the whole computer stood still: what a shared machine does for seconds at times."""

import threading
import time
from types import TracebackType
from typing import Self

_TICK_S = 0.01


class StandstillWatch:
    """A thread that sleeps for a hundredth of a second again and again, and sees by how much it wakes too late.

    As a context manager. What one process does cannot hold it up; a machine that is given no processor does.
    """

    def __init__(self) -> None:
        self._worst_s = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standstill", daemon=True)

    def take_worst_s(self) -> float:
        """By how much it woke too late at worst since it was asked last."""
        worst_s, self._worst_s = self._worst_s, 0.0
        return worst_s

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._end.wait(_TICK_S):
            now_s = time.monotonic()
            self._worst_s = max(self._worst_s, now_s - last_s - _TICK_S)
            last_s = now_s
