"""The first start on a computer: the measuring process prepares the estimator before anything else, and says so."""

import os
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from subtalar.acquisition.commands import Stop, encode
from subtalar.acquisition.measuring import measure
from subtalar.acquisition.plan import AcquisitionPlan, Outcome, ReplaySource
from subtalar.acquisition.process import start
from subtalar.errors import SubtalarError

Messages = list[tuple[str, Any]]


def measured(plan: AcquisitionPlan) -> Messages:
    """What the measuring process says before its session begins; the session is stopped at once."""
    ours, theirs = Pipe()
    with ours, theirs:
        ours.send(encode(Stop()))
        measure.measure(plan, theirs)
        said = []
        while ours.poll():
            said.append(ours.recv())
        return said


@pytest.mark.parametrize("kept", [True, False])
def test_the_estimator_is_prepared_before_the_session_begins(
    short_walk: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    done: list[str] = []
    monkeypatch.setattr(measure, "warmed", lambda: kept)
    monkeypatch.setattr(measure, "warm_up", lambda: done.append("prepared"))
    said = [kind for kind, _ in measured(AcquisitionPlan(ReplaySource(short_walk, 0), "replay"))]
    assert (said, done) == ((["ring"], []) if kept else (["preparing", "ring"], ["prepared"]))


class Scripted:
    """Stands in for ``multiprocessing``: a process that says these words and then dies, or is ``silent``."""

    def __init__(self, words: Messages, *, silent: bool = False) -> None:
        self.words, self.silent = words, silent
        self.ended = False

    def get_context(self, _method: str) -> "Scripted":
        return self

    Pipe = staticmethod(Pipe)

    def Process(self, *, args: tuple[AcquisitionPlan, "Connection[Any, Any]"], **_: object) -> "Scripted":  # noqa: N802
        self.pipe = args[1]
        return self

    def start(self) -> None:
        if self.silent:
            self.open = os.dup(self.pipe.fileno())
        for word in self.words:
            self.pipe.send(word)

    def terminate(self) -> None:
        self.ended = True
        if self.silent:
            os.close(self.open)

    def join(self, _timeout_s: float) -> None:
        pass


def started(words: Messages, monkeypatch: pytest.MonkeyPatch, *, silent: bool = False) -> tuple[Scripted, list[str]]:
    """Start it; what was called meanwhile, in order."""
    scripted = Scripted(words, silent=silent)
    monkeypatch.setattr(start, "multiprocessing", scripted)
    called: list[str] = []
    plan = AcquisitionPlan(ReplaySource(Path("walk")), "replay")
    try:
        acquisition = start.start_acquisition(
            plan, on_preparing=lambda: called.append("preparing"), meanwhile=lambda: called.append("meanwhile")
        )
        acquisition.wait(0.0)
        acquisition._pipe.close()
        called.append(acquisition.ring_name)
    except SubtalarError as error:
        called.append(str(error))
    return scripted, called


OUTCOME = ("outcome", Outcome(error="The sensor is off."))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("ring", "subtalar-1"), OUTCOME], ["meanwhile", "subtalar-1"]),
        ([("preparing", ""), ("ring", "subtalar-1"), OUTCOME], ["meanwhile", "preparing", "subtalar-1"]),
        ([OUTCOME], ["meanwhile", "The sensor is off."]),
        ([("preparing", ""), OUTCOME], ["meanwhile", "preparing", "The sensor is off."]),
    ],
)
def test_who_starts_it_is_told_when_the_wait_is_long(
    words: Messages, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started(words, monkeypatch)[1] == expected


@pytest.mark.parametrize(("silent", "said"), [(True, "does not start"), (False, "ended before it began")])
@pytest.mark.parametrize("before", [[], [("preparing", "")]])
def test_a_process_that_hangs_or_dies_at_its_start_is_ended_and_told(
    before: Messages, silent: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "START_TIMEOUT_S", 0.05)
    monkeypatch.setattr(start, "PREPARE_TIMEOUT_S", 0.05)
    scripted, called = started(before, monkeypatch, silent=silent)
    assert scripted.ended
    assert said in called[-1]


def test_whatever_happens_meanwhile_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted([("ring", "subtalar-1")])
    monkeypatch.setattr(start, "multiprocessing", scripted)

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start.start_acquisition(AcquisitionPlan(ReplaySource(Path("walk")), "replay"), meanwhile=interrupted)
    assert scripted.ended
