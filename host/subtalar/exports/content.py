"""What an export holds beside samples and angles: who made it, the sensors, strides, events."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from subtalar import __version__
from subtalar.anatomy import ANKLE_NAMES, measured_sides, only_segment
from subtalar.session.catalogue import UNASSIGNED, Assignment
from subtalar.session.model import Annotation, Session
from subtalar.types import GaitEvent, Notice, SensorInfo, Side, Stride

NO_TEXT: Final = ""


@dataclass(frozen=True)
class Event:
    """A row of the table of events; ``detected_s`` NaN for what is no gait event. Columns: ``columns.EVENTS``."""

    time_s: float
    duration_s: float
    event: str
    side: str
    label: str
    code: str
    detected_s: float


@dataclass(frozen=True)
class GaitResults:
    """What is known at the end: strides of both legs by initial contact, events by time."""

    strides: tuple[Stride, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Options:
    """What a person chose. ``participant`` and ``task`` go into names where the format has names for them.

    ``whose``: what the catalogue knows of the session; ``participant`` has precedence.
    """

    smooth: bool = False
    participant: str | None = None
    task: str | None = None
    assignment: Assignment = UNASSIGNED


def gait_results(
    strides: Sequence[Stride], events: Sequence[GaitEvent], notices: Sequence[Notice], markers: Sequence[Annotation]
) -> GaitResults:
    """Everything in order of time."""
    rows = [Event(e.time_s, 0.0, e.kind, e.side, NO_TEXT, NO_TEXT, e.detected_s) for e in events]
    rows += [Event(m.start_s, m.end_s - m.start_s, "marker", "", m.label, NO_TEXT, math.nan) for m in markers]
    rows += [Event(n.time_s, 0.0, "notice", n.side or "", n.text, n.code, math.nan) for n in notices]
    return GaitResults(
        tuple(sorted(strides, key=lambda s: (s.initial_contact_s, s.side))),
        tuple(sorted(rows, key=lambda e: (e.time_s, e.event, e.side))),
    )


def session_header(session: Session, options: Options) -> dict[str, Any]:
    """The session's header as JSON values. A sensor's address stays out: nobody needs it to use the numbers."""
    return {
        "software": "subtalar",
        "software_version": __version__,
        "session": session_stem(session),
        "session_kind": session.kind,
        "start_utc": None if session.start_utc is None else session.start_utc.isoformat(),
        "duration_s": session.duration_s,
        "pass": "smoothed" if options.smooth else "live",
        "about": options.assignment.as_json(),
        "sensors": {site.value: _sensor(info) for site, info in session.sensors.items()},
        "ledger": {site.value: asdict(ledger) for site, ledger in session.ledger.items()},
        "annotations": [asdict(a) for a in session.annotations],
        "notes": list(session.notes),
        "conventions": {
            "angles": f"Cardan Z-X'-Y'' of the foot relative to the shank (ISB): {', '.join(ANKLE_NAMES)}; "
            "the same signs on both legs: + toes up, + sole to the midline, + tibia internally",
            "zero": "the subject's own quiet standing",
            "time": "seconds on the session clock, 0 at start_utc where that is known",
            "quaternions": "scalar first (w, x, y, z)",
        },
    }


def session_stem(session: Session) -> str:
    """The session's name without the ending of a recording."""
    path = session.path.resolve()
    return (path.stem if path.suffix == ".mcap" else path.name) or "session"


def sides_with_ankle(session: Session) -> tuple[Side, ...]:
    """The legs with both sensors."""
    sites = session.sensors
    return tuple(side for side in measured_sides(sites) if only_segment(sites, side) is None)


def angle_rate_hz(session: Session, side: Side) -> float:
    """Nominal rate of a side's angles: that of the foot, or of the leg's only sensor."""
    infos = {site.segment: info for site, info in session.sensors.items() if site.side == side}
    return (infos.get("foot") or infos["shank"]).rate_hz


def _sensor(info: SensorInfo) -> dict[str, Any]:
    return {
        "model": info.model,
        "rate_hz": info.rate_hz,
        "acc_range_m_s2": info.acc_range_m_s2,
        "gyr_range_rad_s": info.gyr_range_rad_s,
    }
