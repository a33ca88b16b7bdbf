"""A hundred sessions on one core and on all of them, and through a Dask cluster on this computer."""

import shutil
import tempfile
import time
from pathlib import Path

from subtalar.batch import run_batch
from subtalar.bench.result import Result, SessionMaker

SESSION_S = 60.0


def batch(make_session: SessionMaker, sessions: int, workers: int) -> list[Result]:
    """``sessions`` copies of one session of a minute. A cluster is left out where Dask is not installed."""
    on = f"{sessions} sessions of {SESSION_S:.0f} s, four sensors at 200 Hz"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = make_session(folder / "sessions" / "000", SESSION_S)
        for i in range(1, sessions):
            shutil.copytree(first, folder / "sessions" / f"{i:03}")
        alone_s = _seconds(folder, "alone", workers=1)
        together_s = _seconds(folder, "together", workers=workers)
        results = [
            Result("batch, one process", alone_s, "s", on),
            Result(f"batch, {workers} processes", together_s, "s", on),
            Result("parallel efficiency", 100 * alone_s / together_s / workers, "%", f"{workers} processes"),
        ]
        _same(folder, "together")
        try:
            from distributed import LocalCluster
        except ImportError:
            return results
        with LocalCluster(workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
            cluster_s = _seconds(folder, "cluster", scheduler=cluster.scheduler_address)
        _same(folder, "cluster")
    return [
        *results,
        Result("batch, local Dask cluster", cluster_s, "s", f"{workers} workers; the same table"),
        Result("parallel efficiency, Dask", 100 * alone_s / cluster_s / workers, "%", f"{workers} workers"),
    ]


def _seconds(folder: Path, out: str, *, workers: int | None = None, scheduler: str | None = None) -> float:
    begin = time.perf_counter()
    run_batch(folder / "sessions", folder / out, workers=workers, scheduler=scheduler)
    return time.perf_counter() - begin


def _same(folder: Path, out: str) -> None:
    if (folder / out / "strides.csv").read_bytes() != (folder / "alone" / "strides.csv").read_bytes():
        raise AssertionError(f"the table of {out} is not that of one process alone")
