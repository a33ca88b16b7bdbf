"""The Python interface as a researcher uses it."""

import csv
import json
from pathlib import Path
from typing import assert_type

import numpy as np
import pytest
from click.testing import CliRunner

import subtalar
from subtalar.cli import cli
from subtalar.types import FloatArray

SHANK = subtalar.BodySite.LEFT_SHANK


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_same(table: subtalar.Table, rows: list[dict[str, str]]) -> None:
    """Every cell: numbers to the last bit, nothing where nothing is known."""
    assert table.rows == len(rows) > 0
    assert list(table.columns) == list(rows[0])
    for name, values in table.items():
        cells = [row[name] for row in rows]
        if values.dtype.kind in "Ui":
            assert values.astype(str).tolist() == cells, name
        else:
            np.testing.assert_array_equal(values, [float(cell or "nan") for cell in cells], err_msg=name)


@pytest.mark.parametrize("smooth", [False, True])
def test_tables_in_memory_are_those_of_the_files(walk: subtalar.Session, tmp_path: Path, smooth: bool) -> None:
    command = ["analyze", str(walk.path), "--out", str(tmp_path / "typed"), "--quiet"]
    assert CliRunner().invoke(cli, [*command, "--smooth"] if smooth else command).exit_code == 0
    found = subtalar.analyze(walk, smooth=smooth)
    angles = table_of(tmp_path / "typed" / "angles.csv")
    for side in found.sides:
        assert_same(found.angles(side), [row for row in angles if row["side"] == side])
    assert_same(found.strides, table_of(tmp_path / "typed" / "strides.csv"))
    typed = json.loads((tmp_path / "typed" / "summary.json").read_text("utf-8"))
    ours = json.loads(json.dumps(found.summary))
    for summary in (typed, ours):
        del summary["software"]["analysed_utc"]
    assert ours == typed
    found.write(tmp_path / "written")
    for name in ("angles.csv", "strides.csv"):
        assert (tmp_path / "written" / name).read_bytes() == (tmp_path / "typed" / name).read_bytes()
    assert (tmp_path / "written" / "report.html").is_file()


def test_samples_are_those_of_the_session(walk: subtalar.Session) -> None:
    samples = walk.samples(SHANK)
    blocks = [block for block in walk.opened.blocks() if block.site == SHANK]
    np.testing.assert_array_equal(samples.acc_z_m_s2, np.concatenate([b.acc_m_s2[:, 2] for b in blocks]))
    np.testing.assert_array_equal(samples["gyr_x_rad_s"], np.concatenate([b.gyr_rad_s[:, 0] for b in blocks]))
    assert samples.rows == walk.samples("left_shank").rows == walk.ledger[SHANK].received
    assert (np.diff(samples.device_time_s) > 0).all()


def test_a_session_says_what_it_is(walk: subtalar.Session) -> None:
    assert walk.kind == "raw_folder"
    assert walk.duration_s == pytest.approx(45.0, abs=0.5)
    assert set(walk.sensors) == {"left_foot", "left_shank", "right_foot", "right_shank"}
    assert [trial.label for trial in walk.trials] == ["standing", "knee_bends", "walking"]
    assert "simulated-overpronated-4" in repr(walk)


def test_the_truth_of_a_simulated_walk_is_known(walk: subtalar.Session, found: subtalar.Analysis) -> None:
    truth, angles = walk.truth("right"), found.angles("right").between(25.0, 43.0)
    errors = [
        np.interp(angles.time_s - delay, truth.time_s, truth.inversion_deg) - angles.inversion_deg
        for delay in np.arange(0.0, 0.05, 0.005)
    ]
    assert min(float(np.sqrt(np.nanmean(e**2))) for e in errors) < 1.0


def test_equal_arguments_simulate_equal_numbers(walk: subtalar.Session) -> None:
    again = subtalar.simulate(45.0, seed=4, style="overpronated").samples("right_foot")
    for name, values in walk.samples("right_foot").items():
        np.testing.assert_array_equal(values, again[name])


def test_events_and_notices(found: subtalar.Analysis) -> None:
    events = found.events
    assert set(events.event) == {"initial_contact", "foot_flat", "foot_off"}
    assert (np.diff(events.time_s) >= 0).all()
    assert (events.detected_s >= events.time_s).all()
    assert "calibrated" in {notice.code for notice in found.notices}


