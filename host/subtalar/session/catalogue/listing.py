"""Sessions and participants as lines of text or plain values for JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from subtalar.session.catalogue.store import ParticipantRow, SessionRow
from subtalar.session.durable_file import is_being_written

SESSION_HEADINGS = ("participant", "visit", "condition", "recorded", "length", "strides", "state", "file")
PARTICIPANT_HEADINGS = ("participant", "affected", "height", "footwear", "visits", "sessions")


def state_word(row: SessionRow) -> str:
    """How it stands with a session, in a word or two."""
    if row.state == "missing":
        return "missing"
    if row.encrypted:
        return "encrypted"
    if row.state == "open":
        return "being recorded" if is_being_written(row.path) else "not closed"
    return row.state


def session_cells(row: SessionRow, shown_path: str) -> tuple[str, ...]:
    """One cell a heading; local time."""
    facts = row.facts
    start = datetime.fromisoformat(facts.start_utc).astimezone().strftime("%Y-%m-%d %H:%M") if facts.start_utc else "–"
    strides = "–" if facts.strides is None else str(facts.strides)
    assignment = row.assignment
    return (
        assignment.participant or "–",
        assignment.visit or "–",
        assignment.condition or "–",
        start,
        length_text(facts.duration_s),
        strides,
        state_word(row),
        shown_path,
    )


def participant_cells(row: ParticipantRow) -> tuple[str, ...]:
    """One cell a heading."""
    person = row.participant
    return (
        person.code,
        " and ".join(person.affected_sides) or "–",
        "–" if person.height_m is None else f"{person.height_m:.2f} m",
        person.footwear or "–",
        ", ".join(row.visits) or "–",
        str(row.sessions),
    )


def session_json(row: SessionRow, *, with_notes: bool) -> dict[str, Any]:
    """Plain values; free text only where it is asked for."""
    stored: dict[str, Any] = {
        "path": str(row.path),
        "participant": row.assignment.participant or None,
        "visit": row.assignment.visit or None,
        "condition": row.assignment.condition or None,
        "start_utc": row.facts.start_utc or None,
        "duration_s": row.facts.duration_s,
        "strides": row.facts.strides,
        "sensors": list(row.facts.sensors),
        "state": row.state,
        "encrypted": row.encrypted,
        "bytes": row.size_bytes,
    }
    return stored | ({"notes": [vars(note) for note in row.notes]} if with_notes else {})


def participant_json(row: ParticipantRow, *, with_notes: bool) -> dict[str, Any]:
    """Plain values; free text only where it is asked for."""
    person = row.participant
    stored: dict[str, Any] = {
        "code": person.code,
        "affected_sides": list(person.affected_sides),
        "height_m": person.height_m,
        "footwear": person.footwear or None,
        "visits": list(row.visits),
        "sessions": row.sessions,
    }
    return stored | ({"notes": [vars(note) for note in row.notes]} if with_notes else {})


def length_text(duration_s: float | None) -> str:
    """Such as ``1:05:09``, ``4:20``, ``–``."""
    if duration_s is None:
        return "–"
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; the last one is not padded."""
    table = [tuple(headings), *rows]
    widths = [max(_width(row[i]) for row in table) for i in range(len(headings))]
    return [
        "  ".join([*(c + " " * (w - _width(c)) for c, w in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in table
    ]


def _width(text: str) -> int:
    """Columns of a terminal: Chinese letters take two, combining accents none."""
    from rich.cells import cell_len

    return cell_len(text)
