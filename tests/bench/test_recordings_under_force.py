"""Kills, cuts and overwrites, as ``subtalar bench kill`` and ``damage`` try them; fewer of them."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from subtalar.cli.simulation import simulated
from subtalar.session import Recorder
from subtalar.types import BodySite, SampleBlock, SensorInfo
from subtalar_bench.damage import trials
from subtalar_bench.kills import MOST_LOST_S, Kill, kills

BUSY_S = 1.0
"""By how much more a machine that runs other tests beside may delay a chunk: losses are judged by the bench."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_ten_killed_sessions_are_recovered_and_a_killed_window_costs_nothing() -> None:
    pytest.importorskip("bumble")
    seen = []
    results, wrong = kills(simulated, 10, 0, seen.append, attempts=6)
    assert [kill for kill in wrong if kill.lost_s > MOST_LOST_S + BUSY_S] == []
    assert [kill.what for kill in seen if kill.counts].count("measuring") == 10
    assert [kill.problem for kill in seen if kill.what == "window" and kill.counts] == [""]
    assert all(kill.lost_s > 0.0 for kill in seen if kill.what == "measuring")
    figures = {(r.name, r.on): r.value for r in results}
    repeated = sum(not kill.counts for kill in seen)
    assert [v for (name, _), v in figures.items() if name == "trials made again"] == [repeated]
    assert sum(v for (name, _), v in figures.items() if name == "sessions") == len(seen) - repeated


def test_a_computer_that_stood_still_excuses_lateness_and_nothing_else() -> None:
    late = Kill("measuring", 1.0, 9.0, "9.00 s were lost")
    assert late.counts
    assert not replace(late, still_s=8.5).counts
    assert replace(late, lost_s=0.3, problem="The file is damaged.", still_s=8.5).counts
    assert replace(late, lost_s=float("inf"), problem="No such file.", still_s=8.5).counts


def test_a_trial_that_never_counts_is_no_trial_less(monkeypatch: pytest.MonkeyPatch) -> None:
    from subtalar_bench import kills as bench

    late = Kill("measuring", 1.0, 9.0, "9.00 s were lost")
    monkeypatch.setattr(bench, "_kill_measuring", lambda *_: late)
    monkeypatch.setattr(bench, "_kill_window", lambda *_: replace(late, what="window"))
    monkeypatch.setattr(bench.StandstillWatch, "take_worst_s", lambda _: 8.5)
    results, wrong = kills(simulated, 2, 0, lambda _: None, attempts=2)
    figures = [(r.name, r.value) for r in results]
    assert figures[0] == ("trials made again", 3.0)
    assert [v for name, v in figures if name == "sessions"] == [2.0, 1.0]
    assert len(wrong) == 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damage") / "a.mcap"
    rng = np.random.default_rng(1)
    sites = (BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK)
    with Recorder(path, [SensorInfo(s, 100.0) for s in sites], datetime.now(UTC)) as recorder:
        for k in range(400):
            t = np.full(5, 0.05 * (k + 1))
            for site in sites:
                values = rng.normal(size=(5, 6))
                recorder.write_block(SampleBlock(site, None, t, values[:, :3].copy(), values[:, 3:].copy()))
            if k % 10 == 9:
                recorder.sync()
    return path


def test_damage_is_noticed_and_what_is_sound_comes_back(recording: Path) -> None:
    before = recording.read_bytes()
    found = trials(recording, 25, seed=3)
    assert recording.read_bytes() == before
    assert len(found) == 50
    assert {trial.what for trial in found} == {"cut", "overwrite"}
    assert [trial for trial in found if not trial.sound] == []
    assert max(trial.lost_s for trial in found if trial.what == "overwrite") > 0.0


def test_a_trial_can_fail(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were damage not noticed, the bench would say so."""
    from subtalar_bench import damage

    monkeypatch.setattr(damage, "verify", lambda path: type("Report", (), {"status": "ok"}))
    assert not any(trial.noticed for trial in trials(recording, 2, seed=3))
