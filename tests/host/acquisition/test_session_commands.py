"""Commands at the running session: what is wrong costs nothing."""

import asyncio
import contextlib
import tempfile
from multiprocessing import Pipe
from typing import Any

import pytest

from subtalar.acquisition.commands import Mark, RecordTo, SetOwner, Stop, encode, mailbox
from subtalar.acquisition.measuring.session_commands import SessionCommands, listen
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.errors import InputError


class FakeEngine:
    def __init__(self) -> None:
        self.marks: list[tuple[str, float | None]] = []
        self.owners: list[str] = []

    def mark(self, text: str, time_s: float | None) -> None:
        self.marks.append((text, time_s))

    def record_to(self, place: object) -> None:
        raise InputError(f"{place} cannot be recorded to.")

    def set_owner(self, assignment: Any) -> None:
        self.owners.append(assignment.participant)


async def test_before_there_is_an_engine_a_session_can_be_stopped_and_all_else_is_nothing() -> None:
    stop = StopRequest()
    commands = SessionCommands(stop)
    for command in (Mark("x"), RecordTo("/x"), SetOwner("P017")):
        commands.carry_out(command)
    assert not stop.event.is_set()
    commands.carry_out(Stop())
    assert stop.event.is_set()


async def test_both_ways_are_heard_and_damage_keeps_back_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine, stop = FakeEngine(), StopRequest()
    commands = SessionCommands(stop)
    commands.engine = engine  # type: ignore[assignment]
    ours, theirs = Pipe()
    listening = asyncio.create_task(listen(theirs, "subtalar-a", commands))
    for text in ("nonsense", "about\n[1]", encode(RecordTo("/x")), encode(SetOwner("Anna Muster")), encode(Mark("a"))):
        ours.send(text)
    mailbox.post("subtalar-a", Mark("b", 1.5))
    mailbox.post("subtalar-a", SetOwner("P017"))
    async with asyncio.timeout(20.0):
        while len(engine.marks) < 2 or not engine.owners:
            await asyncio.sleep(0.02)
        ours.close()  # the window that started it is gone
        mailbox.post("subtalar-a", Stop())
        await stop.event.wait()
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    assert engine.marks == [("a", None), ("b", 1.5)]
    assert engine.owners == ["P017"]
