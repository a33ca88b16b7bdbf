"""A table of any program, described by a mapping file ``import.toml`` or ``import.json`` (docs/import.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.session import checks
from subtalar.session.importing.common_clock import STARTED_TOGETHER_NOTE, to_common_clock
from subtalar.session.importing.device_clock import unwrap
from subtalar.session.importing.formats.described_mapping import (
    ACC_SPELLINGS,
    FORMAT,
    GYR_SPELLINGS,
    MappedClock,
    MappedColumns,
    MappedSensor,
    check_top,
    mapped_clock,
    mapped_columns,
    mapped_sensors,
    mapped_table,
    no_time_unit,
    no_unit,
    positive_of,
    text_of,
    tick_s,
)
from subtalar.session.importing.joined_streams import Stream, join_streams
from subtalar.session.importing.sample_rows import read_rows
from subtalar.session.importing.sensor_clocks import SensorClocks, mend_clocks
from subtalar.session.importing.session_builder import (
    ImportedSensor,
    build_session,
    measured_rate,
    sensor_on_common_clock,
    sensor_with_arrivals,
)
from subtalar.session.importing.spec_file import read_json_object, read_toml
from subtalar.session.importing.table import TextTable
from subtalar.session.importing.units import ACC_UNITS, GYR_UNITS, Quantity, check_axes, check_units
from subtalar.session.importing.written_time import DAY_S
from subtalar.session.model import Session
from subtalar.types import BodySite, FloatArray, IntArray, SensorInfo

FILE_NAMES = ("import.toml", "import.json")
_Tables = dict[tuple[object, ...], TextTable]


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
    check_top(where, spec)
    sensors = list(mapped_sensors(where, spec))
    checks.check_sites(where, [s.site for s in sensors])
    tables: _Tables = {}
    read = {sensor.site: _read(path.parent, sensor, tables) for sensor in sensors}
    shared = spec.get("clocks", "shared") == "shared"
    clocks = mend_clocks({site: r.clocks for site, r in read.items()}, shared=shared)
    notes = list(dict.fromkeys(note for r in read.values() for note in r.left_out))  # sensors may share a table
    on_clock: Mapping[BodySite, FloatArray] = {}
    own = {s: c.device_time_s for s, c in clocks.items() if c.device_time_s is not None and c.host_time_s is None}
    if own:
        wraps_s = DAY_S if all(read[site].of_a_day for site in own) else None
        on_clock = to_common_clock(path.parent.name, own, shared=shared, wraps_s=wraps_s)
        if not shared and len(own) > 1:
            notes.append(STARTED_TOGETHER_NOTE)
    made = [_sensor(r, clocks[site], on_clock.get(site)) for site, r in read.items()]
    for site, r in read.items():
        notes.extend((*r.notes, *clocks[site].notes))
    return build_session(path.parent, "described_csv", made, minimum_s=minimum_s, notes=tuple(notes))


@dataclass(frozen=True)
class _SensorTable:
    """A sensor as read: its clocks are not mended yet; ``of_a_day``: its time has no date.

    ``left_out`` tells of rows that cannot be read, ``notes`` of the rest.
    """

    info: SensorInfo
    files: tuple[Path, ...]
    clocks: SensorClocks
    of_a_day: bool
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Columns:
    """Columns of one table: values (n, k), the rows they are from (n,), times (n,) in s by their key."""

    path: Path
    name: str
    table: TextTable
    values: FloatArray
    index: IntArray
    times_s: Mapping[str, FloatArray]
    of_a_day: bool
    left_out: tuple[str, ...]


def _sensor(r: _SensorTable, clocks: SensorClocks, on_clock_s: FloatArray | None) -> ImportedSensor:
    if on_clock_s is not None:
        return sensor_on_common_clock(
            clocks.name, r.info, on_clock_s, r.acc_m_s2, r.gyr_rad_s, column=clocks.columns[0], files=r.files
        )
    return sensor_with_arrivals(
        clocks.name,
        r.info,
        clocks.device_time_s,
        clocks.host_time_s,
        r.acc_m_s2,
        r.gyr_rad_s,
        columns=clocks.columns,
        files=r.files,
    )


def _read(folder: Path, sensor: MappedSensor, tables: _Tables) -> _SensorTable:
    acc, gyr = mapped_columns(sensor, "acc", ACC_SPELLINGS), mapped_columns(sensor, "gyr", GYR_SPELLINGS)
    entries = {key: sensor.entry[key] for key in ("time", "arrival", "counter") if key in sensor.entry}
    clocks = {key: mapped_clock(sensor, key, entry) for key, entry in entries.items()}
    if acc.file or gyr.file:
        return _read_apart(folder, sensor, acc, gyr, clocks, tables)
    names = [*acc.names, *gyr.names]
    read = _read_columns(folder, sensor, text_of(sensor, "file", needed=True), names, clocks, tables)
    units = _units(sensor, acc, gyr, read.table, read.table)
    acc_m_s2, gyr_rad_s = read.values[:, :3] * ACC_UNITS[units[0]], read.values[:, 3:6] * GYR_UNITS[units[1]]
    _check(read.name, names, units, acc_m_s2, gyr_rad_s)
    notes: tuple[str, ...] = ()
    time_s, arrival_s = read.times_s.get("time"), read.times_s.get("arrival")
    rate_hz = positive_of(sensor, "rate_hz")
    if time_s is None and arrival_s is None:
        if rate_hz is None:
            raise sensor.fail('neither a "time" column nor "rate_hz" is given: one of the two is needed.')
        time_s = read.index / rate_hz
        notes = (f"{read.name}: the table has no time; samples that were lost cannot be seen in it.",)
    columns = tuple(clocks[key].column if key in clocks else key for key in ("time", "arrival"))
    made = SensorClocks(read.name, time_s, arrival_s, (columns[0], columns[1]), counter=read.times_s.get("counter"))
    info = _info(sensor, made)
    return _SensorTable(info, (read.path,), made, read.of_a_day, acc_m_s2, gyr_rad_s, read.left_out, notes)


def _read_apart(
    folder: Path,
    sensor: MappedSensor,
    acc: MappedColumns,
    gyr: MappedColumns,
    clocks: Mapping[str, MappedClock],
    tables: _Tables,
) -> _SensorTable:
    """Accelerometer and gyroscope in files of their own, joined by their times."""
    for key in ("arrival", "counter"):
        if key in clocks:
            raise sensor.fail(f'"{key}" cannot be used where acc and gyr are in files of their own: take it out.')
    parts: list[_Columns] = []
    for key, quantity in (("acc", acc), ("gyr", gyr)):
        clock = quantity.time or clocks.get("time")
        if clock is None:
            raise sensor.fail(f'"{key}" is in a file of its own and needs a "time" column to be joined by.')
        file = quantity.file or text_of(sensor, "file", needed=True)
        parts.append(_read_columns(folder, sensor, file, quantity.names, {"time": clock}, tables))
    of_acc, of_gyr = parts
    units = _units(sensor, acc, gyr, of_acc.table, of_gyr.table)
    columns = [(quantity.time or clocks["time"]).column for quantity in (acc, gyr)]
    joined = join_streams(
        Stream(of_acc.name, columns[0], of_acc.times_s["time"], of_acc.values * ACC_UNITS[units[0]]),
        Stream(of_gyr.name, columns[1], of_gyr.times_s["time"], of_gyr.values * GYR_UNITS[units[1]]),
    )
    _check(of_gyr.name, [*acc.names, *gyr.names], units, joined.acc, joined.gyr)
    made = SensorClocks(of_gyr.name, joined.time_s, None, (columns[1], "arrival"))
    return _SensorTable(
        _info(sensor, made),
        tuple(dict.fromkeys((of_acc.path, of_gyr.path))),
        made,
        of_acc.of_a_day and of_gyr.of_a_day,
        joined.acc,
        joined.gyr,
        (*of_acc.left_out, *of_gyr.left_out),
        (joined.note,),
    )


def _read_columns(
    folder: Path,
    sensor: MappedSensor,
    file: str,
    columns: Sequence[str],
    clocks: Mapping[str, MappedClock],
    tables: _Tables,
) -> _Columns:
    path = folder / file
    if not path.is_file():
        raise sensor.fail(f"there is no file {file} in {folder.name}: copy it there or correct its name.")
    table = mapped_table(path, sensor, tables)
    times = [clock.column for clock in clocks.values()]
    names = [*columns, *times]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise sensor.fail(f"column {repeated[0]} is named twice: give each quantity its own.")
    missing = [n for n in names if not table.has(n)]
    if missing:
        raise sensor.fail(
            f"{path.name} has no column {missing[0]}: it has {', '.join(c for c in table.columns if c)[:300]}; correct "
            "the name, or delimiter and skip_lines."
        )
    rows = read_rows(table, names, times=times)
    name = f"{folder.name}/{path.name}"
    seconds: dict[str, FloatArray] = {}
    for k, (key, clock) in enumerate(clocks.items(), start=len(columns)):
        values = np.ascontiguousarray(rows.values[:, k])
        if clock.column in rows.written:
            seconds[key] = values
            continue
        unit_s = 1.0 if key == "counter" else _tick(sensor, key, clock, table)
        if clock.wraps_at is not None:
            values = unwrap(name, clock.column, values, clock.wraps_at, clock.wraps_at // 2)
        seconds[key] = values * unit_s
    of_a_day = any(column in rows.of_a_day for column in times)
    return _Columns(path, name, table, rows.values[:, : len(columns)], rows.index, seconds, of_a_day, rows.notes)


def _tick(sensor: MappedSensor, key: str, clock: MappedClock, table: TextTable) -> float:
    """What one of a time is in s: as the mapping says, else as the table's row of units does."""
    if clock.samples:
        rate_hz = positive_of(sensor, "rate_hz")
        if rate_hz is None:
            raise sensor.fail('a time in "samples" needs rate_hz, how many of them a second has.')
        return 1.0 / rate_hz
    unit_s = clock.unit_s if clock.unit_s is not None else tick_s(table.unit(clock.column).strip(" []()"))
    if unit_s is None:
        raise no_time_unit(sensor, key)
    return unit_s


