"""``subtalar analyze`` without the command line around it."""

from pathlib import Path
from typing import Any

import pytest

from subtalar.errors import InputError
from subtalar.report import analysis, analyze_command
from subtalar.session import Session

from .conftest import make_estimates, scripted


@pytest.fixture
def _wired(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyze_command, "open_session", lambda path, cached=False: session)
    factory: Any = scripted(make_estimates())
    monkeypatch.setattr(analysis, "make_estimator", lambda sensors, **_: factory(sensors))


@pytest.mark.usefixtures("_wired")
def test_it_prints_what_was_found_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    analyze_command.analyze_command("walk_1", tmp_path / "out [1]")
    out, err = capsys.readouterr()
    assert "walk_1: 20 s, 30 strides (left 15, right 15)" in out
    assert f"Report: {tmp_path / 'out [1]' / 'report.html'}" in out.splitlines()
    assert err == ""


@pytest.mark.usefixtures("_wired")
def test_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    analyze_command.analyze_command("walk_1", str(tmp_path / "out"), quiet=True)
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_folder_without_a_name_is_not_the_present_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="name of the folder for the results is empty"):
        analyze_command.analyze_command("walk_1", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("_wired")
def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no shell has put the home in its place, as from a script."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    analyze_command.analyze_command("walk_1", "~/out", quiet=True)
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_session_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no"):
        analyze_command.analyze_command(tmp_path / "nothing", tmp_path / "out")
    assert not (tmp_path / "out").exists()
