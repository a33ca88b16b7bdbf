"""What there is to tell about a session, as plain values for a terminal or JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtalar.session.model import MINIMUM_DURATION_S, Session
from subtalar.session.opening import is_recording, open_session
from subtalar.session.recording.repair.verify import VerifyReport, verify_recording

if TYPE_CHECKING:
    from subtalar.session.catalogue.sidecar_files import Note


def session_info(path: str | Path) -> dict[str, Any]:
    """Facts about a session of any kind and any length; every value is JSON.

    ``strides`` is None where nobody has analysed the session, and a note says so. Raises InputError.
    """
    session = open_session(path, minimum_s=0.0)
    notes = list(session.notes)
    if session.duration_s < MINIMUM_DURATION_S:
        notes.append(f"Too short to analyse: at least {MINIMUM_DURATION_S:.0f} s are needed.")
    elif session.strides is None:
        notes.append("Strides are not known yet: run 'subtalar analyze' on this session.")
    return {
        "path": str(session.path),
        "kind": session.kind,
        "start_utc": None if session.start_utc is None else session.start_utc.isoformat(),
        "duration_s": session.duration_s,
        "samples": session.sample_count,
        "closed": session.closed,
        "sensors": {
            site.value: {
                "rate_hz": info.rate_hz,
                "acc_range_m_s2": info.acc_range_m_s2,
                "gyr_range_rad_s": info.gyr_range_rad_s,
                "model": info.model,
                "address": info.address,
            }
            for site, info in session.sensors.items()
        },
        "annotations": [asdict(a) for a in session.annotations],
        "strides": session.strides,
        "ledger": {site.value: asdict(ledger) for site, ledger in session.ledger.items()},
        "recording_id": session.recording_id,
        "origin": dict(session.origin),
        "software_version": session.software_version,
        "configuration": dict(session.configuration),
        "written_notes": [asdict(note) for note in _written_notes(session.path)],
        "notes": notes,
    }


def verify(path: str | Path) -> VerifyReport:
    """Check a session of any kind: a recording byte by byte, an imported one by reading it whole. Raises InputError."""
    path = Path(path).expanduser()
    return verify_recording(path) if is_recording(path) else _imported_report(open_session(path, minimum_s=0.0))


def _imported_report(session: Session) -> VerifyReport:
    text = f"{session.path.name} can be read whole: {session.duration_s:.1f} s with {session.sample_count} samples."
    return VerifyReport(
        session.path, "ok", session.duration_s, session.sample_count, 0, 0, 0, " ".join((text, *session.notes))
    )


def _written_notes(path: Path) -> "list[Note]":
    """What people wrote about the session afterwards."""
    from subtalar.session.catalogue.layout import NOTES_SUFFIX, companion_path
    from subtalar.session.catalogue.sidecar_files import read_notes

    return read_notes(companion_path(path, NOTES_SUFFIX))[0]
