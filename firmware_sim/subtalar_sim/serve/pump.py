"""Moves payloads from a firmware to its link at the pace of the session clock."""

import asyncio
from typing import Final, Protocol

from subtalar_sim.clock import SessionClock
from subtalar_sim.faults import DelayLine, FaultPlan
from subtalar_sim.firmware import Sampling
from subtalar_sim.types import Payload

_IDLE_S: Final = 0.03
"""How often an idle device looks whether somebody has come."""
_SOONEST_S: Final = 0.001


class Link(Protocol):
    """The wire of one device, as the pump sees it."""

    @property
    def listening(self) -> bool:
        """Whether what is sent now reaches somebody."""
        ...

    def send(self, payload: Payload) -> bool:
        """Hand one payload to the wire; False if it could not take it."""
        ...

    def take_down(self) -> None:
        """The link breaks and stays broken."""
        ...

    def bring_up(self) -> None:
        """The device can be reached again."""
        ...


class Pump:
    """Runs one device on the event loop by timer callbacks: no task, no sleep, no thread."""

    def __init__(self, firmware: Sampling, link: Link, clock: SessionClock, plan: FaultPlan, line: DelayLine) -> None:
        self.firmware, self._link, self._clock = firmware, link, clock
        self._plan, self._line = plan, line
        self._down = False
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
        now = self._clock.session_s()
        if self._plan.outages:
            self._switch(self._plan.is_down(now))
        listening = self._link.listening and not self._down
        for payload in self.firmware.poll(now, listening=listening):
            self._line.push(now, payload)
        if not listening:
            self._undo(self._line.clear())
        for payload in self._line.due(now):
            if not self._link.send(payload):
                self._undo(payload.samples)
        self.rearm()

    def _undo(self, samples: int) -> None:
        """Samples that left the sensor but never reached the link."""
        self.firmware.ledger.sent -= samples
        self.firmware.ledger.unsent += samples

    def _switch(self, down: bool) -> None:
        if down and not self._down:
            self._down = True
            self._undo(self._line.clear())
            self._link.take_down()
        elif self._down and not down:
            self._down = False
            self._link.bring_up()

    def rearm(self) -> None:
        """Look again when something can be due: the host has said something, which may have an answer."""
        if self._handle is None:
            return
        self._handle.cancel()
        now = self._clock.session_s()
        due = min(self.firmware.next_deadline_s(), self._line.next_due_s(), self._plan.next_change_s(now))
        wait = min(self._clock.wait_s(due), _IDLE_S) if self._link.listening else _IDLE_S
        self._handle = asyncio.get_running_loop().call_later(max(wait, _SOONEST_S), self._tick)
