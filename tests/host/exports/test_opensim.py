"""OpenSim's files, by a strict reader of our own and, where OpenSim is installed, by OpenSim."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.numerics import quaternions as quat
from subtalar.types import Side

from .conftest import Case, case_of, simulate
from .opensim_files import read_sto


@pytest.fixture(scope="module")
def files(lossy: Case, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return lossy.export("opensim", tmp_path_factory.mktemp("opensim"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_leg_at_its_own_times_without_a_row_for_what_is_not_known(
    files: dict[str, Path], lossy: Case, side: Side
) -> None:
    table, track = read_sto(files[f"{side}_orientations.sto"]), lossy.outcome.tracks[side]
    known = np.isfinite(track.ankle_deg).all(axis=1)
    assert 0 < known.sum() < len(known)
    assert table.labels == [f"tibia_{side[0]}_imu", f"calcn_{side[0]}_imu"]
    assert table.header["DataType"] == "Quaternion"
    assert float(table.header["DataRate"]) == 100.0
    np.testing.assert_array_equal(table.time_s, track.time_s[known])
    assert np.diff(table.time_s).max() > 0.015
    np.testing.assert_array_equal(table.values[:, 0], track.shank_orientation[known])
    between = quat.multiply(quat.conjugate(table.values[:, 0]), table.values[:, 1])
    np.testing.assert_allclose(ankle_angles_deg(between, side), track.ankle_deg[known], atol=1e-9)
    angles = read_sto(files[f"{side}_ankle.mot"])
    assert angles.labels == [f"{name}_{side[0]}" for name in ("dorsiflexion", "inversion", "tibial_rotation")]
    assert angles.header["inDegrees"] == "yes"
    np.testing.assert_array_equal(angles.values, track.ankle_deg[known])


def test_both_legs_stand_in_one_file_where_both_are_known(files: dict[str, Path]) -> None:
    both, lead, other = (read_sto(files[f"{name}orientations.sto"]) for name in ("", "right_", "left_"))
    assert both.labels == ["tibia_l_imu", "calcn_l_imu", "tibia_r_imu", "calcn_r_imu"]
    rows = np.flatnonzero(np.isin(lead.time_s, both.time_s))
    assert len(rows) == len(both.time_s) > 200
    np.testing.assert_array_equal(both.values[:, 2:], lead.values[rows])
    after = np.searchsorted(other.time_s, both.time_s)
    gap_s = other.time_s[after] - other.time_s[after - 1]
    assert gap_s.max() < 0.016
    # The other leg lies between its neighbours, and nowhere else.
    for k in range(2):
        a, b, q = other.values[after - 1, k], other.values[after, k], both.values[:, k]
        turn, part = angle_deg(a, b), angle_deg(a, q)
        share = (both.time_s - other.time_s[after - 1]) / gap_s
        np.testing.assert_allclose(part, share * turn, atol=0.01)


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    between = quat.multiply(quat.conjugate(a), b)
    return np.degrees(2 * np.arctan2(np.linalg.norm(between[:, 1:], axis=1), np.abs(between[:, 0])))


def test_the_placement_pose_is_standing(files: dict[str, Path], lossy: Case) -> None:
    table = read_sto(files["placement.sto"])
    assert table.labels == ["tibia_l_imu", "calcn_l_imu", "tibia_r_imu", "calcn_r_imu"]
    np.testing.assert_array_equal(table.values, [[[1.0, 0.0, 0.0, 0.0]] * 4])
    note = files["OpenSim_note.txt"].read_text("utf-8")
    assert "subtalar_angle_r" in note
    assert "<locked>false</locked>" in note


def test_a_leg_with_one_sensor_is_left_out(one_leg: Case, tmp_path: Path) -> None:
    files = one_leg.export("opensim", tmp_path)
    assert not [name for name in files if "left" in name]
    assert "orientations.sto" not in files
    assert read_sto(files["placement.sto"]).labels == ["tibia_r_imu", "calcn_r_imu"]


def test_a_session_without_an_ankle_is_refused(tmp_path: Path) -> None:
    case = case_of(simulate(tmp_path / "foot", "", ("right_foot",)))
    with pytest.raises(InputError, match="No leg of this session has both"):
        case.export("opensim", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_opensim_finds_the_angles_again(files: dict[str, Path], tmp_path: Path) -> None:
    """A leg whose ankle turns about the axes that the angles are told about: inverse kinematics must give them back."""
    osim = pytest.importorskip("opensim", reason="OpenSim is not installed (pip install opensim, 200 MB)")
    zero = osim.Vec3(0)
    model = osim.Model()
    bodies = {}
    for name in ("tibia_r", "calcn_r"):
        bodies[name] = osim.Body(name, 1.0, zero, osim.Inertia(1, 1, 1))
        model.addBody(bodies[name])
    hip = osim.BallJoint("hip", model.getGround(), zero, zero, bodies["tibia_r"], zero, zero)
    axes = osim.SpatialTransform()
    names = ("ankle_z", "ankle_x", "ankle_y")
    for k, direction in enumerate((osim.Vec3(0, 0, 1), osim.Vec3(1, 0, 0), osim.Vec3(0, 1, 0))):
        axis = axes.updTransformAxis(k)
        labels = osim.ArrayStr()
        labels.append(names[k])
        axis.setCoordinateNames(labels)
        axis.set_function(osim.LinearFunction(1.0, 0.0))
        axis.setAxis(direction)
    ankle = osim.CustomJoint("ankle", bodies["tibia_r"], zero, zero, bodies["calcn_r"], zero, zero, axes)
    model.addJoint(hip)
    model.addJoint(ankle)
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "leg.osim"))
    shutil.copy(files["placement.sto"], tmp_path / "placement.sto")
    text = (tmp_path / "placement.sto").read_text().split("\n")
    one = [text[5].split("\t")[k] for k in (0, 3, 4)], [text[6].split("\t")[k] for k in (0, 3, 4)]
    (tmp_path / "placement.sto").write_text("\n".join([*text[:5], *("\t".join(row) for row in one), ""]))
    placer = osim.IMUPlacer()
    placer.set_model_file(str(tmp_path / "leg.osim"))
    placer.set_orientation_file_for_calibration(str(tmp_path / "placement.sto"))
    placer.set_sensor_to_opensim_rotations(zero)
    assert placer.run()
    placer.getCalibratedModel().printToXML(str(tmp_path / "placed.osim"))
    shutil.copy(files["right_orientations.sto"], tmp_path / "right.sto")
    own = read_sto(files["right_ankle.mot"])
    solver = osim.IMUInverseKinematicsTool()
    solver.set_model_file(str(tmp_path / "placed.osim"))
    solver.set_orientations_file(str(tmp_path / "right.sto"))
    solver.set_sensor_to_opensim_rotations(zero)
    solver.set_results_directory(str(tmp_path / "found"))
    solver.set_time_range(0, float(own.time_s[0]))
    solver.set_time_range(1, float(own.time_s[300]))
    assert solver.run()
    found = osim.TimeSeriesTable(str(next((tmp_path / "found").glob("*.mot"))))
    time_s = np.array(found.getIndependentColumn())
    np.testing.assert_allclose(time_s, own.time_s[: len(time_s)], atol=1e-6)
    assert len(time_s) > 250
    signs = (1.0, 1.0, -1.0)
    for k, name in enumerate(names):
        told = signs[k] * found.getDependentColumn(name).to_numpy()
        np.testing.assert_allclose(told, own.values[: len(told), k], atol=0.05)
