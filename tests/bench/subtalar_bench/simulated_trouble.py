"""Simulated sensors that something befalls, for ``subtalar bench adversity``."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import numpy as np

from subtalar.cli.missing import missing_package
from subtalar.errors import InputError
from subtalar.types import FloatArray, Side
from subtalar_bench.adversity import Case, TroubledSensors


class _Troubled:
    """What ``subtalar_bench.adversity`` asks of sensors, on top of what the simulator serves."""

    def __init__(self, config: Any, specs: tuple[str, ...], anchor_s: float, hardware: Any, account: Any) -> None:
        self.specs, self.anchor_s, self.hardware = specs, anchor_s, hardware
        self._body, self.account = config.make_body(), account

    def truth(self, side: Side, monotonic_s: FloatArray) -> FloatArray:
        angles: FloatArray = self._body.angles_deg(side, monotonic_s - self.anchor_s)
        return angles

    def contacts(self, side: Side) -> FloatArray:
        return np.array([stride.initial_contact_s for stride in self._body.strides(side)]) + self.anchor_s


@asynccontextmanager
async def simulated_in_trouble(case: Case) -> AsyncIterator[TroubledSensors]:
    """Sensors that the case befalls: in this process over Bumble, else in another one."""
    try:
        from subtalar_sim.body import BodyConfig
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.serve.adversity import Mishap, account_of, serve_in_process, served
    except ImportError as error:
        raise missing_package(error, "sim") from None
    config = SimulationConfig(
        body=BodyConfig(seed=1, standing_s=case.standing_s, walking_s=case.end_s),
        device=case.device,
        rate_hz=case.rate_hz,
        transport="pty" if case.route == "serial" else "ble",
    )
    mishap = Mishap(case.kind, tuple(str(site) for site in case.sites), case.at_s, case.length_s)
    if case.route == "Bumble":
        async with served(config, mishap) as out:

            async def told_here() -> Any:
                return account_of(out)

            yield _Troubled(config, out.specs, out.hardware.anchor_s, out.hardware, told_here)
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_in_process, args=(config, mishap, theirs), daemon=True)
    process.start()
    theirs.close()

    async def told() -> Any:
        ours.send("account")
        return await asyncio.to_thread(ours.recv)

    with _environment() as environment:
        try:
            specs, found_by, anchor_s = await asyncio.to_thread(ours.recv)
            environment.update(found_by)
            yield _Troubled(config, specs, anchor_s, None, told)
        except EOFError:
            raise InputError("The simulated sensors did not start.") from None
        finally:
            ours.close()
            await asyncio.to_thread(process.join, 5.0)
            process.kill()


@contextmanager
def _environment() -> Iterator[Any]:
    """The environment, which is as before in the end."""
    before = dict(os.environ)
    try:
        yield os.environ
    finally:
        os.environ.clear()
        os.environ.update(before)
