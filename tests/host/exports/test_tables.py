"""CSV and Parquet: each table read back and compared with the estimator's arrays, bit for bit."""

import csv
import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.exports.columns import TABLES
from subtalar.types import BodySite, Quality, Stride

from .conftest import FORMULA, Case

pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
import pyarrow.parquet as pq

Table = dict[str, list[Any]]


def read_csv(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    kinds = {c.name: c.kind for columns in TABLES.values() for c in columns}
    table: Table = {}
    for name, cells in zip(rows[0], zip(*rows[1:], strict=True), strict=True):
        number = kinds[name] in ("number", "integer")
        table[name] = [(float(c) if c else math.nan) if number else c for c in cells]
    return table


def read_parquet(path: Path) -> Table:
    table = pq.read_table(path)
    out: Table = {}
    for name in table.column_names:
        values = table[name].to_pylist()
        number = str(table.schema.field(name).type) in ("double", "int64")
        out[name] = [(math.nan if v is None else v) if number else ("" if v is None else v) for v in values]
    return out


@pytest.fixture(params=["csv", "parquet"])
def tables(request: pytest.FixtureRequest, lossy: Case, tmp_path: Path) -> dict[str, Table]:
    files = lossy.export(request.param, tmp_path / "où ça")
    read = {"csv": read_csv, "parquet": read_parquet}[request.param]
    return {name: read(files[f"{name}.{request.param}"]) for name in TABLES}


def where(table: Table, column: str, value: str, name: str) -> np.ndarray:
    return np.array([v for v, k in zip(table[name], table[column], strict=True) if k == value], dtype=float)


def test_samples_are_those_of_the_session(tables: dict[str, Table], lossy: Case) -> None:
    table = tables["samples"]
    assert list(table) == [c.name for c in TABLES["samples"]]
    assert len(table["time_s"]) == lossy.session.sample_count
    for site, block in lossy.samples.items():
        none = np.full(len(block), np.nan)
        device = none if block.device_time_s is None else block.device_time_s
        np.testing.assert_array_equal(where(table, "sensor", site, "device_time_s"), device)
        np.testing.assert_array_equal(where(table, "sensor", site, "host_time_s"), block.host_time_s)
        for k, axis in enumerate("xyz"):
            np.testing.assert_array_equal(where(table, "sensor", site, f"acc_{axis}_m_s2"), block.acc_m_s2[:, k])
            np.testing.assert_array_equal(where(table, "sensor", site, f"gyr_{axis}_rad_s"), block.gyr_rad_s[:, k])
        if site.segment == "foot":
            np.testing.assert_array_equal(where(table, "sensor", site, "time_s"), lossy.time_of(site))
    assert lossy.samples[BodySite.LEFT_SHANK].device_time_s is None


def test_angles_are_the_estimators(tables: dict[str, Table], lossy: Case) -> None:
    table = tables["angles"]
    assert list(table) == [c.name for c in TABLES["angles"]]
    assert list(table)[:9] == [
        *("time_s", "side", "dorsiflexion_deg", "inversion_deg", "tibial_rotation_deg", "dorsiflexion_sd_deg"),
        *("inversion_sd_deg", "tibial_rotation_sd_deg", "quality"),
    ]
    for side, track in lossy.outcome.tracks.items():
        told = np.column_stack([where(table, "side", side, n) for n in table if n not in ("side", "quality")])
        further = [v[:, k] for k in range(3, 8) for v in (track.angles_deg, track.angles_sd_deg)]
        own = np.column_stack(
            (track.time_s, track.ankle_deg, track.ankle_sd_deg, *further, track.zero_sd_deg, track.shank_orientation)
        )
        np.testing.assert_array_equal(told, own)
        words = [q for q, s in zip(table["quality"], table["side"], strict=True) if s == side]
        assert words == [Quality(q).label for q in track.quality]
        assert np.isfinite(own).all(axis=1).sum() > 500
        assert np.isnan(own).any()


def test_strides_and_events_are_the_estimators(tables: dict[str, Table], lossy: Case) -> None:
    strides = sorted(lossy.outcome.strides, key=lambda s: (s.initial_contact_s, s.side))
    assert len(strides) > 10
    for name in (f.name for f in fields(Stride)):
        own = [getattr(s, name) for s in strides]
        if isinstance(own[0], str):
            assert tables["strides"][name] == own
        else:
            np.testing.assert_array_equal(np.array(tables["strides"][name], float), np.array(own, float))
    events = tables["events"]
    for kind in ("initial_contact", "foot_off", "foot_flat"):
        own = sorted(e.time_s for e in lossy.outcome.events if e.kind == kind)
        assert own
        np.testing.assert_array_equal(where(events, "event", kind, "time_s"), own)
    assert events["event"].count("notice") == len(lossy.outcome.notices)
    markers = list(zip(events["event"], events["label"], events["time_s"], events["duration_s"], strict=True))
    told = [(label, t, d) for kind, label, t, d in markers if kind == "marker"]
    assert told[0] == ("standing", 0.5, 4.2)
    assert {label.lstrip("'") for label, _, _ in told} >= {FORMULA, 'à gauche,\t"vite"\n'}


def test_no_cell_of_a_csv_is_a_formula(lossy: Case, tmp_path: Path) -> None:
    files = lossy.export("csv", tmp_path)
    seen = 0
    for file in files.values():
        if file.suffix != ".csv":
            continue
        with file.open(encoding="utf-8", newline="") as sheet:
            for row in csv.reader(sheet):
                for cell in row:
                    if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
                        float(cell)  # a number, then
                    seen += FORMULA in cell
    assert seen == 1
    told = json.loads(files["data_dictionary.json"].read_text("utf-8"))
    assert "apostrophe" in told["texts"]


def test_the_dictionary_knows_every_column(lossy: Case, tmp_path: Path) -> None:
    files = lossy.export("csv", tmp_path)
    with files["data_dictionary.csv"].open(encoding="utf-8", newline="") as file:
        told = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    for table in TABLES:
        with files[f"{table}.csv"].open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        assert [column for t, column in told if t == table] == header
        for column in header:
            assert told[table, column]["meaning"]
            ends = {"_deg": "deg", "_m_s2": "m/s^2", "_rad_s": "rad/s", "_g": "g", "_deg_s": "deg/s", "_pct": "%"}
            units = {unit for end, unit in ends.items() if column.endswith(end)}
            assert not units or told[table, column]["unit"] in units
    assert told["angles", "inversion_deg"]["positive"] == "sole to the midline"


def test_parquet_carries_units_and_the_sessions_header(lossy: Case, tmp_path: Path) -> None:
    files = lossy.export("parquet", tmp_path)
    for table, columns in TABLES.items():
        schema = pq.read_schema(files[f"{table}.parquet"])
        for column in columns:
            metadata = schema.field(column.name).metadata
            assert metadata.get(b"unit", b"").decode() == column.unit
            assert metadata[b"description"].decode() == column.meaning
        header = json.loads(schema.metadata[b"subtalar"])
        assert header["start_utc"] == "2026-03-04T09:30:00.250000+00:00"
        assert header["pass"] == "live"
        assert header["session"] == "marche n° 1"
        assert header["sensors"]["left_foot"]["rate_hz"] == 100.0
        assert [a["label"] for a in header["annotations"]] == [a.label for a in lossy.session.annotations]


def test_the_smoothed_pass_says_so_and_differs(one_leg: Case, tmp_path: Path) -> None:
    live = pq.read_table(one_leg.export("parquet", tmp_path / "live")["angles.parquet"])
    smooth = pq.read_table(one_leg.export("parquet", tmp_path / "smooth", smooth=True)["angles.parquet"])
    assert json.loads(smooth.schema.metadata[b"subtalar"])["pass"] == "smoothed"
    known = [sum(v is not None for v in t["dorsiflexion_deg"].to_pylist()) for t in (live, smooth)]
    assert known[1] > known[0] > 0


def test_a_leg_with_one_sensor_has_angles_to_the_floor_only(one_leg: Case, tmp_path: Path) -> None:
    table = read_parquet(one_leg.export("parquet", tmp_path)["angles.parquet"])
    assert np.isnan(where(table, "side", "left", "dorsiflexion_deg")).all()
    assert np.isfinite(where(table, "side", "left", "foot_pitch_deg")).any()
    assert np.isfinite(where(table, "side", "right", "dorsiflexion_deg")).any()
