"""A folder of x-IMU3 CSV files: one folder a device, each with ``Inertial.csv``.

As written by the data logger and the file converter of the x-IMU3 GUI and API (github.com/xioTechnologies/
x-IMU3-Software, ``data_logger.rs``, ``inertial_message.rs``): ``Timestamp (us),Gyroscope X (deg/s),…,Accelerometer X
(g),…``, six decimals. A folder is called ``name serial (interface)``, or ``Connection 0`` where the device did not
answer; its answers are in ``Command.json``. Timestamps are microseconds since power-on; devices on one network share
them while synchronisation is on, as it is by default (user manual, "Synchronisation").
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.session.importing.common_clock import STARTED_TOGETHER_NOTE, refuse_unsynchronised_clocks, to_common_clock
from subtalar.session.importing.sample_rows import read_rows
from subtalar.session.importing.sensor_clocks import SensorClocks, mend_clocks
from subtalar.session.importing.session_builder import build_session, measured_rate, sensor_on_common_clock
from subtalar.session.importing.sites import Candidate, assign_sites, read_spec, stated_clocks
from subtalar.session.importing.table import TRUNCATED_ROW_NOTE, find_table
from subtalar.session.importing.units import ACC_UNITS, GYR_UNITS, check_axes, check_units
from subtalar.session.model import Session
from subtalar.types import BodySite, FloatArray, SensorInfo

FILE_NAMES = ("Inertial.csv", "Inertial.csv.gz")
_TIME = "Timestamp (us)"
_GYR = tuple(f"Gyroscope {axis} (deg/s)" for axis in "XYZ")
_ACC = tuple(f"Accelerometer {axis} (g)" for axis in "XYZ")
_FASTEST_HZ = 400.0
"""Rate of inertial messages; the device offers it divided by a whole number."""
_ACC_RANGE_M_S2 = 16.0 * GRAVITY_M_S2
_GYR_RANGE_RAD_S = np.radians(2000.0)
_OWN_CLOCK = ("usb", "serial", "bluetooth")
_SAME_START_S = 10.0


@dataclass(frozen=True)
class _Device:
    path: Path
    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    rate_hz: float
    cut: bool
    notes: tuple[str, ...]


def device_files(folder: Path) -> list[Path]:
    """``Inertial.csv`` of each device: in the folders inside, or in this one where it is the folder of a device."""
    found = [
        inner / name
        for inner in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        for name in FILE_NAMES
        if (inner / name).is_file()
    ]
    return found or [folder / name for name in FILE_NAMES if (folder / name).is_file()]


def open_ximu3(folder: Path, files: Sequence[Path], minimum_s: float) -> Session:
    """Read the files whole. Raises InputError for everything that is wrong with them."""
    spec = read_spec(folder)
    clocks = stated_clocks(folder, spec)
    pings = {path: _ping(path.parent) for path in files}
    candidates = [
        Candidate(path, path.parent.name, tuple(t for t in (ping["name"], ping["serial"]) if t))
        for path, ping in pings.items()
    ]
    chosen, notes = assign_sites(folder, candidates, spec)
    devices = {site: _read_device(candidate.path) for site, candidate in chosen.items()}
    interfaces = {site: pings[candidate.path]["interface"] for site, candidate in chosen.items()}
    shared, note = _clocks_are_shared(devices, interfaces, clocks)
    if not shared and clocks is None:
        refuse_unsynchronised_clocks(
            folder.name,
            chosen,
            "the sensors have clocks of their own (they were not synchronised over a network)",
            "record over Wi-Fi with synchronisation on",
        )
    if not shared and len(devices) > 1:
        note = STARTED_TOGETHER_NOTE
    sensor_clocks = mend_clocks(
        {s: SensorClocks(_name(d.path), d.time_s, None, (_TIME, "")) for s, d in devices.items()}, shared=shared
    )
    mended = {s: c.device_time_s for s, c in sensor_clocks.items() if c.device_time_s is not None}
    on_clock = to_common_clock(folder.name, mended, shared=shared)
    sensors = []
    for site, device in devices.items():
        info = SensorInfo(
            site,
            device.rate_hz,
            _ACC_RANGE_M_S2,
            _GYR_RANGE_RAD_S,
            "x-IMU3",
            pings[chosen[site].path]["serial"],
        )
        sensors.append(
            sensor_on_common_clock(
                _name(device.path),
                info,
                on_clock[site],
                device.acc_m_s2,
                device.gyr_rad_s,
                column=_TIME,
                files=(device.path,),
            )
        )
    notes = (
        *notes,
        *(n for d in devices.values() for n in d.notes),
        *(n for c in sensor_clocks.values() for n in c.notes),
    )
    cut = tuple(TRUNCATED_ROW_NOTE.format(_name(d.path)) for d in devices.values() if d.cut)
    return build_session(
        folder, "ximu3", sensors, minimum_s=minimum_s, notes=(*notes, *((note,) if note else ()), *cut)
    )


def _read_device(path: Path) -> _Device:
    name = _name(path)
    table = find_table(path, lambda cells: _TIME in cells)
    if table is None:
        raise InputError(f"{name} has no column {_TIME}: it is not as the x-IMU3 software writes it; export it again.")
    whole = table.without_truncated_row()
    rows = read_rows(whole, [_TIME, *_ACC, *_GYR], name=name)
    numbers = rows.values
    time_s = numbers[:, 0] * 1e-6
    acc, gyr = numbers[:, 1:4] * ACC_UNITS["g"], numbers[:, 4:7] * GYR_UNITS["deg/s"]
    check_axes(name, acc, gyr, [*_ACC, *_GYR])
    check_units(name, acc, gyr, acc_unit="g", gyr_unit="deg/s", remedy=_description_remedy)
    measured = measured_rate(time_s)
    if measured is None or not 1.0 <= measured <= 1.1 * _FASTEST_HZ:
        raise InputError(
            f"{name}: {_TIME} advances like {measured or 0.0:.4g} Hz and an x-IMU3 sends at most {_FASTEST_HZ:g}: the "
            "column is not in microseconds, or a spreadsheet program rounded it; export the file again."
        )
    rate = _FASTEST_HZ / max(1, round(_FASTEST_HZ / measured))
    nominal = rate if abs(rate / measured - 1) < 0.05 else measured
    return _Device(path, time_s, acc, gyr, nominal, whole is not table, rows.notes)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _ping(folder: Path) -> Mapping[str, str]:
    """Name, serial number and interface as the device told them; empty where it did not, or the file is damaged.

    The keys were ``deviceName`` and ``serialNumber`` in firmware before 1.1 and are ``name`` and ``sn`` since.
    """
    found = {"name": "", "serial": "", "interface": ""}
    try:
        answers = json.loads((folder / "Command.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return found
    for answer in answers if isinstance(answers, list) else []:
        ping = answer.get("ping") if isinstance(answer, dict) else None
        if isinstance(ping, dict):
            keys = {"name": ("name", "deviceName"), "serial": ("sn", "serialNumber"), "interface": ("interface",)}
            for key, spellings in keys.items():
                reported = next((ping[s] for s in spellings if isinstance(ping.get(s), str)), "")
                found[key] = "".join(c for c in reported if c.isprintable())[:100]
            break
    return found


def _clocks_are_shared(
    devices: Mapping[BodySite, _Device], interfaces: Mapping[BodySite, str], stated: str | None
) -> tuple[bool, str]:
    """Whether all devices count one time. Over USB they never do; over a network it shows."""
    if stated is not None or len(devices) == 1:
        return stated != "started_together", ""
    if any(word in reported.lower() for reported in interfaces.values() for word in _OWN_CLOCK):
        return False, ""
    first = [float(d.time_s[0]) for d in devices.values()]
    close = max(first) - min(first) < _SAME_START_S
    return close, "The sensors are taken as synchronised: their timestamps agree."


def _description_remedy(quantity: str, unit: str, factor: float) -> str:
    return "Then the file is not as the x-IMU3 software writes it: describe it in import.toml (docs/import.md)"
