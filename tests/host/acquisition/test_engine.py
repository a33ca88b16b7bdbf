"""A disk that fails costs the recording, never the session, whichever thread meets the failure."""

from pathlib import Path

import pytest

from subtalar.acquisition.engine import Engine
from subtalar.acquisition.ring import RingReader, RingWriter
from subtalar.device import SessionClock
from subtalar.errors import RecordingError
from subtalar.session import Recorder, open_session


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
