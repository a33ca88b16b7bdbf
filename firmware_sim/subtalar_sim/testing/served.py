"""Simulated sensors that run beside a test and that any code can connect to, whatever its own event loop or thread."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import SentLedger
from subtalar_sim.serve.live import SimulatedHardware, simulated_hardware
from subtalar_sim.types import FloatArray, Side

_START_TIMEOUT_S: Final = 30.0
_CALL_TIMEOUT_S: Final = 10.0


class ServedSensors:
    """Sensors of ``config``, served by an event loop in a thread of their own from ``start`` to ``stop``.

    ``specs`` are device specs for ``subtalar`` (``right_foot=tcp:127.0.0.1:40001,model=ximu3,rate=200``);
    ``addresses``, by site, what other code needs: ``host:port``, the path of a serial port, or a Bluetooth address.
    ``environment`` is what a program must find in its environment to see them: over Bluetooth the address of a
    private message bus (Linux), else nothing.
    """

    def __init__(self, config: SimulationConfig) -> None:
        self.config = config
        self.environment: dict[str, str] = {}
        self._hardware: SimulatedHardware | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="simulated sensors", daemon=True)

    def start(self) -> None:
        """Return when the sensors can be reached. Raises ValueError for what is not offered, OSError if a port is
        taken or there can be no message bus, ImportError without the packages of the ``sim`` extra.
        """
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S):
            raise TimeoutError("the simulated sensors did not start")
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """End them; harmless when repeated."""
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(_CALL_TIMEOUT_S)

    @property
    def specs(self) -> tuple[str, ...]:
        """One device spec a sensor."""
        return self._running.specs

    @property
    def addresses(self) -> dict[str, str]:
        """Where each sensor is reached, by site."""
        return {spec.partition("=")[0]: spec.partition(":")[2].partition(",")[0] for spec in self.specs}

    @property
    def now_s(self) -> float:
        """The session time now; fault scripts are written in it."""
        return self._running.clock.session_s()

    def truth_deg(self, side: Side, monotonic_s: FloatArray) -> FloatArray:
        """True dorsiflexion, inversion, tibial rotation (n, 3) in degrees at readings (n,) of ``time.monotonic()``."""
        return self._running.truth(side, monotonic_s)

    def ledger(self, site: str) -> SentLedger:
        """What became of the samples of one sensor up to now."""
        ledger: SentLedger = self._call(lambda hardware: replace(hardware.ledgers[site]))
        return ledger

    def take_down(self, site: str) -> None:
        """Break the link of one sensor until ``bring_up``."""
        self._call(lambda hardware: hardware.links[site].take_down())

    def bring_up(self, site: str) -> None:
        """The sensor can be reached again."""
        self._call(lambda hardware: hardware.links[site].bring_up())

    @property
    def _running(self) -> SimulatedHardware:
        if self._hardware is None:
            raise RuntimeError("the simulated sensors are not running")
        return self._hardware

    def _call(self, what: Callable[[SimulatedHardware], Any]) -> Any:
        hardware, loop = self._running, self._loop
        assert loop is not None

        async def called() -> Any:
            return what(hardware)

        return asyncio.run_coroutine_threadsafe(called(), loop).result(_CALL_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with AsyncExitStack() as stack:
            hardware = await stack.enter_async_context(simulated_hardware(self.config))
            if hardware.radio is not None:
                from subtalar_sim.serve.bluez.private import private_bluez

                bluez = await stack.enter_async_context(private_bluez(hardware.radio))
                self.environment["DBUS_SYSTEM_BUS_ADDRESS"] = bluez.address
            self._hardware = hardware
            self._ready.set()
            await self._end.wait()
