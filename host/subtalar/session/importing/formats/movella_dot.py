"""A folder of Movella (Xsens) DOT CSV files, one a sensor.

Layouts, as found in files that people published and in the vendor's logger (docs/import.md lists them): the app and
its SDK write ``sep=,``, lines such as ``DeviceTag:,Right foot`` and ``SyncStatus:,Synced``, a copyright line, an empty
line and the header ``PacketCounter,SampleTimeFine,…``; rows may end in a comma. Files of the PC SDK have all that in
one line or not at all, no ``PacketCounter``, and ``SampleTimeFine`` in units of 100 µs. Everywhere else it counts
microseconds in 32 bits. Accelerations are in m/s² with gravity, angular velocities in deg/s (BLE Service
Specification XD0506P; the CSV files themselves name no unit).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.session.importing.common_clock import STARTED_TOGETHER_NOTE, refuse_unsynchronised_clocks, to_common_clock
from subtalar.session.importing.device_clock import unwrap
from subtalar.session.importing.sample_rows import read_rows
from subtalar.session.importing.sensor_clocks import SensorClocks, mend_clocks
from subtalar.session.importing.session_builder import build_session, measured_rate, sensor_on_common_clock
from subtalar.session.importing.sites import Candidate, assign_sites, read_spec, stated_clocks
from subtalar.session.importing.table import TRUNCATED_ROW_NOTE, TextTable, find_table
from subtalar.session.importing.text_file import read_head
from subtalar.session.importing.units import GYR_UNITS, check_axes, check_units
from subtalar.session.model import Session
from subtalar.types import BodySite, FloatArray, SensorInfo

_TIME = "SampleTimeFine"
_ACC = ("Acc_X", "Acc_Y", "Acc_Z")
_GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
_RATES_HZ = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0, 120.0)
"""User manual XD0502P, table 6."""
_TICKS_S = (1e-6, 1e-4)
_COUNTER = 2**32
_MOST_LOST = 600_000_000
_ACC_RANGE_M_S2 = 16.0 * GRAVITY_M_S2
_GYR_RANGE_RAD_S = np.radians(2000.0)
_SAME_START_S = 10.0
_SAME_MOMENT_S = 2.0
_START = re.compile(r"(\d{4}-\d\d-\d\d)[ _T](\d\d:\d\d:\d\d)[._](\d{3})\s*(?:GMT|UTC)?([+-]\d{1,2}(?::?\d\d)?|$)?")


@dataclass(frozen=True)
class _File:
    table: TextTable
    header: Mapping[str, str]

    @property
    def start(self) -> tuple[datetime | None, bool]:
        """``StartTime`` and whether its time zone is known (abbreviations such as WEST are not resolved)."""
        match = _START.match(self.header.get("starttime", ""))
        if not match:
            return None, False
        try:
            moment = datetime.fromisoformat(f"{match[1]}T{match[2]}.{match[3]}")
        except ValueError:
            return None, False
        known = bool(match[4]) or bool(re.search(r"\b(GMT|UTC)\s*$", self.header["starttime"]))
        hours, minutes = _offset(match[4] or "")
        try:
            return moment.replace(tzinfo=timezone(timedelta(hours=hours, minutes=minutes))), known
        except ValueError:
            return None, False


def is_export(path: Path) -> bool:
    """Whether the file begins like a DOT CSV."""
    if path.name.startswith(".") or not path.name.lower().endswith((".csv", ".csv.gz")):
        return False
    return any(_is_header(_cells(line)) for line in read_head(path).splitlines())


def export_files(folder: Path) -> list[Path]:
    """The DOT CSV files of a folder."""
    return sorted(p for p in folder.iterdir() if p.is_file() and is_export(p))


def open_movella_dot(folder: Path, files: Sequence[Path], minimum_s: float) -> Session:
    """Read the files whole. Raises InputError for everything that is wrong with them."""
    spec = read_spec(folder)
    clocks = stated_clocks(folder, spec)
    candidates = [_candidate(path) for path in files]
    chosen, notes = assign_sites(folder, candidates, spec)
    read = {site: _read_file(candidate.path) for site, candidate in chosen.items()}
    times, rates, values = {}, {}, {}
    for site, file in read.items():
        times[site], rates[site], values[site], left_out = _read_samples(file)
        notes = (*notes, *left_out)
    shared, note = _clocks_are_shared(read, times, clocks)
    if not shared and clocks is None:
        refuse_unsynchronised_clocks(
            folder.name, chosen, "the sensors were not synchronised", "synchronise them in the app before measuring"
        )
    if not shared and len(read) > 1:
        note = STARTED_TOGETHER_NOTE
    sensor_clocks = mend_clocks(
        {s: SensorClocks(f"{folder.name}/{read[s].table.path.name}", t, None, (_TIME, "")) for s, t in times.items()},
        shared=shared,
    )
    notes = (*notes, *(note for c in sensor_clocks.values() for note in c.notes))
    mended = {s: c.device_time_s for s, c in sensor_clocks.items() if c.device_time_s is not None}
    on_clock = to_common_clock(folder.name, mended, shared=shared, wraps_s=_COUNTER * 1e-6)
    sensors = []
    for site, file in read.items():
        acc, gyr = values[site]
        name = f"{folder.name}/{file.table.path.name}"
        info = SensorInfo(
            site, rates[site], _ACC_RANGE_M_S2, _GYR_RANGE_RAD_S, "Movella DOT", file.header.get("devicetag", "")
        )
        path = file.table.path
        sensors.append(sensor_on_common_clock(name, info, on_clock[site], acc, gyr, column=_TIME, files=(path,)))
    cut = [f.table.path.name for f in read.values() if f.table.without_truncated_row() is not f.table]
    dropped = tuple(TRUNCATED_ROW_NOTE.format(f"{folder.name}/{name}") for name in cut)
    starts = [f.start[0] for f in read.values() if f.start[1]]
    return build_session(
        folder,
        "movella_dot",
        sensors,
        minimum_s=minimum_s,
        start_utc=min((s.astimezone(UTC) for s in starts if s is not None), default=None),
        notes=(*notes, *((note,) if note else ()), *dropped),
    )


def _candidate(path: Path) -> Candidate:
    tag = _header(read_head(path).splitlines()).get("devicetag", "")
    return Candidate(path, path.name, (tag,) if tag else ())


def _read_file(path: Path) -> _File:
    table = find_table(path, _is_header)
    if table is None:
        raise InputError(f"{path.name} has no line that begins with PacketCounter,{_TIME}: export it again.")
    if not table.has(*_ACC, *_GYR):
        raise InputError(
            f"{path.name} holds {_data_columns(table)}, and ankle angles need the raw accelerations and rates of turn "
            "(Acc_X…Z and Gyr_X…Z): measure or export again with both, such as Custom mode 5 or Rate quantities."
        )
    return _File(table, _header(table.preamble))


def _read_samples(file: _File) -> tuple[FloatArray, float, tuple[FloatArray, FloatArray], tuple[str, ...]]:
    """Time by the sensor's clock in s (n,), nominal rate in Hz, accelerations and rates of turn (n, 3) in SI; notes."""
    name = file.table.path.name
    rows = read_rows(file.table.without_truncated_row(), [_TIME, *_ACC, *_GYR])
    numbers = rows.values
    numbers = numbers[_empty_rows(numbers) :]
    count = unwrap(name, _TIME, np.ascontiguousarray(numbers[:, 0]), _COUNTER, _MOST_LOST)
    acc, gyr = np.ascontiguousarray(numbers[:, 1:4]), numbers[:, 4:7] * GYR_UNITS["deg/s"]
    check_axes(name, acc, gyr, [*_ACC, *_GYR])
    check_units(name, acc, gyr, gyr_unit="deg/s", remedy=_description_remedy)
    stated = re.match(r"\d+(?:\.\d+)?", file.header.get("outputrate", ""), re.ASCII)
    rates = [float(stated[0])] if stated and 0.0 < float(stated[0]) < 1e4 else list(_RATES_HZ)
    for tick_s in _TICKS_S:
        measured = measured_rate(count * tick_s)
        near = [r for r in rates if measured is not None and abs(measured / r - 1.0) < 0.05]
        if near:
            return count * tick_s, near[0], (acc, gyr), rows.notes
    measured = measured_rate(count * _TICKS_S[0])
    what = "stands still" if measured is None else f"advances like {measured:.4g} Hz"
    expected = f"OutputRate tells {rates[0]:g} Hz" if stated else "a DOT measures at 1 to 120 Hz"
    raise InputError(
        f"{name}: {expected} but {_TIME} {what}: the column is not in microseconds, or a spreadsheet program "
        "rounded it; export the file again."
    )


