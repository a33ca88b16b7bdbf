"""A raw session folder: ``session.json`` and one CSV a sensor (``docs/recording-format.md``)."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from subtalar.errors import InputError
from subtalar.session import checks
from subtalar.session.importing.sample_rows import read_rows
from subtalar.session.importing.sensor_clocks import SensorClocks, mend_clocks
from subtalar.session.importing.session_builder import ImportedSensor, build_session, sensor_with_arrivals
from subtalar.session.importing.spec_file import read_json_object
from subtalar.session.importing.table import read_table
from subtalar.session.importing.units import check_axes, check_units
from subtalar.session.model import Annotation, Session
from subtalar.types import BodySite, FloatArray, SensorInfo

FILE_NAME = "session.json"
FORMAT = "subtalar-raw-session"
VERSION = 1
ACC_COLUMNS = ("acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2")
GYR_COLUMNS = ("gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s")


def open_raw_folder(folder: Path, minimum_s: float) -> Session:
    """Read a raw session folder whole. Raises InputError for everything that is wrong with it."""
    where = f"{folder.name}/{FILE_NAME}"
    spec = read_json_object(folder / FILE_NAME, where)
    if spec.get("format") != FORMAT:
        raise InputError(f'{where} does not describe a raw session: "format" must be "{FORMAT}".')
    version = spec.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f'{where}: "version" must be {VERSION}.')
    if version > VERSION:
        raise InputError(
            f"{where} is of version {version} and this software knows versions up to {VERSION}: update subtalar."
        )
    sensors = _read_sensor_list(where, spec.get("sensors"))
    checks.check_sites(where, sensors)
    read = {site: _read_sensor(folder, where, site, entry) for site, entry in sensors.items()}
    clocks = mend_clocks({site: r.clocks for site, r in read.items()}, shared=False)
    return build_session(
        folder,
        "raw_folder",
        [_sensor(r, clocks[site]) for site, r in read.items()],
        annotations=_read_annotations(where, spec.get("annotations", [])),
        start_utc=_read_start(where, spec.get("start_utc")),
        minimum_s=minimum_s,
        notes=tuple(note for site, r in read.items() for note in (*r.notes, *clocks[site].notes)),
    )


@dataclass(frozen=True)
class _SensorTable:
    info: SensorInfo
    path: Path
    clocks: SensorClocks
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    notes: tuple[str, ...]


def _sensor(r: _SensorTable, clocks: SensorClocks) -> ImportedSensor:
    return sensor_with_arrivals(
        clocks.name, r.info, clocks.device_time_s, clocks.host_time_s, r.acc_m_s2, r.gyr_rad_s, files=(r.path,)
    )


def _read_sensor_list(where: str, value: object) -> dict[BodySite, Mapping[str, Any]]:
    if not isinstance(value, dict):
        raise InputError(f'{where}: "sensors" must be an object with keys such as {", ".join(BodySite)}.')
    sensors: dict[BodySite, Mapping[str, Any]] = {}
    files: dict[str, str] = {}
    for key, entry in value.items():
        if key not in set(BodySite):
            raise InputError(f'{where}: unknown sensor "{key}": known are {", ".join(BodySite)}.')
        file = entry.get("file") if isinstance(entry, dict) else None
        if not isinstance(file, str) or not file:
            raise InputError(f'{where}: sensor "{key}" must name its "file".')
        if file in files:
            raise InputError(f'{where}: "{files[file]}" and "{key}" name the same file {file}: give each its own.')
        files[file] = key
        sensors[BodySite(key)] = entry
    return sensors


def _read_sensor(folder: Path, where: str, site: BodySite, entry: Mapping[str, Any]) -> _SensorTable:
    name = f"{folder.name}/{entry['file']}"
    info = SensorInfo(
        site,
        rate_hz=_positive(where, site, entry, "rate_hz"),
        acc_range_m_s2=_positive(where, site, entry, "acc_range_m_s2")
        if entry.get("acc_range_m_s2") is not None
        else None,
        gyr_range_rad_s=_positive(where, site, entry, "gyr_range_rad_s")
        if entry.get("gyr_range_rad_s") is not None
        else None,
        model=_text(where, site, entry, "model"),
        address=_text(where, site, entry, "address"),
    )
    path = folder / entry["file"]
    if not path.is_file():
        raise InputError(
            f"{where} names {entry['file']} for {site}, but there is no such file in {folder.name}: "
            "copy it there or take the sensor out."
        )
    table = read_table(path, delimiter=None)
    times = [c for c in ("device_time_s", "host_time_s") if table.has(c)]
    if not times:
        raise InputError(f"{name} has neither device_time_s nor host_time_s: one of the two is needed.")
    rows = read_rows(table, [*times, *ACC_COLUMNS, *GYR_COLUMNS], times=times)
    values = rows.values
    device = np.ascontiguousarray(values[:, 0]) if times[0] == "device_time_s" else None
    host = np.ascontiguousarray(values[:, len(times) - 1]) if times[-1] == "host_time_s" else None
    acc, gyr = (np.ascontiguousarray(values[:, a : a + 3]) for a in (len(times), len(times) + 3))
    check_axes(name, acc, gyr, [*ACC_COLUMNS, *GYR_COLUMNS])
    check_units(name, acc, gyr)
    return _SensorTable(info, path, SensorClocks(name, device, host), acc, gyr, rows.notes)


def _text(where: str, site: BodySite, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise InputError(f'{where}: "{key}" of {site} must be a text in quotes; correct it or take it out.')
    return value or ""


def _positive(where: str, site: BodySite, entry: Mapping[str, Any], key: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e100:
        raise InputError(f'{where}: "{key}" of {site} must be a number above zero, not {json.dumps(value)[:40]}.')
    return float(value)


def _read_annotations(where: str, value: object) -> tuple[Annotation, ...]:
    if not isinstance(value, list):
        raise InputError(f'{where}: "annotations" must be a list.')
    found = []
    for number, entry in enumerate(value, start=1):
        try:
            label, start_s, end_s = entry["label"], float(entry["start_s"]), float(entry["end_s"])
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise InputError(f'{where}: annotation {number} needs "label", "start_s" and "end_s" (seconds).') from error
        if not isinstance(label, str) or not -math.inf < start_s < end_s < math.inf:
            raise InputError(
                f"{where}: annotation {number} must have a text as label and end after it starts; correct it or take "
                "it out."
            )
        found.append(Annotation(label, start_s, end_s))
    return tuple(found)


def _read_start(where: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        start = datetime.fromisoformat(str(value))
        return start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the second: the year 0 or 10000 once it is in UTC
        raise InputError(f'{where}: "start_utc" must look like 2026-05-14T09:30:00+00:00.') from error
