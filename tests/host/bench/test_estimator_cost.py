"""What the estimator costs is measured whole, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from subtalar.bench import estimator_cost
from subtalar.bench.long_walk import prolonged
from subtalar.bench.own_process import in_own_process
from subtalar.bench.runs import BENCHES
from subtalar.errors import SubtalarError
from subtalar.types import SampleBlock

LONG_S = 100.0


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
    figures = in_own_process("subtalar.bench.estimator_cost", "speed", trial_folder)
    assert figures["times_real_time"] > 1.0
    assert 0.0 < figures["p50_ms"] <= figures["p99_ms"]
    assert 0.0 < figures["calibrated_p50_ms"] <= figures["calibrated_p99_ms"]


def test_what_cannot_be_measured_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SubtalarError, match=r"^There is no .*nowhere: check") as refused:
        in_own_process("subtalar.bench.estimator_cost", "hour", tmp_path / "nowhere")
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands the peak on")
def test_the_memory_of_whoever_started_it_is_not_counted() -> None:
    ballast = bytearray(300_000_000)
    code = "from subtalar.bench.own_process import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ballast) / 1e6 > 2 * float(done.stdout) > 0


def test_the_window_is_measured_before_anything_else_is_loaded() -> None:
    assert next(iter(BENCHES)) == "latency"
