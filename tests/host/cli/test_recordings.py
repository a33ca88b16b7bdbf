"""Commands on recordings after the session, as a person types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from subtalar.cli import cli
from subtalar.cli.background_salvage import salvaging
from subtalar.session import Recorder, open_session, verify
from subtalar.session.catalogue import Assignment, read_assignment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: Path) -> Path:
    """The recordings folder, with one recording that a crash left open."""
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(tmp_path / "rec é"))
    (tmp_path / "rec é").mkdir()
    path = tmp_path / "rec é" / "visit 1.mcap"
    session = open_session(walk)
    from datetime import UTC, datetime

    with Recorder(path, list(session.sensors.values()), datetime.now(UTC)) as recorder:
        for k, block in enumerate(session.blocks(0.5)):
            recorder.write_block(block)
            if k % 4 == 0:
                recorder.sync()
    path.write_bytes(path.read_bytes()[:-600])
    assert verify(path).status == "not_closed"
    return path.parent


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    return result.exit_code, result.output


def test_salvage_closes_what_was_left_open(folder: Path) -> None:
    status, said = run("session", "salvage")
    assert status == 0
    assert "visit 1.mcap was left open by a crash and is whole again" in said
    assert verify(folder / "visit 1.mcap").status == "ok"
    assert run("session", "salvage") == (0, f"No recording in {folder} was left open.\n")
    assert run("session", "salvage", folder / "visit 1.mcap")[0] == 0


def test_a_live_session_salvages_beside_it_and_says_so(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with salvaging(None):
        began = capfd.readouterr().err
        assert began == "visit 1.mcap was left open by a crash: being saved in the background.\n"
    assert "is whole again" in capfd.readouterr().err
    assert verify(folder / "visit 1.mcap").status == "ok"
    with salvaging(None):
        pass
    assert capfd.readouterr().err == ""


def test_trim_and_note(folder: Path, tmp_path: Path) -> None:
    path, out = folder / "visit 1.mcap", tmp_path / "kurz ü.mcap"
    before = path.read_bytes()
    status, said = run("session", "trim", path, "--from", 5, "--to", 15, "--out", out)
    assert status == 0, said
    assert json.loads(run("session", "info", out, "--json")[1])["origin"]["of"] == "visit 1.mcap"
    assert run("session", "note", path, "=cmd|' /C calc'!A0 – schöner Gang", "--at", 7.5)[0] == 0
    assert run("session", "note", path, "zweite")[0] == 0
    assert path.read_bytes() == before
    notes = json.loads(run("session", "info", path, "--json")[1])["written_notes"]
    assert [(n["text"], n["at_s"]) for n in notes] == [("=cmd|' /C calc'!A0 – schöner Gang", 7.5), ("zweite", None)]
    assert "Note at 7.5 s: =cmd" in run("session", "info", path)[1]


def test_what_is_cut_out_of_somebodys_session_is_theirs_too(folder: Path, tmp_path: Path) -> None:
    """Also where nobody said so when it was recorded: it has to go when that person is erased."""
    path, out = folder / "visit 1.mcap", tmp_path / "elsewhere.mcap"
    assert run("session", "assign", path, "--participant", "P017", "--condition", "barefoot")[0] == 0
    assert run("session", "trim", path, "--from", 5, "--to", 15, "--out", out)[0] == 0
    assert read_assignment(folder, out) == Assignment("P017", "", "barefoot")
    assert run("participant", "erase", "P017", "--yes")[0] == 0
    assert not path.exists()
    assert not out.exists()


def test_wrong_usage(folder: Path, tmp_path: Path) -> None:
    path = folder / "visit 1.mcap"
    assert run("session", "trim", path, "--out", tmp_path / "a.mcap")[0] == 2
    assert run("session", "join", path, "--out", tmp_path / "a.mcap")[0] == 2
    assert run("session", "compare", path, path, "--subtalar-axis", "40,20")[0] == 2
    assert run("session", "note", path, "   ")[0] != 0
    assert run("session", "note", folder / "nothing.mcap", "x")[0] != 0
