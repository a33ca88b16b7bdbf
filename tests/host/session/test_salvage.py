"""A recording that a crash left open is closed under its own name, and never becomes less than it was."""

import errno
import os

import pytest

from subtalar.errors import RecordingError
from subtalar.session import Recorder, durable_file, open_session, read_blocks, verify
from subtalar.session.recording.repair import salvage


@pytest.fixture
def crashed(tmp_path, make):
    """A folder with a recording cut in mid-chunk, a whole one, and other files; the bytes of the cut one."""
    for name in ("crashed ü.mcap", "whole.mcap"):
        with Recorder(tmp_path / name, make.sensors(), make.START) as recorder:
            for k, block in enumerate(make.blocks(12.0)):
                recorder.write_block(block)
                if k % 80 == 79:
                    recorder.sync()
    path = tmp_path / "crashed ü.mcap"
    content = path.read_bytes()[: int(path.stat().st_size * 0.7)]
    path.write_bytes(content)
    (tmp_path / "empty.mcap").write_bytes(b"")
    (tmp_path / "text.mcap").write_text("text")
    return path, content


def test_only_what_was_left_open_is_found(crashed, tmp_path, make):
    path, _ = crashed
    assert salvage.unclosed_recordings(tmp_path) == (path,)
    assert salvage.unclosed_recordings(tmp_path / "nothing") == ()
    with Recorder(tmp_path / "running.mcap", make.sensors(), make.START) as recorder:
        recorder.sync()
        assert salvage.unclosed_recordings(tmp_path) == (path,)


def test_it_is_closed_under_its_own_name(crashed, tmp_path, make):
    path, _ = crashed
    before = [a.block for a in read_blocks(path)]
    (result,) = map(salvage.salvage, salvage.unclosed_recordings(tmp_path))
    assert result.ok
    assert "is whole again" in result.text
    assert "\n" not in result.text
    assert verify(path).status == "ok"
    after = [a.block for a in read_blocks(path)]
    assert len(after) == len(before) > 100
    assert all(map(make.same_bits, after, before))
    assert open_session(path).closed
    assert list(tmp_path.glob(".*")) == []
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    assert salvage.unclosed_recordings(tmp_path) == ()


def test_a_recording_that_is_damaged_as_well_is_left_to_a_person(crashed):
    path, content = crashed
    damaged = bytearray(content)
    damaged[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(damaged)
    result = salvage.salvage(path)
    assert not result.ok
    assert "session recover" in result.text
    assert path.read_bytes() == damaged


def test_a_full_disk_leaves_it_as_it_was(crashed, tmp_path, monkeypatch):
    path, content = crashed

    def full(self, data):
        error = OSError(errno.ENOSPC, "No space left on device")
        raise RecordingError("The disk is full.") from error

    monkeypatch.setattr(durable_file.DurableFile, "write", full)
    result = salvage.salvage(path)
    assert not result.ok
    assert "could not be saved yet" in result.text
    assert path.read_bytes() == content
    assert list(tmp_path.glob(".*")) == []


def test_a_copy_that_is_not_right_does_not_take_its_place(crashed, tmp_path, monkeypatch):
    path, content = crashed
    right = salvage.recover

    def lose_some(source, target):
        report = right(source, target)
        return type(report)(**{**report.__dict__, "sample_count": report.sample_count - 1})

    monkeypatch.setattr(salvage, "recover", lose_some)
    assert not salvage.salvage(path).ok
    assert path.read_bytes() == content
    assert list(tmp_path.glob(".*")) == []


def test_what_a_killed_salvage_left_is_removed(crashed, tmp_path):
    path, _ = crashed
    (tmp_path / f".{path.name}.salvaged").write_bytes(b"half a copy")
    assert salvage.salvage(path).ok
    assert list(tmp_path.glob(".*")) == []


def test_without_locks_only_what_is_old_is_touched(crashed, monkeypatch):
    path, _ = crashed
    monkeypatch.setattr(durable_file, "_try_lock", lambda fd: True)
    assert salvage.unclosed_recordings(path.parent) == ()
    os.utime(path, (1e9, 1e9))
    assert salvage.unclosed_recordings(path.parent) == (path,)


def test_what_a_newer_version_recorded_is_left_to_it(tmp_path, make, monkeypatch):
    from subtalar.session.recording.format.schema import topics
    from subtalar.session.recording.write import mcap_writer

    monkeypatch.setattr(mcap_writer, "topics", lambda sites: {**topics(sites), "/future": "Marker"})
    path = tmp_path / "a.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        for block in make.blocks(8.0):
            recorder.write_block(block)
        recorder._writer.add("/future", 1.0, b"")
    path.write_bytes(path.read_bytes()[:-300])
    content = path.read_bytes()
    monkeypatch.undo()
    result = salvage.salvage(path)
    assert not result.ok
    assert "newer subtalar" in result.text
    assert path.read_bytes() == content
    from subtalar.session import recover

    assert recover(path, tmp_path / "known.mcap").status == "ok"  # asked for by a person, beside the original
