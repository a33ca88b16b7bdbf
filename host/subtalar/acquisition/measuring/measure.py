"""What the measuring process does: set the session up, run it, listen to commands, say how it ended.

Loads the estimator and the radio, which takes seconds; the process that shows the session never imports this.
"""

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from subtalar.acquisition.commands import mailbox
from subtalar.acquisition.integrations.session_integrations import SessionIntegrations
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.measuring.runs import Stop, run_replay, run_sensors, specs_of
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, Outcome, ProvidedSource, ReplaySource
from subtalar.acquisition.ring import RingWriter, SessionFacts
from subtalar.errors import InputError, SubtalarError
from subtalar.estimation import warm_up, warmed
from subtalar.session.catalogue.about import checked_about

_LINGER_S = 5.0
_LISTEN_EVERY_S = 0.05
_ROUNDS_A_LETTER = 4


def measure(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> Outcome:
    """The whole session. Raises SubtalarError where it cannot begin or go on."""
    if not warmed():
        pipe.send(("preparing", ""))
        warm_up()
    return asyncio.run(_measure(plan, pipe))


async def _measure(plan: AcquisitionPlan, pipe: "Connection[Any, Any]") -> Outcome:
    stop = Stop()
    engines: list[Engine] = []
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError):
            loop.add_signal_handler(getattr(signal, name), stop.set)
    with RingWriter.create() as ring:
        pipe.send(("ring", ring.name))
        listening = asyncio.create_task(_listen(pipe, ring.name, stop, engines))
        try:
            async with SessionIntegrations(plan.integrations, ring.name) as integrations:

                def begun(engine: Engine) -> None:
                    engines.append(engine)
                    integrations.join(engine)

                await _run(plan, ring, stop, begun)
        finally:
            facts = engines[0].facts if engines else SessionFacts(source=plan.source_text)
            ring.publish_session(replace(facts, state="ended"))
            # A window that is only just opening must still find the end of the session.
            await stop.within(_LINGER_S)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            with contextlib.suppress(OSError, SubtalarError):
                mailbox.take(ring.name)  # nothing is left behind
    facts = engines[0].facts
    return Outcome("", facts.recording_path, facts.recording_error, engines[0].strides, facts.recording_note)


async def _run(plan: AcquisitionPlan, ring: RingWriter, stop: Stop, on_engine: Callable[[Engine], None]) -> None:
    match plan.source:
        case ReplaySource() as source:
            await run_replay(source, plan, ring, stop, on_engine)
        case DeviceSource(specs):
            await run_sensors(specs, plan, ring, stop, on_engine)
        case ProvidedSource(opener):
            async with opener() as hardware:
                await run_sensors(specs_of(hardware), plan, ring, stop, on_engine, hardware)


async def _listen(pipe: "Connection[Any, Any]", name: str, stop: Stop, engines: list[Engine]) -> None:
    """Commands from the process that started the session, as long as it lives, and from windows that found it."""
    while True:
        try:
            for _ in range(_ROUNDS_A_LETTER):
                await asyncio.sleep(_LISTEN_EVERY_S)
                while pipe.poll():
                    _obey(pipe.recv(), stop, engines)
        except (EOFError, OSError):
            await asyncio.sleep(_LISTEN_EVERY_S)  # that window is gone; the session goes on
        letters: list[tuple[str, str]] = []
        with contextlib.suppress(OSError, SubtalarError):
            letters = mailbox.take(name)
        for command in letters:
            with contextlib.suppress(OSError, SubtalarError):
                _obey(command, stop, engines)


def _obey(command: tuple[str, str], stop: Stop, engines: list[Engine]) -> None:
    match command:
        case "stop", _:
            stop.set()
        case "mark", text if engines:
            engines[0].mark(text)
        case "record", place if engines:
            engines[0].record_to(Path(place))
        case "about", said if engines:
            with contextlib.suppress(InputError):
                engines[0].say_about(checked_about(*_three_texts(said)))


def _three_texts(text: str) -> tuple[str, str, str]:
    with contextlib.suppress(ValueError, RecursionError):
        match json.loads(text):
            case [str(participant), str(visit), str(condition)]:
                return participant, visit, condition
    raise InputError("A participant, a visit and a condition are three texts.")