def _empty_rows(numbers: FloatArray) -> int:
    """Exports of recordings begin with a row of zeros: the first sample has a time but no measurement yet."""
    filled = np.flatnonzero((numbers[:, 1:] != 0.0).any(axis=1))
    return int(filled[0]) if len(filled) else 0


def _clocks_are_shared(
    read: Mapping[BodySite, _File], times_s: Mapping[BodySite, FloatArray], stated: str | None
) -> tuple[bool, str]:
    """Whether all sensors count one time, and what has to be said about it.

    Synchronised sensors do (published files of synchronised sensors share even the microseconds). Exports of recordings
    do not tell; sensors whose clocks, which begin at power-on, agree within seconds as their start times do, were.
    """
    if stated is not None or len(read) == 1:
        return stated != "started_together", ""
    statuses = {file.header.get("syncstatus", "").lower().replace("-", "") for file in read.values()}
    if statuses == {"synced"}:
        return True, ""
    if "unsynced" in statuses:
        return False, ""
    first = [float(t[0]) for t in times_s.values()]
    starts = [file.start[0] for file in read.values()]
    close = max(first) - min(first) < _SAME_START_S
    known = [s.timestamp() for s in starts if s is not None]
    if close and len(known) == len(first):
        apart = [(f - first[0]) - (s - known[0]) for f, s in zip(first, known, strict=True)]
        close = max(apart) - min(apart) < _SAME_MOMENT_S
    return close, "The files do not tell if the sensors were synchronised; their clocks agree, so it is assumed."


