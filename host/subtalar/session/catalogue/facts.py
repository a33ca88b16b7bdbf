"""What the catalogue says of a session, read from its ends alone: an hour's recording takes milliseconds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mcap.reader import make_reader

from subtalar.session.catalogue.assignment import Assignment, assignment_in
from subtalar.session.model import Session
from subtalar.session.recording.format.schema import TOTALS_TOPIC, message_class
from subtalar.session.recording.read.item_stream import open_file, read_header
from subtalar.types import BodySite

SessionState = Literal["open", "closed", "salvaged", "missing"]
"""``open``: without its end, because it is still being recorded or its program was killed."""


@dataclass(frozen=True)
class SessionFacts:
    """``start_utc`` ISO 8601 in UTC, "" where not known; ``sensors`` are sites; None: not known."""

    start_utc: str = ""
    duration_s: float | None = None
    strides: int | None = None
    sensors: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For a small file."""
        return asdict(self)


def facts_from_json(stored: object) -> SessionFacts:
    """``SessionFacts`` of decoded JSON; what is not as it should be counts as not known."""
    if not isinstance(stored, Mapping):
        return SessionFacts()
    duration, strides, sensors = stored.get("duration_s"), stored.get("strides"), stored.get("sensors")
    return SessionFacts(
        _utc_text(stored.get("start_utc")),
        float(duration) if isinstance(duration, int | float) else None,
        strides if isinstance(strides, int) else None,
        tuple(s for s in sensors if s in list(BodySite)) if isinstance(sensors, list) else (),
    )


def facts_of(session: Session) -> SessionFacts:
    """Of a session of any kind that has been opened."""
    start = "" if session.start_utc is None else session.start_utc.astimezone(UTC).isoformat()
    return SessionFacts(start, session.duration_s, session.strides, tuple(site.value for site in session.sensors))


def recording_facts(path: Path) -> tuple[SessionFacts, Assignment, bool]:
    """Facts of a recording of ours, what its header says it is about, and whether it was closed in order.

    Duration and strides are None where it was not, or is damaged. Raises InputError where it is no recording.
    """
    header = read_header(path)
    start_utc = header.start_utc.astimezone(UTC).isoformat()
    sensors = tuple(site.value for site in header.sensors)
    assignment = assignment_in(header.configuration)
    totals = _totals(path)
    if totals is None:
        return SessionFacts(start_utc, sensors=sensors), assignment, False
    return SessionFacts(start_utc, totals[0], totals[1], sensors), assignment, True


def _totals(path: Path) -> tuple[float, int] | None:
    """Duration and strides that the last message of a closed recording tells."""
    with open_file(path) as file:
        try:
            messages = make_reader(file, validate_crcs=True).iter_messages(topics=[TOTALS_TOPIC], reverse=True)
            totals = message_class("Totals").FromString(next(messages)[2].data)
        except Exception:  # damaged bytes make the decoders fail in every way there is
            return None
    return max(0.0, totals.last_arrival_s - totals.first_arrival_s), int(totals.strides)


def _utc_text(stored: object) -> str:
    try:
        return datetime.fromisoformat(str(stored)).astimezone(UTC).isoformat() if stored else ""
    except ValueError:
        return ""
