"""One trial: the production chain of every sensor over a script of faults, held against what really happened."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from subtalar.device import LinkPolicy, SensorGroup, Sink, open_group
from subtalar.protocol import DeviceProtocol
from subtalar.transport import DeviceSpec, Transport
from subtalar.types import BodySite, FloatArray, Ledger, SampleBlock, SensorStatus
from subtalar_bench.faults.memory import MemoryTransport, Wire
from subtalar_bench.faults.virtual_time import VirtualClock, VirtualTimeLoop

_HALF_WAY: Final = 0.1
"""Periods within which nobody can tell: samples tell their time to 0.6 ms of 20 ms, some clocks theirs to 1 ms."""

_LEAST_USEFUL_MTU: Final = 43
"""A Movella DOT cannot send a sample in less."""

_ARRIVALS_WITHIN_S, _JITTERS = 0.25, 10
_SETTLING_S: Final = 3.0
_AROUND_S: Final = 1.0
_SMALL_JITTER_S: Final = 0.01


class FaultRunSensor(Protocol):
    """A simulated sensor. ``ledger`` is the simulator's own, ``plan`` its faults, ``true_rate_hz`` how fast it was."""

    @property
    def link(self) -> Wire:
        """Its wire."""
        ...

    @property
    def ledger(self) -> Any:
        """What it sent, lost and so on."""
        ...

    @property
    def plan(self) -> Any:
        """Its faults."""
        ...

    @property
    def true_rate_hz(self) -> float:
        """Samples a true second."""
        ...


