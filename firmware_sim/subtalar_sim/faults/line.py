"""Payloads on their way: late, held back, damaged, doubled; never out of order unless datagrams are reordered."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from subtalar_sim.faults.ledger import SentLedger
from subtalar_sim.faults.plan import FaultPlan
from subtalar_sim.types import Payload

_MOST_GARBAGE: Final = 40


class _Travelling(NamedTuple):
    due_s: float
    payload: Payload
    fault: str = ""


@dataclass
class DelayLine:
    """Each payload is late by delay plus jitter; a stall holds back all until its end. Counts in ``ledger``."""

    plan: FaultPlan
    seed: int
    site: str
    ledger: SentLedger
    _queue: deque[_Travelling] = field(default_factory=deque)
    _held: _Travelling | None = None
    _last: float = -1e9

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.seed, 16, *self.site.encode()])
        plan = self.plan
        self._chances = np.array([plan.corrupt, plan.garbage, plan.duplicate, plan.datagram_loss, plan.reorder])

    def push(self, t_s: float, payload: Payload) -> None:
        """A payload leaves the sensor at session time ``t_s``."""
        jitter = float(self._rng.exponential(self.plan.jitter_s)) if self.plan.jitter_s else 0.0
        due_s = self.plan.after_stalls(t_s + self.plan.delay_s + jitter)
        if self.plan.interval_s:
            due_s = math.ceil(due_s / self.plan.interval_s) * self.plan.interval_s
        self._last = max(self._last, due_s)
        if not self._chances.any():
            self._queue.append(_Travelling(self._last, payload))
            return
        corrupt, garbage, duplicate, drop, late = (self._rng.random(5) < self._chances).tolist()
        if garbage:
            nonsense = self._rng.bytes(int(self._rng.integers(1, _MOST_GARBAGE + 1)))
            self._queue.append(_Travelling(self._last, Payload(nonsense, 0, payload.source), "garbage"))
        if corrupt and payload.data:
            payload = payload._replace(data=self._damaged(payload.data))
            self._queue.append(_Travelling(self._last, payload, "corrupt"))
        else:
            self._queue.append(_Travelling(self._last, payload, "drop" if drop else "late" if late else ""))
        if duplicate and not drop:
            self._queue.append(_Travelling(self._last, payload, "duplicate"))

    def _damaged(self, data: bytes) -> bytes:
        at = int(self._rng.integers(len(data)))
        return data[:at] + bytes([data[at] ^ int(self._rng.integers(1, 256))]) + data[at + 1 :]

    def deliver(self, t_s: float, send: Callable[[Payload], bool]) -> None:
        """Hand what has arrived by session time ``t_s`` to ``send``, which says whether the link took it."""
        while self._queue and self._queue[0].due_s <= t_s:
            item = self._queue.popleft()
            if item.fault == "late" and self._held is None:
                self._held = item
                continue
            self._hand_over(item, send)
            if self._held is not None:
                late, self._held = self._held, None
                self._hand_over(late, send)

    def _hand_over(self, item: _Travelling, send: Callable[[Payload], bool]) -> None:
        payload, ledger = item.payload, self.ledger
        if item.fault == "drop":
            ledger.dropped += payload.samples
        elif not send(payload):
            if item.fault != "duplicate":  # that the first of the two went over counts
                ledger.sent -= payload.samples
                ledger.unsent += payload.samples
        elif item.fault == "duplicate":
            ledger.duplicated += payload.samples
        elif item.fault == "garbage":
            ledger.garbage_bytes += len(payload.data)
        elif item.fault == "corrupt":
            ledger.corrupted += payload.samples
            ledger.corrupted_payloads += 1

    def next_due_s(self) -> float:
        """When the next payload arrives; infinite if none is on its way."""
        return self._queue[0].due_s if self._queue else float("inf")

    def clear(self) -> int:
        """The link went down: what was on its way is gone and counts as unsent. Returns how many samples."""
        gone = [*self._queue, *([self._held] if self._held is not None else [])]
        n = sum(item.payload.samples for item in gone if item.fault != "duplicate")
        self._queue.clear()
        self._held = None
        self.ledger.sent -= n
        self.ledger.unsent += n
        return n
