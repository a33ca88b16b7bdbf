"""Sensors of which something goes wrong once, at a time that is known before: for measuring how a host gets over it.

What befalls the sensors themselves (``out of range``, ``reboot``) is a matter of the fault script. Here is what befalls
the computer: its Bluetooth service or message bus is killed, a plug is pulled.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal

from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan
from subtalar_sim.serve.live import SimulatedHardware, simulated_hardware

Kind = Literal["bluetooth service killed", "message bus killed", "unplugged", "rebooted", "out of range"]
KINDS: Final[tuple[Kind, ...]] = (
    *("bluetooth service killed", "message bus killed", "unplugged", "rebooted", "out of range"),
)
SUPERVISION_S: Final = 4.0
"""What desktop Bluetooth stacks ask of a link at most, by and large: so long nobody tells the host that it is gone."""


@dataclass(frozen=True)
class Mishap:
    """``kind`` befalls ``sites`` at ``at_s`` of the session and is over ``length_s`` later."""

    kind: Kind
    sites: tuple[str, ...]
    at_s: float
    length_s: float

    def of(self, config: SimulationConfig) -> SimulationConfig:
        """The session with that in its fault script, where it is a matter of the sensors."""
        span = ((self.at_s, self.length_s),)
        supervision_s = SUPERVISION_S if config.transport == "ble" else 0.0
        if self.kind == "rebooted":
            plan = FaultPlan(reboots=span, supervision_s=supervision_s)
        elif self.kind == "out of range":
            plan = FaultPlan(outages=span, supervision_s=supervision_s)
        else:
            return config
        return replace(config, faults_of=tuple((site, plan) for site in self.sites))


@dataclass
class Served:
    """What a host needs to know: ``environment`` for finding the sensors, ``specs`` to ask for. ``times``: when the
    mishap began and ended, on the monotonic clock; empty before.
    """

    hardware: SimulatedHardware
    specs: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)


@asynccontextmanager
async def served(config: SimulationConfig, mishap: Mishap, *, behind_bluez: bool = False) -> AsyncIterator[Served]:
    """Serve the sensors on the running loop until the context ends, and let the mishap happen in its time.

    ``behind_bluez``: to any program, on a private message bus (Linux). Raises what ``simulated_hardware`` raises.
    """
    async with AsyncExitStack() as stack:
        hardware = await stack.enter_async_context(simulated_hardware(mishap.of(config)))
        ports = _Ports(hardware, stack) if mishap.kind == "unplugged" else None
        out = Served(hardware, ports.specs if ports else hardware.specs)
        bluez: Any = None
        if behind_bluez and hardware.radio is not None:
            from subtalar_sim.serve.bluez.private import private_bluez

            bluez = await stack.enter_async_context(private_bluez(hardware.radio))
            out.environment["DBUS_SYSTEM_BUS_ADDRESS"] = bluez.address

        async def begin() -> None:
            if mishap.kind == "bluetooth service killed":
                await bluez.kill_service()
            elif mishap.kind == "message bus killed":
                await bluez.kill_bus()
            elif ports is not None:
                await ports.unplug(mishap.sites)

        async def end() -> None:
            if mishap.kind == "bluetooth service killed":
                await bluez.start_service()
            elif mishap.kind == "message bus killed":
                await bluez.start()
            elif ports is not None:
                await ports.plug_in(mishap.sites)

        async def happen() -> None:
            clock = hardware.clock
            await asyncio.sleep(clock.wait_s(mishap.at_s))
            out.times.append(time.monotonic())
            await begin()
            await asyncio.sleep(clock.wait_s(mishap.at_s + mishap.length_s))
            await end()
            out.times.append(time.monotonic())

        happening = asyncio.create_task(happen())
        try:
            yield out
        finally:
            happening.cancel()
            await asyncio.gather(happening, return_exceptions=True)


class _Ports:
    """Serial ports under names that stay the same, as ``/dev/serial/by-id`` keeps them on Linux."""

    def __init__(self, hardware: SimulatedHardware, stack: AsyncExitStack) -> None:
        self._links: dict[str, Any] = dict(hardware.links)
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="subtalar-ports-")))
        specs = []
        for spec in hardware.specs:
            site = spec.partition("=")[0]
            specs.append(spec.replace(self._links[site].address, str(self._folder / site)))
            self._name(site)
        self.specs = tuple(specs)

    def _name(self, site: str) -> None:
        os.symlink(self._links[site].address, self._folder / site)

    async def unplug(self, sites: tuple[str, ...]) -> None:
        for site in sites:
            (self._folder / site).unlink()
            await self._links[site].stop()

    async def plug_in(self, sites: tuple[str, ...]) -> None:
        for site in sites:
            await self._links[site].start()
            self._name(site)


@dataclass(frozen=True)
class Account:
    """What really happened. Times on the monotonic clock; ``sent`` samples by site."""

    began_s: float
    ended_s: float
    sent: dict[str, int]


def account_of(served: Served) -> Account:
    """Raises ValueError where the mishap is not over yet."""
    if len(served.times) != 2:
        raise ValueError("the mishap is not over")
    began_s, ended_s = served.times
    return Account(began_s, ended_s, served.hardware.sent_samples)


def serve_in_process(config: SimulationConfig, mishap: Mishap, pipe: "Connection[Any, Any]") -> None:
    """The main function of a process that serves until it is asked for its ``Account`` through ``pipe``.

    Sends first ``(specs, environment, anchor)``: the session began when the monotonic clock showed ``anchor``.
    """
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(config, mishap, pipe))


async def _serve(config: SimulationConfig, mishap: Mishap, pipe: "Connection[Any, Any]") -> None:
    async with served(config, mishap, behind_bluez=config.transport == "ble") as out:
        pipe.send((out.specs, out.environment, out.hardware.anchor_s))
        with suppress(EOFError, OSError):
            while not pipe.poll():
                await asyncio.sleep(0.05)
            pipe.recv()
            pipe.send(account_of(out))
