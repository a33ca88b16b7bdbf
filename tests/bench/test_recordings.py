"""Parts of the accuracy benchmark that need no truth, on made-up and on shared recordings."""

from pathlib import Path

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.session.estimates import AngleTrack
from subtalar.session.interleave import join
from subtalar.types import BodySite, Stride
from subtalar_bench.accuracy import closed_loops, inclination
from subtalar_bench.accuracy.foot_recording import read_foot
from subtalar_bench.accuracy.front_end import rests, rows_of
from subtalar_bench.accuracy.heading_trace import smooth_trend, traced
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.accuracy.treadmill import mean_waveform
from subtalar_bench.accuracy.truth_trial import read_trial


def test_a_straight_line_is_its_own_trend() -> None:
    t = np.sort(np.random.default_rng(2).uniform(0, 100, 60))
    np.testing.assert_allclose(smooth_trend(t, 3.0 - 0.2 * t, 10.0), 3.0 - 0.2 * t)


def test_the_trend_does_not_follow_single_strides() -> None:
    t = np.arange(0.0, 100.0)
    value = np.where(np.arange(100) % 2, 1.0, -1.0)
    assert np.abs(smooth_trend(t, value, 10.0)).max() < 0.2


def test_mean_waveform_is_stretched_to_the_stride() -> None:
    t = np.arange(0.0, 40.0, 0.005)
    wave = np.stack([np.sin(2 * np.pi * t / 1.25 + p) for p in (0, 1, 2)], axis=1)
    track = AngleTrack(
        t,
        wave,
        wave,
        np.zeros(len(t), dtype=np.uint8),
        np.empty((len(t), 4)),
    )
    nan = float("nan")
    strides = [Stride("left", 1.25 * k, nan, 1.25, *([nan] * 12), 0, "ok", *([nan] * 7)) for k in range(3, 13)]
    shape = np.stack([np.sin(2 * np.pi * np.linspace(0, 1, 101) + p) for p in (0, 1, 2)], axis=1)
    np.testing.assert_allclose(mean_waveform(track, strides), shape, atol=0.001)
    assert np.isnan(mean_waveform(track, strides[:2])).all()


def test_headings_are_seen_stride_by_stride(trial_folder: Path) -> None:
    trial = read_trial(trial_folder)
    outcome, traces = traced(trial.session.sensors, trial.session.blocks(0.2))
    trace = traces["right"]
    assert len(trace.time_s) >= len(outcome.strides) - 4
    assert len(trace.time_s) > 15
    assert (np.diff(trace.time_s) > 0.5).all()
    assert np.nanmax(np.abs(trace.filtered_deg - trace.evidence_deg)) < 5.0
    assert np.isnan(trace.live_deg[0])
    assert np.isfinite(trace.live_deg[1:]).all()


def test_rows_and_rests_of_a_whole_recording(trial_folder: Path) -> None:
    trial = read_trial(trial_folder)
    block = join([b for b in trial.blocks() if b.site == BodySite.RIGHT_FOOT])
    assert block.device_time_s is not None
    rows = rows_of(block.site, block.device_time_s, block.acc_m_s2, block.gyr_rad_s)
    assert rows["time_s"][0] == pytest.approx(block.device_time_s[0])
    assert rows["time_s"][-1] == pytest.approx(block.device_time_s[-1], abs=0.01)
    found = rests(rows)
    assert len({flat.begin for flat in found}) == len(found)
    assert abs(len(found) - len(trial.strides["right"])) < 4


def test_a_missing_part_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no broad in"):
        existing(tmp_path, "broad")


def test_inclination_ignores_heading() -> None:
    half = 0.5 * np.radians([10.0, 4.0])
    heading = np.array([[np.cos(half[0]), 0, 0, np.sin(half[0])]])
    tilt = np.array([[np.cos(half[1]), np.sin(half[1]), 0, 0]])
    level = np.array([[1.0, 0, 0, 0]])
    scored = np.array([True])
    assert inclination.inclination_rms_deg(heading, level, scored) == pytest.approx(0.0, abs=1e-5)
    assert inclination.inclination_rms_deg(tilt, level, scored) == pytest.approx(4.0)


@pytest.mark.shared_data
def test_closed_loops_close(shared_data: Path) -> None:
    (table,) = closed_loops.measure(shared_data)
    keys = [c.key for c in table.columns]
    for row in table.rows:
        walk = dict(zip(keys, row, strict=True))
        assert walk["path_m"] == pytest.approx(walk["about_m"], rel=0.12)
        assert walk["closure_mm"] < walk["published_mm"]


@pytest.mark.shared_data
def test_the_front_end_is_as_level_as_vqf(shared_data: Path) -> None:
    found = [inclination.measure_file(path) for path in sorted((shared_data / "broad").glob("*.mat"))]
    assert [f.vqf_deg for f in found] == pytest.approx([0.39, 0.43], abs=0.02)
    assert all(f.ours_deg <= f.vqf_deg + 0.03 for f in found)


@pytest.mark.shared_data
def test_feet_with_markers_are_read(shared_data: Path) -> None:
    foot = read_foot(shared_data / "gaitmap_foot_mocap", "left")
    assert len(foot.strides) == 28
    assert np.linalg.norm(foot.acc_m_s2[:50].mean(axis=0)) == pytest.approx(9.8, abs=0.2)
    assert np.abs(foot.gyr_rad_s).max() == pytest.approx(12.0, abs=6.0)
    assert np.linalg.norm(foot.toe_m - foot.heel_m, axis=1).mean() == pytest.approx(0.28, abs=0.05)
