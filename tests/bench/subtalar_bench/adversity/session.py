"""One live session over a case, kept with everything that it showed."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.measuring.sensor_run import run_sensors
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, Hardware
from subtalar.acquisition.ring import RingWriter
from subtalar.errors import SubtalarError
from subtalar.session.recording.format.messages import ArrivedBlock
from subtalar.session.recording.read.item_stream import read_items
from subtalar.transport import parse_spec
from subtalar.types import AngleBlock, BodySite, FloatArray, Ledger, LinkState, SampleBlock, Side
from subtalar_bench.adversity.cases import Case

_LOOK_EVERY_S = 0.01
_LEAST_STANDING_S = 4.0


class Account(Protocol):
    """What the sensors say in the end: when it began and was over (monotonic clock), samples sent by site."""

    @property
    def began_s(self) -> float:
        """Monotonic clock."""
        ...

    @property
    def ended_s(self) -> float:
        """Monotonic clock."""
        ...

    @property
    def sent(self) -> Mapping[str, int]:
        """Samples handed to the link, by site."""
        ...


class TroubledSensors(Protocol):
    """Sensors that a case befalls. Times are readings of the monotonic clock in seconds."""

    @property
    def specs(self) -> tuple[str, ...]:
        """Device specs."""
        ...

    @property
    def hardware(self) -> Hardware | None:
        """Stand-ins for the radio; None where the machine's own way to the sensors leads to them."""
        ...

    @property
    def anchor_s(self) -> float:
        """When the sensors' session began."""
        ...

    async def account(self) -> Account:
        """Once it is over."""
        ...

    def truth(self, side: Side, monotonic_s: FloatArray) -> FloatArray:
        """True angles (n, 3) in degrees."""
        ...

    def contacts(self, side: Side) -> FloatArray:
        """True initial contacts of that foot (n,)."""
        ...


TroubleOpener: TypeAlias = Callable[[Case], AbstractAsyncContextManager[TroubledSensors]]
LinkChange: TypeAlias = tuple[float, BodySite, LinkState]


@dataclass(frozen=True)
class LivedSession:
    """Times of ``links``, ``began_s`` and ``ended_s`` are on the session clock, as those of blocks and angles are.

    ``start_s`` is its zero on the monotonic clock.
    """

    case: Case
    sensors: TroubledSensors
    start_s: float
    began_s: float
    ended_s: float
    sent: Mapping[str, int]
    links: tuple[LinkChange, ...]
    ledgers: Mapping[BodySite, Ledger]
    blocks: Mapping[BodySite, tuple[SampleBlock, ...]]
    angles: Mapping[Side, tuple[AngleBlock, ...]]


@dataclass
class _Watch:
    """Every change of every sensor's state, on the monotonic clock."""

    changes: list[LinkChange] = field(default_factory=list)
    engine: Engine | None = None
    _last: dict[BodySite, LinkState] = field(default_factory=dict)

    def begun(self, engine: Engine) -> None:
        self.engine = engine

    async def look(self) -> None:
        while True:
            now = time.monotonic()
            for status in self.engine.statuses if self.engine is not None else ():
                site = status.info.site
                if self._last.get(site) != status.link:
                    self._last[site] = status.link
                    self.changes.append((now, site, status.link))
            await asyncio.sleep(_LOOK_EVERY_S)


async def live_through(case: Case, opener: TroubleOpener) -> LivedSession:
    """Run it: takes as long as it says. Raises SubtalarError where the sensors cannot be served or reached."""
    watch = _Watch()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ring = stack.enter_context(RingWriter.create())
        sensors = await stack.enter_async_context(opener(case))
        specs = tuple(parse_spec(text) for text in sensors.specs)
        recording = folder / "session.mcap"
        plan = AcquisitionPlan(DeviceSource(specs), f"adversity {case.name}", record_path=recording)
        stop = StopRequest()
        left_s = sensors.anchor_s + case.end_s - time.monotonic()
        asyncio.get_running_loop().call_later(left_s, stop.set)
        looking = asyncio.create_task(watch.look())
        try:
            await run_sensors(specs, plan, ring, stop, watch.begun, sensors.hardware)
            account = await sensors.account()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        engine = watch.engine
        assert engine is not None
        _check_that_it_began_in_time(case, sensors, watch.changes)
        blocks, angles = _read(recording)
        start_s = engine.start_s
        return LivedSession(
            case,
            sensors,
            start_s,
            account.began_s - start_s,
            account.ended_s - start_s,
            account.sent,
            tuple((at - start_s, site, link) for at, site, link in watch.changes),
            {status.info.site: status.ledger for status in engine.statuses},
            blocks,
            angles,
        )


def _check_that_it_began_in_time(case: Case, sensors: TroubledSensors, changes: list[LinkChange]) -> None:
    streamed_s = {site: at - sensors.anchor_s for at, site, link in reversed(changes) if link == "streaming"}
    if max(streamed_s.values()) > case.standing_s - _LEAST_STANDING_S:
        raise SubtalarError("The computer is too busy to measure this: the sensors streamed too late. Try again later.")


def _read(path: Path) -> tuple[dict[BodySite, tuple[SampleBlock, ...]], dict[Side, tuple[AngleBlock, ...]]]:
    blocks: dict[BodySite, list[SampleBlock]] = {}
    angles: dict[Side, list[AngleBlock]] = {}
    for item in read_items(path):
        if isinstance(item, ArrivedBlock):
            blocks.setdefault(item.block.site, []).append(item.block)
        elif isinstance(item, AngleBlock):
            angles.setdefault(item.side, []).append(item)
    return {k: tuple(v) for k, v in blocks.items()}, {k: tuple(v) for k, v in angles.items()}
