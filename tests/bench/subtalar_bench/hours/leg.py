"""One leg of simulated sensors for hours: the production chain, held against what the samples say of themselves."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from subtalar.session.interleave import join
from subtalar.types import BodySite, FloatArray, Ledger, SampleBlock, SensorStatus
from subtalar_bench.faults.fault_run import FaultRun, FaultRunSensor, group_of
from subtalar_bench.faults.virtual_time import VirtualTimeLoop
from subtalar_bench.hours.footprint import Footprint, footprint
from subtalar_bench.hours.sync import SensorTimes, SyncMeter

SETTLED_S = 60.0
"""From here on errors count: the first minute tells how fast the clocks run."""


class LegDay(FaultRun, Protocol):
    """A trial whose samples say for hours when they were measured."""

    def told_time_near_s(self, acc_m_s2: FloatArray, gyr_rad_s: FloatArray, near_s: FloatArray) -> FloatArray:
        """True times (n,) of samples (n, 3) that arrived at about ``near_s`` (n,)."""
        ...


LegMaker: TypeAlias = Callable[[Callable[[], float]], LegDay]
"""Makes a leg on a clock in seconds."""


@dataclass(frozen=True)
class SensorTally:
    """``expected``: sample periods from the first to the last one received, both included, by the samples' own word."""

    ledger: Ledger
    expected: int
    sent: Mapping[str, int]

    @property
    def unaccounted(self) -> int:
        """Expected ones that the host neither received nor counts as lost."""
        return self.expected - self.ledger.received - self.ledger.lost


@dataclass(frozen=True)
class LegDayResult:
    """``worst_ms`` (minutes,): the largest sync error of each."""

    device: str
    has_device_time: bool
    worst_ms: FloatArray
    first_ms: float
    p99_ms: float
    late_ms: float
    compared: int
    sensors: Mapping[str, SensorTally]
    footprints: tuple[Footprint, ...]
    took_s: float

    @property
    def settled_ms(self) -> tuple[float, int]:
        """The largest error after the settling, and the minute it was in."""
        skipped = round(SETTLED_S / 60.0)
        minute = skipped + int(np.argmax(self.worst_ms[skipped:]))
        return float(self.worst_ms[minute]), minute


@dataclass
class _Sensor:
    """What one sensor's samples say; nothing grows for longer than a minute."""

    times: SensorTimes
    trial: LegDay
    simulated: FaultRunSensor
    blocks: list[SampleBlock] = field(default_factory=list)
    last_s: float = np.nan
    expected: int = 0

    def lateness(self) -> FloatArray:
        """See ``SensorTimes.push``, of all blocks since the last call."""
        if not self.blocks:
            return np.empty((0, 2))
        block = join(self.blocks)
        self.blocks.clear()
        assert block.host_time_s is not None
        true_s = self.trial.told_time_near_s(block.acc_m_s2, block.gyr_rad_s, block.host_time_s)
        steps = np.diff(true_s, prepend=self.last_s) * self.simulated.true_rate_hz
        self.expected += int(np.rint(np.nan_to_num(steps, nan=1.0)).sum())
        self.last_s = float(true_s[-1])
        return self.times.push(block, true_s)


@dataclass
class _LegSink:
    """Keeps the blocks of a minute."""

    sensors: dict[BodySite, _Sensor] = field(default_factory=dict)

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        return

    def on_block(self, block: SampleBlock) -> None:
        self.sensors[block.site].blocks.append(block)

    def on_status(self, status: SensorStatus) -> None:
        return


def run_leg(make: LegMaker, duration_s: float, every_s: float = 3600.0) -> LegDayResult:
    """Run for ``duration_s`` of the sensors' time; the memory is looked at ``every_s``.

    Raises what the chain raises: nothing is forgiven here.
    """
    loop = VirtualTimeLoop()
    failures: list[BaseException] = []

    def failed_callback(_: object, context: dict[str, Any]) -> None:
        failures.append(context.get("exception") or RuntimeError(context["message"]))

    loop.set_exception_handler(failed_callback)
    logging.disable(logging.WARNING)
    try:
        found = loop.run_until_complete(_run(make(loop.time), duration_s, every_s))
    finally:
        loop.close()
        logging.disable(logging.NOTSET)
    if failures:
        raise failures[0]
    return found


async def _run(trial: LegDay, duration_s: float, every_s: float) -> LegDayResult:
    begin = time.monotonic()
    sink = _LegSink()
    for site, sensor in trial.sensors.items():
        times = SensorTimes(BodySite(site), trial.rate_hz)
        sink.sensors[BodySite(site)] = _Sensor(times, trial, sensor)
    foot, shank = (sink.sensors[site] for site in sorted(sink.sensors, key=lambda s: s.segment))
    meter = SyncMeter(int(np.ceil(duration_s / 60.0)), SETTLED_S)
    footprints: list[Footprint] = []
    loop = asyncio.get_running_loop()
    trial.start()
    async with group_of(trial, sink) as group:
        watch = asyncio.create_task(group.wait_failed())
        for minute_s in [*np.arange(60.0, duration_s, 60.0).tolist(), duration_s]:
            await asyncio.wait([watch], timeout=minute_s - loop.time())
            if watch.done():
                watch.result()
            meter.take(foot.lateness(), shank.lateness())
            if minute_s >= (len(footprints) + 1) * every_s - 1e-6:
                footprints.append(footprint(minute_s))
        trial.stop()
        watch.cancel()
        ledgers = {str(site): stream.ledger() for site, stream in group.streams.items()}
    if not (foot.times.is_whole and shank.times.is_whole):
        raise AssertionError("the estimator's front end left samples out")
    tallies = {
        str(site): SensorTally(ledgers[str(site)], s.expected, vars(trial.sensors[str(site)].ledger))
        for site, s in sink.sensors.items()
    }
    return LegDayResult(
        trial.device,
        trial.has_device_time,
        meter.worst_ms,
        meter.first_ms,
        meter.share_ms(0.99),
        1e3 * meter.late_s / max(meter.compared, 1),
        meter.compared,
        tallies,
        tuple(footprints),
        time.monotonic() - begin,
    )
