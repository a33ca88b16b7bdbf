"""The facts of a session in words, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

_KINDS = {
    "recording": "recording",
    "raw_folder": "raw session folder",
    "mt_manager": "MT Manager export",
    "movella_dot": "Movella DOT export",
    "ximu3": "x-IMU3 export",
    "described_csv": "tables described by a mapping",
}


def info_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Lines for a person, of the facts that ``session_info`` gives."""
    yield f"{facts['path']}: {_KINDS[facts['kind']]}, {facts['duration_s']:.1f} s, {facts['samples']} samples"
    if facts["start_utc"]:
        yield f"begun {facts['start_utc']}"
    for site, sensor in facts["sensors"].items():
        ledger = facts["ledger"].get(site, {})
        lost = ledger.get("lost", 0)
        about = "about " if ledger.get("lost_is_estimated") else ""
        fate = "no loss noticed" if about and not lost else f"{about}{lost} samples lost"
        if ledger.get("received") == 0:
            fate = "no samples came"
        model = f" {sensor['model']}" if sensor["model"] else ""
        drift_ppm = ledger.get("clock_drift_ppm")
        clock = "" if drift_ppm is None else f", clock {drift_ppm:+.0f} ppm"
        yield f"  {site.replace('_', ' ')}:{model} {sensor['rate_hz']:g} Hz, {fate}{clock}"
    if facts["strides"] is not None:
        yield f"{facts['strides']} strides were found while recording"
    for note in facts["written_notes"]:
        when = "" if note["at_s"] is None else f" at {note['at_s']:.1f} s"
        yield f"Note{when}: {' '.join(note['text'].split())}"
    yield from facts["notes"]
