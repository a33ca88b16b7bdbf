"""Folders that cannot be played are told in one sentence; what is empty in them is not known."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.motion import RecordedBody, Rows, motion_from_rows, read_motion
from subtalar_sim.session_writer import write_session

CONFIG = SimulationConfig(
    body=BodyConfig(seed=6), sites=("right_foot", "right_shank"), device="ximu3", rate_hz=100.0, quality="perfect"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(CONFIG, tmp_path_factory.mktemp("motion") / "walk", 20.0)


def copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def rows_of(t_s: np.ndarray, rate_hz: float = 100.0, **changes: np.ndarray) -> Rows:
    """A sensor at rest whose host is 10 ms late and no more."""
    acc = np.tile([0.0, 9.81, 0.0], (len(t_s), 1))
    gyr = np.column_stack([0.01 * np.sin(3 * t_s), 0.0 * t_s, 0.0 * t_s])
    given = {"device_time_s": t_s + 500.0, "host_time_s": t_s + 0.01, "acc_m_s2": acc, "gyr_rad_s": gyr, **changes}
    return Rows(rate_hz=rate_hz, **given)


def broken(folder: Path, tmp_path: Path, change) -> Path:
    made = copied(folder, tmp_path / "broken")
    change(made)
    return made


def _spec(change):
    def do(made: Path) -> None:
        spec = json.loads((made / "session.json").read_text())
        change(spec)
        (made / "session.json").write_text(json.dumps(spec))

    return do


def _foot(text: str):
    def do(made: Path) -> None:
        _spec(lambda s: s["sensors"]["right_foot"].update(file="foot.csv"))(made)
        (made / "foot.csv").write_text(text)

    return do


_HEAD = "device_time_s,host_time_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2,gyr_x_rad_s,gyr_y_rad_s,gyr_z_rad_s"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: (made / "session.json").unlink(), "has no session.json"),
        (lambda made: (made / "session.json").write_text("{"), "not valid JSON"),
        (_spec(lambda s: s.update(format="other")), "no .subtalar-raw-session. of version 1"),
        (_spec(lambda s: s.update(sensors={"pelvis": {}})), "has keys of right_foot"),
        (_spec(lambda s: s["sensors"]["right_foot"].pop("rate_hz")), 'needs a "file" and a "rate_hz"'),
        (
            _spec(lambda s: s["sensors"]["right_foot"].update(rate_hz=25)),
            "said to run at 25 Hz, and its clock says 100",
        ),
        (_spec(lambda s: s["sensors"]["right_foot"].update(file="gone.csv")), "no file gone.csv in broken"),
        (lambda made: (made / "right_foot.csv.gz").write_bytes(b"\x1f\x8bno"), "right_foot.csv.gz"),
        (_foot(""), "foot.csv has no"),
        (_foot("a,b\n1,2\n"), "has no column acc_x_m_s2"),
        (_foot(_HEAD + "\n0,0,1,two,3,4,5,6\n"), "no table of numbers"),
        (_foot(_HEAD + "\n0,0,0,9.8,0,0,0,0\n0.01,0.01,0,9.8,0,0,0,0\n"), "has 2 samples: a motion lasts at least 2 s"),
    ],
)
def test_a_folder_that_cannot_be_played_is_told_in_one_sentence(folder, tmp_path, change, says) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        read_motion(broken(folder, tmp_path, change))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"acc_m_s2": np.tile([0.0, 1.0, 0.0], (500, 1))}, "does not feel gravity"),
        ({"gyr_rad_s": np.full((500, 3), 300.0)}, "is its angular velocity in rad/s"),
        ({"gyr_rad_s": np.full((500, 3), np.nan)}, "no numbers"),
        ({"device_time_s": np.where(np.arange(500) < 250, 90.0, 0.0) + np.arange(500) / 100}, "restarted"),
    ],
)
def test_rows_that_cannot_be_played(changes, says) -> None:
    with pytest.raises(ValueError, match=says):
        motion_from_rows("m", {"right_foot": rows_of(np.arange(500) / 100, **changes)})


def test_an_empty_cell_of_the_truth_is_not_known(folder: Path, tmp_path: Path) -> None:
    made = copied(folder, tmp_path / "partly")
    (made / "truth_angles.csv.gz").unlink()
    with (made / "truth_angles.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", *(f"right_{a}_deg" for a in ("dorsiflexion", "inversion", "tibial_rotation"))])
        writer.writerows([[i, i, "" if i < 8 else 1.0, 2.0] for i in range(20)])
    body = RecordedBody(read_motion(made))
    assert np.isnan(body.angles_deg("right", np.array([5.0]))[0]).tolist() == [False, True, False]
    assert np.isfinite(body.angles_deg("right", np.array([12.0]))).all()
