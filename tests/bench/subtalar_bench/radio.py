"""A live session over Bluetooth: whether every sample arrives, and what acquisition costs."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path

from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.measuring.sensor_run import run_sensors
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, HardwareOpener
from subtalar.acquisition.process import raise_priority
from subtalar.acquisition.ring import RingWriter
from subtalar.bench.result import Result
from subtalar.transport import parse_spec
from subtalar_bench.radio_cost import share_without_listener
from subtalar_bench.standstill import StandstillWatch

SensorServer = Callable[[], AbstractContextManager[Iterable[str]]]
"""Serves sensors in another process that this machine's Bluetooth stack then reaches; gives their device specs."""


_ALONE_SHARE = 0.2
_ALONE_S = (2.0, 60.0)
"""How long sensors and radio are measured alone, before and after a session: this share of it, within these bounds."""


def in_process(opener: HardwareOpener, minutes: float) -> list[Result]:
    """Sensors, both ends of the radio, estimator and recording in one process; and what sensors and radio cost alone.

    The difference is what acquisition costs. The machine's speed may change between the two.
    """
    alone_s = min(max(60.0 * minutes * _ALONE_SHARE, _ALONE_S[0]), _ALONE_S[1])
    before = asyncio.run(share_without_listener(opener, alone_s))
    results = asyncio.run(_session("Bumble", "sensors and radio included", minutes, opener=opener))
    alone = 100.0 * (before + asyncio.run(share_without_listener(opener, alone_s))) / 2
    on = f"sensors and both ends of the radio alone, nobody looking at what arrives; {2 * alone_s:g} s"
    return [
        *results,
        Result("processor of the sensors", alone, "% of a core", on),
        Result("processor of acquisition", results[-1].value - alone, "% of a core", "the difference"),
    ]


def over_bluez(serve: SensorServer, minutes: float) -> list[Result]:
    """The sensors in another process, behind BlueZ's D-Bus interface: what a session on real sensors costs."""
    raise_priority()  # as the process of a live session does; real sensors are not kept waiting by a computer either
    with serve() as specs:
        return asyncio.run(_session("BlueZ over D-Bus", "acquisition alone", minutes, specs=tuple(specs)))


class _Meter:
    """CPU and wall time of this process while the session runs."""

    def __init__(self) -> None:
        self._readings: list[tuple[float, float]] = []

    async def watch(self, engine: Engine) -> None:
        while True:
            if engine.facts.state == "running":
                self._readings = [*self._readings[:1], (time.process_time(), time.monotonic())]
            await asyncio.sleep(0.25)

    @property
    def share(self) -> float:
        (cpu, wall), (cpu_end, wall_end) = self._readings[0], self._readings[-1]
        return (cpu_end - cpu) / (wall_end - wall)


async def _session(
    route: str,
    process: str,
    minutes: float,
    *,
    specs: tuple[str, ...] = (),
    opener: HardwareOpener | None = None,
) -> list[Result]:
    raise_priority()
    engines: list[Engine] = []
    watching: list[asyncio.Task[None]] = []
    meter = _Meter()

    def begun(engine: Engine) -> None:
        engines.append(engine)
        watching.append(asyncio.create_task(meter.watch(engine)))

    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ring = stack.enter_context(RingWriter.create())
        hardware = None if opener is None else await stack.enter_async_context(opener())
        sensors = tuple(parse_spec(text) for text in (specs if hardware is None else hardware.specs))
        plan = AcquisitionPlan(
            DeviceSource(sensors),
            "radio benchmark",
            record_path=Path(folder) / "session.mcap",
            duration_s=60.0 * minutes,
        )
        watch = stack.enter_context(StandstillWatch())
        try:
            await run_sensors(sensors, plan, ring, StopRequest(), begun, hardware)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        still_s = watch.take_worst_s()
    ledgers = [status.ledger for status in engines[0].statuses]
    on = f"{len(sensors)} sensors at {sensors[0].rate_hz:g} Hz over {route}, {minutes:g} min"
    return [
        Result("samples received", float(sum(ledger.received for ledger in ledgers)), "samples", on),
        Result("samples lost", float(sum(ledger.lost for ledger in ledgers)), "samples", on),
        Result("links made again", float(sum(ledger.reconnects for ledger in ledgers)), "links", on),
        Result("longest standstill", still_s, "s", "of the whole computer: links are given up after 2 s without data"),
        Result("processor", 100.0 * meter.share, "% of a core", f"{process}; angles and recording, too"),
    ]
