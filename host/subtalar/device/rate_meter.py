"""How fast a sensor delivers at the moment."""

from collections import deque

RATE_OVER_S = 4.0
"""The rate of a sensor is measured over so long."""
SILENT_S = 0.5
"""No batch takes so long, nor most stalls of a radio: a rate falls from then on, and what is silent at the end counts
as lost."""
_RATE_EVERY_S, _RATE_FROM_S = 0.1, 0.8


class RateMeter:
    """Told how many samples there were when, on any clock that does not jump."""

    def __init__(self) -> None:
        self._received_at: deque[tuple[float, int]] = deque()

    def note(self, at_s: float, received: int) -> None:
        """By then there had been so many samples."""
        if not self._received_at or at_s - self._received_at[-1][0] >= _RATE_EVERY_S:
            self._received_at.append((at_s, received))
        while at_s - self._received_at[0][0] > RATE_OVER_S:
            self._received_at.popleft()

    def clear(self) -> None:
        """The stream was interrupted: what was before does not count any more."""
        self._received_at.clear()

    def rate_hz(self, now_s: float) -> float | None:
        """The rate of the last seconds; None where that is not known yet."""
        if not self._received_at:
            return None
        (t0, n0), (t1, n1) = self._received_at[0], self._received_at[-1]
        t1 = max(t1, now_s - SILENT_S)
        return (n1 - n0) / (t1 - t0) if t1 - t0 >= _RATE_FROM_S else None
