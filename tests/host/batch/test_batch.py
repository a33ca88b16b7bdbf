"""Many sessions: all of them tried, none done twice, one table."""

import csv
import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from subtalar.batch import Settings, cluster, run_batch, runner
from subtalar.batch.job import Job, JobResult, run
from subtalar.batch.local_processes import run_locally
from subtalar.errors import InputError, LinkError
from subtalar.report.analysis import OUTPUT_FILES
from subtalar.report.analyze_command import analyze_command
from subtalar.session.catalogue import UNASSIGNED, Assignment

GOOD = ["visit 2/walk", "walk"]
BAD = ["./=1+cmd.mcap", "broken", "empty.mcap"]


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def first(visits: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The batch as it runs the first time, and what it said on its way."""
    out = tmp_path_factory.mktemp("first") / "out"
    said: list[tuple[int, int, JobResult | None]] = []
    outcome = run_batch(visits, out, workers=1, on_progress=lambda *args: said.append(args))
    return out, outcome, said


def test_every_session_is_tried_and_the_bad_ones_are_told(first):
    out, outcome, said = first
    assert sorted(outcome.problems) == BAD
    assert (outcome.sessions, outcome.kept) == (5, 0)
    assert [done for done, *_ in said] == [0, 1, 2, 3, 4, 5]
    assert {total for _, total, _ in said} == {5}
    assert sorted(last.name for *_, last in said[1:]) == sorted(GOOD + BAD)
    told = {row["session"]: row for row in rows(out / "sessions.csv")}
    assert [name for name, row in told.items() if row["status"] == "ok"] == GOOD
    assert "empty file" in told["empty.mcap"]["problem"]
    assert float(told["walk"]["duration_s"]) == pytest.approx(30.0, abs=0.1)
    assert told["walk"]["right_strides"] == ""
    assert int(told["walk"]["left_strides"]) > 8


def test_one_table_has_the_strides_of_all_sessions_as_each_has_them(first):
    out, outcome, _ = first
    table = rows(out / "strides.csv")
    assert len(table) == outcome.strides
    for name in GOOD:
        own = rows(out / name / "strides.csv")
        assert own
        assert [{k: row[k] for k in own[0]} for row in table if row["session"] == name] == own


def test_a_session_alone_gives_the_same_bytes(visits, first, tmp_path):
    analyze_command(visits / "walk", tmp_path / "alone", quiet=True)
    for name in ("angles.csv", "strides.csv"):
        assert (tmp_path / "alone" / name).read_bytes() == (first[0] / "walk" / name).read_bytes()


def test_what_is_done_is_not_done_again_unless_something_changed(visits, first, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "run_locally", lambda jobs, workers: map(run, jobs))
    sessions, out = tmp_path / "sessions", tmp_path / "out"
    shutil.copytree(visits, sessions)
    shutil.copytree(first[0], out)
    for unwanted in (sessions / "visit 2", out / "visit 2", sessions / "broken"):
        shutil.rmtree(unwanted)
    for unwanted in sessions.glob("*.mcap"):
        unwanted.unlink()

    def again(settings: Settings | None = None) -> int:
        return run_batch(sessions, out, workers=1, settings=settings).kept

    assert again() == 1
    assert [row["session"] for row in rows(out / "strides.csv")] == ["walk"] * len(rows(out / "walk" / "strides.csv"))
    (out / "walk" / OUTPUT_FILES[0]).unlink()
    assert (again(), again()) == (0, 1)
    os.utime(sessions / "walk" / "session.json", (1e9, 1e9))
    assert (again(), again()) == (0, 1)
    assert (again(Settings((40.0, 20.0))), again(Settings((40.0, 20.0)))) == (0, 1)
    assert json.loads((out / "walk" / "summary.json").read_text())["subtalar_axis"]["inclination_deg"] == 40.0


def test_the_tables_say_whose_each_session_is(visits, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "run_locally", lambda jobs, workers: map(run, jobs))
    assignment = {"walk": Assignment("P017", "baseline", "=HYPERLINK(1)")}
    run_batch(
        visits,
        tmp_path / "out",
        assignment=lambda session: assignment.get(session.relative_to(visits).as_posix(), UNASSIGNED),
    )
    told = {row["session"]: row for row in rows(tmp_path / "out" / "sessions.csv")}
    assert told["walk"]["participant"] == "P017"
    assert told["walk"]["condition"] == "'=HYPERLINK(1)"
    assert told["visit 2/walk"]["participant"] == told["broken"]["visit"] == ""
    strides = [row for row in rows(tmp_path / "out" / "strides.csv") if row["session"] == "walk"]
    assert {(row["participant"], row["visit"]) for row in strides} == {("P017", "baseline")}
    summary = json.loads((tmp_path / "out" / "walk" / "summary.json").read_text("utf-8"))
    assert summary["session"]["about"]["participant"] == "P017"
    assert "P017 · baseline · =HYPERLINK(1)" in (tmp_path / "out" / "walk" / "report.html").read_text("utf-8")


class Deadly:
    """Kills whoever unpickles it, as a process without memory is killed."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


def test_a_killed_process_costs_its_own_session_only(tmp_path):
    def job(name: str, path: Any) -> Job:
        return Job(name, path, tmp_path / name)

    jobs = [job(f"missing {i}", tmp_path / "missing") for i in range(4)]
    jobs.insert(1, replace(jobs[0], name="deadly", path=Deadly()))  # type: ignore[arg-type]
    done = {d.name: d.problem for d in run_locally(jobs, 2)}
    assert sorted(done) == ["deadly", *(f"missing {i}" for i in range(4))]
    assert "was killed" in done["deadly"]
    assert all("There is no" in done[f"missing {i}"] for i in range(4))


@pytest.mark.parametrize(
    ("folder", "sentence"), [("nothing", "does not exist"), ("file", "is not a folder"), ("bare", "holds no recording")]
)
def test_folders_without_sessions_are_refused(tmp_path, folder, sentence):
    (tmp_path / "file").touch()
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match=sentence):
        run_batch(tmp_path / folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_results_are_kept_apart_from_sessions(visits, tmp_path):
    with pytest.raises(InputError, match="among the sessions"):
        run_batch(visits, visits / "visit 2" / "..")
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="is a file"):
        run_batch(visits, tmp_path / "out")


