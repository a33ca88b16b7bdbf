"""A batch from its folder to its tables; what is done already is not done again."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from subtalar.batch.job import Job, JobResult, Settings, is_done
from subtalar.batch.local_processes import run_locally
from subtalar.batch.session_search import find_sessions
from subtalar.batch.tables import SESSIONS_FILE, write_all_strides, write_sessions
from subtalar.errors import InputError
from subtalar.report.analysis import STRIDES_FILE
from subtalar.session.catalogue import UNASSIGNED, Assignment
from subtalar.session.durable_file import locked

_LOCK: Final = ".subtalar-batch.lock"


@dataclass(frozen=True)
class BatchOutcome:
    """How a batch ended. ``problems``: by session, one sentence; ``done``: what was analysed now, ``kept``: sessions
    whose results were there.
    """

    sessions: int
    kept: int
    strides: int
    problems: dict[str, str]
    done: tuple[Job, ...]
    strides_table: Path
    sessions_table: Path


Progress = Callable[[int, int, JobResult | None], None]
"""Called with sessions done, sessions in all, and the one that has just ended; None at the beginning."""


def run_batch(
    folder: Path,
    out: Path,
    *,
    settings: Settings | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    assignment: Callable[[Path], Assignment] = lambda session: UNASSIGNED,
    on_progress: Progress = lambda done, total, last: None,
) -> BatchOutcome:
    """Analyse every session in ``folder`` into a folder of its own in ``out``, then write the tables of all.

    ``workers``: processes on this computer, as many as it has cores by default; ``scheduler``: the address of a Dask
    cluster instead; ``about``: whose a session is and under which condition. A bad session does not stop the others.
    Raises InputError where a folder cannot be used, LinkError where the cluster cannot.
    """
    folder, out = (Path(os.path.abspath(path.expanduser())) for path in (folder, out))
    _check_apart(folder, out)
    sessions = find_sessions(folder, but_not_in=out)
    jobs = [_job(folder, path, out, settings or Settings(), assignment(path)) for path in sessions]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with locked(out / _LOCK) as alone:
            if not alone:
                raise InputError(f"Another batch is writing to {out}: wait for its end, or name another folder.")
            return _run(folder, out, jobs, workers, scheduler, on_progress)
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {out} ({error.strerror or error}): check the free space and the right "
            "to write there, or name another folder with --out."
        ) from error


def _run(
    folder: Path,
    out: Path,
    jobs: Sequence[Job],
    workers: int | None,
    scheduler: str | None,
    on_progress: Progress,
) -> BatchOutcome:
    to_do = [job for job in jobs if not is_done(job)]
    done = len(jobs) - len(to_do)
    on_progress(done, len(jobs), None)
    problems: dict[str, str] = {}
    for last in _results(to_do, folder, out, workers, scheduler):
        done += 1
        if last.problem:
            problems[last.name] = last.problem
        on_progress(done, len(jobs), last)
    good = [job for job in jobs if job.name not in problems]
    strides = write_all_strides(out / STRIDES_FILE, good)
    write_sessions(out / SESSIONS_FILE, jobs, problems)
    return BatchOutcome(
        len(jobs),
        len(jobs) - len(to_do),
        strides,
        problems,
        tuple(job for job in to_do if job.name not in problems),
        out / STRIDES_FILE,
        out / SESSIONS_FILE,
    )


def _results(
    jobs: Sequence[Job], folder: Path, out: Path, workers: int | None, scheduler: str | None
) -> Iterator[JobResult]:
    if not jobs:
        return iter(())
    if scheduler is None:
        return run_locally(jobs, min(len(jobs), workers or os.cpu_count() or 1))
    from subtalar.batch.cluster import run_on_cluster

    return run_on_cluster(jobs, scheduler, (folder, out))


def _job(folder: Path, path: Path, out: Path, settings: Settings, assignment: Assignment) -> Job:
    below = path.relative_to(folder) if path != folder else Path(path.name)
    name = below.as_posix()
    # A spreadsheet would take such a name for a formula; with the folder before it, it is the same path.
    return Job(f"./{name}" if name[0] in "=+-@" else name, path, out / below, settings, assignment)


def _check_apart(folder: Path, out: Path) -> None:
    """Each session's results lie under its own name: in the folder itself they would be in the session's place."""
    if os.path.realpath(folder) == os.path.realpath(out):
        raise InputError(f"The results would lie among the sessions in {out}: name another folder with --out.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file, and the results need a folder: name another one with --out.")
