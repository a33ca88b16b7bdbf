"""Recorded motion on the command line: what it is not for, what cannot be played, and a walk to its end."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subtalar.cli.simulation import check_motion, recorded_motion
from subtalar.errors import InputError
from subtalar.session import Recorder, open_session, read_blocks

COMMAND = [sys.executable, "-c", "from subtalar.cli import main; main()"]


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("live", "--replay", "x", "--motion", "x"), "--motion needs --simulate"),
        (("live", "--simulate", "--loop"), "--loop needs --motion"),
        (("sim", "serve", "--device", "ximu3", "--loop"), "--loop needs --motion"),
        (("sim", "serve", "--device", "ximu3", "--no-wait", "--motion", "x"), "recorded motion always waits"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], sentence: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_what_cannot_be_played_is_one_sentence(walk: Path, tmp_path: Path) -> None:
    for arguments in (("live", "--simulate", "--headless"), ("sim", "serve", "--device", "ximu3")):
        done = run(*arguments, "--motion", tmp_path / "nowhere")
        assert done.returncode == 1
        assert done.stderr.startswith("subtalar: There is no ")
        assert len(done.stderr.splitlines()) == 1
    done = run("sim", "serve", "--device", "ximu3", "--transport", "tcp", "--motion", walk, "--duration", 90)
    assert done.returncode == 1
    assert "walk lasts 30." in done.stderr
    with pytest.raises(InputError, match="cannot slip"):
        check_motion(str(walk), "slip@3s=10deg")


def test_a_recording_can_be_played_as_well_as_a_folder(walk: Path, tmp_path: Path) -> None:
    session = open_session(walk)
    recorder = Recorder(tmp_path / "walk.mcap", list(session.sensors.values()), datetime.now(UTC))
    for block in session.blocks(0.05):
        recorder.write_block(block)
    recorder.close()
    assert sum(1 for _ in read_blocks(tmp_path / "walk.mcap")) > 100
    folder, recording = recorded_motion(str(walk)), recorded_motion(str(tmp_path / "walk.mcap"))
    for site, sensor in folder.sensors.items():
        assert len(recording.sensors[site].t_s) == len(sensor.t_s)
        assert abs(recording.sensors[site].t_s - sensor.t_s).max() < 1e-4
        assert (recording.sensors[site].gyr_rad_s == sensor.gyr_rad_s).all()


@pytest.mark.slow
def test_a_live_session_ends_with_the_motion_and_has_its_length(walk: Path, tmp_path: Path) -> None:
    pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")
    done = run("live", "--simulate", "--motion", walk, "--headless", "--record", tmp_path / "again.mcap")
    assert done.returncode == 0, done.stderr
    info = json.loads(run("session", "info", tmp_path / "again.mcap", "--json").stdout)
    assert 29.0 < info["duration_s"] < 45.0
    assert set(info["sensors"]) == {"left_foot", "left_shank"}
    assert info["strides"] >= 8
