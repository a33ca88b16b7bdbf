"""Motion-BIDS: judged by the BIDS project's own validator, and every number compared."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.session.catalogue import Assignment
from subtalar.types import BodySite

from .conftest import FORMULA, Case, gap_count, measured

SESSION = "sub-P07/ses-marchen1"
PREFIX = f"{SESSION}/motion/sub-P07_ses-marchen1_task-treadmill"


@pytest.fixture(scope="module")
def dataset(lossy: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("données")
    lossy.export("motion-bids", out, participant="P07", task="treadmill")
    return out


def test_whose_the_session_is_and_its_condition_come_from_the_catalogue(lossy: Case, tmp_path: Path) -> None:
    lossy.export("motion-bids", tmp_path, assignment=Assignment("P-017", "baseline", "insole A"))
    motion = tmp_path / "sub-P017/ses-marchen1/motion"
    assert (motion / "sub-P017_ses-marchen1_task-gait_acq-insoleA_events.tsv").is_file()
    assert (motion / "sub-P017_ses-marchen1_task-gait_tracksys-imuLeftFoot_acq-insoleA_motion.tsv").is_file()
    told = json.loads(next(motion.glob("*imuLeftFoot*_motion.json")).read_text("utf-8"))
    assert told["Subtalar"]["about"] == {"participant": "P-017", "visit": "baseline", "condition": "insole A"}
    assert not [issue for issue in judged(tmp_path) if issue["severity"] == "error"]


def validator() -> str:
    found = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("bids-validator-deno is not installed: nobody here can judge a BIDS dataset")
    return found


def judged(folder: Path) -> list[dict[str, Any]]:
    command = [validator(), str(folder), "--format", "json", "--max-rows", "-1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return list(json.loads(done.stdout)["issues"]["issues"])


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def numbers(path: Path) -> np.ndarray:
    return np.array([[np.nan if cell == "n/a" else float(cell) for cell in row] for row in rows(path)])


def test_the_validator_finds_no_error_and_only_advice_about_the_laboratory(dataset: Path) -> None:
    issues = judged(dataset)
    assert not [issue for issue in issues if issue["severity"] == "error"]
    about = {issue.get("subCode") or issue["code"] for issue in issues}
    assert about <= {
        *("TOO_FEW_AUTHORS", "Authors", "HEDVersion", "License", "SourceDatasets", "StimulusPresentation"),
        *("DeviceSerialNumber", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"),
        *("Instructions",),
    }


def test_the_validator_is_awake(dataset: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    shutil.copytree(dataset, spoiled)
    channels = next(spoiled.rglob("*imuLeftFoot_channels.tsv"))
    channels.write_text(channels.read_text().replace("ACCEL", "PACCEL"))
    sidecar = next(spoiled.rglob("*imuRightFoot_motion.json"))
    told = json.loads(sidecar.read_text())
    del told["SamplingFrequency"]
    sidecar.write_text(json.dumps(told))
    assert len({issue["code"] for issue in judged(spoiled) if issue["severity"] == "error"}) >= 2


def test_samples_latency_and_gaps(dataset: Path, lossy: Case) -> None:
    for site, name in ((BodySite.LEFT_FOOT, "LeftFoot"), (BodySite.RIGHT_FOOT, "RightFoot")):
        table, block = numbers(dataset / f"{PREFIX}_tracksys-imu{name}_motion.tsv"), lossy.samples[site]
        own = measured(table[:, 0], lossy.time_of(site))
        assert block.device_time_s is not None
        assert block.host_time_s is not None
        expected = np.column_stack((block.device_time_s, block.host_time_s, block.acc_m_s2, block.gyr_rad_s))
        np.testing.assert_array_equal(table[own, 1:], expected)
        assert np.isnan(table[~own, 1:]).all()
        assert (~own).sum() == gap_count(lossy.time_of(site), 100.0) > 20
        assert (np.diff(table[:, 0]) > 0).all()
        channels = rows(dataset / f"{PREFIX}_tracksys-imu{name}_channels.tsv")
        assert channels[0][:5] == ["name", "component", "type", "tracked_point", "units"]
        assert [row[2] for row in channels[1:]] == ["LATENCY", "MISC", "MISC", *["ACCEL"] * 3, *["GYRO"] * 3]
        assert channels[4][:5] == ["acc_x_m_s2", "x", "ACCEL", site, "m/s^2"]
    assert {row[1] for row in rows(dataset / f"{PREFIX}_tracksys-imuLeftShank_motion.tsv")} == {"n/a"}


def test_angles(dataset: Path, lossy: Case) -> None:
    for side, track in lossy.outcome.tracks.items():
        name = f"{PREFIX}_tracksys-angles{side.capitalize()}"
        table = numbers(dataset / f"{name}_motion.tsv")
        names = [row[0] for row in rows(dataset / f"{name}_channels.tsv")[1:]]
        own = measured(table[:, 0], track.time_s)
        np.testing.assert_array_equal(table[own, 1:4], track.ankle_deg)
        np.testing.assert_array_equal(table[own, names.index("quality")], track.quality)
        np.testing.assert_array_equal(table[own, names.index("shank_qw") :][:, :4], track.shank_orientation)
        told = json.loads((dataset / f"{name}_motion.json").read_text())
        assert told["SamplingFrequency"] == 100.0
        assert 90.0 < told["SamplingFrequencyEffective"] < 99.0
        assert told["JNTANGChannelCount"] == 4
        assert told["Subtalar"]["pass"] == "live"


def test_events(dataset: Path, lossy: Case) -> None:
    table = rows(dataset / f"{PREFIX}_events.tsv")
    assert table[0][:3] == ["onset", "duration", "trial_type"]
    assert len({len(row) for row in table}) == 1
    for kind in ("initial_contact", "foot_off"):
        own = sorted(e.time_s for e in lossy.outcome.events if e.kind == kind)
        assert [float(row[0]) for row in table if row[2] == kind] == own
    markers = {row[4]: row for row in table if row[2] == "marker"}
    assert markers["standing"][:2] == ["0.5", "4.2"]
    assert f"'{FORMULA}" in markers
    assert 'à gauche, "vite"' in markers
    scans = rows(dataset / f"{SESSION}/sub-P07_ses-marchen1_scans.tsv")
    assert scans[0] == ["filename", "acq_time"]
    assert {row[1] for row in scans[1:]} == {"2026-03-04T09:30:00.250000Z"}
    assert all((dataset / SESSION / row[0]).is_file() for row in scans[1:])


def test_sessions_gather_in_one_dataset(lossy: Case, one_leg: Case, tmp_path: Path) -> None:
    lossy.export("motion-bids", tmp_path, participant="P07")
    people = tmp_path / "participants.tsv"
    people.write_text("participant_id\tage\nsub-P07\t41\n")
    described = tmp_path / "dataset_description.json"
    own = {**json.loads(described.read_text()), "Authors": ["A. Author", "B. Author"]}
    described.write_text(json.dumps(own))
    (tmp_path / "README").rename(tmp_path / "README.md")
    one_leg.export("motion-bids", tmp_path, participant="P08")
    assert not (tmp_path / "README").exists()
    one_leg.export("motion-bids", tmp_path, participant="P08")
    assert rows(people) == [["participant_id", "age"], ["sub-P07", "41"], ["sub-P08", "n/a"]]
    assert json.loads(described.read_text()) == own
    assert not [issue for issue in judged(tmp_path) if issue["severity"] == "error"]


@pytest.mark.parametrize("given", ["P 07", "../x", "é", "="])
def test_labels_that_bids_has_no_room_for(lossy: Case, tmp_path: Path, given: str) -> None:
    with pytest.raises(InputError, match="letters A–Z and digits"):
        lossy.export("motion-bids", tmp_path / "new", participant=given)
    assert not (tmp_path / "new").exists()
