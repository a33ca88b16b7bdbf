"""The disk of a live session fails: said at once, the session goes on, and so does its recording, on another disk."""

import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from subtalar.acquisition.measuring import live_recording
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.ring import RingReader, RingWriter
from subtalar.device import SessionClock
from subtalar.session import durable_file, open_session, read_blocks, read_header, read_items, session_info, verify
from subtalar.session.catalogue import Assignment, assignment_in, read_assignment
from subtalar.session.durable_file import DurableFile
from subtalar.session.recording.edit.join import join_parts
from subtalar.types import AngleBlock, Calibration, Notice


class Stick:
    """The folder "stick", which can be full."""

    full = False


@pytest.fixture
def stick(monkeypatch: pytest.MonkeyPatch) -> Stick:
    stick, write = Stick(), DurableFile.write

    def write_to_stick(self: DurableFile, data: bytes) -> int:
        if stick.full and self.path.parent.name == "stick":
            error = OSError(errno.ENOSPC, "No space left on device")
            raise durable_file._translate(self.path, error) from error
        return write(self, data)

    monkeypatch.setattr(DurableFile, "write", write_to_stick)
    return stick


def until(what: Callable[[], bool], each: Callable[[], None]) -> float:
    """How long it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() < began + 30.0
        each()
        time.sleep(0.02)
    return time.monotonic() - began


class Session:
    """An engine that is fed a walk as a live one is."""

    def __init__(self, walk: Path, path: Path, ring: RingWriter, reader: RingReader) -> None:
        self.source = open_session(walk)
        self.blocks = list(self.source.blocks(0.05))
        self.engine = Engine(self.source.sensors, SessionClock(), ring, source_text="test", record_path=path, live=True)
        self.reader = reader

    def give(self, start: int, stop: int) -> None:
        for number, block in enumerate(self.blocks[start:stop]):
            self.engine.on_block(block)
            if number % 40 == 0:
                self.engine.publish_facts(0.05 * number)

    def tick(self) -> None:
        self.engine.publish_facts()


@pytest.fixture
def session(short_walk: Path, tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "stick").mkdir()
    with RingWriter.create() as ring, RingReader.attach(ring.name) as reader:
        yield Session(short_walk, tmp_path / "stick" / "a.mcap", ring, reader)


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual folder, which passes for another disk."""
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path / "usual"))
    monkeypatch.setattr(live_recording, "_on_another_disk", lambda folder, file: True)
    return tmp_path / "usual"


def judge(session: Session, first: Path, second: Path, tmp_path: Path) -> None:
    """Both files together are the whole session, to the bit."""
    assert verify(second).status == "ok"
    assert any("continues a.mcap" in note for note in session_info(second)["notes"])
    whole = tmp_path / "whole.mcap"
    assert join_parts([first, second], whole).status == "ok"
    found = [a.block for a in read_blocks(whole)]
    assert len(found) == len(session.blocks)
    for got, given in zip(found, session.blocks, strict=True):
        assert got.site == given.site
        assert got.acc_m_s2.tobytes() == given.acc_m_s2.tobytes()
    angles = np.concatenate([i.time_s for i in read_items(whole) if isinstance(i, AngleBlock)])
    assert (np.diff(angles) > 0).all()
    assert angles[-1] > 27.0
    assert len(angles) > 2700


def test_it_goes_on_by_itself_in_the_usual_folder(session: Session, stick: Stick, tmp_path: Path, usual: Path) -> None:
    third = len(session.blocks) // 3
    session.give(0, third)
    time.sleep(0.6)
    session.engine.set_owner(Assignment("P017", "", "barefoot"))
    assert session.reader.session().participant == "P017"
    stick.full = True
    half = len(session.blocks) // 2
    session.give(third, half)
    until(lambda: "goes on in" in session.reader.session().recording_note, session.tick)
    facts = session.reader.session()
    second = usual / "a_part2.mcap"
    assert (facts.recording_error, facts.recording_path) == ("", str(second))
    assert "The disk is full" in facts.recording_note
    session.give(half, len(session.blocks))
    session.engine.finish()
    assert session.reader.session().recording_error == ""
    assert any(isinstance(i, Notice) and i.code == "recording_moved" for i in read_items(second))
    assert any(isinstance(i, Calibration) for i in read_items(second))
    assert assignment_in(read_header(second).configuration) == Assignment("P017", "", "barefoot")
    assert read_assignment(usual, tmp_path / "stick" / "a.mcap") == Assignment(
        "P017", "", "barefoot"
    )  # known before it failed
    session.engine.set_owner(Assignment("P018"))
    assert session.reader.session().participant == "P017"  # nobody is told anything once it is over
    judge(session, tmp_path / "stick" / "a.mcap", second, tmp_path)


def test_a_person_says_where_and_what_came_meanwhile_is_there(
    session: Session, stick: Stick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path / "same disk"))
    third = len(session.blocks) // 3
    session.give(0, third)
    stick.full = True
    assert until(lambda: "disk is full" in session.reader.session().recording_error, session.tick) < 2.0
    session.give(third, 2 * third)  # nobody has answered yet
    assert session.reader.session().recording_error
    session.engine.record_to(tmp_path / "no such folder" / "b.mcap")
    until(lambda: "does not exist" in session.reader.session().recording_error, session.tick)
    (tmp_path / "Ordner für später").mkdir()
    session.engine.record_to(tmp_path / "Ordner für später")
    until(lambda: not session.reader.session().recording_error, session.tick)
    session.give(2 * third, len(session.blocks))
    session.engine.finish()
    assert session.reader.session().state == "ended"
    second = tmp_path / "Ordner für später" / "a_part2.mcap"
    judge(session, tmp_path / "stick" / "a.mcap", second, tmp_path)


def test_a_stick_that_is_pulled_is_told_within_two_seconds(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recording, "_on_another_disk", lambda folder, file: False)
    session.give(0, 100)
    (tmp_path / "stick" / "a.mcap").unlink()
    (tmp_path / "stick").rmdir()
    took = until(lambda: bool(session.reader.session().recording_error), session.tick)
    assert took < 2.0
    assert "was removed" in session.reader.session().recording_error
    session.give(100, len(session.blocks))
    session.engine.finish()
    assert session.engine.strides >= 8


def test_what_only_the_end_cannot_write_still_goes_elsewhere(
    session: Session, stick: Stick, tmp_path: Path, usual: Path
) -> None:
    session.give(0, 60)
    time.sleep(0.6)
    stick.full = True
    session.give(60, len(session.blocks))
    session.engine.finish()
    assert session.engine.facts.recording_error == ""
    judge(session, tmp_path / "stick" / "a.mcap", usual / "a_part2.mcap", tmp_path)
