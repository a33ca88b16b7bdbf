"""The first start on a computer says what it does before it does it; later ones say nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from subtalar import estimation
from subtalar.acquisition import process
from subtalar.cli import main
from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.errors import LinkError
from subtalar.estimation import warm_up, warmed

SENTENCE = "Preparing the estimator for this computer: about a minute, only this once.\n"


@pytest.fixture
def warming(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is compiled, and compiling is only noted."""
    noted: list[str] = []
    monkeypatch.setattr(estimation, "warmed", lambda: False)
    monkeypatch.setattr(estimation, "warm_up", lambda: noted.append("compiled"))
    return noted


@pytest.mark.parametrize("quiet", [False, True])
def test_the_first_start_says_so_on_stderr(quiet: bool, warming: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    prepare_estimator(quiet=quiet)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "" if quiet else SENTENCE)
    assert warming == ["compiled"]


def test_the_first_live_session_says_so_when_its_measuring_process_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(_plan: object, *, on_preparing: Callable[[], None], **_: object) -> None:
        on_preparing()
        raise LinkError("No sensor answers.")

    monkeypatch.setattr(process, "start_acquisition", start)
    with pytest.raises(SystemExit):
        main(["live", "--simulate", "--headless", "--no-record"])
    assert capsys.readouterr().err == f"{SENTENCE}subtalar: No sensor answers.\n"


def test_later_starts_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    warm_up()
    assert warmed()
    prepare_estimator()
    assert capsys.readouterr().err == ""


def test_an_empty_cache_folder_is_seen(tmp_path: Path) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; from subtalar.estimation import warmed; print(warmed())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("False", "")
