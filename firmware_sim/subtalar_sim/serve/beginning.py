"""When motion begins: what nobody hears yet would be lost, and with it the standing that is its zero.

On a slow computer sensors connect seconds after each other; a person who does not wait for them would have stood, and
bent the knees, before anybody saw it.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from subtalar_sim.clock import SessionClock
from subtalar_sim.serve.delivery import Link

AHEAD_S: Final = 1.0
"""Firmware measures up to so much ahead: what is settled now holds from then on."""
NOBODY_NEW_S: Final = 10.0
_LOOK_S: Final = 0.05


class Waits(Protocol):
    """A body whose motion begins at ``begin_s`` of the session; None while that is not known yet."""

    begin_s: float | None

    @property
    def begins_at_rest(self) -> bool:
        """Whether it stands still until then; else there is nothing to measure before."""
        ...


async def begin_when_heard(body: Waits, clock: SessionClock, links: Mapping[str, Link]) -> None:
    """Let the motion begin once all of ``links`` have somebody who listens, or some have and for ten seconds nobody
    came or went. What does not begin at rest cannot wait for more than the first.
    """
    heard: set[str] = set()
    since_s = clock.session_s()
    while True:
        now_s = clock.session_s()
        before, heard = heard, {site for site, link in links.items() if link.listening}
        since_s = since_s if heard == before else now_s
        is_enough = len(heard) == len(links) or not body.begins_at_rest or now_s - since_s >= NOBODY_NEW_S
        if heard and is_enough:
            body.begin_s = now_s + AHEAD_S
            return
        await asyncio.sleep(_LOOK_S)
