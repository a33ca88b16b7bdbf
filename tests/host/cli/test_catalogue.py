"""What a person types about participants and sessions, and what comes back."""

import io
import json
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from subtalar.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run_main


def replay(run: Run, walk: Path, *more: str | Path) -> tuple[int, str, str]:
    return run("live", "--replay", walk, "--speed", "0", "--headless", *more)


def test_a_session_from_its_beginning_to_its_erasure(
    run: Run, walk: Path, tmp_path: Path, recordings_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "zwölf & mehr.mcap"
    said = ("--participant", "p017", "--visit", "week 6", "--condition", "insole A")
    status, _, err = replay(run, walk, "--record", elsewhere, *said)
    assert (status, err) == (0, "")
    status, out, _ = run("session", "list", "--participant", "P017", "--json")
    (session,) = json.loads(out)
    assert session["path"] == str(elsewhere)
    assert (session["participant"], session["visit"], session["condition"]) == ("P017", "week 6", "insole A")
    assert session["state"] == "closed"
    assert session["duration_s"] == pytest.approx(30.0, abs=1.0)
    assert "notes" not in session

    assert replay(run, elsewhere, "--record", tmp_path / "again.mcap")[0] == 0  # stays with its participant
    status, _, err = replay(run, elsewhere, "--record", tmp_path / "stolen.mcap", "--participant", "P018")
    assert status == 1
    assert "cannot make it one of P018" in err
    assert not (tmp_path / "stolen.mcap").exists()

    assert run("session", "note", elsewhere, "=cmd\x1b[31m pain", "--at", "3")[0] == 0
    status, out, _ = run("session", "list", "--search", "pain", "--notes")
    lines = out.splitlines()
    assert lines[0].split() == ["participant", "visit", "condition", "recorded", "length", "strides", "state", "file"]
    assert "P017" in lines[1]
    assert "\x1b" not in out
    assert "at 3 s" in lines[2]
    assert run("participant", "add", "P017", "--side", "both", "--height-m", "1.8", "--note", "secret")[0] == 0
    status, out, _ = run("participant", "show", "P017", "--json")
    assert json.loads(out)["affected_sides"] == ["left", "right"]
    assert "secret" not in out
    assert len(json.loads(out)["sessions"]) == 2

    assert run("analyze", elsewhere, "--out", tmp_path / "results", "--quiet")[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    status, out, err = run("participant", "erase", "P017")
    assert status == 1
    assert elsewhere.exists()
    status, out, err = run("participant", "erase", "P017", "--yes")
    assert (status, err) == (0, "")
    for name in (str(elsewhere), "again.mcap", "angles.csv", "report.html", "P017.json"):
        assert name in out
    assert not (tmp_path / "results").exists()
    for root in (tmp_path, recordings_folder):
        for path in root.rglob("*"):
            assert not path.is_file() or b"P017" not in path.read_bytes(), path
    status, _, err = run("participant", "show", "P017")
    assert status == 1
    assert err.count("\n") == 1


def test_what_a_crash_left_open_is_listed_as_such_and_then_as_salvaged(
    run: Run, walk: Path, recordings_folder: Path
) -> None:
    recordings_folder.mkdir()
    path = recordings_folder / "a.mcap"
    assert replay(run, walk, "--record", path, "--participant", "P5")[0] == 0
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    assert "not closed" in run("session", "list", "--participant", "P5")[1]
    _, _, err = replay(run, walk, "--no-record")
    assert "a.mcap was left open" in err
    (session,) = json.loads(run("session", "list", "--participant", "P5", "--json")[1])
    assert (session["state"], session["participant"]) == ("salvaged", "P5")
    assert 20.0 < session["duration_s"] < 30.5


@pytest.mark.parametrize("name", ["Anna Meier", "anna@klinik.example", "1985-03-12", "Anna"])
def test_names_are_refused_before_anything_begins(run: Run, walk: Path, recordings_folder: Path, name: str) -> None:
    status, _, err = replay(run, walk, "--participant", name)
    assert status == 1
    assert err.startswith("subtalar: ")
    assert err.count("\n") == 1
    assert not recordings_folder.exists()


def test_the_session_goes_on_when_the_catalogue_is_locked(
    run: Run, walk: Path, tmp_path: Path, recordings_folder: Path
) -> None:
    assert run("session", "list")[0] == 0
    other = sqlite3.connect(recordings_folder / "catalogue.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        status, out, err = replay(run, walk, "--record", tmp_path / "a.mcap", "--participant", "P1")
    finally:
        other.close()
    assert status == 0
    assert "Recorded: " in out
    assert err.count("in use by another program") == 1
    assert err.count("\n") == 1
    assert "P1" in run("session", "list")[1]


def test_the_session_goes_on_where_there_can_be_no_catalogue(
    run: Run, walk: Path, tmp_path: Path, recordings_folder: Path
) -> None:
    recordings_folder.write_text("a file")
    status, out, err = replay(run, walk, "--record", tmp_path / "a.mcap", "--participant", "P1")
    assert status == 0
    assert "Recorded: " in out
    assert err.count("\n") == 1
    assert (tmp_path / "a.mcap").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
def test_what_a_command_writes_is_its_owners_alone(run: Run, walk: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert run("analyze", walk, "--out", tmp_path / "out", "--quiet")[0] == 0
        for path in (tmp_path / "out", *(tmp_path / "out").iterdir()):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_nonsense(run: Run, tmp_path: Path) -> None:
    for arguments, words in (
        (("session", "note", tmp_path / "no.mcap", "text"), "There is no"),
        (("session", "assign", tmp_path / "no.mcap", "--participant", "P1"), "There is no"),
        (("session", "assign", tmp_path / "no.mcap"), "nothing to say"),
        (("session", "erase", tmp_path / "no.mcap", "--yes"), "not in the catalogue"),
        (("session", "encrypt", tmp_path), "nothing to encrypt"),
        (("session", "decrypt", tmp_path), "no encrypted session"),
        (("participant", "add", "P1", "--height-m", "180"), "in cm"),
        (("participant", "erase", "P1", "--yes"), "No participant P1"),
    ):
        status, _, err = run(*arguments)
        assert status == 1, arguments
        assert words in err
        assert err.count("\n") == 1
