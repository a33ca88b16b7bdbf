"""What goes wrong between a sensor and its host, drawn from a seed and counted exactly.

A real link neither reorders nor silently drops a notification: loss is a gap in what the sensor sends, lateness a
queue whose order holds, and an outage takes the link down and brings it back.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from subtalar_sim.types import BoolArray, Payload


@dataclass(frozen=True)
class FaultPlan:
    """``gap_rate_per_s`` losses a second of ``gap_samples`` samples on average; ``outages`` (start, length) in session
    seconds during which the link is down; ``delay_s`` on everything, plus exponential ``jitter_s``.
    """

    gap_rate_per_s: float = 0.0
    gap_samples: float = 5.0
    outages: tuple[tuple[float, float], ...] = ()
    delay_s: float = 0.0
    jitter_s: float = 0.0

    def __post_init__(self) -> None:
        if min(self.gap_rate_per_s, self.delay_s, self.jitter_s) < 0 or self.gap_samples < 1:
            raise ValueError("fault rates, delay and jitter must not be negative, and a gap is at least one sample")

    def is_down(self, t_s: float) -> bool:
        """Whether the link is out at session time ``t_s``."""
        return any(start <= t_s < start + length for start, length in self.outages)

    def next_change_s(self, t_s: float) -> float:
        """The next time after ``t_s`` at which an outage starts or ends; infinite if none does."""
        edges = [e for start, length in self.outages for e in (start, start + length)]
        return min((e for e in edges if e > t_s), default=float("inf"))


NO_FAULTS = FaultPlan()


class GapDrawer:
    """Which samples a sensor loses. Sequential: the same samples are lost however the run is cut into calls."""

    def __init__(self, plan: FaultPlan, rate_hz: float, seed: int, site: str) -> None:
        self._chance = min(1.0, plan.gap_rate_per_s / rate_hz)
        self._length = plan.gap_samples
        self._rng = np.random.default_rng([seed, 15, *site.encode()])
        self._left = 0

    def kept(self, n: int) -> BoolArray:
        """Mask (n,) of the next n samples, True where a sample survives."""
        keep = np.ones(n, dtype=np.bool_)
        if self._chance == 0.0:
            return keep
        for i in range(n):
            if self._left == 0 and self._rng.random() < self._chance:
                self._left = int(self._rng.geometric(1.0 / self._length))
            if self._left:
                self._left -= 1
                keep[i] = False
        return keep


@dataclass
class SentLedger:
    """What became of one sensor's samples: ``sent`` were handed to the link, ``lost`` fell into a planned gap,
    ``unsent`` were measured while nobody listened or the link was down. When the host hangs up, the few that were in
    the air at that moment count as sent.
    """

    sent: int = 0
    lost: int = 0
    unsent: int = 0
    payloads: int = 0


@dataclass
class DelayLine:
    """Payloads on their way: each late by delay plus jitter, none overtakes another."""

    plan: FaultPlan
    seed: int
    site: str
    _queue: deque[tuple[float, Payload]] = field(default_factory=deque)
    _last: float = -1e9

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.seed, 16, *self.site.encode()])

    def push(self, t_s: float, payload: Payload) -> None:
        """A payload leaves the sensor at session time ``t_s``."""
        jitter = float(self._rng.exponential(self.plan.jitter_s)) if self.plan.jitter_s else 0.0
        self._last = max(self._last, t_s + self.plan.delay_s + jitter)
        self._queue.append((self._last, payload))

    def due(self, t_s: float) -> list[Payload]:
        """Payloads that have arrived by session time ``t_s``, in order."""
        out = []
        while self._queue and self._queue[0][0] <= t_s:
            out.append(self._queue.popleft()[1])
        return out

    def next_due_s(self) -> float:
        """When the next payload arrives; infinite if none is on its way."""
        return self._queue[0][0] if self._queue else float("inf")

    def clear(self) -> int:
        """The link went down: what was on its way is gone. Returns how many samples that were."""
        n = sum(payload.samples for _, payload in self._queue)
        self._queue.clear()
        return n
