"""Blocks and values of the estimator as tables, with the columns and the decimals of the files."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from subtalar.anatomy import ANGLE_COUNT, ANGLE_NAMES, ANKLE, ANKLE_NAMES, FURTHER_NAMES
from subtalar.api.table import Column, Table
from subtalar.report.angles_csv import ANGLE_DECIMALS, TIME_DECIMALS
from subtalar.report.tables import STRIDE_DECIMALS
from subtalar.strides import STRIDE_COLUMNS
from subtalar.types import AngleBlock, FloatArray, GaitEvent, Quality, SampleBlock, Side, Stride

_LABELS = np.array([quality.label for quality in sorted(Quality)])


def as_written(values: FloatArray, decimals: int) -> FloatArray:
    """The numbers that a reader of the file gets: rounded half to even, as the files are written."""
    scale = 10.0**decimals
    return np.asarray(np.rint(values * scale) / scale) + 0.0


def angle_table(side: Side, blocks: Sequence[AngleBlock], *, rounded: bool) -> Table:
    """The rows of one side, in the columns of ``angles.csv``; ``rounded`` to its decimals."""
    time_s = _joined([b.time_s for b in blocks], 0)
    deg, sd = (_joined(of, ANGLE_COUNT) for of in ([b.angles_deg for b in blocks], [b.angles_sd_deg for b in blocks]))
    quality = np.concatenate([b.quality for b in blocks]) if blocks else np.empty(0, np.uint8)
    zero_sd = _joined([b.zero_sd_deg for b in blocks], 0)
    if rounded:
        time_s = as_written(time_s, TIME_DECIMALS)
        deg, sd, zero_sd = (as_written(values, ANGLE_DECIMALS) for values in (deg, sd, zero_sd))
    of = {name: k for k, name in enumerate(ANGLE_NAMES)}
    columns: dict[str, Column] = {"time_s": time_s, "side": np.full(len(time_s), side)}
    columns |= {f"{name}_deg": deg[:, of[name]] for name in ANKLE_NAMES}
    columns |= {f"{name}_sd_deg": sd[:, of[name]] for name in ANKLE_NAMES}
    columns["quality"] = _LABELS[quality]
    for name in FURTHER_NAMES:
        columns[f"{name}_deg"], columns[f"{name}_sd_deg"] = deg[:, of[name]], sd[:, of[name]]
    columns["zero_sd_deg"] = zero_sd
    return Table(f"angles of the {side} leg", columns)


def known_ankle(blocks: Iterable[AngleBlock]) -> bool:
    """Whether any of the angles of the ankle is known anywhere."""
    return any(np.isfinite(block.angles_deg[:, ANKLE]).any() for block in blocks)


def stride_table(strides: Iterable[Stride], *, rounded: bool) -> Table:
    """A row a stride, in the columns and the order of ``strides.csv``; ``rounded`` to its decimals."""
    ordered = sorted(strides, key=lambda stride: (stride.initial_contact_s, stride.side))
    columns: dict[str, Column] = {}
    for column in STRIDE_COLUMNS:
        values: list[Any] = [getattr(stride, column.name) for stride in ordered]
        if column.kind == "number":
            digits = [round(v, STRIDE_DECIMALS) + 0.0 if rounded and v == v else v for v in values]
            columns[column.name] = np.array(digits, np.float64)
        else:
            columns[column.name] = np.array(values, np.int64 if column.kind == "integer" else np.str_)
    return Table("strides", columns)


def event_table(events: Iterable[GaitEvent]) -> Table:
    """A row a gait event, in order of time."""
    ordered = sorted(events, key=lambda event: (event.time_s, event.side, event.kind))
    return Table(
        "events",
        {
            "time_s": np.array([e.time_s for e in ordered], np.float64),
            "side": np.array([e.side for e in ordered], np.str_),
            "event": np.array([e.kind for e in ordered], np.str_),
            "detected_s": np.array([e.detected_s for e in ordered], np.float64),
        },
    )


def sample_table(name: str, blocks: Sequence[SampleBlock]) -> Table:
    """All samples of one sensor, as they were recorded; a time that the source does not have is NaN."""
    n = sum(len(b) for b in blocks)
    acc, gyr = (_joined(of, 3) for of in ([b.acc_m_s2 for b in blocks], [b.gyr_rad_s for b in blocks]))
    columns = {
        "device_time_s": _times([b.device_time_s for b in blocks], n),
        "host_time_s": _times([b.host_time_s for b in blocks], n),
        **{f"acc_{axis}_m_s2": acc[:, k] for k, axis in enumerate("xyz")},
        **{f"gyr_{axis}_rad_s": gyr[:, k] for k, axis in enumerate("xyz")},
    }
    return Table(name, columns)


def _times(parts: Sequence[FloatArray | None], n: int) -> FloatArray:
    present = [part for part in parts if part is not None]
    return np.concatenate(present) if present and len(present) == len(parts) else np.full(n, np.nan)


def _joined(parts: Sequence[FloatArray], width: int) -> FloatArray:
    return np.concatenate(parts) if parts else np.empty((0, width) if width else 0)
