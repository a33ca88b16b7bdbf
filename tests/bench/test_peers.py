"""The peers are told enough to be good: a comparison with software held wrongly would prove nothing."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtalar.errors import InputError
from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.types import SIDES, Side
from subtalar_bench.accuracy.angle_score import score_angles
from subtalar_bench.accuracy.truth_trial import TruthTrial, read_trial
from subtalar_bench.peers import filters
from subtalar_bench.peers.comparison import PeerScore, table
from subtalar_bench.peers.joint import ankle_fixed_in_standing, ankle_heading_corrected
from subtalar_bench.peers.peer_input import PeerInput, input_from_truth, kabsch, true_rotation


@pytest.mark.parametrize("side", SIDES)
def test_true_rotations_are_those_of_the_angles(side: Side) -> None:
    angles = np.array([[10.0, -5.0, 3.0], [-20.0, 8.0, -6.0]])
    q = true_rotation(angles, side).as_quat()[:, [3, 0, 1, 2]]
    np.testing.assert_allclose(ankle_angles_deg(q, side), angles, atol=1e-9)


def test_the_fitted_rotation_is_the_one_that_was_there() -> None:
    measured = np.random.default_rng(3).normal(size=(500, 3))
    there = Rotation.from_rotvec([0.4, -1.0, 2.0]).as_matrix()
    found = kabsch(measured @ there.T + np.array([0.1, 0.2, -0.1]), measured)
    np.testing.assert_allclose(found, there, atol=1e-9)


def test_a_package_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(InputError, match="pip install"):
        filters.optional("no_such_package_of_peers")


def test_divergence_is_said() -> None:
    scores = [
        PeerScore("walk", "left", "ours", np.array([0.3, 0.2, 0.4])),
        PeerScore("walk", "left", "VQF's friend", np.array([1.0, 2.0, 170.0])),
        PeerScore("walk", "left", "none", None),
    ]
    made = table(scores)
    assert made.rows == (("walk", "left", (0.3, 0.2, 0.4), "diverged", "no angles"),)
    assert [c.key for c in made.columns[2:]] == ["ours_deg", "vqf_friend_deg", "none_deg"]


@pytest.fixture(scope="module")
def trial(shared_data: Path) -> TruthTrial:
    return read_trial(shared_data / "truth_trials" / "overpronated_left_any_mount")


@pytest.fixture(scope="module")
def told(trial: TruthTrial) -> PeerInput:
    return input_from_truth(trial, "left")


def rmse(trial: TruthTrial, track: object) -> np.ndarray:
    walk = trial.walking.start_s, trial.walking.end_s
    score = score_angles(track, trial.time_s, trial.angles_deg["left"], walk, trial.strides["left"])  # type: ignore[arg-type]
    assert score is not None
    assert abs(score.lag_s) <= 0.0051, "they are told the clocks"
    return score.rmse_deg


@pytest.mark.shared_data
def test_both_sensors_stand_upright(told: PeerInput) -> None:
    for sensor in (told.foot, told.shank):
        still = (sensor.time_s > told.standing[0]) & (sensor.time_s < told.standing[1])
        up = sensor.acc_m_s2[still].mean(axis=0) @ sensor.to_segment.T
        assert up[1] / np.linalg.norm(up) > np.cos(np.radians(2.0))


@pytest.mark.shared_data
def test_vqf_told_everything_is_good(trial: TruthTrial, told: PeerInput) -> None:
    assert (rmse(trial, ankle_fixed_in_standing(told, filters.vqf)) < [0.6, 1.0, 2.0]).all()


@pytest.mark.shared_data
def test_fusion_told_everything_is_good(trial: TruthTrial, told: PeerInput) -> None:
    pytest.importorskip("imufusion", reason="a package of the development extra")
    assert (rmse(trial, ankle_fixed_in_standing(told, filters.fusion)) < [1.0, 1.0, 2.0]).all()


@pytest.mark.shared_data
def test_qmt_told_everything_does_not_diverge(trial: TruthTrial, told: PeerInput) -> None:
    pytest.importorskip("qmt", reason="a package of the development extra")
    corrected = ankle_heading_corrected(told, filters.vqf, trial.walking.start_s)
    assert (rmse(trial, corrected) < [1.0, 4.0, 8.0]).all()
