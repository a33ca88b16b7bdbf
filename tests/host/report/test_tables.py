"""``strides.csv`` and ``summary.json``."""

import csv
import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar import __version__
from subtalar.report.analysis import analyze
from subtalar.session import Session
from subtalar.types import BodySite, Estimates, Notice, Stride

from .conftest import NAN, make_angles, make_estimates, make_session, make_stride, scripted

pytestmark = pytest.mark.usefixtures("page_is_a_word")

CONTRACT = (
    "side,initial_contact_s,foot_off_s,stride_time_s,stance_ratio,stride_length_m,peak_eversion_deg,"
    "eversion_excursion_deg,time_to_peak_eversion_pct,peak_eversion_velocity_deg_s,tibial_rotation_excursion_deg,"
    "eversion_tibial_coupling,peak_dorsiflexion_deg,peak_tibial_acceleration_g,foot_strike_angle_deg,"
    "foot_progression_deg,lost_samples,quality"
)


def analysed(session: Session, out: Path, *script: Estimates) -> tuple[list[dict[str, str]], dict[str, Any]]:
    analyze(session, out, estimator_factory=scripted(*script))
    with (out / "strides.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return rows, summary


def test_header_begins_as_the_contract_says_and_holds_all_that_is_known(session: Session, tmp_path: Path) -> None:
    analysed(session, tmp_path / "out", make_estimates())
    header = (tmp_path / "out" / "strides.csv").read_text().splitlines()[0]
    assert header.startswith(CONTRACT + ",")
    assert set(header.split(",")) == {field.name for field in fields(Stride)}


def test_strides_of_both_sides_in_order_of_time_read_back(session: Session, tmp_path: Path) -> None:
    rows, _ = analysed(session, tmp_path / "out", make_estimates(strides=12))
    contacts = [float(row["initial_contact_s"]) for row in rows]
    assert len(rows) == 24
    assert contacts == sorted(contacts)
    for name, value in vars(make_stride("left", 1.0)).items():
        told = rows[0][name]
        assert (float(told) == value) if isinstance(value, float) else (told == str(value)), name


def test_what_is_not_known_is_empty(session: Session, tmp_path: Path) -> None:
    stride = make_stride("left", 2.0, peak_eversion_deg=NAN, stride_length_m=float("inf"), mean_inversion_deg=-0.0)
    rows, _ = analysed(session, tmp_path / "out", make_estimates(), Estimates(strides=(stride,)))
    row = next(row for row in rows if row["peak_eversion_deg"] == "")
    assert row["stride_length_m"] == ""
    assert row["mean_inversion_deg"] == "0.0"
    assert "nan" not in (tmp_path / "out" / "strides.csv").read_text().lower()


def test_summary_tells_the_session_the_sensors_and_the_software(tmp_path: Path) -> None:
    session = make_session(tmp_path / "walk_1", lost=40, notes=("A clock was missing.",))
    _, summary = analysed(session, tmp_path / "out", make_estimates())
    assert summary["format"] == "subtalar-summary"
    assert summary["software"]["version"] == __version__
    assert summary["session"]["name"] == "walk_1"
    assert summary["session"]["duration_s"] == 20.0
    assert summary["session"]["start_utc"] == "2026-03-04T09:30:00+00:00"
    assert summary["session"]["notes"] == ["A clock was missing."]
    assert set(summary["sensors"]) == {site.value for site in BodySite}
    sensor = summary["sensors"]["left_foot"]
    assert sensor["received_samples"] == 4000
    assert sensor["lost_samples"] == 40
    assert math.isclose(sensor["lost_ratio"], 40 / 4040, abs_tol=1e-5)
    assert math.isclose(sensor["measured_rate_hz"], 200.0, abs_tol=1e-4)


def test_summary_measures_and_symmetry(session: Session, tmp_path: Path) -> None:
    left = tuple(make_stride("left", float(k), stride_time_s=1.0 + 0.1 * (k % 2)) for k in range(1, 13))
    right = tuple(make_stride("right", float(k), eversion_excursion_deg=5.0) for k in range(1, 13))
    estimates = Estimates(angles=(make_angles("left"), make_angles("right")), strides=left + right)
    _, summary = analysed(session, tmp_path / "out", estimates)
    measures = summary["sides"]["left"]["measures"]
    assert math.isclose(measures["stride_time_s"]["mean"], 1.05)
    assert math.isclose(measures["stride_time_s"]["sd"], float(np.std([1.0, 1.1] * 6, ddof=1)), abs_tol=1e-5)
    assert measures["stride_time_s"]["n"] == 12
    symmetry = summary["symmetry"]["measures"]
    assert symmetry["eversion_excursion_deg"]["difference"] == 5.0
    assert math.isclose(symmetry["eversion_excursion_deg"]["symmetry_index_pct"], 66.66667)
    assert symmetry["peak_eversion_deg"] == {"difference": 0.0}
    assert symmetry["stance_ratio"] == {"difference": 0.0, "symmetry_index_pct": 0.0}


def test_summary_waveforms_are_the_known_curves(session: Session, tmp_path: Path) -> None:
    _, summary = analysed(session, tmp_path / "out", make_estimates(strides=12))
    waves = summary["sides"]["left"]["mean_waveforms"]
    assert waves["gait_cycle_pct"] == list(range(101))
    np.testing.assert_allclose(waves["dorsiflexion_deg"]["mean"][25], 10.0, atol=0.01)
    np.testing.assert_allclose(waves["inversion_deg"]["mean"][50], -8.0, atol=0.01)
    assert max(waves["dorsiflexion_deg"]["sd"]) < 0.01
    rms_deg = summary["symmetry"]["waveform_rms_difference_deg"]["dorsiflexion"]
    assert rms_deg == pytest.approx(5 / math.sqrt(2), abs=0.05)
    assert summary["sides"]["left"]["angles"]["mean_sd_deg"]["inversion"] == pytest.approx(0.7)
    assert summary["sides"]["left"]["angles"]["quality_ratios"] == {"ok": 1.0}


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_FOOT], start_utc=None)
    stride = replace(make_stride("left", 1.0), peak_eversion_deg=NAN)
    _, summary = analysed(session, tmp_path / "out", Estimates(strides=(stride,)))
    side = summary["sides"]["left"]
    assert "right" not in summary["sides"]
    assert summary["symmetry"] is None
    assert summary["session"]["start_utc"] is None
    assert side["measures"]["peak_eversion_deg"] == {"mean": None, "sd": None, "n": 0}
    assert side["measures"]["stride_time_s"] == {"mean": 1.0, "sd": None, "n": 1}
    assert side["mean_waveforms"] is None
    assert side["angles"]["known_ratio"] is None


def test_a_notice_said_often_is_one_with_a_count(session: Session, tmp_path: Path) -> None:
    said = tuple(Notice(float(k), "advice", "clipping", f"clipped at {k}", "left") for k in range(4, 9))
    info = Notice(1.0, "info", "standing", "Standing found.", "left")
    _, summary = analysed(session, tmp_path / "out", replace(make_estimates(), notices=(info, *said)))
    assert [(n["code"], n["count"], n["first_s"]) for n in summary["notices"]] == [
        ("clipping", 5, 4.0),
        ("standing", 1, 1.0),
    ]
