"""One session of a batch. Jobs and what comes of them travel between processes and computers."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from subtalar import __version__
from subtalar.errors import SubtalarError
from subtalar.session.catalogue import UNASSIGNED, Assignment

RECORD_FILE: Final = ".subtalar-batch.json"
_FORMAT: Final = "subtalar-batch-session"
_VERSION: Final = 1


@dataclass(frozen=True)
class Settings:
    """What every session is analysed with; see ``report.analysis.analyze``."""

    subtalar_axis_deg: tuple[float, float] | None = None
    smooth: bool = False


@dataclass(frozen=True)
class Job:
    """One session. ``name`` is its path below the folder of the batch, with slashes; ``out`` where its results go;
    ``about`` whose it is.
    """

    name: str
    path: Path
    out: Path
    settings: Settings = field(default_factory=Settings)
    assignment: Assignment = UNASSIGNED


@dataclass(frozen=True)
class JobResult:
    """What came of a job. ``problem`` is one sentence, empty when all went well."""

    name: str
    problem: str = ""


def run(job: Job) -> JobResult:
    """Analyse one session into its folder and note what that was made from. Never raises for a bad session."""
    from subtalar.report.analysis import analyze
    from subtalar.session.opening import open_session

    try:
        session = open_session(job.path)
        made_from = _made_from(job)  # before it is read: a file that grows meanwhile is done again the next time
        analyze(
            session,
            job.out,
            subtalar_axis_deg=job.settings.subtalar_axis_deg,
            smooth=job.settings.smooth,
            assignment=job.assignment,
        )
        (job.out / RECORD_FILE).write_text(json.dumps(made_from), encoding="utf-8")
    except SubtalarError as error:
        return JobResult(job.name, str(error))
    except OSError as error:
        return JobResult(job.name, f"{error.filename or job.path} cannot be read or written ({error.strerror}).")
    except MemoryError:
        return JobResult(job.name, f"{job.path} needs more memory than there is: use fewer --workers.")
    except Exception as error:  # a defect in one session is no reason to lose the others
        return JobResult(job.name, f"The analysis failed ({type(error).__name__}: {error}). This is a defect.")
    return JobResult(job.name)


def is_done(job: Job) -> bool:
    """Whether the results are there and were made from these very files, by this version, with these settings."""
    from subtalar.report.analysis import OUTPUT_FILES

    try:
        noted = json.loads((job.out / RECORD_FILE).read_text(encoding="utf-8"))
        return bool(noted == _made_from(job)) and all((job.out / name).is_file() for name in OUTPUT_FILES)
    except (OSError, ValueError):
        return False


def _made_from(job: Job) -> dict[str, Any]:
    files = sorted(p for p in job.path.rglob("*") if p.is_file()) if job.path.is_dir() else [job.path]
    facts = {os.path.relpath(p, job.path): [p.stat().st_size, p.stat().st_mtime_ns] for p in files}
    made_from = {
        "software": __version__,
        "settings": asdict(job.settings),
        "about": job.assignment.as_json(),
        "files": facts,
    }
    # By way of JSON: what is read back has lists where there were tuples.
    return dict(json.loads(json.dumps({"format": _FORMAT, "version": _VERSION, **made_from})))
