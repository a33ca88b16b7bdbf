"""A live session of sensors that stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from subtalar.acquisition.measuring.engine import ADVANCE_EVERY_S, FACTS_EVERY_S, SETTLED_S, Engine
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.acquisition.measuring.truth_writer import TruthWriter
from subtalar.acquisition.plan import AcquisitionPlan, Hardware
from subtalar.acquisition.ring import RingWriter
from subtalar.device import SensorGroup, SessionClock, open_group
from subtalar.transport import DeviceSpec, make_transport, parse_spec
from subtalar.types import BodySite, SampleBlock, SensorStatus


async def run_sensors(
    specs: Iterable[DeviceSpec],
    plan: AcquisitionPlan,
    ring: RingWriter,
    stop: StopRequest,
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
    relay = _EngineRelay()
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
        assignment=plan.assignment,
    )
    relay.engine = engine
    on_engine(engine)
    truth = TruthWriter(plan.truth_path, ring, clock, hardware) if hardware is not None else None

    def publish(now_s: float) -> None:
        _publish_sensor_states(group, engine)
        if truth is not None:
            truth.write_until(infos, now_s)

    try:
        async with group:
            await _until_all_stream(group, engine, stop)
            engine.run()
            is_over = partial(getattr, hardware, "is_over", False)
            await _stream(group, engine, stop, clock, plan.duration_s, publish, is_over)
        engine.finish()
    finally:
        engine.close()
        if truth is not None:
            truth.close()


def _publish_sensor_states(group: SensorGroup, engine: Engine) -> None:
    """Asked at this moment, streaming or not: a recording that ends or is cut anywhere tells what is missing then."""
    for status in group.statuses():
        engine.on_status(status)
    engine.publish_facts()


async def _until_all_stream(group: SensorGroup, engine: Engine, stop: StopRequest) -> None:
    """Or until stopped. Raises LinkError when a sensor cannot be reached."""
    starting = asyncio.create_task(group.wait_streaming())
    stopping = asyncio.create_task(stop.event.wait())
    async with _cancelled_on_exit(starting, stopping):
        while not starting.done() and not stopping.done():
            await asyncio.wait([starting, stopping], timeout=FACTS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            _publish_sensor_states(group, engine)
        if starting.done():
            starting.result()


async def _stream(
    group: SensorGroup,
    engine: Engine,
    stop: StopRequest,
    clock: SessionClock,
    duration_s: float | None,
    publish: Callable[[float], None],
    is_over: Callable[[], bool],
) -> None:
    """Until stopped or over; ``publish`` is called with the session time several times a second. Raises LinkError when
    a sensor is given up.
    """
    end_s = np.inf if duration_s is None else clock.now_s() + duration_s
    next_publish_s = 0.0
    failed = asyncio.create_task(group.wait_failed())
    async with _cancelled_on_exit(failed):
        while clock.now_s() < end_s and not failed.done() and not is_over():
            if await stop.wait(ADVANCE_EVERY_S):
                break
            now_s = clock.now_s()
            engine.advance(now_s - SETTLED_S)
            if now_s >= next_publish_s:
                next_publish_s = now_s + FACTS_EVERY_S
                publish(now_s)
        if failed.done():
            failed.result()


@contextlib.asynccontextmanager
async def _cancelled_on_exit(*tasks: "asyncio.Task[Any]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _EngineRelay:
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
