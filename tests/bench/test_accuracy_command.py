"""``subtalar bench accuracy`` and ``peers`` as typed, and the documents that they write."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from subtalar.cli import cli, main
from subtalar_bench.accuracy import foot_floor, treadmill, truth_trials, unprepared
from subtalar_bench.accuracy.document import places
from subtalar_bench.peers import comparison

ROOT = Path(__file__).parents[2]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    assert end.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("subtalar: There is no ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("name", ["accuracy", "peers"])
def test_an_absent_folder_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    assert "--data" in refused(capsys, "bench", name, "--data", str(tmp_path / "nowhere"))


def test_a_folder_without_trials_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    refused(capsys, "bench", "accuracy", "--only", "truth_trials", "--data", str(tmp_path))


@pytest.mark.parametrize(
    "arguments",
    [["accuracy", "--only", "nonsense"], ["estimator", "--only", "treadmill"], ["peers", "--only", "treadmill"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, ["bench", *arguments])
    assert result.exit_code == 2
    assert "--only" in result.output


def test_a_folder_of_trials_is_measured_and_written(trial_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- table live_errors -->\n<!-- /table -->\nAfter.\n", "utf-8")
    arguments = ["bench", "accuracy", "--only", "truth_trials", "--data", str(trial_folder.parent), "--json"]
    result = CliRunner().invoke(cli, [*arguments, "--write", str(page)])
    assert result.exit_code == 0, result.output
    tables = {t["key"]: t["rows"] for t in json.loads(result.stdout)}
    assert "live_strides" in result.stderr, "it has no place in the page"
    (row,) = tables["live_errors"]
    assert (row["trial"], row["side"]) == ("short_walk", "right")
    assert max(row["dorsiflexion_deg"], row["inversion_deg"], row["tibial_rotation_deg"]) < 2.0
    assert row["covered_pct"] > 99.0
    (shorter,) = tables["live_errors_without_knee_bends"]
    assert shorter["tibial_rotation_deg"] < 3.0
    (strides,) = tables["live_strides"]
    assert strides["found"] + strides["missed"] == strides["true"]
    assert strides["missed"] <= 1
    assert f"| {row['dorsiflexion_deg']:.2f} |" in page.read_text("utf-8")


KEYS = {
    *(t.key for t in truth_trials.tables([])),
    *(t.key for t in treadmill.tables([])),
    *(t.key for t in unprepared.tables([], [])),
    *(t.key for t in foot_floor.tables([])),
    comparison.table([]).key,
    "inclination",
    "closed_loops",
}


def test_every_table_has_its_place_and_every_place_its_table() -> None:
    page, readme = (places((ROOT / name).read_text("utf-8")) for name in ("docs/accuracy.md", "README.md"))
    assert len(page) == len(set(page))
    assert set(page) | set(readme) == KEYS
    assert set(readme) == {"summary", "treadmill_summary"}


@pytest.mark.parametrize("name", ["docs/accuracy.md", "README.md"])
def test_no_table_was_left_empty(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = re.findall(r"<!-- table \w+ -->\n(.*?)<!-- /table -->", text, re.DOTALL)
    assert blocks
    assert all(len(block.splitlines()) > 2 for block in blocks)
