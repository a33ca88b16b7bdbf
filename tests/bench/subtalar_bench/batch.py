"""A hundred sessions on one core and on all of them, and through a Dask cluster on this computer."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from subtalar.batch import run_batch
from subtalar.bench.result import Result, SessionMaker

SESSION_S = 60.0
_ROUNDS = 4


def batch(make_session: SessionMaker, sessions: int, workers: int) -> list[Result]:
    """``sessions`` copies of one session of a minute. A cluster is left out where Dask is not installed.

    In rounds, each with all ways of doing it: a computer that others use is now slow and now fast.
    """
    on = f"{sessions} sessions of {SESSION_S:.0f} s, four sensors at 200 Hz"
    alone_s = together_s = cluster_s = 0.0
    with tempfile.TemporaryDirectory() as name, _cluster(workers) as address:
        folder = Path(name)
        first = make_session(folder / "first", SESSION_S)
        rounds = max(1, min(_ROUNDS, sessions // 10))
        for i in range(sessions):
            shutil.copytree(first, folder / str(i % rounds) / "sessions" / f"{i:03}")
        for k in range(rounds):
            alone_s += _seconds(folder / str(k), "alone", workers=1)
            together_s += _seconds(folder / str(k), "together", workers=workers)
            if address:
                cluster_s += _seconds(folder / str(k), "cluster", scheduler=address)
    results = [
        Result("batch, one process", alone_s, "s", on),
        Result(f"batch, {workers} processes", together_s, "s", f"{on}; the same tables"),
        Result("parallel efficiency", 100 * alone_s / together_s / workers, "%", f"{workers} processes"),
    ]
    if address:
        results += [
            Result("batch, local Dask cluster", cluster_s, "s", f"{workers} workers; the same tables"),
            Result("parallel efficiency, Dask", 100 * alone_s / cluster_s / workers, "%", f"{workers} workers"),
        ]
    return results


@contextlib.contextmanager
def _cluster(workers: int) -> Iterator[str]:
    """The address of a local cluster; empty where Dask is not installed."""
    try:
        from distributed import LocalCluster
    except ImportError:
        yield ""
        return
    with LocalCluster(workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        yield cluster.scheduler_address


def _seconds(folder: Path, out: str, *, workers: int | None = None, scheduler: str | None = None) -> float:
    begin = time.perf_counter()
    run_batch(folder / "sessions", folder / out, workers=workers, scheduler=scheduler)
    taken = time.perf_counter() - begin
    if (folder / out / "strides.csv").read_bytes() != (folder / "alone" / "strides.csv").read_bytes():
        raise AssertionError(f"the table of {out} is not that of one process alone")
    return taken
