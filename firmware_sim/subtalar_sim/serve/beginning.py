"""When motion begins: what nobody hears yet would be lost, and with it the standing that is its zero.

On a slow computer sensors connect seconds after each other; a person who does not wait for them would have stood, and
bent the knees, before anybody saw it.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from subtalar_sim.clock import SessionClock
from subtalar_sim.faults import SentLedger
from subtalar_sim.serve.delivery import Link

AHEAD_S: Final = 1.5
"""Session seconds from the decision to the beginning. Firmware measures up to a second ahead (a Movella DOT at 1 Hz),
and before the motion begins the body takes half a second to end its sway: neither may change what was sent."""
PATIENCE_S: Final = 30.0
"""Host seconds: an attempt to connect that fails takes a host 10 s, and some 5 s to set the sensor up; so that the
second attempt is still in time, and a sensor that never comes costs half a minute."""
_LOOK_S: Final = 0.05


class Waits(Protocol):
    """A body whose motion begins at ``begin_s`` of the session; None while that is not known yet."""

    begin_s: float | None

    @property
    def begins_at_rest(self) -> bool:
        """Whether it stands still until then; else there is nothing to measure before."""
        ...


class Audience:
    """Who streams: somebody listens to the sensor, and has been sent a sample since they began to.

    To be connected is not enough: some devices send nothing before they are told to, and hosts set them up first. It
    is the same for every kind of link, except that over UDP nobody is ever seen to leave.
    """

    def __init__(self, links: Mapping[str, Link], ledgers: Mapping[str, SentLedger]) -> None:
        self._links, self._ledgers = links, ledgers
        self._sent_before = dict.fromkeys(links, 0)

    @property
    def listens(self) -> bool:
        """Whether somebody listens to any sensor, streaming or not."""
        return any(link.listening for link in self._links.values())

    def streaming(self) -> int:
        """How many sensors stream now; to be asked often."""
        count = 0
        for site, link in self._links.items():
            sent = self._ledgers[site].sent
            if not link.listening:
                self._sent_before[site] = sent
            count += sent > self._sent_before[site]
        return count


async def begin_when_heard(
    body: Waits,
    clock: SessionClock,
    links: Mapping[str, Link],
    ledgers: Mapping[str, SentLedger],
    patience_s: float = PATIENCE_S,
) -> None:
    """Let the motion begin once all sensors stream at the same time, or ``patience_s`` host seconds after the first of
    them did. If all leave before, as a program does that only looks, the wait begins anew.

    What does not begin at rest has nothing to send before: it begins when somebody listens to any sensor.
    """
    audience = Audience(links, ledgers)
    first_s: float | None = None
    while True:
        now_s = clock.session_s()
        if body.begins_at_rest:
            streaming = audience.streaming()
            first_s = (now_s if first_s is None else first_s) if streaming else None
            is_enough = streaming == len(links) or (first_s is not None and now_s - first_s >= patience_s * clock.speed)
        else:
            is_enough = audience.listens
        if is_enough:
            body.begin_s = now_s + AHEAD_S
            return
        await asyncio.sleep(_LOOK_S)
