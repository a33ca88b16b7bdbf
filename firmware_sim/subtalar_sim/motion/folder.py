"""Reads a raw session folder: ``session.json``, one CSV a sensor, and the true angles where they stand beside."""

import csv
import gzip
import json
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np

from subtalar_sim.motion.recording import Angles, RecordedMotion, Rows, motion_from_rows
from subtalar_sim.types import SIDES, SITES, FloatArray, Side

FORMAT: Final = "subtalar-raw-session"
_ACC: Final = ("acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2")
_GYR: Final = ("gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s")
_TRUTH_FILES: Final = ("truth_angles.csv.gz", "truth_angles.csv")


def read_motion(folder: str | Path) -> RecordedMotion:
    """The recording in a raw session folder. Raises ValueError with one sentence for whatever is wrong with it."""
    path = Path(folder).expanduser()
    name = path.name or str(path)
    try:
        return _read(path, name)
    except OSError as error:
        raise ValueError(f"{error.filename or name} cannot be read: {error.strerror}") from None


def _read(path: Path, name: str) -> RecordedMotion:
    if not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    if not (path / "session.json").is_file():
        raise ValueError(f"{name} has no session.json: recorded motion is a raw session folder")
    try:
        spec = json.loads((path / "session.json").read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"{name}/session.json is not valid JSON") from None
    if not isinstance(spec, dict) or spec.get("format") != FORMAT or spec.get("version") != 1:
        raise ValueError(f'{name}/session.json is no "{FORMAT}" of version 1')
    entries = spec.get("sensors")
    if not isinstance(entries, dict) or not entries or not set(entries) <= set(SITES):
        raise ValueError(f'{name}/session.json: "sensors" has keys of {", ".join(SITES)}')
    rows = {site: _rows(path, name, site, entries[site]) for site in SITES if site in entries}
    try:
        annotations = tuple((str(a["label"]), float(a["start_s"]), float(a["end_s"])) for a in spec["annotations"])
    except (KeyError, TypeError, ValueError):
        annotations = ()
    return motion_from_rows(name, rows, _truth(path, name), annotations)


def _rows(path: Path, name: str, site: str, entry: Any) -> Rows:
    file, rate_hz = (entry.get("file"), entry.get("rate_hz")) if isinstance(entry, Mapping) else (None, None)
    if not isinstance(file, str) or not isinstance(rate_hz, int | float) or not 1.0 <= rate_hz <= 10_000.0:
        raise ValueError(f'{name}/session.json: {site} needs a "file" and a "rate_hz"')
    head, values = _table(path / file)
    missing = [column for column in (*_ACC, *_GYR) if column not in head]
    if missing:
        raise ValueError(f"{name}/{file} has no column {missing[0]}")
    device, host = (values[:, head.index(time)] if time in head else None for time in ("device_time_s", "host_time_s"))
    if device is None and host is None:
        raise ValueError(f"{name}/{file} has neither device_time_s nor host_time_s")
    acc, gyr = (np.ascontiguousarray(values[:, [head.index(c) for c in columns]]) for columns in (_ACC, _GYR))
    return Rows(device, host, acc, gyr, float(rate_hz))


def _truth(path: Path, name: str) -> dict[Side, Angles]:
    file = next((path / f for f in _TRUTH_FILES if (path / f).is_file()), None)
    if file is None:
        return {}
    head, values = _table(file)
    if "time_s" not in head:
        raise ValueError(f"{name}/{file.name} has no column time_s")
    out: dict[Side, Angles] = {}
    for side in SIDES:
        columns = [f"{side}_{angle}_deg" for angle in ("dorsiflexion", "inversion", "tibial_rotation")]
        if all(column in head for column in columns) and len(values) > 1:
            out[side] = values[:, head.index("time_s")], values[:, [head.index(c) for c in columns]]
    return out


def _table(path: Path) -> tuple[list[str], FloatArray]:
    """Header and numbers (n, k) of a CSV, packed or not; an empty cell is NaN."""
    if not path.is_file():
        raise ValueError(f"there is no file {path.name} in {path.parent.name}")
    try:
        with _open(path) as file:
            head = next(csv.reader(file), [])
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # about no rows: said below
                    values = np.loadtxt(file, delimiter=",", ndmin=2)
            except ValueError:
                values = np.zeros((0, 0))
        if values.size == 0:
            with _open(path) as file:
                read = csv.reader(file)
                next(read, None)
                values = np.array([[float(cell or "nan") for cell in row] for row in read if row], dtype=np.float64)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error):
        raise ValueError(f"{path.parent.name}/{path.name} is no table of numbers with one head line") from None
    if values.ndim != 2 or values.shape[1] != len(head):
        raise ValueError(f"{path.parent.name}/{path.name} has no rows, or more or fewer columns than its head line")
    return [column.strip() for column in head], values


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")
