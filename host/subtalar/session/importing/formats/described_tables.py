"""A table of any program, described by a mapping file ``import.toml`` or ``import.json`` (docs/import.md)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from subtalar.errors import InputError
from subtalar.session import checks
from subtalar.session.importing.common_clock import STARTED_TOGETHER_NOTE, to_common_clock
from subtalar.session.importing.device_clock import unwrap
from subtalar.session.importing.session_builder import (
    ImportedSensor,
    build_session,
    measured_rate,
    sensor_on_common_clock,
    sensor_with_arrivals,
)
from subtalar.session.importing.spec_file import read_json_object, read_toml
from subtalar.session.importing.table import TextTable, split_table
from subtalar.session.importing.units import ACC_UNITS, GYR_UNITS, Quantity, check_axes, check_units
from subtalar.session.model import Session
from subtalar.types import BodySite, FloatArray, SensorInfo

FILE_NAMES = ("import.toml", "import.json")
FORMAT = "subtalar-described-csv"
VERSION = 1

_ACC_SPELLINGS = {"m/s2": "m/s²", "m/s^2": "m/s²", "m/s²": "m/s²", "g": "g", "mg": "milli-g", "milli-g": "milli-g"}
_GYR_SPELLINGS = {
    "rad/s": "rad/s",
    "deg/s": "deg/s",
    "°/s": "deg/s",
    "dps": "deg/s",
    "mdeg/s": "milli-deg/s",
    "milli-deg/s": "milli-deg/s",
}
_TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "samples": None}
_DELIMITERS = {",": ",", ";": ";", "tab": "\t", "\t": "\t", "|": "|"}
_CLOCKS = ("shared", "started_together")
_TOP_KEYS = ("format", "version", "clocks", "defaults", "sensors")
_SENSOR_KEYS = (
    "file",
    "delimiter",
    "decimal",
    "skip_lines",
    "header",
    "time",
    "arrival",
    "rate_hz",
    "acc",
    "gyr",
    "acc_range_m_s2",
    "gyr_range_rad_s",
    "model",
    "address",
)


@dataclass(frozen=True)
class _Sensor:
    """One entry of the mapping, checked; ``where`` names it in sentences."""

    where: str
    site: BodySite
    entry: Mapping[str, Any]

    def fail(self, text: str) -> InputError:
        return InputError(f"{self.where}: {text}")


def is_mapping(path: Path) -> bool:
    """Whether the file is meant as a mapping: by its name, or by its format where the name is another."""
    if path.suffix.lower() not in (".toml", ".json"):
        return False
    if path.name in FILE_NAMES:
        return True
    try:
        with path.open("rb") as file:
            return FORMAT.encode() in file.read(65536)
    except OSError:
        return False


def open_described_tables(path: Path, minimum_s: float) -> Session:
    """Read the tables that a mapping file describes, whole. Raises InputError for everything that is wrong."""
    where = f"{path.parent.name}/{path.name}"
    spec = read_toml(path, where) if path.suffix.lower() == ".toml" else read_json_object(path, where)
    _check_top(where, spec)
    sensors = list(_sensors(where, spec))
    checks.check_sites(where, [s.site for s in sensors])
    tables: dict[tuple[object, ...], TextTable] = {}
    read = {sensor.site: _read(path.parent, sensor, tables) for sensor in sensors}
    notes: list[str] = []
    on_clock: Mapping[BodySite, FloatArray] = {}
    own = {site: r.time_s for site, r in read.items() if r.time_s is not None and r.arrival_s is None}
    if own:
        shared = spec.get("clocks", "shared") == "shared"
        on_clock = to_common_clock(path.parent.name, own, shared=shared)
        if not shared and len(own) > 1:
            notes.append(STARTED_TOGETHER_NOTE)
    made = [_sensor(r, on_clock.get(site)) for site, r in read.items()]
    notes.extend(note for r in read.values() for note in r.notes)
    return build_session(path.parent, "described_csv", made, minimum_s=minimum_s, notes=tuple(notes))


@dataclass(frozen=True)
class _SensorTable:
    sensor: _Sensor
    path: Path
    name: str
    info: SensorInfo
    time_s: FloatArray | None
    arrival_s: FloatArray | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    columns: tuple[str, str]
    notes: tuple[str, ...]


def _sensor(r: _SensorTable, on_clock_s: FloatArray | None) -> ImportedSensor:
    if on_clock_s is not None:
        return sensor_on_common_clock(
            r.name, r.info, on_clock_s, r.acc_m_s2, r.gyr_rad_s, column=r.columns[0], files=(r.path,)
        )
    return sensor_with_arrivals(
        r.name, r.info, r.time_s, r.arrival_s, r.acc_m_s2, r.gyr_rad_s, columns=r.columns, files=(r.path,)
    )


def _check_top(where: str, spec: Mapping[str, Any]) -> None:
    if spec.get("format") != FORMAT:
        raise InputError(f'{where} does not describe tables: it must say format = "{FORMAT}" (docs/import.md).')
    version = spec.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f'{where}: "version" must be {VERSION}.')
    if version > VERSION:
        raise InputError(
            f"{where} is of version {version} and this software knows versions up to {VERSION}: update subtalar."
        )
    _check_keys(where, spec, _TOP_KEYS)
    if spec.get("clocks", "shared") not in _CLOCKS:
        raise InputError(f'{where}: "clocks" must be "{_CLOCKS[0]}" or "{_CLOCKS[1]}".')
    if not isinstance(spec.get("sensors"), dict):
        raise InputError(f'{where}: "sensors" must hold a table for each sensor, such as [sensors.right_foot].')


def _sensors(where: str, spec: Mapping[str, Any]) -> Iterator[_Sensor]:
    defaults = spec.get("defaults", {})
    if not isinstance(defaults, dict):
        raise InputError(f'{where}: "defaults" must be a table of keys that all sensors share.')
    _check_keys(f"{where}, defaults", defaults, _SENSOR_KEYS)
    for key, entry in spec["sensors"].items():
        if key not in set(BodySite):
            raise InputError(f'{where}: unknown sensor "{key}": known are {", ".join(BodySite)}.')
        if not isinstance(entry, dict):
            raise InputError(f'{where}: "{key}" must be a table of keys, such as file, acc and gyr.')
        _check_keys(f"{where}, {key}", entry, _SENSOR_KEYS)
        yield _Sensor(f"{where}, {key}", BodySite(key), {**defaults, **entry})


def _check_keys(where: str, entry: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [k for k in entry if k not in known]
    if unknown:
        raise InputError(f'{where}: unknown key "{unknown[0]}": known are {", ".join(known)}.')


def _read(folder: Path, sensor: _Sensor, tables: dict[tuple[object, ...], TextTable]) -> _SensorTable:
    path = folder / _text(sensor, "file", needed=True)
    if not path.is_file():
        raise sensor.fail(
            f"there is no file {sensor.entry['file']} in {folder.name}: copy it there or correct its name."
        )
    table = _table(path, sensor, tables)
    acc_columns, acc_unit = _columns(sensor, "acc", _ACC_SPELLINGS)
    gyr_columns, gyr_unit = _columns(sensor, "gyr", _GYR_SPELLINGS)
    clocks = {key: _clock(sensor, key) for key in ("time", "arrival") if key in sensor.entry}
    names = [*acc_columns, *gyr_columns, *(column for column, _, _ in clocks.values())]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise sensor.fail(f"column {repeated[0]} is named twice: give each quantity its own.")
    missing = [n for n in names if not table.has(n)]
    if missing:
        raise sensor.fail(
            f"{path.name} has no column {missing[0]}: it has {', '.join(c for c in table.columns if c)[:300]}; correct "
            "the name, or delimiter and skip_lines."
        )
    numbers = table.numbers(names)
    name = f"{folder.name}/{path.name}"
    acc = numbers[:, :3] * ACC_UNITS[acc_unit]
    gyr = numbers[:, 3:6] * GYR_UNITS[gyr_unit]
    check_axes(name, acc, gyr, names[:6])
    check_units(name, acc, gyr, acc_unit=acc_unit, gyr_unit=gyr_unit, remedy=_mapping_remedy)
    rate_hz = _positive(sensor, "rate_hz")
    times: dict[str, FloatArray] = {}
    for k, (key, (column, unit_s, wraps_at)) in enumerate(clocks.items()):
        values = np.ascontiguousarray(numbers[:, 6 + k])
        if wraps_at is not None:
            values = unwrap(name, column, values, wraps_at, wraps_at // 2)
        if unit_s is None:
            if rate_hz is None:
                raise sensor.fail('a time in "samples" needs rate_hz, how many of them a second has.')
            unit_s = 1.0 / rate_hz
        times[key] = values * unit_s
    notes: tuple[str, ...] = ()
    time_s, arrival_s = times.get("time"), times.get("arrival")
    if time_s is None and arrival_s is None:
        if rate_hz is None:
            raise sensor.fail('neither a "time" column nor "rate_hz" is given: one of the two is needed.')
        time_s = np.arange(len(numbers)) / rate_hz
        notes = (f"{name}: the table has no time; samples that were lost cannot be seen in it.",)
    if rate_hz is None:
        if time_s is None:
            raise sensor.fail('"arrival" alone does not tell the rate of the sensor: add rate_hz.')
        rate_hz = _measured(sensor, clocks["time"][0], time_s)
    info = SensorInfo(
        sensor.site,
        rate_hz,
        _positive(sensor, "acc_range_m_s2"),
        _positive(sensor, "gyr_range_rad_s"),
        _text(sensor, "model"),
        _text(sensor, "address"),
    )
    columns = tuple(clocks[key][0] if key in clocks else key for key in ("time", "arrival"))
    return _SensorTable(sensor, path, name, info, time_s, arrival_s, acc, gyr, (columns[0], columns[1]), notes)


def _measured(sensor: _Sensor, column: str, time_s: FloatArray) -> float:
    measured = measured_rate(time_s)
    if measured is None or not 5.0 <= measured <= 10_000.0:
        raise sensor.fail(
            f"column {column} advances like {measured or 0.0:.4g} Hz, which is no rate of such a sensor: correct its "
            '"unit" (s, ms, us, ns or samples), or add rate_hz.'
        )
    nice = round(measured)
    return float(nice) if abs(measured / nice - 1.0) < 0.005 else measured


def _table(path: Path, sensor: _Sensor, tables: dict[tuple[object, ...], TextTable]) -> TextTable:
    """Read each file once, however many sensors are in it."""
    delimiter = sensor.entry.get("delimiter", ",")
    if not isinstance(delimiter, str) or delimiter not in _DELIMITERS:
        raise sensor.fail(
            f'delimiter must be "," or ";" or "tab" or "|", not {json.dumps(delimiter, default=str)[:40]}.'
        )
    decimal = sensor.entry.get("decimal", ".")
    if decimal not in (".", ",") or decimal == delimiter:
        raise sensor.fail('decimal must be "." or ",", and another sign than the delimiter.')
    skip = sensor.entry.get("skip_lines", 0)
    if not isinstance(skip, int) or isinstance(skip, bool) or not 0 <= skip <= 10_000:
        raise sensor.fail("skip_lines must be how many lines stand above the header, such as 3.")
    header = sensor.entry.get("header", True)
    if not isinstance(header, bool):
        raise sensor.fail("header must be true or false.")
    sign = _DELIMITERS[delimiter]
    key = (path, sign, decimal, skip, header)
    if key not in tables:
        tables[key] = split_table(path, delimiter=sign, decimal=decimal, skip_lines=skip, has_header=header)
    return tables[key]


def _columns(sensor: _Sensor, key: str, spellings: Mapping[str, str]) -> tuple[list[str], str]:
    entry = sensor.entry.get(key)
    example = f'{key} = {{ columns = ["x", "y", "z"], unit = "{next(iter(spellings))}" }}'
    if not isinstance(entry, dict):
        raise sensor.fail(f'"{key}" is missing: write {example}.')
    _check_keys(f"{sensor.where}, {key}", entry, ("columns", "unit"))
    columns = entry.get("columns")
    if not isinstance(columns, list) or len(columns) != 3 or not all(_is_name(c) for c in columns):
        raise sensor.fail(f'"{key}" must name three columns, x, y and z: {example}.')
    unit = entry.get("unit")
    if not isinstance(unit, str) or unit not in spellings:
        raise sensor.fail(f'the unit of "{key}" must be one of {", ".join(spellings)}.')
    return [str(c).strip() for c in columns], spellings[unit]


def _clock(sensor: _Sensor, key: str) -> tuple[str, float | None, int | None]:
    """Column, what one of it is in s (None: a sample), and where the counter begins anew."""
    entry = sensor.entry[key]
    example = f'{key} = {{ column = "t", unit = "ms" }}'
    if not isinstance(entry, dict) or not _is_name(entry.get("column")):
        raise sensor.fail(f'"{key}" must name a column and its unit: {example}.')
    _check_keys(f"{sensor.where}, {key}", entry, ("column", "unit", "wraps_at"))
    unit = entry.get("unit")
    if not isinstance(unit, str) or unit not in _TIME_UNITS:
        raise sensor.fail(f'the unit of "{key}" must be one of {", ".join(_TIME_UNITS)}.')
    wraps_at = entry.get("wraps_at")
    if wraps_at is not None and (
        not isinstance(wraps_at, int) or isinstance(wraps_at, bool) or not 2 <= wraps_at <= 2**53
    ):
        raise sensor.fail(f'"wraps_at" of "{key}" must be the number at which the counter begins anew, such as 65536.')
    return str(entry["column"]).strip(), _TIME_UNITS[unit], wraps_at


def _is_name(value: object) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (isinstance(value, int) and not isinstance(value, bool))


def _text(sensor: _Sensor, key: str, *, needed: bool = False) -> str:
    value = sensor.entry.get(key, "")
    if not isinstance(value, str) or (needed and not value) or "\0" in value:
        raise sensor.fail(f'"{key}" must be a text in quotes{"" if needed else "; correct it or take it out"}.')
    return value


def _positive(sensor: _Sensor, key: str) -> float | None:
    value = sensor.entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e100:
        raise sensor.fail(f'"{key}" must be a number above zero.')
    return float(value)


def _mapping_remedy(quantity: Quantity, unit: str, factor: float) -> str:
    key, spellings = ("acc", _ACC_SPELLINGS) if quantity == "acceleration" else ("gyr", _GYR_SPELLINGS)
    spelling = next(s for s, u in spellings.items() if u == unit)
    return f'Then write unit = "{spelling}" for {key} in the mapping'
