"""The common end of every import: checked sensors in memory become a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from subtalar.session import checks
from subtalar.session.interleave import Track, interleave
from subtalar.session.model import Annotation, Session, SessionKind
from subtalar.types import Ledger, SensorInfo


@dataclass(frozen=True)
class ImportedSensor:
    """One sensor as it was read: its samples, what became of them, and what has to be said about it."""

    info: SensorInfo
    track: Track
    ledger: Ledger
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def build_session(
    path: Path,
    kind: SessionKind,
    sensors: Sequence[ImportedSensor],
    *,
    minimum_s: float,
    annotations: tuple[Annotation, ...] = (),
    start_utc: datetime | None = None,
    notes: tuple[str, ...] = (),
) -> Session:
    """Raises InputError where there is no sensor or too little time."""
    sites = [s.info.site for s in sensors]
    checks.check_sites(path.name, sites)
    tracks = [s.track for s in sensors]
    duration_s = float(max(t.arrival_s[-1] for t in tracks) - min(t.arrival_s[0] for t in tracks))
    checks.check_duration(path.name, duration_s, minimum_s)
    checks.check_twins(path.name, {s.info.site: s.track.samples for s in sensors})
    return Session(
        path=path,
        kind=kind,
        sensors={s.info.site: s.info for s in sensors},
        annotations=annotations,
        duration_s=duration_s,
        sample_count=sum(len(t.samples) for t in tracks),
        ledger={s.info.site: s.ledger for s in sensors},
        start_utc=start_utc,
        notes=(*notes, *(note for s in sensors for note in s.notes), *checks.pair_notes(sites)),
        files=tuple(file for s in sensors for file in s.files),
        _source=lambda block_s: interleave(tracks, block_s),
    )
