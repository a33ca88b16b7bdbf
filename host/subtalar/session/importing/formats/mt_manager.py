"""A folder of Xsens MT Manager text exports with its ``sensorspec.json``.

Format as written by MT Manager 4.6 to 2019.2 (MT Manager user manual, "ASCII exporter"): lines that start with ``//``,
a header, then one row a packet, with the separator that was chosen (tab, comma or semicolon; where Windows writes
decimal commas, numbers have them). ``PacketCounter`` is a 16-bit count that all MTw of one Awinda master
share, so the counters put the sensors on one clock.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subtalar.errors import InputError
from subtalar.session import checks
from subtalar.session.importing.sample_rows import SampleRows, read_rows
from subtalar.session.importing.session_builder import ImportedSensor, build_session
from subtalar.session.importing.sites import SPEC_NAME
from subtalar.session.importing.spec_file import read_json_object
from subtalar.session.importing.table import TextTable, read_table
from subtalar.session.importing.units import check_axes, check_units
from subtalar.session.interleave import SensorTrack
from subtalar.session.model import Session
from subtalar.types import BodySite, FloatArray, IntArray, Ledger, SampleBlock, SensorInfo

SITE_KEYS = {site.value.replace("_", ""): site for site in BodySite}
IGNORED_KEYS = ("lumbar",)
RATE_KEY = "update_rate_hz"
COUNTER_MODULUS = 65536
_HIGHEST_RATE_HZ = 1e5
_ACC = ("Acc_X", "Acc_Y", "Acc_Z")
_GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
_VELOCITY_INCREMENT = ("VelInc_X", "VelInc_Y", "VelInc_Z")


def export_files(folder: Path) -> list[Path]:
    """The MT Manager text exports in a folder, by their names (``MT_<master>_<trial>_<device>.txt``)."""
    return sorted(p for p in folder.glob("MT_*") if p.name.endswith((".txt", ".txt.gz")))


def open_mt_manager(folder: Path, minimum_s: float) -> Session:
    """Read the exports whole. Raises InputError for everything that is wrong with them."""
    where = f"{folder.name}/{SPEC_NAME}"
    spec = read_json_object(folder / SPEC_NAME, where)
    stated_rate = spec.pop(RATE_KEY, None)
    spec = {_plain(key): value for key, value in spec.items()}
    unknown = [k for k in spec if k not in SITE_KEYS and k not in IGNORED_KEYS]
    if unknown:
        raise InputError(f'{where}: unknown sensor "{unknown[0]}": known are {", ".join((*SITE_KEYS, *IGNORED_KEYS))}.')
    notes = tuple(f"The {key} sensor is not used." for key in IGNORED_KEYS if key in spec)
    paths = {SITE_KEYS[k]: _find_export(folder, where, k, v) for k, v in spec.items() if k in SITE_KEYS}
    checks.check_sites(where, paths)
    tables = {site: read_export(path) for site, path in paths.items()}
    rows = {site: read_rows(table, ["PacketCounter", *_ACC, *_GYR]) for site, table in tables.items()}
    counters = {site: _unwrap(tables[site], r.values[:, 0]) for site, r in rows.items()}
    origin = _common_origin(folder.name, list(counters.values()))
    sensors = [
        _read_sensor(folder, tables[site], site, rows[site], counters[site] - origin[k], stated_rate)
        for k, site in enumerate(tables)
    ]
    return build_session(folder, "mt_manager", sensors, minimum_s=minimum_s, notes=notes)


def _plain(key: str) -> str:
    """``right_foot``, as everywhere else, means ``rightfoot``."""
    joined = key.replace("_", "")
    return joined if joined in SITE_KEYS else key


def read_export(path: Path) -> TextTable:
    """An export whole. Raises InputError where it cannot be read, or lacks what ankle angles need."""
    table = read_table(path, delimiter=None, comment="//")
    for columns, what, setting in ((_GYR, "gyroscope", "Rate of turn"), (_ACC, "accelerometer", "Acceleration")):
        if not table.has(*columns):
            raise InputError(
                f"{table.path.name} has no {what} columns ({', '.join(columns)}), and ankle angles cannot be measured "
                f'without them: export it again with "{setting}" ticked (calibrated data).'
            )
    if not table.has("PacketCounter"):
        raise InputError(
            f'{table.path.name} has no column PacketCounter: export it again with "Packet counter" ticked.'
        )
    return table


def _find_export(folder: Path, where: str, key: str, value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise InputError(f'{where}: "{key}" must name a device, such as "00B4778E.txt".')
    device = re.sub(r"\.txt(\.gz)?$", "", value)
    found = [p for p in folder.iterdir() if device in p.name and p.name.endswith((".txt", ".txt.gz"))]
    if not found:
        raise InputError(
            f"{where} names {value} for {key}, but no export of that device is in {folder.name}: "
            "copy it there or take the sensor out."
        )
    if len(found) > 1:
        names = " and ".join(sorted(p.name for p in found)[:2])
        raise InputError(f"{folder.name} holds more than one export for {key} ({names}): keep one trial a folder.")
    return found[0]


def _unwrap(table: TextTable, counter: FloatArray) -> IntArray:
    """Packet counts (n,) that go on across 65535 → 0. Gaps beyond 32767 packets (5 min at 100 Hz) are not seen."""
    odd = counter[(counter < 0) | (counter >= 2.0**32) | (counter != np.floor(counter))]
    if len(odd):
        raise InputError(
            f"{table.path.name}: PacketCounter is {odd[0]:g} in a row, which is no count of packets: export it again."
        )
    count = counter.astype(np.int64)
    half = COUNTER_MODULUS // 2
    step = (np.diff(count) + half) % COUNTER_MODULUS - half
    return np.concatenate((count[:1], count[0] + np.cumsum(step)))


def _common_origin(name: str, counts: Sequence[IntArray]) -> list[int]:
    """For each sensor, what to subtract so that equal counts are equal moments and the earliest packet is 0."""
    half = COUNTER_MODULUS // 2
    reference = int(counts[0][0])
    turns = [(int(c[0]) - reference + half) % COUNTER_MODULUS - half - (int(c[0]) - reference) for c in counts]
    starts = [int(c.min()) + turn for c, turn in zip(counts, turns, strict=True)]
    ends = [int(c.max()) + turn for c, turn in zip(counts, turns, strict=True)]
    if max(starts) > min(ends):
        raise InputError(f"The exports in {name} do not overlap in time: they are not of one recording.")
    return [min(starts) - turn for turn in turns]


def _read_sensor(
    folder: Path, table: TextTable, site: BodySite, rows: SampleRows, count: IntArray, stated_rate: object
) -> ImportedSensor:
    name = f"{folder.name}/{table.path.name}"
    values = rows.values[:, 1:]
    rate_hz = _update_rate(table, stated_rate)
    order = np.argsort(count, kind="stable")
    swapped = int((np.diff(count) < 0).sum())
    new = np.concatenate(([True], np.diff(count[order]) > 0))
    keep = order[new]
    acc, gyr = (np.ascontiguousarray(values[keep, a : a + 3]) for a in (0, 3))
    check_axes(name, acc, gyr, [*_ACC, *_GYR])
    check_units(name, acc, gyr)
    kept = count[keep]
    time_s = kept / rate_hz
    lost = int(kept[-1] - kept[0] + 1 - len(kept))
    duplicated = len(count) - len(kept)
    notes = list(rows.notes)
    if swapped:
        notes.append(f"{name}: {swapped} packets were out of order and have been sorted.")
    if duplicated:
        notes.append(f"{name}: {duplicated} repeated packets have been left out.")
    return ImportedSensor(
        SensorInfo(
            site, rate_hz, model=_preamble_value(table, "ProductCode"), address=_preamble_value(table, "DeviceId")
        ),
        SensorTrack(SampleBlock(site, time_s, time_s, acc, gyr), time_s),
        Ledger(received=len(kept), lost=lost, duplicated=duplicated),
        tuple(notes),
        (table.path,),
    )


def _update_rate(table: TextTable, stated: object) -> float:
    """The header's update rate; else from VelInc = Acc · dt; else from ``update_rate_hz`` in ``sensorspec.json``."""
    told = _preamble_value(table, "Update Rate").replace(",", ".")
    match = re.search(r"(\d+(?:\.\d*)?)\s*Hz", told, re.ASCII)
    if match and 0 < float(match[1]) < _HIGHEST_RATE_HZ:
        return float(match[1])
    if table.has(*_VELOCITY_INCREMENT):
        values = read_rows(table, [*_ACC, *_VELOCITY_INCREMENT]).values
        acc, increment = values[:, :3], values[:, 3:]
        period_s = float(np.sum(acc * increment) / np.sum(acc * acc)) if acc.any() else 0.0
        if period_s > 0:
            return float(round(1.0 / period_s))
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 < stated < _HIGHEST_RATE_HZ:
        return float(stated)
    raise InputError(
        f'{table.path.name} does not tell its update rate: add "{RATE_KEY}": 100 (or what it was) to {SPEC_NAME}.'
    )


def _preamble_value(table: TextTable, key: str) -> str:
    for line in table.preamble:
        name, colon, value = line.removeprefix("//").partition(":")
        if colon and name.strip() == key:
            return value.strip()
    return ""
