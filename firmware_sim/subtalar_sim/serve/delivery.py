"""One device, its faults and its link at given times: what ``Pump`` does by timers, without a clock of its own."""

from typing import Protocol

from subtalar_sim.faults import DelayLine, FaultPlan
from subtalar_sim.faults.plan import within
from subtalar_sim.firmware import Sampling
from subtalar_sim.types import Payload


class Link(Protocol):
    """The wire of one device. ``refusals``: how many connections it turns away from now on."""

    refusals: int

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


class Delivery:
    """Moves payloads from a firmware over the line to its link; breaks the link, and reboots the device, in time."""

    def __init__(self, firmware: Sampling, link: Link, plan: FaultPlan, line: DelayLine) -> None:
        self.firmware, self.link = firmware, link
        self._plan, self._line = plan, line
        self._down = self._off = False
        self._refusals = sorted(plan.refusals)

    def step(self, now_s: float) -> None:
        """All that has become due by ``now_s``."""
        self.switch(now_s)
        if self._off:
            return
        listening = self.link.listening and not self._down
        for payload in self.firmware.poll(now_s, listening=listening):
            self._line.push(now_s, payload)
        if not listening:
            self._line.clear()
        self._line.deliver(now_s, self.link.send)

    def switch(self, now_s: float) -> None:
        """Break or mend the link, switch the device off or on, as the plan has it at ``now_s``."""
        while self._refusals and self._refusals[0][0] <= now_s:
            self.link.refusals += self._refusals.pop(0)[1]
        off = within(self._plan.off, now_s)
        if self._off and not off:
            self.firmware.power_cycle(now_s)
            self.firmware.ledger.reboots += 1
        elif off and not self._off:
            self.firmware.poll(now_s, listening=False)
        self._off = off
        down = self._plan.is_down(now_s)
        if down and not self._down:
            self._line.clear()
            self.link.take_down()
        elif self._down and not down:
            self.link.bring_up()
        self._down = down

    def next_s(self, now_s: float) -> float:
        """When ``step`` has something to do next, as far as is known."""
        change_s = self._plan.next_change_s(now_s)
        return change_s if self._off else min(self.firmware.next_deadline_s(), self._line.next_due_s(), change_s)
