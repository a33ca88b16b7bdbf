"""The common end of every import: checked sensors in memory become a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from subtalar.errors import InputError
from subtalar.session import checks
from subtalar.session.importing.device_clock import (
    SortedSamples,
    ledger_from_arrivals,
    running_time,
    sort_by_device_time,
)
from subtalar.session.interleave import SensorTrack, interleave
from subtalar.session.model import Annotation, Session, SessionKind
from subtalar.types import FloatArray, Ledger, SampleBlock, SensorInfo


@dataclass(frozen=True)
class ImportedSensor:
    """One sensor as it was read: its samples, what became of them, and what has to be said about it."""

    info: SensorInfo
    track: SensorTrack
    ledger: Ledger
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def sensor_with_arrivals(
    name: str,
    info: SensorInfo,
    device_time_s: FloatArray | None,
    host_time_s: FloatArray | None,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    *,
    columns: tuple[str, str] = ("device_time_s", "host_time_s"),
    files: tuple[Path, ...] = (),
) -> ImportedSensor:
    """A sensor whose rows carry its own clock, their arrival at a computer, or both (n,), one of them not None.

    ``columns`` are the names of the two times in the file. Raises InputError where the times cannot be.
    """
    device_column, host_column = columns
    if host_time_s is not None:
        checks.check_host_time(name, host_time_s, host_column)
        checks.check_gaps(name, host_column, host_time_s)
    if device_time_s is None:
        if host_time_s is None:
            raise ValueError("a sensor needs a device time or a host time")
        checks.check_arrival_rate(name, host_time_s, info.rate_hz, host_column)
        block = SampleBlock(info.site, None, host_time_s, acc_m_s2, gyr_rad_s)
        ledger = ledger_from_arrivals(host_time_s, info.rate_hz)
        return ImportedSensor(info, SensorTrack(block, host_time_s), ledger, files=files)

    sorted_samples = sort_by_device_time(name, device_time_s, info.rate_hz, device_column)
    checks.check_rate(name, sorted_samples.period_s, info.rate_hz, device_column)
    checks.check_gaps(name, device_column, device_time_s)
    keep = sorted_samples.order
    # A swapped sample is known from the arrival of the later one on.
    host = None if host_time_s is None else np.maximum.accumulate(host_time_s[keep])
    block = SampleBlock(info.site, device_time_s[keep], host, acc_m_s2[keep], gyr_rad_s[keep])
    arrival = running_time(device_time_s[keep], sorted_samples.period_s) if host is None else host
    return ImportedSensor(
        info, SensorTrack(block, arrival), sorted_samples.ledger, _order_notes(name, sorted_samples), files
    )


def sensor_on_common_clock(
    name: str,
    info: SensorInfo,
    time_s: FloatArray,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    *,
    column: str,
    files: tuple[Path, ...] = (),
) -> ImportedSensor:
    """A sensor whose ``time_s`` (n,) is the session clock already. Raises InputError where it cannot be one."""
    sorted_samples = sort_by_device_time(name, time_s, info.rate_hz, column)
    if sorted_samples.restarts:
        raise InputError(
            f"{name}: {column} falls back by more than a second, so the sensor or its program began anew: make a "
            "session of each part."
        )
    checks.check_rate(name, sorted_samples.period_s, info.rate_hz, column)
    checks.check_gaps(name, column, time_s)
    keep = sorted_samples.order
    time = time_s[keep]
    block = SampleBlock(info.site, time, time, acc_m_s2[keep], gyr_rad_s[keep])
    return ImportedSensor(
        info, SensorTrack(block, time), sorted_samples.ledger, _order_notes(name, sorted_samples), files
    )


def measured_rate(time_s: FloatArray) -> float | None:
    """Samples a second (Hz) of a clock (n,), whatever is lost between; None where it does not go on."""
    step = np.diff(time_s)
    step = step[step > 0]
    if not len(step):
        return None
    usual = step[step < 1.5 * np.percentile(step, 40)]
    return float(1.0 / usual.mean())


def _order_notes(name: str, sorted_samples: SortedSamples) -> tuple[str, ...]:
    notes = []
    if sorted_samples.restarts:
        notes.append(f"{name}: the sensor restarted {sorted_samples.restarts} times (its clock fell back).")
    if sorted_samples.swapped:
        notes.append(f"{name}: {sorted_samples.swapped} samples were out of order and have been sorted.")
    if sorted_samples.ledger.duplicated:
        notes.append(f"{name}: {sorted_samples.ledger.duplicated} samples with a repeated time have been left out.")
    return tuple(notes)


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
    checks.check_no_duplicates(path.name, {s.info.site: s.track.samples for s in sensors})
    return Session(
        path=path,
        kind=kind,
        sensors={s.info.site: s.info for s in sensors},
        annotations=annotations,
        duration_s=duration_s,
        sample_count=sum(len(t.samples) for t in tracks),
        ledger={s.info.site: s.ledger for s in sensors},
        start_utc=start_utc,
        notes=(*notes, *(note for s in sensors for note in s.notes), *checks.one_sensor_notes(sites)),
        files=tuple(file for s in sensors for file in s.files),
        _source=lambda block_s: interleave(tracks, block_s),
    )