def _units(
    sensor: MappedSensor, acc: MappedColumns, gyr: MappedColumns, of_acc: TextTable, of_gyr: TextTable
) -> tuple[str, str]:
    """The units of accelerations and angular velocities: as the mapping says, else as the tables' rows of units do."""
    return (
        acc.unit or _unit_below(sensor, "acc", acc, of_acc, ACC_SPELLINGS),
        gyr.unit or _unit_below(sensor, "gyr", gyr, of_gyr, GYR_SPELLINGS),
    )


def _check(
    name: str, columns: Sequence[str], units: tuple[str, str], acc_m_s2: FloatArray, gyr_rad_s: FloatArray
) -> None:
    check_axes(name, acc_m_s2, gyr_rad_s, columns)
    check_units(name, acc_m_s2, gyr_rad_s, acc_unit=units[0], gyr_unit=units[1], remedy=_mapping_remedy)


def _unit_below(
    sensor: MappedSensor, key: str, quantity: MappedColumns, table: TextTable, spellings: Mapping[str, str]
) -> str:
    """The unit that the table's second header row tells of three columns. Raises InputError where it tells none."""
    told = {spellings.get(table.unit(column).strip(" []()")) for column in quantity.names}
    unit = told.pop() if len(told) == 1 else None
    if unit is None:
        raise no_unit(sensor, key, spellings)
    return unit


