"""What ``session info`` tells, and how new recordings are called."""

import json
from datetime import datetime

import pytest

from subtalar.errors import RecordingError
from subtalar.session import Recorder, default_recording_path, session_info
from subtalar.session.info_text import info_lines
from subtalar.types import Ledger, SensorStatus


def test_info_of_a_folder_is_json_and_says_that_strides_are_unknown(raw_folder):
    info = json.loads(json.dumps(session_info(raw_folder())))
    assert info["duration_s"] == pytest.approx(8.0, abs=0.1)
    assert set(info["sensors"]) == {"right_foot", "right_shank"}
    assert info["strides"] is None
    assert any("subtalar analyze" in note for note in info["notes"])
    assert info["ledger"]["right_foot"]["received"] == 800


def test_info_of_a_short_recording_is_no_error(tmp_path, make):
    with Recorder(tmp_path / "a.mcap", make.sensors(), make.START) as recorder:
        for block in make.blocks(2.0):
            recorder.write_block(block)
        recorder.write_estimates(make.estimates())
    info = json.loads(json.dumps(session_info(tmp_path / "a.mcap")))
    assert info["strides"] == 1
    assert info["start_utc"] == "2026-05-14T09:30:00+00:00"
    assert any("Too short" in note for note in info["notes"])


def test_a_sensor_of_which_nothing_came_has_not_lost_nothing(tmp_path, make):
    foot, shank = make.sensors()
    for estimated, words in ((False, "0 samples lost"), (True, "no loss noticed")):
        path = tmp_path / f"{estimated}.mcap"
        with Recorder(path, (foot, shank), make.START) as recorder:
            for block in make.blocks(2.0):
                if block.site == foot.site:
                    recorder.write_block(block)
            ledger = Ledger(200, lost_is_estimated=estimated)
            recorder.write_status([SensorStatus(foot, "streaming", ledger=ledger), SensorStatus(shank, "ended")], 2.0)
        lines = list(info_lines(session_info(path)))
        assert any("foot" in line and line.endswith(f"Hz, {words}") for line in lines)
        assert any("shank" in line and line.endswith("Hz, no samples came") for line in lines)


def test_too_short_a_session_is_not_sent_to_be_analysed(raw_folder):
    notes = session_info(raw_folder(seconds=2.0))["notes"]
    assert any("Too short" in note for note in notes)
    assert not any("analyze" in note for note in notes)


def test_default_path_is_new_and_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path / "lab"))
    now = datetime(2026, 11, 21, 14, 5, 9)
    first = default_recording_path(now)
    assert first == tmp_path / "lab" / "2026-11-21_14-05-09.mcap"
    first.touch()
    assert default_recording_path(now).name == "2026-11-21_14-05-09_2.mcap"


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path / "file"))
    with pytest.raises(RecordingError, match="SUBTALAR_RECORDINGS"):
        default_recording_path(datetime(2026, 1, 1))
