"""What the measuring process does: set the session up, run it, listen to commands, say how it ended.

Loads the estimator and the radio, which takes seconds; the process that shows the session never imports this.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from subtalar.acquisition.commands import mailbox
from subtalar.acquisition.integrations.session_integrations import SessionIntegrations
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.measuring.replay_run import run_replay
from subtalar.acquisition.measuring.sensor_run import run_sensors, specs_of
from subtalar.acquisition.measuring.session_commands import SessionCommands, listen
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, Outcome, ProvidedSource, ReplaySource
from subtalar.acquisition.ring import RingWriter, SessionFacts
from subtalar.errors import SubtalarError
from subtalar.estimation import warm_up, warmed

_LINGER_S = 5.0


def measure(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> Outcome:
    """The whole session. Raises SubtalarError where it cannot begin or go on."""
    if not warmed():
        pipe.send(("preparing", ""))
        warm_up()
    return asyncio.run(_measure(plan, pipe))


async def _measure(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> Outcome:
    stop = StopRequest()
    commands = SessionCommands(stop)
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError):
            loop.add_signal_handler(getattr(signal, name), stop.set)
    facts = SessionFacts(source=plan.source_text)
    strides = 0
    with RingWriter.create() as ring:
        pipe.send(("ring", ring.name))
        listening = asyncio.create_task(listen(pipe, ring.name, commands))
        try:
            async with SessionIntegrations(plan.integrations, ring.name, commands.carry_out) as integrations:

                def engine_ready(engine: Engine) -> None:
                    commands.engine = engine
                    integrations.attach(engine)

                await _run(plan, ring, stop, engine_ready)
        finally:
            if commands.engine is not None:
                facts, strides = commands.engine.facts, commands.engine.strides
            ring.publish_session(replace(facts, state="ended"))
            # A window that is only just opening must still find the end of the session.
            await stop.wait(_LINGER_S)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            with contextlib.suppress(OSError, SubtalarError):
                mailbox.collect(ring.name)  # nothing is left behind
    return Outcome("", facts.recording_path, facts.recording_error, strides, facts.recording_note)


async def _run(plan: AcquisitionPlan, ring: RingWriter, stop: StopRequest, on_engine: Callable[[Engine], None]) -> None:
    match plan.source:
        case ReplaySource() as source:
            await run_replay(source, plan, ring, stop, on_engine)
        case DeviceSource(specs):
            await run_sensors(specs, plan, ring, stop, on_engine)
        case ProvidedSource(opener):
            async with opener() as hardware:
                await run_sensors(specs_of(hardware), plan, ring, stop, on_engine, hardware)
