"""A short session made long has no seams, and the hour that is measured on it is measured whole."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from subtalar.bench import estimator_cost
from subtalar.bench.alone import alone
from subtalar.bench.long_walk import prolonged
from subtalar.bench.runs import BENCHES
from subtalar.errors import SubtalarError
from subtalar.estimation import GaitEstimator
from subtalar.session import open_session
from subtalar.session.interleave import join
from subtalar.types import BodySite, SampleBlock

LONG_S = 100.0
FOOT = BodySite.RIGHT_FOOT


@pytest.fixture(scope="module")
def lap_s(trial_folder: Path) -> tuple[float, float]:
    return estimator_cost._lap(open_session(trial_folder))[0]


@pytest.fixture(scope="module")
def blocks(trial_folder: Path, lap_s: tuple[float, float]) -> list[SampleBlock]:
    return list(prolonged(open_session(trial_folder), lap_s, LONG_S))


def whole(blocks: Iterator[SampleBlock] | list[SampleBlock], site: BodySite = FOOT) -> SampleBlock:
    return join([b for b in blocks if b.site == site])


def test_the_clocks_run_on_evenly(blocks: list[SampleBlock]) -> None:
    for site in (FOOT, BodySite.RIGHT_SHANK):
        long = whole(blocks, site)
        assert long.device_time_s is not None
        assert long.host_time_s is not None
        assert abs(len(long) / 100.0 - LONG_S) < 0.1
        np.testing.assert_allclose(np.diff(long.device_time_s), 0.01, atol=5e-6)
        assert (np.diff(long.host_time_s) >= 0).all()
        assert np.ptp(long.host_time_s - long.device_time_s) < 0.1


def test_it_begins_as_the_short_one_and_goes_on_with_the_lap(
    blocks: list[SampleBlock], trial_folder: Path, lap_s: tuple[float, float]
) -> None:
    short, long = whole(open_session(trial_folder).blocks()), whole(blocks)
    same = int(100 * lap_s[1]) - 10
    np.testing.assert_array_equal(long.gyr_rad_s[:same], short.gyr_rad_s[:same])
    np.testing.assert_array_equal(long.host_time_s[:same], short.host_time_s[:same])
    of_lap = {row.tobytes() for row in short.gyr_rad_s[int(100 * lap_s[0]) - 5 : int(100 * lap_s[1]) + 5]}
    assert all(row.tobytes() in of_lap for row in long.gyr_rad_s[same:])
    # Row by row the same as a lap before, but for the rounding to whole rows.
    lap = round(100 * (lap_s[1] - lap_s[0]))
    apart = np.abs(long.gyr_rad_s[same + 20 :] - long.gyr_rad_s[same + 20 - lap : -lap])
    assert np.median(apart) < 0.05
    assert (apart.max(axis=1) == 0.0).mean() > 0.3


def test_the_estimator_sees_no_seam(blocks: list[SampleBlock], trial_folder: Path) -> None:
    gait = GaitEstimator(open_session(trial_folder).sensors)
    found = [gait.push(b) for b in blocks]
    found.append(gait.finish())
    for counts in gait.counts.values():
        assert (counts.bridged, counts.gaps, counts.repeated, counts.unusable, counts.clock_restarts) == (0,) * 5
    contacts_s = np.array([s.initial_contact_s for f in found for s in f.strides])
    assert contacts_s[-1] > LONG_S - 3.0
    assert np.ptp(np.diff(contacts_s)) < 0.25
    standing = [n for f in found for n in f.notices if n.code == "standing_found"]
    assert len(standing) == 1


def test_the_hour_is_whole_or_refused(trial_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_cost, "HOUR_S", LONG_S)
    figures = estimator_cost.hour(trial_folder)
    assert figures["strides"] > 0.9 * (LONG_S - 15.0) / 1.2
    assert 0.0 < figures["spent_s"] < LONG_S

    def lossy(*arguments: object) -> Iterator[SampleBlock]:
        for k, block in enumerate(prolonged(*arguments)):  # type: ignore[arg-type]
            if k != 101:
                yield block

    monkeypatch.setattr(estimator_cost, "prolonged", lossy)
    with pytest.raises(SubtalarError, match="not measured as a whole"):
        estimator_cost.hour(trial_folder)


def test_figures_come_from_a_process_of_its_own(trial_folder: Path) -> None:
    figures = alone("subtalar.bench.estimator_cost", "speed", trial_folder)
    assert figures["times_real_time"] > 1.0
    assert 0.0 < figures["p50_ms"] <= figures["p99_ms"]
    assert 0.0 < figures["calibrated_p50_ms"] <= figures["calibrated_p99_ms"]


def test_what_cannot_be_measured_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SubtalarError, match=r"^There is no .*nowhere: check") as refused:
        alone("subtalar.bench.estimator_cost", "hour", tmp_path / "nowhere")
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands the peak on")
def test_the_memory_of_whoever_started_it_is_not_counted() -> None:
    ballast = bytearray(300_000_000)
    code = "from subtalar.bench.alone import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ballast) / 1e6 > 2 * float(done.stdout) > 0


def test_the_window_is_measured_before_anything_else_is_loaded() -> None:
    assert next(iter(BENCHES)) == "latency"
