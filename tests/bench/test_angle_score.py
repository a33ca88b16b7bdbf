"""The score of angles: what is put in wrong must come out as that wrong."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from subtalar.anatomy import ANGLE_COUNT, ANKLE, ANKLE_NAMES
from subtalar.session.estimates import AngleTrack, estimate_live
from subtalar_bench.accuracy.angle_score import has_value, score_angles
from subtalar_bench.accuracy.truth_trial import TrueStrides, read_trial

WALK = 10.0, 70.0
TRUTH_S = np.arange(0.0, 80.0, 0.01)
TRUTH = np.stack([a * np.sin(2 * np.pi * TRUTH_S + p) for a, p in ((20, 0), (8, 1), (6, 2))], axis=1)
FINE_S = np.arange(12.0, 79.0, 0.005)
ONES = np.ones(58)
STRIDES = TrueStrides(WALK[0] + np.arange(58.0), WALK[0] + 0.6 + np.arange(58.0), ONES, ONES, ONES, ONES)


def track(t: np.ndarray, lag_s: float, wrong_deg: tuple[float, float, float], sd_deg: float) -> AngleTrack:
    angles = np.full((len(t), ANGLE_COUNT), np.nan)
    angles[:, ANKLE] = np.stack([np.interp(t - lag_s, TRUTH_S, TRUTH[:, k]) + wrong_deg[k] for k in range(3)], axis=1)
    return AngleTrack(
        t,
        angles,
        np.full_like(angles, sd_deg),
        np.zeros(len(t), dtype=np.uint8),
        np.empty((len(t), 4)),
    )


def test_offsets_count_and_the_lag_does_not() -> None:
    score = score_angles(track(FINE_S, 0.02, (0.5, -1.5, 3.0), 1.0), TRUTH_S, TRUTH, WALK, STRIDES)
    assert score is not None
    assert score.lag_s == pytest.approx(0.02)
    np.testing.assert_allclose(score.rmse_deg, [0.5, 1.5, 3.0], atol=0.02)
    assert score.covered == 1.0
    assert score.first_s == pytest.approx(2.0, abs=0.006)


def test_the_share_within_two_sd() -> None:
    score = score_angles(track(FINE_S, 0.0, (1.9, 2.1, 0.0), 1.0), TRUTH_S, TRUTH, WALK, STRIDES)
    assert score is not None
    for share in (score.within, score.within_first, score.within_early, score.within_late):
        np.testing.assert_allclose(share, [1.0, 0.0, 1.0], atol=0.002)


def test_the_first_strides_are_the_first_with_values() -> None:
    """Wrong in the strides from 14 to 15 s and from 20 s on; values from 13.5 s on."""
    t = np.arange(13.5, 79.0, 0.005)
    wrong = track(t, 0.0, (0.0, 0.0, 0.0), 1.0)
    wrong.angles_deg[((t >= 14.0) & (t < 15.0)) | (t >= 20.0)] += 5.0
    score = score_angles(wrong, TRUTH_S, TRUTH, WALK, STRIDES)
    assert score is not None
    np.testing.assert_allclose(score.within_first, 0.0, atol=0.02)
    np.testing.assert_allclose(score.within_early, 0.5, atol=0.02)
    np.testing.assert_allclose(score.within_late, 0.0, atol=0.02)


def test_what_is_missing_is_not_covered() -> None:
    t = np.arange(12.0, 79.0, 0.005)
    score = score_angles(track(t[(t < 30.0) | (t > 40.0)], 0.0, (0, 0, 0), 1.0), TRUTH_S, TRUTH, WALK, STRIDES)
    assert score is not None
    assert score.covered == pytest.approx(1 - 10.0 / (70.0 - 1.5 - 18.0), abs=0.01)
    np.testing.assert_allclose(score.within, 1.0, atol=0.002)


def test_a_track_without_values_has_no_score() -> None:
    unknown = track(np.arange(12.0, 20.0, 0.005), 0.0, (np.nan, np.nan, np.nan), 1.0)
    assert score_angles(unknown, TRUTH_S, TRUTH, WALK, STRIDES) is None


def test_near_values() -> None:
    assert has_value(np.array([1.0, 2.0]), np.array([0.98, 1.02, 1.5, 1.975, 2.5])).tolist() == [1, 1, 0, 1, 0]


@pytest.fixture(scope="module")
def script(shared_data: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_angles", shared_data.parent / "checks" / "score_angles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.shared_data
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of the script's own
@pytest.mark.filterwarnings("ignore:Exception ignored in.*truth_meta:pytest.PytestUnraisableExceptionWarning")
def test_the_score_is_that_of_the_script(script: ModuleType, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "truth_trials" / "walk_right_lossy_100hz"
    trial = read_trial(folder)
    found = estimate_live(trial.session.sensors, trial.blocks()).tracks["right"]
    with (tmp_path / "angles.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "side", *(f"{name}_deg" for name in ANKLE_NAMES)])
        for t, row in zip(found.time_s, found.ankle_deg, strict=True):
            writer.writerow([t, "right", *("" if np.isnan(v) else v for v in row)])
    theirs = script.score(folder, tmp_path / "angles.csv")["right"]
    walk = trial.walking.start_s, trial.walking.end_s
    ours = score_angles(found, trial.time_s, trial.angles_deg["right"], walk, trial.strides["right"])
    assert ours is not None
    np.testing.assert_allclose(ours.rmse_deg, [theirs[name] for name in ANKLE_NAMES], rtol=1e-9)
    assert 1e3 * ours.lag_s == pytest.approx(theirs["lag_ms"])
    assert ours.covered == pytest.approx(theirs["covered"])