def _data_columns(table: TextTable) -> str:
    parts = {
        "Quat_W": "orientations",
        "Euler_X": "angles to the world",
        "FreeAcc_X": "accelerations without gravity",
        "dq_W": "delta quantities",
        "Acc_X": "accelerations",
        "Gyr_X": "rates of turn",
        "Mag_X": "magnetic fields",
    }
    found = [what for column, what in parts.items() if table.has(column)]
    return f"only {' and '.join(found)}" if found else "no measurements"


def _description_remedy(quantity: str, unit: str, factor: float) -> str:
    return "Then the file is not as the app writes it: describe it in import.toml (docs/import.md)"


def _is_header(cells: Sequence[str]) -> bool:
    return _TIME in cells and (cells[0] in ("PacketCounter", _TIME) or "PacketCounter" in cells)


def _cells(line: str) -> list[str]:
    return [c.strip().strip('"') for c in re.split(r"[,;\t]", line)]


def _header(lines: Sequence[str]) -> dict[str, str]:
    """``key: value`` of the lines before the header; keys in small letters without spaces."""
    found: dict[str, str] = {}
    for line in lines[:200]:
        if _is_header(_cells(line)):
            break
        for part in re.findall(r"(\w[\w ]*):\s*[,;\t]?\s*([^,;\t]*)", line):
            found.setdefault(part[0].replace(" ", "").lower(), part[1].strip().strip('"'))
    return found


def _offset(text: str) -> tuple[int, int]:
    digits = re.match(r"([+-])(\d{1,2}):?(\d\d)?$", text)
    if not digits:
        return 0, 0
    sign = -1 if digits[1] == "-" else 1
    return sign * int(digits[2]), sign * int(digits[3] or 0)
