"""Runs one device on the event loop at the pace of the session clock."""

import asyncio
from typing import Final

from subtalar_sim.clock import SessionClock
from subtalar_sim.serve.delivery import Delivery

_IDLE_S: Final = 0.03
"""How often an idle device looks whether somebody has come."""
_SOONEST_S: Final = 0.001


class Pump:
    """Steps a ``Delivery`` by timer callbacks: no task, no sleep, no thread."""

    def __init__(self, delivery: Delivery, clock: SessionClock) -> None:
        self._delivery, self._clock = delivery, clock
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._handle = asyncio.get_running_loop().call_later(0, self._tick)

    def stop(self) -> None:
        """End; nothing is sent after this."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        self._delivery.step(self._clock.session_s())
        self.rearm()

    def rearm(self) -> None:
        """Look again when something can be due: the host has said something, which may have an answer."""
        if self._handle is None:
            return
        self._handle.cancel()
        due_s = self._delivery.next_s(self._clock.session_s())
        wait = min(self._clock.wait_s(due_s), _IDLE_S) if self._delivery.link.listening else _IDLE_S
        self._handle = asyncio.get_running_loop().call_later(max(wait, _SOONEST_S), self._tick)
