"""The two kinds of live session: sensors that stream, and a recording that is played again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from subtalar.acquisition.measuring.engine import FACTS_EVERY_S, SETTLED_S, Engine
from subtalar.acquisition.measuring.truth_writer import TruthWriter
from subtalar.acquisition.plan import AcquisitionPlan, Hardware, ReplaySource
from subtalar.acquisition.ring import RingWriter
from subtalar.device import SensorGroup, SessionClock, open_group
from subtalar.session import Session, open_session
from subtalar.transport import DeviceSpec, make_transport, parse_spec
from subtalar.types import BodySite, Ledger, SampleBlock, SensorStatus

ADVANCE_EVERY_S = 0.05
_FAST_BLOCK_S = 0.5
_MOST_WAITING = 4000
"""A replay in a hurry waits for the estimator; sensors never do."""


class Stop:
    """Asked to end: by the person, by the duration, by a signal."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def set(self) -> None:
        """End soon and in order."""
        self.event.set()

    async def within(self, seconds: float) -> bool:
        """Wait at most so long; whether the end was asked for."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self.event.wait()
        except TimeoutError:
            pass
        return self.event.is_set()


async def run_sensors(
    specs: Iterable[DeviceSpec],
    plan: AcquisitionPlan,
    ring: RingWriter,
    stop: Stop,
    on_engine: Callable[[Engine], None],
    hardware: Hardware | None = None,
) -> None:
    """Stream until stopped. Raises LinkError when a sensor cannot be reached at the start."""
    clock = SessionClock()
    backends: dict[str, Any] = {}
    if hardware is not None:
        backends = {
            "scanner_backend": hardware.bleak_scanner_backend,
            "client_backend": hardware.bleak_client_backend,
        }
    relay = _Relay()
    group = open_group(list(specs), relay, clock, transports=partial(make_transport, **backends))
    infos = {site: stream.info for site, stream in group.streams.items()}
    engine = Engine(
        infos,
        clock,
        ring,
        source_text=plan.source_text,
        record_path=plan.record_path,
        live=True,
        subtalar_axis_deg=plan.subtalar_axis_deg,
        about=plan.about,
    )
    relay.engine = engine
    on_engine(engine)
    truth = TruthWriter(plan.truth_path, ring, clock, hardware) if hardware is not None else None

    def tell(now_s: float) -> None:
        _tell_how_sensors_do(group, engine)
        if truth is not None:
            truth.follow(infos, now_s)

    try:
        async with group:
            await _until_all_stream(group, engine, stop)
            engine.run()
            is_over = partial(getattr, hardware, "is_over", False)
            await _stream(group, engine, stop, clock, plan.duration_s, tell, is_over)
        engine.finish()
    finally:
        engine.close()
        if truth is not None:
            truth.close()


def _tell_how_sensors_do(group: SensorGroup, engine: Engine) -> None:
    """Asked at this moment, streaming or not: a recording that ends or is cut anywhere tells what is missing then."""
    for status in group.statuses():
        engine.on_status(status)
    engine.publish_facts()


async def _until_all_stream(group: SensorGroup, engine: Engine, stop: Stop) -> None:
    """Or until stopped. Raises LinkError when a sensor cannot be reached."""
    starting = asyncio.create_task(group.wait_streaming())
    stopping = asyncio.create_task(stop.event.wait())
    async with _ended_with_the_block(starting, stopping):
        while not starting.done() and not stopping.done():
            await asyncio.wait([starting, stopping], timeout=FACTS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            _tell_how_sensors_do(group, engine)
        if starting.done():
            starting.result()


async def _stream(
    group: SensorGroup,
    engine: Engine,
    stop: Stop,
    clock: SessionClock,
    duration_s: float | None,
    tell: Callable[[float], None],
    is_over: Callable[[], bool],
) -> None:
    """Until stopped or over; ``tell`` is called with the session time several times a second. Raises LinkError when
    a sensor is given up.
    """
    end_s = np.inf if duration_s is None else clock.now_s() + duration_s
    next_told_s = 0.0
    failed = asyncio.create_task(group.wait_failed())
    async with _ended_with_the_block(failed):
        while clock.now_s() < end_s and not failed.done() and not is_over():
            if await stop.within(ADVANCE_EVERY_S):
                break
            now_s = clock.now_s()
            engine.advance(now_s - SETTLED_S)
            if now_s >= next_told_s:
                next_told_s = now_s + FACTS_EVERY_S
                tell(now_s)
        if failed.done():
            failed.result()


@contextlib.asynccontextmanager
async def _ended_with_the_block(*tasks: "asyncio.Task[Any]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Relay:
    """Stands where the sink must be before the engine can be: the engine needs to know the sensors first."""

    engine: Engine

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        self.engine.on_chunk(site, arrival_s, data, source)

    def on_block(self, block: SampleBlock) -> None:
        self.engine.on_block(block)

    def on_status(self, status: SensorStatus) -> None:
        self.engine.on_status(status)


def specs_of(hardware: Hardware) -> list[DeviceSpec]:
    """What provided hardware calls its sensors."""
    return [parse_spec(text) for text in hardware.specs]


async def run_replay(
    source: ReplaySource,
    plan: AcquisitionPlan,
    ring: RingWriter,
    stop: Stop,
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
        about=plan.about,
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

    async def play(self, stop: Stop) -> None:
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
                self._say(self._duration_s)
                return
            due = begin + played_s / self._speed if self._speed > 0 else 0.0
            if due > loop.time() + 0.002:
                if await stop.within(due - loop.time()):
                    return
            elif loop.time() >= next_advance:
                await asyncio.sleep(0)
                if stop.event.is_set():
                    return
            while self._engine.backlog > _MOST_WAITING and not stop.event.is_set():
                await asyncio.sleep(0.002)
            self._engine.on_block(block)
            self._received[block.site] += len(block)
            if loop.time() >= next_advance:
                next_advance = loop.time() + ADVANCE_EVERY_S
                self._engine.advance(arrival_s - SETTLED_S)
            if loop.time() >= next_facts:
                next_facts = loop.time() + FACTS_EVERY_S
                self._say(played_s)
        if first_s is not None:
            self._say(self._session.duration_s)

    def _say(self, played_s: float) -> None:
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
