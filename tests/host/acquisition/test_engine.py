"""A disk that fails costs the recording, never the session, whichever thread meets the failure."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.ring import RingReader, RingWriter
from subtalar.device import SessionClock
from subtalar.errors import InputError, RecordingError
from subtalar.session import Recorder, open_session
from subtalar.session.catalogue import Assignment, read_assignment


@pytest.mark.parametrize("writes", ["write_estimates", "write_block"])
def test_the_session_goes_on_when_the_recording_fails(
    short_walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    def full(*_: object) -> None:
        raise RecordingError("The disk is full.")

    session = open_session(short_walk)
    with RingWriter.create() as ring, RingReader.attach(ring.name) as reader:
        path = tmp_path / "a.mcap"
        engine = Engine(session.sensors, SessionClock(), ring, source_text="test", record_path=path, live=False)
        for number, block in enumerate(session.blocks(0.5)):
            if number == 20:
                monkeypatch.setattr(Recorder, writes, full)
            if number == 30:
                monkeypatch.setattr(Recorder, "tick", full)
            engine.on_block(block)
            engine.publish_facts(0.5 * number)
        engine.finish()
        assert engine.strides >= 8
        assert reader.stride_count() == engine.strides
        assert reader.session().state == "ended"
        assert reader.session().recording_error == "The disk is full."


def test_whose_a_recording_was_that_never_came_to_be_is_forgotten(short_walk: Path, tmp_path: Path) -> None:
    """Neither it nor one that somebody has removed says whose the next one of that name is."""
    path, beside = tmp_path / "a.mcap", tmp_path / "a.mcap.about.json"
    beside.write_text('{"about": {"participant": "P016"}}')
    sensors = open_session(short_walk).sensors
    with RingWriter.create() as ring:
        engine = Engine(sensors, SessionClock(), ring, source_text="test", record_path=path, live=True)
        assert not beside.exists()
        engine.set_owner(Assignment("P017"))
        deadline = time.monotonic() + 20.0
        while not beside.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert read_assignment(tmp_path, path) == Assignment("P017")
        engine.finish()
    assert not path.exists()
    assert not beside.exists()


def test_sensors_that_cannot_be_estimated_from_leave_no_recording(short_walk: Path, tmp_path: Path) -> None:
    sensors = {site: replace(info, rate_hz=10.0) for site, info in open_session(short_walk).sensors.items()}
    path = tmp_path / "a.mcap"
    with RingWriter.create() as ring, pytest.raises(InputError, match="at least 40"):
        Engine(sensors, SessionClock(), ring, source_text="test", record_path=path, live=True)
    assert list(tmp_path.iterdir()) == []


def test_saying_whose_session_it_is_moves_no_time_and_reopens_none(short_walk: Path, tmp_path: Path) -> None:
    """A recorded replay has a time of its own, which is behind the clock."""
    session = open_session(short_walk)
    with RingWriter.create() as ring, RingReader.attach(ring.name) as reader:
        path = tmp_path / "a.mcap"
        engine = Engine(session.sensors, SessionClock(), ring, source_text="test", record_path=path, live=False)
        blocks = list(session.blocks(0.5))
        engine.on_block(blocks[0])
        engine.publish_facts(0.5)
        time.sleep(0.1)
        engine.set_owner(Assignment("P017"))
        assert (reader.session().participant, reader.session().elapsed_s) == ("P017", 0.5)
        engine.close()
        engine.set_owner(Assignment("P018"))
        assert reader.session().participant == "P017"
