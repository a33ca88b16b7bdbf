"""A foot sensor walked around closed loops: strides must add up, and the path must end where it began.

Data: x-io Gait-Tracking, one sensor in g and °/s, its first time stamp repeated. Published for x-io's own method: its
path ends 82 mm from where it began on about 25 m, and 421 mm on about 60 m.
"""

from pathlib import Path

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.session.importing.table import read_table
from subtalar.types import BodySite
from subtalar_bench.accuracy.foot_path import foot_path
from subtalar_bench.accuracy.front_end import rows_of
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.table import Column, Table, Value

FOLDER = "xio_gait_tracking"
_LOOPS = (("short_walk", 25.0, 82.0), ("long_walk", 60.0, 421.0))
"""File, about how long (m), published distance between end and beginning (mm)."""
_GYR = tuple(f"Gyroscope {axis} (deg/s)" for axis in "XYZ")
_ACC = tuple(f"Accelerometer {axis} (g)" for axis in "XYZ")
_SITE = BodySite.RIGHT_FOOT


def measure(data: Path) -> list[Table]:
    """Both loops in ``data/xio_gait_tracking``."""
    folder = existing(data, FOLDER)
    columns = (
        Column("walk", "walk"),
        Column("about_m", "about m", 0),
        Column("strides", "strides", 0),
        Column("path_m", "strides add up to m", 1),
        Column("median_stride_m", "median stride m"),
        Column("closure_mm", "end to beginning, level mm", 0),
        Column("height_mm", "in height mm", 0),
        Column("published_mm", "published mm", 0),
    )
    rows = tuple(_row(folder, *loop) for loop in _LOOPS)
    return [Table("closed_loops", "Closed loops of one foot sensor", columns, rows)]


def _row(folder: Path, name: str, about_m: float, published_mm: float) -> tuple[Value, ...]:
    values = read_table(folder / f"{name}.csv.gz").numbers(("Time (s)", *_ACC, *_GYR))
    time_s, acc, gyr = values[:, 0].copy(), GRAVITY_M_S2 * values[:, 1:4], np.radians(values[:, 4:7])
    path = foot_path(rows_of(_SITE, time_s, acc, gyr))
    x, y, z = (1e3 * path.closure_m).tolist()
    lengths = path.lengths_m
    level_mm = float(np.hypot(x, y))
    median_m = float(np.median(lengths))
    return name, about_m, float(len(lengths)), float(lengths.sum()), median_m, level_mm, z, published_mm
