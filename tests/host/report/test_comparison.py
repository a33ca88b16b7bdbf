"""What differs between a recording, its analysis now, and the tables of an analysis; and that nothing does."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from subtalar.acquisition.configuration import describe
from subtalar.cli import cli
from subtalar.errors import InputError
from subtalar.estimation import GaitEstimator, Parameters
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.report.analysis import analyze
from subtalar.report.comparison import analyze_now, compare_results, read_result_set
from subtalar.session import Recorder, open_session
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a live session writes it: small blocks to the estimator and to the recorder, its angles beside them."""
    folder = tmp_path_factory.mktemp("compare")
    config = SimulationConfig(
        body=BodyConfig(seed=5), sites=("right_foot", "right_shank"), device="ximu3", rate_hz=100.0
    )
    session = open_session(write_session(config, folder / "walk", 30.0))
    path = folder / "Gang über Mittag.mcap"
    parameters = Parameters()
    estimator = GaitEstimator(session.sensors, parameters)
    with Recorder(
        path,
        list(session.sensors.values()),
        datetime.now(UTC),
        configuration=describe("simulated", parameters),
    ) as recorder:
        for block in session.blocks(0.05):
            recorder.write_block(block)
            recorder.write_estimates(estimator.push(block))
        recorder.write_estimates(estimator.finish())
    return path


def test_what_was_shown_live_is_what_an_analysis_gives_to_the_last_bit(recording: Path) -> None:
    live, again = read_result_set(recording), analyze_now(open_session(recording))
    assert (live.how, again.how) == ("recorded", "analysed now")
    found = compare_results(live, again)
    assert found.identical
    assert not found.rounded
    assert found.settings == ()
    assert len(found.pairs) >= 8
    assert found.sides[0].rows_in_common > 2500
    assert all(angle.max_deg == 0.0 for angle in found.sides[0].angles)


def test_one_altered_bit_is_seen(recording: Path) -> None:
    live = read_result_set(recording)
    rows = live.rows["right"]
    values = rows.values_deg.copy()
    row = int(np.flatnonzero(np.isfinite(values[:, 1]))[100])
    values[row, 1] = np.nextafter(values[row, 1], np.inf)
    found = compare_results(live, replace(live, rows={"right": replace(rows, values_deg=values)}))
    assert not found.identical
    (angle,) = [a for a in found.sides[0].angles if a.max_deg]
    assert angle.name == "inversion"
    assert 0 < angle.max_deg < 1e-12


def test_another_axis_changes_what_hangs_on_it_and_nothing_else(recording: Path) -> None:
    axis = SubtalarAxis(50.0, 10.0)
    found = compare_results(
        read_result_set(recording), analyze_now(open_session(recording), Parameters(subtalar_axis=axis))
    )
    assert not found.identical
    assert {s.name for s in found.settings} == {
        f"{where}subtalar_axis.{angle}_deg" for where in ("", "parameters.") for angle in ("inclination", "deviation")
    }
    angles = {a.name: a for a in found.sides[0].angles}
    assert angles["dorsiflexion"].max_deg == angles["inversion"].max_deg == 0.0
    assert angles["subtalar"].max_deg > 0.1
    measures = {m.name: m for m in found.measures("right")}
    assert measures["peak_subtalar_pronation_deg"].rms > 0.01
    assert measures["stride_time_s"].max == 0.0
    assert (found.only_in_a, found.only_in_b) == ((), ())


def test_tables_are_compared_with_their_own_decimals(recording: Path, tmp_path: Path) -> None:
    analyze(open_session(recording), tmp_path / "out")
    found = compare_results(read_result_set(recording), read_result_set(tmp_path / "out"))
    assert found.rounded
    assert found.identical
    assert len(found.pairs) >= 8
    assert found.settings == ()
    analyze(open_session(recording), tmp_path / "other", subtalar_axis_deg=(50.0, 10.0))
    other = compare_results(read_result_set(tmp_path / "out"), read_result_set(tmp_path / "other"))
    assert not other.identical
    assert [s.name for s in other.settings] == ["subtalar_axis.inclination_deg", "subtalar_axis.deviation_deg"]


def test_strides_are_matched_by_contact_and_side(recording: Path) -> None:
    live = read_result_set(recording)
    shifted = tuple(replace(s, initial_contact_s=s.initial_contact_s + 0.01) for s in live.strides[1:])
    extra = replace(live.strides[0], initial_contact_s=500.0)
    mirrored = replace(live.strides[2], side="left")
    found = compare_results(live, replace(live, strides=(*shifted, extra, mirrored)))
    assert len(found.pairs) == len(live.strides) - 1
    assert found.only_in_a == (live.strides[0],)
    assert set(found.only_in_b) == {extra, mirrored}
    (contact,) = [m for m in found.measures("right") if m.name == "initial_contact_s"]
    assert contact.mean == pytest.approx(0.01)
    assert contact.strides == len(found.pairs)


def test_rows_are_matched_by_time_where_samples_are_missing(recording: Path) -> None:
    live = read_result_set(recording)
    rows = live.rows["right"]
    keep = np.ones(len(rows.time_s), bool)
    keep[1000:1100] = False
    fewer = replace(
        rows,
        time_s=rows.time_s[keep],
        values_deg=rows.values_deg[keep],
        sd_deg=rows.sd_deg[keep],
        quality=rows.quality[keep],
    )
    (side,) = compare_results(live, replace(live, rows={"right": fewer})).sides
    assert side.rows_in_common == side.rows_b == side.rows_a - 100
    assert all(angle.max_deg == 0.0 for angle in side.angles)
    assert not side.identical


def test_the_command(recording: Path, tmp_path: Path) -> None:
    same = CliRunner().invoke(cli, ["session", "compare", str(recording)])
    assert same.exit_code == 0
    assert "Identical to the last bit:" in same.output
    other = CliRunner().invoke(cli, ["session", "compare", str(recording), "--subtalar-axis", "50,10", "--strides"])
    assert "inclination_deg: 42.0 in A, 50.0 in B" in other.output
    assert "peak_subtalar_pronation_deg" in other.output
    as_json = json.loads(CliRunner().invoke(cli, ["session", "compare", str(recording), "--json"]).output)
    assert as_json["identical"] is True
    assert len(as_json["strides"]) >= 8


def test_a_folder_that_is_none(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "angles.csv").write_text("time_s,side\n1,left\n")
    with pytest.raises(InputError, match="cannot be compared"):
        read_result_set(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(InputError, match="no folder as `subtalar analyze` writes it"):
        read_result_set(tmp_path)