def test_results_inside_the_folder_are_not_taken_for_sessions(visits, first, tmp_path):
    sessions = tmp_path / "sessions"
    (sessions / "results" / "old").mkdir(parents=True)
    (sessions / "results" / "old" / "session.json").write_text("{")
    shutil.copytree(visits / "broken", sessions / "broken")
    assert list(run_batch(sessions, sessions / "results", workers=1).problems) == ["broken"]


def test_a_scheduler_that_is_not_there_is_told(visits, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_ANSWER_S", 1.0)
    with pytest.raises(LinkError, match="No Dask scheduler answers"):
        run_batch(visits, tmp_path / "out", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(LinkError, match="No Dask scheduler answers"):
        run_batch(visits, tmp_path / "out", scheduler="what is this")
    assert "IO loop" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_cluster_gives_the_same_tables(visits, first, tmp_path, monkeypatch):
    """The workers are threads of this process, over TCP all the same; `subtalar bench batch` has processes."""
    distributed = pytest.importorskip("distributed")
    options = {"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, "host": "127.0.0.1", "memory_limit": 0}
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp://", **options) as dask:
        with monkeypatch.context() as patch:
            patch.setattr(cluster, "_FIRST_WORKER_S", 2.0)
            with pytest.raises(LinkError, match="has no workers"):
                run_batch(visits, tmp_path / "out", scheduler=dask.scheduler_address)
        dask.scale(1)
        dask.wait_for_workers(1, timeout=60)
        outcome = run_batch(visits, tmp_path / "out", scheduler=dask.scheduler_address)
    assert outcome.problems.keys() == first[1].problems.keys()
    for table in ("strides.csv", "sessions.csv", "walk/angles.csv"):
        assert (tmp_path / "out" / table).read_bytes() == (first[0] / table).read_bytes()