class FaultRun(Protocol):
    """Simulated sensors by site, on the running loop from ``start`` to ``stop``."""

    @property
    def device(self) -> str:
        """The model."""
        ...

    @property
    def transport(self) -> str:
        """How it would be reached."""
        ...

    @property
    def script(self) -> str:
        """The faults."""
        ...

    @property
    def rate_hz(self) -> float:
        """The rate to ask for."""
        ...

    @property
    def has_device_time(self) -> bool:
        """Whether every loss can be known."""
        ...

    @property
    def measures_on(self) -> bool:
        """Whether it keeps its beat when the link is lost. One that begins anew may do so in mid-period."""
        ...

    @property
    def sensors(self) -> Mapping[str, FaultRunSensor]:
        """By site."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """Freeze."""
        ...

    def told_time_s(self, gyr_rad_s: FloatArray) -> FloatArray:
        """When samples (n, 3) were measured: the samples say it themselves."""
        ...


FaultRunMaker: TypeAlias = Callable[[Callable[[], float]], FaultRun]
"""Makes a trial on a clock in seconds."""


@dataclass(frozen=True)
class SensorRunResult:
    """One sensor. ``missing``: samples between the first and the last received that were not, by the samples' word;
    ``first`` and ``last``: the numbers of these two, if it measured at the same rate from time zero on.

    ``is_exact``: whether this must equal the host's count of lost samples. A device that is started again begins in
    mid-period, and the hole is rounded; ``undecided`` of the holes are so near half a period between whole ones that
    either count is right. ``about``: so far may an estimate by the host's clock be off; None where that tells nothing.
    ``sent``: the simulator's ledger. ``may_be_mute``: it may have been in reach at the wrong moments only.
    """

    site: str
    ledger: Ledger
    sent: Mapping[str, int]
    missing: int
    first: int
    last: int
    is_exact: bool
    undecided: int
    about: int | None
    gives_times_in_order: bool
    may_be_mute: bool


@dataclass(frozen=True)
class FaultRunResult:
    """A trial and what was wrong with it; ``problems`` is empty if nothing was."""

    device: str
    transport: str
    script: str
    sensors: tuple[SensorRunResult, ...]
    problems: tuple[str, ...]


@dataclass
class _Sink:
    """Keeps what the samples say of themselves."""

    gyr: dict[BodySite, list[FloatArray]] = field(default_factory=dict)

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        return

    def on_block(self, block: SampleBlock) -> None:
        self.gyr.setdefault(block.site, []).append(block.gyr_rad_s)

    def on_status(self, status: SensorStatus) -> None:
        return


def run_fault_script(make: FaultRunMaker, duration_s: float) -> FaultRunResult:
    """Run for ``duration_s`` of the sensors' time, which takes far less. Raises nothing that a sensor can cause."""
    threads, files = set(threading.enumerate()), _open_files()
    loop = VirtualTimeLoop()
    problems: list[str] = []

    def failed_callback(_: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        problems.append(f"{context['message']}: {type(error).__name__}: {error}")

    loop.set_exception_handler(failed_callback)
    logging.disable(logging.WARNING)  # what damaged bytes say is no news
    try:
        trial = make(loop.time)
        found: tuple[SensorRunResult, ...] = ()
        try:
            found = loop.run_until_complete(_run(trial, duration_s))
        except Exception as error:  # whatever it is, it is what the trial was for
            problems.append(f"{type(error).__name__}: {error}")
        left = [task.get_name() for task in asyncio.all_tasks(loop)]
        if left:
            problems.append(f"tasks left behind: {', '.join(left)}")
    finally:
        loop.close()
        logging.disable(logging.NOTSET)
    strangers = set(threading.enumerate()) - threads
    if strangers:
        problems.append(f"threads left behind: {', '.join(t.name for t in strangers)}")
    opened = _open_files() - files
    if opened:
        problems.append(f"files or sockets left open: {', '.join(sorted(opened))}")
    for sensor in found:
        problems += _judge(sensor)
    return FaultRunResult(trial.device, trial.transport, trial.script, found, tuple(problems))


def _open_files() -> set[str]:
    """The numbers of this process's open files, sockets and pipes, where the system lists them."""
    listed = os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else []
    return {number for number in listed if _is_open(int(number))}


def _is_open(number: int) -> bool:
    """The listing itself is among those listed, and closed by now."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


async def _run(trial: FaultRun, duration_s: float) -> tuple[SensorRunResult, ...]:
    sink = _Sink()
    trial.start()
    async with group_of(trial, sink) as group:
        try:
            async with asyncio.timeout(duration_s):
                await group.wait_failed()
        except TimeoutError:
            trial.stop()
        return tuple(
            _found(trial, str(site), stream.ledger(), np.concatenate(sink.gyr.get(site, [np.empty((0, 3))])))
            for site, stream in group.streams.items()
        )


def group_of(trial: FaultRun, sink: Sink) -> SensorGroup:
    """The production chain of a trial's sensors on the running loop, whose time is the session's."""
    clock = VirtualClock(loop=asyncio.get_running_loop())
    kind: Any = {"pty": "serial"}.get(trial.transport, trial.transport)
    specs = [DeviceSpec(kind, site, trial.device, trial.rate_hz, BodySite(site)) for site in trial.sensors]
    # A sensor that cannot be reached is part of the trial, not its end.
    patient = LinkPolicy(first_attempts=None)
    return open_group(specs, sink, clock, policy=patient, transports=partial(_connect, trial, clock))


def _connect(trial: FaultRun, clock: VirtualClock, spec: DeviceSpec, protocol: DeviceProtocol) -> Transport:
    gatt = protocol.gatt if trial.transport == "ble" else None
    return MemoryTransport(trial.sensors[str(spec.site)].link, str(spec.site), gatt, clock.now_ns)


def _found(trial: FaultRun, site: str, ledger: Ledger, gyr_rad_s: FloatArray) -> SensorRunResult:
    sensor = trial.sensors[site]
    plan = sensor.plan
    times = trial.told_time_s(gyr_rad_s)
    periods = np.diff(times) * sensor.true_rate_hz
    steps = np.rint(periods)
    halves = int((np.abs(np.abs(periods - steps) - 0.5) < _HALF_WAY).sum())
    # An altered byte may be one of the time, or of what the sample says of itself; a reboot ends the device's time;
    # and a notification of nonsense may be as long as one of samples, where a stream has frames to go by.
    hidden = plan.corrupt or plan.reboots or not _jumps_alone(plan) or (plan.garbage and trial.transport == "ble")
    is_exact = trial.has_device_time and not hidden
    return SensorRunResult(
        site,
        ledger,
        vars(sensor.ledger),
        int((steps - 1).sum()),
        *_numbers(times, sensor.true_rate_hz),
        is_exact,
        0 if trial.measures_on else min(halves, ledger.reconnects),
        _about(plan, sensor.true_rate_hz) if trial.has_device_time and plan.reboots else None,
        bool((steps >= 1).all()),
        bool(plan.downs or plan.refusals) or (plan.mtu is not None and plan.mtu < _LEAST_USEFUL_MTU),
    )


def _about(plan: Any, rate_hz: float) -> int | None:
    """How well arrivals tell what was missed over reboots, if the plan leaves them, and the times, as they are."""
    if plan.corrupt or plan.garbage or plan.clock_jumps or plan.stalls or plan.reorder:
        return None
    return int(len(plan.reboots) * rate_hz * (_ARRIVALS_WITHIN_S + _JITTERS * plan.jitter_s))


def _jumps_alone(plan: Any) -> bool:
    """Whether every jump of the clock falls into a time of plain streaming, where the arrivals show it for one."""
    spans = [(0.0, _SETTLING_S), *plan.downs, *plan.gaps, *plan.stalls]
    alone = all(
        not begin - _AROUND_S < at < begin + length + _AROUND_S + _SETTLING_S * (begin > 0.0)
        for at, _ in plan.clock_jumps
        for begin, length in spans
    )
    is_plain = not (plan.loss or plan.duplicate or plan.datagram_loss or plan.reorder or plan.refusals or plan.garbage)
    is_plain &= plan.jitter_s <= _SMALL_JITTER_S
    return alone and (is_plain or not plan.clock_jumps) and len(plan.clock_jumps) < 2


def _numbers(times_s: FloatArray, rate_hz: float) -> tuple[int, int]:
    """Of the first and the last sample; one that is the mean of several tells a time within its period."""
    if not len(times_s):
        return 0, -1
    return int(np.floor(times_s[0] * rate_hz + 0.2)), int(np.floor(times_s[-1] * rate_hz + 0.2))


def _judge(sensor: SensorRunResult) -> list[str]:
    """What cannot be, in words."""
    who, ledger, sent = sensor.site, sensor.ledger, sensor.sent
    problems = []
    # Nonsense may be taken for samples where frames have no checksum; and without a number or time on them, what is
    # left of two samples may be taken for one (MetaMotion sends acceleration and angular velocity apart).
    most = sent["sent"] + sent["duplicated"] + (sent["lost"] if ledger.lost_is_estimated else 0)
    if ledger.received > most and not sent["garbage_bytes"]:
        problems.append(f"{who}: received {ledger.received} of {sent['sent']} that were sent")
    if not ledger.received and not sensor.may_be_mute:
        problems.append(f"{who}: not one sample came")
    if min(ledger.received, ledger.lost, ledger.duplicated, *sent.values()) < 0:
        problems.append(f"{who}: a count below zero")
    if sensor.is_exact and abs(ledger.lost - sensor.missing) > sensor.undecided:
        problems.append(f"{who}: counts {ledger.lost} lost, and {sensor.missing} are missing")
    if sensor.about is not None and abs(ledger.lost - sensor.missing) > sensor.about:
        problems.append(f"{who}: counts about {ledger.lost} lost, and {sensor.missing} are missing")
    if sensor.is_exact and not sensor.gives_times_in_order:
        problems.append(f"{who}: samples in the wrong order, or twice")
    return problems