def test_a_recording_holds_what_was_shown_live(tmp_path: Path) -> None:
    recording = tmp_path / "live.mcap"
    live = ["live", "--simulate", "--headless", "--duration", "32", "--seed", "5", "--record"]
    assert CliRunner().invoke(cli, [*live, str(recording)]).exit_code == 0
    session = subtalar.read(recording)
    assert session.kind == "recording"
    assert session.strides.rows > 4
    assert session.events.rows > 10
    assert session.angles("left").rows > 1000
    assert session.ledger["left_foot"].received > 1000


def test_what_is_not_there_is_one_sentence(walk: subtalar.Session, found: subtalar.Analysis, tmp_path: Path) -> None:
    with pytest.raises(subtalar.SubtalarError, match=r"compute them with subtalar\.analyze"):
        walk.angles("left")
    with pytest.raises(subtalar.SubtalarError, match="holds samples alone"):
        walk.strides  # noqa: B018
    with pytest.raises(subtalar.SubtalarError, match="no sensor 'nose': it has left_foot"):
        walk.samples("nose")
    with pytest.raises(subtalar.SubtalarError, match="There is no leg 'middle'"):
        walk.angles("middle")  # type: ignore[arg-type]
    with pytest.raises(subtalar.SubtalarError, match="There is no"):
        subtalar.read(tmp_path / "nowhere.mcap")
    with pytest.raises(subtalar.SubtalarError, match="no style 'moonwalk'"):
        subtalar.simulate(style="moonwalk")
    with pytest.raises(subtalar.SubtalarError, match="a session of nan s; give seconds"):
        subtalar.simulate(float("nan"))
    with pytest.raises(subtalar.SubtalarError, match="end before the walking starts"):
        subtalar.simulate(3.0)
    with pytest.raises(subtalar.SubtalarError, match="is not a format"):
        subtalar.export(walk, "floppy", tmp_path)
    with pytest.raises(AttributeError, match="no column 'eversion_deg': it has time_s"):
        found.angles("left").eversion_deg  # noqa: B018


def test_one_leg_alone() -> None:
    foot = subtalar.analyze(subtalar.simulate(40.0, seed=2, sensors=["left_foot"]))
    assert foot.sides == ("left",)
    assert np.isnan(foot.angles("left").inversion_deg).all()
    assert np.isfinite(foot.angles("left").foot_pitch_deg).any()
    with pytest.raises(subtalar.SubtalarError, match="no sensor on the right leg"):
        foot.angles("right")


def test_other_parameters_give_other_numbers(walk: subtalar.Session, found: subtalar.Analysis) -> None:
    axis = subtalar.analyze(walk, subtalar_axis_deg=(35.0, 10.0))
    assert axis.summary["subtalar_axis"] == {"inclination_deg": 35.0, "deviation_deg": 10.0}
    np.testing.assert_array_equal(axis.angles("left").inversion_deg, found.angles("left").inversion_deg)
    assert not np.array_equal(axis.angles("left").subtalar_deg, found.angles("left").subtalar_deg, equal_nan=True)
    own = subtalar.analyze(walk, parameters=subtalar.Parameters(longest_bridge_s=0.05))
    assert own.strides.rows == found.strides.rows


def test_export(walk: subtalar.Session, tmp_path: Path) -> None:
    files = subtalar.export(walk, "csv", tmp_path)
    assert any(file.name.endswith("_angles.csv") for file in files)
    assert all(file.is_file() for file in files)


def test_what_a_type_checker_sees(walk: subtalar.Session, found: subtalar.Analysis) -> None:
    assert_type(subtalar.read(walk.path), subtalar.Session)
    assert_type(found.angles("left"), subtalar.Table)
    assert_type(walk.duration_s, float)
    times: FloatArray = found.angles("left").time_s
    assert times.dtype == np.float64


def test_every_name_is_there() -> None:
    assert all(getattr(subtalar, name) is not None for name in subtalar.__all__)
    assert set(subtalar.__all__) <= set(dir(subtalar))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        subtalar.nonsense  # noqa: B018
