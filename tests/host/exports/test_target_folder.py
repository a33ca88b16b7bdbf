"""Where exports land: together, or not at all, and over nobody's files."""

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from subtalar import cli
from subtalar.errors import InputError, SubtalarError
from subtalar.exports.csv_tables import CsvWriter
from subtalar.session import open_session

from .conftest import Case, files_in, simulate


def test_the_session_stays_as_it_is(lossy: Case, tmp_path: Path) -> None:
    before = files_in(lossy.session.path)
    lossy.export("csv", tmp_path)
    with pytest.raises(InputError, match="holds the samples of this session"):
        lossy.export("csv", lossy.session.path)
    assert files_in(lossy.session.path) == before


def test_again_replaces_and_leaves_others_alone(lossy: Case, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    first = lossy.export("csv", tmp_path)
    first_bytes = files_in(tmp_path)
    lossy.export("csv", tmp_path)
    again = files_in(tmp_path)
    assert {name: data for name, (_, data) in again.items() if name.endswith(".csv")} == {
        name: data for name, (_, data) in first_bytes.items() if name.endswith(".csv")
    }
    assert again["mine.txt"] == first_bytes["mine.txt"]
    assert set(again) == {"mine.txt", ".subtalar-export.json", *(file.name for file in first.values())}


@pytest.mark.parametrize("spoil", ["foreign", "changed", "link", "folder", "list damaged"])
def test_files_of_others_are_never_overwritten(lossy: Case, tmp_path: Path, spoil: str) -> None:
    out = tmp_path / "out"
    name = f"{lossy.session.path.name}_strides.csv"
    if spoil == "foreign":
        out.mkdir()
        (out / name).write_text("somebody's own")
    else:
        lossy.export("csv", out)
        if spoil == "changed":
            (out / name).write_text("corrected by hand")
        elif spoil == "link":
            (tmp_path / "elsewhere").write_text("somebody's own")
            (out / name).unlink()
            (out / name).symlink_to(tmp_path / "elsewhere")
        elif spoil == "folder":
            (out / name).unlink()
            (out / name).mkdir()
            (out / name / "x").write_text("somebody's own")
        else:
            (out / ".subtalar-export.json").write_text("{")
    before = files_in(tmp_path)
    with pytest.raises(InputError, match="overwritten") as told:
        lossy.export("csv", out)
    assert "\n" not in str(told.value)
    assert files_in(tmp_path) == before


def test_another_session_of_that_name_is_not_replaced(lossy: Case, tmp_path: Path) -> None:
    lossy.export("csv", tmp_path / "out")
    simulate(tmp_path / lossy.session.path.name, "")
    before = files_in(tmp_path / "out")
    with pytest.raises(InputError, match="another session"):
        Case(open_session(tmp_path / lossy.session.path.name), lossy.outcome, {}).export("csv", tmp_path / "out")
    assert files_in(tmp_path / "out") == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_half_written_stays(
    lossy: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(self: CsvWriter, found: Any) -> None:
        raise error

    monkeypatch.setattr(CsvWriter, "finish", fail)
    with pytest.raises((SubtalarError, KeyboardInterrupt)):
        lossy.export("csv", tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *arguments])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_the_command(lossy: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ici là"
    code, told, err = run(str(lossy.session.path), "--format", "csv", "--out", str(out), capsys=capsys)
    assert (code, err) == (0, "")
    assert all(Path(line).is_file() for line in told.splitlines())
    assert len(told.splitlines()) == 6
    assert CliRunner().invoke(cli.cli, ["export", "--help"]).exit_code == 0


def test_refusals_are_one_sentence(lossy: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    session = str(lossy.session.path)
    for arguments in (
        (str(tmp_path / "none"), "--format", "csv", "--out", str(tmp_path / "o")),
        (session, "--format", "csv", "--out", str(tmp_path / "file")),
        (session, "--format", "csv", "--out", ""),
        (session, "--format", "motion-bids", "--out", str(tmp_path / "o"), "--task", "a b"),
    ):
        code, told, err = run(*arguments, capsys=capsys)
        assert (code, told, len(err.splitlines())) == (1, "", 1), arguments
    assert run(session, "--format", "word", "--out", str(tmp_path / "o"), capsys=capsys)[0] == 2
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_a_missing_package_is_told_before_anything_is_done(
    lossy: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "subtalar.exports.parquet", raising=False)
    out = tmp_path / "o"
    code, _, err = run(str(lossy.session.path), "--format", "parquet", "--out", str(out), capsys=capsys)
    assert code == 1
    assert "pip install 'subtalar[export]'" in err
    assert not out.exists()
