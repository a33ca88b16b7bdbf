"""Written sessions: the documented form, honest clocks, counted losses, equal bytes for equal seeds."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan
from subtalar_sim.session_writer import write_session
from subtalar_sim.types import FloatArray

CONFIG = SimulationConfig(body=BodyConfig(seed=6, knee_bends=1), sites=("right_foot", "right_shank"), rate_hz=100.0)


def table(path: Path) -> tuple[list[str], FloatArray]:
    with gzip.open(path, "rt") as file:
        head = file.readline().strip().split(",")
        return head, np.loadtxt(file, delimiter=",")


def test_session_folder_has_the_documented_form_and_truth_beside_it(tmp_path: Path) -> None:
    write_session(CONFIG, tmp_path, 30.0)
    session = json.loads((tmp_path / "session.json").read_text())
    assert session["format"] == "subtalar-raw-session"
    assert session["version"] == 1
    assert set(session["sensors"]) == {"right_foot", "right_shank"}
    assert [a["label"] for a in session["annotations"]] == ["standing", "knee_bends", "walking"]
    head, rows = table(tmp_path / session["sensors"]["right_foot"]["file"])
    assert head[:2] == ["device_time_s", "host_time_s"]
    assert head[2:] == [f"{a}_{x}_{u}" for a, u in (("acc", "m_s2"), ("gyr", "rad_s")) for x in "xyz"]
    assert len(rows) == pytest.approx(3000, abs=3)
    head, truth = table(tmp_path / "truth_angles.csv.gz")
    assert head == ["time_s", *(f"right_{a}_deg" for a in ("dorsiflexion", "inversion", "tibial_rotation"))]
    assert truth[0, 0] == 1.0
    np.testing.assert_allclose(np.diff(truth[:, 0]), 0.01, atol=1e-9)
    body = replace(CONFIG, body=replace(CONFIG.body, walking_s=20.0)).make_body()
    inside = truth[:, 0] < 25.0
    np.testing.assert_allclose(truth[inside, 1:], body.angles_deg("right", truth[inside, 0]), atol=1e-4)
    with (tmp_path / "truth_strides.csv").open() as file:
        strides = list(csv.DictReader(file))
    assert len(strides) > 8
    assert all(float(s["side_is_left"]) == 0.0 for s in strides)


def test_device_clocks_run_evenly_and_arrivals_are_late_jittered_and_in_order(tmp_path: Path) -> None:
    write_session(CONFIG, tmp_path, 40.0)
    offsets = []
    for site in CONFIG.sites:
        _, rows = table(tmp_path / f"{site}.csv.gz")
        device, host = rows[:, 0], rows[:, 1]
        np.testing.assert_allclose(np.diff(device), 0.01, atol=2e-6)
        assert (np.diff(host) >= 0).all()
        assert (np.diff(host) == 0).mean() > 0.3  # several samples share one notification
        clock = CONFIG.make_clock(site)
        true = (device - clock.offset_s) / (1 + 1e-6 * clock.drift_ppm)
        delay = host - true
        assert 0.008 < delay.min() < 0.045
        assert delay.std() > 0.003
        offsets.append(clock.offset_s)
    assert abs(offsets[0] - offsets[1]) > 1.0


def test_equal_seeds_write_equal_bytes_and_other_seeds_other_ones(tmp_path: Path) -> None:
    for name, seed in (("a", 6), ("b", 6), ("c", 7)):
        config = replace(CONFIG, sites=("right_foot",), body=replace(CONFIG.body, seed=seed))
        write_session(config, tmp_path / name, 20.0)
    for file in ("right_foot.csv.gz", "truth_angles.csv.gz", "truth_strides.csv", "session.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / "right_foot.csv.gz").read_bytes() != (tmp_path / "c" / "right_foot.csv.gz").read_bytes()


def test_lost_samples_and_outages_are_missing_rows(tmp_path: Path) -> None:
    faulty = replace(CONFIG, sites=("right_foot",), faults=FaultPlan(1.0, 5.0, outages=((10.0, 2.0),)))
    write_session(replace(faulty, faults=FaultPlan()), tmp_path / "whole", 30.0)
    write_session(faulty, tmp_path / "lossy", 30.0)
    _, whole = table(tmp_path / "whole" / "right_foot.csv.gz")
    _, lossy = table(tmp_path / "lossy" / "right_foot.csv.gz")
    gaps = np.diff(lossy[:, 0])
    assert 1.99 < gaps.max() < 2.3
    assert 0.03 * len(whole) < len(whole) - len(lossy) - 200 < 0.08 * len(whole)
    kept = np.isin(np.round(whole[:, 0], 6), np.round(lossy[:, 0], 6))
    np.testing.assert_array_equal(whole[kept][:, 2:], lossy[:, 2:])


def test_too_short_a_session_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ask for more"):
        write_session(CONFIG, tmp_path, 5.0)
    with pytest.raises(ValueError, match="no sensor quality"):
        replace(CONFIG, quality="dreamlike")
    with pytest.raises(ValueError, match="no device"):
        replace(CONFIG, device="abacus")
    with pytest.raises(ValueError, match="served over tcp or udp or pty"):
        replace(CONFIG, device="ximu3", transport="ble")


def test_stalls_hold_arrivals_back_and_let_them_come_at_once(tmp_path: Path) -> None:
    config = replace(CONFIG, sites=("right_foot",), faults=FaultPlan(stalls=((10.0, 1.5),)))
    write_session(config, tmp_path, 20.0)
    _, rows = table(tmp_path / "right_foot.csv.gz")
    device, host = rows[:, 0], rows[:, 1]
    assert not ((host >= 10.0) & (host < 11.5)).any()
    assert 140 <= (host == 11.5).sum() <= 160
    assert (np.diff(host) >= 0).all()
    np.testing.assert_allclose(np.diff(device), 0.01, atol=2e-6)  # late is not lost


def test_payloads_with_an_altered_byte_are_missing_rows(tmp_path: Path) -> None:
    config = replace(CONFIG, sites=("right_foot",))
    write_session(config, tmp_path / "whole", 30.0)
    write_session(replace(config, faults=FaultPlan(corrupt=0.1)), tmp_path / "damaged", 30.0)
    _, whole = table(tmp_path / "whole" / "right_foot.csv.gz")
    _, damaged = table(tmp_path / "damaged" / "right_foot.csv.gz")
    kept = np.isin(whole[:, 0], damaged[:, 0])
    np.testing.assert_array_equal(whole[kept], damaged)
    assert 0.06 < (~kept).mean() < 0.14
    pairs = kept[: len(kept) // 2 * 2].reshape(-1, 2)  # two samples a payload
    assert (pairs[:, 0] == pairs[:, 1]).all()


def test_a_reboot_is_missing_rows_and_a_clock_from_zero(tmp_path: Path) -> None:
    config = replace(CONFIG, sites=("right_foot",), faults=FaultPlan(reboots=((10.0, 2.0),)))
    write_session(config, tmp_path, 20.0)
    _, rows = table(tmp_path / "right_foot.csv.gz")
    (at,) = np.flatnonzero(np.diff(rows[:, 0]) < 0) + 1
    assert 0.0 <= rows[at, 0] < 0.02
    assert 1.9 < rows[at, 1] - rows[at - 1, 1] < 2.2
