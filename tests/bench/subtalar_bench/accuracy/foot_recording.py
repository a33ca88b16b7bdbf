"""Reader of the gaitmap sample: both feet, inertial and optical, and the strides that come with it.

Data: gaitmap (MIT), 204.8 Hz inertial (m/s², °/s), 100 Hz optical (mm), started together. Its list of events is that of
an algorithm on the same inertial signals (Rampp et al. 2015), not of the cameras.
"""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.errors import InputError
from subtalar.session.importing.table import read_table
from subtalar.types import FloatArray, Side
from subtalar_bench.accuracy.truth_trial import TrueStrides

RATE_HZ, MARKER_RATE_HZ = 204.8, 100.0


@dataclass(frozen=True)
class FootRecording:
    """One foot: inertial time (n,), specific force and rate (n, 3); optical time (m,) and markers (m, 3) in metres."""

    side: Side
    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    marker_time_s: FloatArray
    toe_m: FloatArray
    heel_m: FloatArray
    fifth_m: FloatArray
    strides: TrueStrides


def read_foot(folder: Path, side: Side) -> FootRecording:
    """Raises InputError where a file is missing or broken."""
    imu = _two_headings(folder / "imu_sample.csv.gz")
    markers = _two_headings(folder / "mocap_sample.csv.gz")
    foot = side[0].upper()

    def of(table: Mapping[str, FloatArray], name: str) -> FloatArray:
        return np.stack([table[f"{name}{axis}"] for axis in "xyz"], axis=1)

    acc, gyr = of(imu, f"{side}_sensor acc_"), np.radians(of(imu, f"{side}_sensor gyr_"))
    toe, heel, fifth = (1e-3 * of(markers, f"{foot}_{name} ") for name in ("TOE", "FCC", "FM5"))
    return FootRecording(
        side,
        np.arange(len(acc)) / RATE_HZ,
        acc,
        gyr,
        np.arange(len(toe)) / MARKER_RATE_HZ,
        toe,
        heel,
        fifth,
        _strides(folder / "stride_events_sample.csv", side),
    )


def _two_headings(path: Path) -> dict[str, FloatArray]:
    """Columns by both headings, ``left_sensor acc_x``."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            first, second = next(lines), next(lines)
            rows = np.array([[float(cell) for cell in line] for line in lines if line])
    except (OSError, EOFError, StopIteration, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table with two headings ({error}): copy it again.") from error
    return {f"{a} {b}": rows[:, k].copy() for k, (a, b) in enumerate(zip(first, second, strict=True))}


def _strides(path: Path, side: Side) -> TrueStrides:
    """From initial contact to initial contact."""
    table = read_table(path)
    own = [
        line.split(",") for line in table.rows.decode().split() if line.split(",")[table.columns.index("foot")] == side
    ]

    def column(name: str) -> FloatArray:
        return np.array([float(cells[table.columns.index(name)]) for cells in own]) / RATE_HZ

    unknown = np.full(len(own), np.nan)
    contact = column("pre_ic")
    return TrueStrides(contact, column("tc"), column("ic") - contact, unknown, unknown, unknown)
