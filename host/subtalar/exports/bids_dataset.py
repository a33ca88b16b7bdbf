"""The files that every BIDS dataset has: tables, descriptions, the list of participants."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from subtalar import __version__
from subtalar.exports.columns import EVENTS
from subtalar.exports.content import GaitResults
from subtalar.exports.safe_text import NEUTRALISED, one_line
from subtalar.exports.target_folder import Target
from subtalar.types import FloatArray, Quality

BIDS_VERSION: Final = "1.10.0"
_DESCRIPTION, _PARTICIPANTS, _PARTICIPANTS_NOTE, _README = (
    *("dataset_description.json", "participants.tsv", "participants.json", "README"),
)
SHARED: Final = frozenset({_DESCRIPTION, _PARTICIPANTS, _PARTICIPANTS_NOTE, _README})
MISSING: Final = "n/a"
QUALITY: Final = {str(int(q)): q.label for q in sorted(Quality)}

_README_TEXT: Final = """\
Inertial recordings of the ankle, exported by subtalar.

A tracking system is one sensor (tracksys-imu...: specific force and angular velocity in the sensor's own axes) or the
angles of one leg (tracksys-angles...: foot relative to shank, estimated from its sensors).
LATENCY and the onset of events are seconds on one clock for all files of a session, 0 at the acq_time of its scans.tsv.
A lost sample is a row of n/a whose LATENCY divides the gap evenly. What is not known is n/a.
"""


def write_rows(file: TextIO, rows: FloatArray) -> None:
    """Numbers (n, k) as the shortest text that reads back as the same; NaN as n/a."""
    for start in range(0, len(rows), 8192):
        part = rows[start : start + 8192]
        text = "".join("\t".join(map(repr, row)) + "\n" for row in part.tolist())
        file.write(text.replace("nan", MISSING) if np.isnan(part).any() else text)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a header."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in (columns, *rows):
            file.write("\t".join(one_line(cell) or MISSING for cell in row) + "\n")


def write_json(path: Path, value: Any) -> None:
    """As BIDS wants it: UTF-8."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_events(prefix: Path, results: GaitResults) -> None:
    """``…_events.tsv`` and its sidecar."""
    columns = ("onset", "duration", "trial_type", "side", "label", "code", "detected_s")
    path = prefix.parent / f"{prefix.name}events.tsv"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(columns) + "\n")
        for e in results.events:
            texts = (e.event, e.side, one_line(e.label), e.code)
            cells = (_number(e.time_s), _number(e.duration_s), *(t or MISSING for t in texts), _number(e.detected_s))
            file.write("\t".join(cells) + "\n")
    meanings = {c.name: c for c in EVENTS}
    content: dict[str, Any] = {
        "onset": {"Description": meanings["time_s"].meaning, "Units": "s"},
        "duration": {"Description": meanings["duration_s"].meaning, "Units": "s"},
        "trial_type": {
            "Description": "What happened.",
            "Levels": {
                "initial_contact": "The foot touches the floor.",
                "foot_flat": "The foot rests on the floor.",
                "foot_off": "The foot leaves the floor.",
                "marker": "A stretch that was named by a person or a protocol.",
                "notice": "What the software said.",
            },
        },
        "side": {"Description": meanings["side"].meaning},
        "label": {"Description": f"{meanings['label'].meaning} {NEUTRALISED} Tabs and line breaks are spaces."},
        "code": {"Description": meanings["code"].meaning},
        "detected_s": {"Description": meanings["detected_s"].meaning, "Units": "s"},
    }
    write_json(prefix.parent / f"{prefix.name}events.json", content)


def write_scans(path: Path, files: Sequence[str], start_utc: datetime | None) -> None:
    """When the session clock was zero."""
    start = MISSING if start_utc is None else start_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    write_table(path, ("filename", "acq_time"), [(file, start) for file in files])


def write_shared(folder: Path, target: Target, participant: str) -> None:
    """What all sessions of a dataset have in common; one more participant where this one is new.

    A description and a list of participants that somebody has completed by hand stay theirs.
    """
    name = f"sub-{participant}"
    rows = _rows_of(target.out_dir / _PARTICIPANTS)
    if not any(row and row[0] == name for row in rows):
        header = rows[0] if rows else ["participant_id"]
        added = [[name, *[MISSING] * (len(header) - 1)]]
        write_table(folder / _PARTICIPANTS, header, [*rows[1:], *added])
        target.may_extend(_PARTICIPANTS)
    if not (target.out_dir / _DESCRIPTION).exists():
        generator = {"Name": "subtalar", "Version": __version__}
        description = {
            "Name": "Ankle kinematics from inertial sensors",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [generator],
        }
        write_json(folder / _DESCRIPTION, description)
    if not (target.out_dir / _PARTICIPANTS_NOTE).exists():
        write_json(folder / _PARTICIPANTS_NOTE, {"participant_id": {"Description": "The participant's code."}})
    if not any((target.out_dir / f"{_README}{ending}").exists() for ending in ("", ".md", ".rst", ".txt")):
        (folder / _README).write_text(_README_TEXT, encoding="utf-8")


def _rows_of(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [row for row in csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE) if row]


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else MISSING
