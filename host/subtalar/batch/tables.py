"""What a batch leaves: one table of all strides, and one of what became of every session."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from subtalar.atomic_file import replacing
from subtalar.batch.job import Job
from subtalar.exports.safe_text import one_line
from subtalar.report.analysis import STRIDES_FILE, SUMMARY_FILE
from subtalar.session.catalogue import Assignment
from subtalar.strides import STRIDE_NAMES

SESSIONS_FILE: Final = "sessions.csv"
ABOUT_COLUMNS: Final = ("participant", "visit", "condition")
SESSION_COLUMNS: Final = (
    "session", *ABOUT_COLUMNS, "status", "problem", "start_utc", "duration_s", "gait", "left_strides", "right_strides",
    "received_samples", "lost_samples", "data_quality",
)  # fmt: skip


def write_all_strides(path: Path, jobs: Sequence[Job]) -> int:
    """``session``, whose it is, and the columns of ``strides.csv``: a row a stride, sessions in order.

    Returns how many. Sessions without results are left out. The text of every cell is that of the session's own table.
    """
    rows = 0
    with replacing(path, private=False) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("session", *ABOUT_COLUMNS, *STRIDE_NAMES))
        for job in jobs:
            if not (job.out / STRIDES_FILE).is_file():
                continue
            assigned = _cells(job.assignment).values()
            with (job.out / STRIDES_FILE).open(newline="", encoding="utf-8") as strides:
                for row in csv.DictReader(strides):
                    writer.writerow((job.name, *assigned, *(row.get(name, "") for name in STRIDE_NAMES)))
                    rows += 1
    return rows


def write_sessions(path: Path, jobs: Sequence[Job], problems: Mapping[str, str]) -> None:
    """A row a session: ``ok`` with its figures, or ``failed`` with the reason in one sentence."""
    with replacing(path, private=False) as file:
        writer = csv.DictWriter(file, SESSION_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for job in jobs:
            problem = problems.get(job.name)
            begin = {"session": job.name, **_cells(job.assignment)}
            if problem is not None:
                writer.writerow({**begin, "status": "failed", "problem": problem})
            else:
                summary = json.loads((job.out / SUMMARY_FILE).read_text(encoding="utf-8"))
                writer.writerow({**begin, "status": "ok", **_figures(summary)})


def _cells(assignment: Assignment) -> dict[str, str]:
    return {name: one_line(getattr(assignment, name)) for name in ABOUT_COLUMNS}


def _figures(summary: Mapping[str, Any]) -> dict[str, Any]:
    session, sensors, sides = summary["session"], summary["sensors"].values(), summary["sides"]
    return {
        "start_utc": session["start_utc"] or "",
        "duration_s": session["duration_s"],
        "gait": session["gait"] or "",
        **{f"{side}_strides": sides[side]["stride_count"] for side in sides},
        "received_samples": sum(s["received_samples"] for s in sensors),
        "lost_samples": sum(s["lost_samples"] for s in sensors),
        "data_quality": summary["data_quality"]["verdict"],
    }