def _info(sensor: MappedSensor, clocks: SensorClocks) -> SensorInfo:
    rate_hz = positive_of(sensor, "rate_hz")
    if rate_hz is None:
        if clocks.device_time_s is None:
            raise sensor.fail('"arrival" alone does not tell the rate of the sensor: add rate_hz.')
        rate_hz = _measured(sensor, clocks.columns[0], clocks.device_time_s)
    return SensorInfo(
        sensor.site,
        rate_hz,
        positive_of(sensor, "acc_range_m_s2"),
        positive_of(sensor, "gyr_range_rad_s"),
        text_of(sensor, "model"),
        text_of(sensor, "address"),
    )


def _measured(sensor: MappedSensor, column: str, time_s: FloatArray) -> float:
    measured = measured_rate(time_s)
    if measured is None or not 5.0 <= measured <= 10_000.0:
        raise sensor.fail(
            f"column {column} advances like {measured or 0.0:.4g} Hz, which is no rate of such a sensor: correct its "
            '"unit" (s, ms, us, ns, samples, or a tick such as "0.1ms"), or add rate_hz.'
        )
    nice = round(measured)
    return float(nice) if abs(measured / nice - 1.0) < 0.005 else measured


def _mapping_remedy(quantity: Quantity, unit: str, factor: float) -> str:
    key, spellings = ("acc", ACC_SPELLINGS) if quantity == "acceleration" else ("gyr", GYR_SPELLINGS)
    spelling = next(s for s, u in spellings.items() if u == unit)
    return f'Then write unit = "{spelling}" for {key} in the mapping'
