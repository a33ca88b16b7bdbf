"""How old is what the screen shows: the time from a sample's arrival at the host to the painted pixel."""

import time
from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LatencySummary:
    """Percentiles in milliseconds over ``n`` frames; NaN when there were none."""

    n: int
    p50_ms: float
    p95_ms: float
    max_ms: float


class LatencyProbe:
    """Collects one latency per painted frame that showed something new, and what painting cost."""

    def __init__(self, keep: int = 100_000) -> None:
        self._latency_ns: deque[int] = deque(maxlen=keep)
        self._cost_ns: deque[int] = deque(maxlen=keep)
        self._pending_ns: int | None = None
        self._painted_ns = self._spent_ns = 0

    def prepared(self, arrival_ns: int | None) -> None:
        """The next paint shows samples up to the one that arrived then (``time.monotonic_ns``)."""
        if arrival_ns is not None and arrival_ns > self._painted_ns:
            self._pending_ns = arrival_ns

    def spent(self, cost_ns: int) -> None:
        """So much time went into the frame that is going to be painted, or was just painted."""
        self._spent_ns += cost_ns

    def painted(self) -> None:
        """Painting has just finished."""
        cost_ns, self._spent_ns = self._spent_ns, 0
        if self._pending_ns is not None:
            self._latency_ns.append(time.monotonic_ns() - self._pending_ns)
            self._cost_ns.append(cost_ns)
            self._painted_ns, self._pending_ns = self._pending_ns, None

    def latency(self) -> LatencySummary:
        """From arrival to painted."""
        return _summary(self._latency_ns)

    def paint_cost(self) -> LatencySummary:
        """Time the process spent on a frame: reading the ring, preparing, painting."""
        return _summary(self._cost_ns)


def _summary(values_ns: "deque[int]") -> LatencySummary:
    if not values_ns:
        return LatencySummary(0, float("nan"), float("nan"), float("nan"))
    ms = np.array(values_ns) / 1e6
    p50, p95 = np.percentile(ms, [50, 95])
    return LatencySummary(len(ms), float(p50), float(p95), float(ms.max()))
