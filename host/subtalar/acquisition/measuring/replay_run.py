"""A live session that plays a recording again."""

import asyncio
from collections.abc import Callable

import numpy as np

from subtalar.acquisition.measuring.engine import ADVANCE_EVERY_S, FACTS_EVERY_S, SETTLED_S, Engine
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.acquisition.plan import AcquisitionPlan, ReplaySource
from subtalar.acquisition.ring import RingWriter
from subtalar.device import SessionClock
from subtalar.session import Session, open_session
from subtalar.types import Ledger, SampleBlock, SensorStatus

_FAST_BLOCK_S = 0.5
_LONGEST_BACKLOG = 4000
"""A replay in a hurry waits for the estimator; sensors never do."""


async def run_replay(
    source: ReplaySource,
    plan: AcquisitionPlan,
    ring: RingWriter,
    stop: StopRequest,
    on_engine: Callable[[Engine], None],
) -> None:
    """Play a recording through the same engine; ends with the recording."""
    session = open_session(source.path)
    engine = Engine(
        session.sensors,
        SessionClock(),
        ring,
        source_text=plan.source_text,
        record_path=plan.record_path,
        live=False,
        subtalar_axis_deg=plan.subtalar_axis_deg,
        assignment=plan.assignment,
    )
    on_engine(engine)
    try:
        engine.run()
        await _Player(session, engine, source.speed, plan.duration_s).play(stop)
        engine.finish()
    finally:
        engine.close()


class _Player:
    """Hands out the blocks of a recording at the pace at which they arrived."""

    def __init__(self, session: Session, engine: Engine, speed: float, duration_s: float | None) -> None:
        self._session, self._engine, self._speed = session, engine, speed
        self._duration_s = np.inf if duration_s is None else duration_s
        self._received = dict.fromkeys(session.sensors, 0)

    async def play(self, stop: StopRequest) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        first_s: float | None = None
        next_facts = next_advance = 0.0
        # Blocks as they arrived, so that the pace on the screen is that of the day; in bigger ones when in a hurry.
        for block in self._session.blocks(None if 0 < self._speed <= 4 else _FAST_BLOCK_S):
            arrival_s = _arrival_s(block)
            first_s = arrival_s if first_s is None else first_s
            played_s = arrival_s - first_s
            if played_s > self._duration_s:
                self._publish_progress(self._duration_s)
                return
            due = begin + played_s / self._speed if self._speed > 0 else 0.0
            if due > loop.time() + 0.002:
                if await stop.wait(due - loop.time()):
                    return
            elif loop.time() >= next_advance:
                await asyncio.sleep(0)
                if stop.event.is_set():
                    return
            while self._engine.backlog > _LONGEST_BACKLOG and not stop.event.is_set():
                await asyncio.sleep(0.002)
            self._engine.on_block(block)
            self._received[block.site] += len(block)
            if loop.time() >= next_advance:
                next_advance = loop.time() + ADVANCE_EVERY_S
                self._engine.advance(arrival_s - SETTLED_S)
            if loop.time() >= next_facts:
                next_facts = loop.time() + FACTS_EVERY_S
                self._publish_progress(played_s)
        if first_s is not None:
            self._publish_progress(self._session.duration_s)

    def _publish_progress(self, played_s: float) -> None:
        for site, info in self._session.sensors.items():
            known = self._session.ledger.get(site, Ledger())
            ledger = Ledger(self._received[site], known.lost, known.lost_is_estimated, known.duplicated)
            rate_hz = self._received[site] / played_s if played_s > 1 else None
            self._engine.on_status(SensorStatus(info, "streaming", rate_hz, None, ledger))
        self._engine.publish_facts(played_s)


def _arrival_s(block: SampleBlock) -> float:
    times = block.host_time_s if block.host_time_s is not None else block.device_time_s
    assert times is not None
    # Blocks come in the order of their first arrival: nothing that is still to come arrived before this.
    return float(times[0])
