"""What a mapping file ``import.toml`` or ``import.json`` may say, checked (docs/import.md)."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtalar.errors import InputError
from subtalar.session.importing.table import TextTable, split_table
from subtalar.types import BodySite

FORMAT = "subtalar-described-csv"
VERSION = 1

ACC_SPELLINGS = {"m/s2": "m/s²", "m/s^2": "m/s²", "m/s²": "m/s²", "g": "g", "mg": "milli-g", "milli-g": "milli-g"}
GYR_SPELLINGS = {
    "rad/s": "rad/s",
    "deg/s": "deg/s",
    "°/s": "deg/s",
    "dps": "deg/s",
    "mdeg/s": "milli-deg/s",
    "milli-deg/s": "milli-deg/s",
}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_TIME_UNITS = ("s", "ms", "us", "µs", "ns", "samples")
_TICK = re.compile(rf"(\d+(?:\.\d+)?)?\s*({'|'.join(_SECONDS)})", re.ASCII)
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
    "counter",
    "rate_hz",
    "acc",
    "gyr",
    "acc_range_m_s2",
    "gyr_range_rad_s",
    "model",
    "address",
)


@dataclass(frozen=True)
class MappedSensor:
    """One entry of the mapping, checked; ``where`` names it in sentences."""

    where: str
    site: BodySite
    entry: Mapping[str, Any]

    def fail(self, text: str) -> InputError:
        """An error that begins with where in the mapping it is."""
        return InputError(f"{self.where}: {text}")


def check_top(where: str, spec: Mapping[str, Any]) -> None:
    """Raise InputError where a mapping is of another kind or version, or lacks its sensors."""
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


def mapped_sensors(where: str, spec: Mapping[str, Any]) -> Iterator[MappedSensor]:
    """The sensors of a mapping, with what holds for all of them. Raises InputError where one cannot be."""
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
        yield MappedSensor(f"{where}, {key}", BodySite(key), {**defaults, **entry})


def _check_keys(where: str, entry: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [k for k in entry if k not in known]
    if unknown:
        raise InputError(f'{where}: unknown key "{unknown[0]}": known are {", ".join(known)}.')


@dataclass(frozen=True)
class MappedColumns:
    """Three columns; ``unit`` None where the mapping does not say; ``file`` and ``time`` where they stand apart."""

    names: tuple[str, str, str]
    unit: str | None
    file: str
    time: "MappedClock | None"


@dataclass(frozen=True)
class MappedClock:
    """A column of times; ``unit_s`` what one of it is in s (None: a sample, or not said), ``wraps_at`` its modulus."""

    column: str
    unit_s: float | None
    samples: bool
    wraps_at: int | None


def mapped_columns(sensor: MappedSensor, key: str, spellings: Mapping[str, str]) -> MappedColumns:
    """What ``acc`` or ``gyr`` says. Raises InputError where it cannot be."""
    entry = sensor.entry.get(key)
    example = f'{key} = {{ columns = ["x", "y", "z"], unit = "{next(iter(spellings))}" }}'
    if not isinstance(entry, dict):
        raise sensor.fail(f'"{key}" is missing: write {example}.')
    _check_keys(f"{sensor.where}, {key}", entry, ("columns", "unit", "file", "time"))
    columns = entry.get("columns")
    if not isinstance(columns, list) or len(columns) != 3 or not all(_is_name(c) for c in columns):
        raise sensor.fail(f'"{key}" must name three columns, x, y and z: {example}.')
    unit = entry.get("unit")
    if unit is not None and (not isinstance(unit, str) or unit not in spellings):
        raise no_unit(sensor, key, spellings)
    file = entry.get("file", "")
    if not isinstance(file, str) or "\0" in file:
        raise sensor.fail(f'"file" of "{key}" must be a text in quotes.')
    x, y, z = (str(c).strip() for c in columns)
    time = mapped_clock(sensor, "time", entry["time"]) if "time" in entry else None
    if time is not None and not file:
        raise sensor.fail(f'"time" of "{key}" belongs to a file of its own: add its "file".')
    return MappedColumns((x, y, z), None if unit is None else spellings[unit], file, time)


def no_unit(sensor: MappedSensor, key: str, spellings: Mapping[str, str]) -> InputError:
    """Neither the mapping nor the table says in what unit the columns are."""
    return sensor.fail(f'the unit of "{key}" must be one of {", ".join(spellings)}.')


def no_time_unit(sensor: MappedSensor, key: str) -> InputError:
    """Neither the mapping nor the table says in what unit the time is, and it is not written as a date or an hour."""
    return sensor.fail(
        f'the unit of "{key}" must be one of {", ".join(_TIME_UNITS)}, or how long a tick is, such as "0.1ms" or 1e-4.'
    )


def mapped_clock(sensor: MappedSensor, key: str, entry: object) -> MappedClock:
    """What ``time`` or ``arrival`` says. Raises InputError where it cannot be."""
    example = f'{key} = {{ column = "t", unit = "ms" }}'
    if not isinstance(entry, dict) or not _is_name(entry.get("column")):
        raise sensor.fail(f'"{key}" must name a column and its unit: {example}.')
    _check_keys(f"{sensor.where}, {key}", entry, ("column", "unit", "wraps_at"))
    unit = entry.get("unit", "samples" if key == "counter" else None)
    unit_s = None if unit is None or unit == "samples" else tick_s(unit)
    if unit is not None and unit != "samples" and unit_s is None:
        raise no_time_unit(sensor, key)
    wraps_at = entry.get("wraps_at")
    if wraps_at is not None and (
        not isinstance(wraps_at, int) or isinstance(wraps_at, bool) or not 2 <= wraps_at <= 2**53
    ):
        raise sensor.fail(f'"wraps_at" of "{key}" must be the number at which the counter begins anew, such as 65536.')
    return MappedClock(str(entry["column"]).strip(), unit_s, unit == "samples", wraps_at)


def tick_s(unit: object) -> float | None:
    """A unit of time in s: ``ms``, ``0.1ms``, ``100 us``, or seconds as a number; None where it is none."""
    if isinstance(unit, int | float) and not isinstance(unit, bool):
        return float(unit) if 1e-12 <= unit <= 1e6 and math.isfinite(unit) else None
    match = _TICK.fullmatch(unit.strip()) if isinstance(unit, str) else None
    value = float(match[1] or 1.0) * _SECONDS[match[2]] if match else 0.0
    return value if 1e-12 <= value <= 1e6 else None


def _is_name(value: object) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (isinstance(value, int) and not isinstance(value, bool))


def text_of(sensor: MappedSensor, key: str, *, needed: bool = False) -> str:
    """A text of the mapping; empty where there is none. Raises InputError where it is none."""
    value = sensor.entry.get(key, "")
    if not isinstance(value, str) or (needed and not value) or "\0" in value:
        raise sensor.fail(f'"{key}" must be a text in quotes{"" if needed else "; correct it or take it out"}.')
    return value


def positive_of(sensor: MappedSensor, key: str) -> float | None:
    """A number of the mapping above zero; None where there is none. Raises InputError where it is another."""
    value = sensor.entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e100:
        raise sensor.fail(f'"{key}" must be a number above zero.')
    return float(value)


def mapped_table(path: Path, sensor: MappedSensor, tables: dict[tuple[object, ...], TextTable]) -> TextTable:
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
