"""Angles and strides of a session from where they stand: a recording, the tables of an analysis, or the estimator."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANGLE_NAMES
from subtalar.errors import InputError
from subtalar.report.analysis import ANGLES_FILE, STRIDES_FILE, SUMMARY_FILE
from subtalar.session import Session, open_session, read_items
from subtalar.types import SIDES, AngleBlock, FloatArray, Quality, Side, Stride

if TYPE_CHECKING:
    from subtalar.estimation import Parameters

TABLE_ANGLE_DECIMALS: Final = 3
TABLE_TIME_DECIMALS: Final = 5
TABLE_STRIDE_DECIMALS: Final = 5
_BLOCK_S = 5.0
_NO_SETTINGS: Final = ("source", "about")
"""Of a recording's configuration: whose session it is and where its samples came from is no setting."""


@dataclass(frozen=True)
class Rows:
    """One side: ``time_s`` (n,), ``values_deg`` and ``sd_deg`` (n, ``ANGLE_COUNT``), ``quality``."""

    time_s: FloatArray
    values_deg: FloatArray
    sd_deg: FloatArray
    quality: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ResultSet:
    """``how``: ``recorded``, ``analysed now`` or ``tables``; ``made`` says how its numbers came about, one flat name a
    setting. ``rounded``: the numbers come from a text with few decimals.
    """

    name: str
    how: str
    made: Mapping[str, Any]
    rows: Mapping[Side, Rows]
    strides: tuple[Stride, ...]
    rounded: bool = False


def read_result_set(path: str | Path) -> ResultSet:
    """The angles that a recording holds, or a folder that ``subtalar analyze`` wrote; another session is analysed.

    Raises InputError where it is none of these.
    """
    path = Path(path).expanduser()
    if path.is_dir() and (path / ANGLES_FILE).is_file():
        return _from_tables(path)
    session = open_session(path, cached=True)
    return _as_recorded(session) if session.strides is not None else analyze_now(session)


def analyze_now(session: Session, parameters: "Parameters | None" = None) -> ResultSet:
    """What the estimator says of a session today."""
    from subtalar.acquisition.configuration import describe
    from subtalar.estimation import GaitEstimator, Parameters  # compiled filters: loaded when an analysis begins

    parameters = parameters or Parameters()
    estimator = GaitEstimator(session.sensors, parameters)
    angles: list[AngleBlock] = []
    strides: list[Stride] = []
    for block in session.blocks(_BLOCK_S):
        found = estimator.push(block)
        angles += found.angles
        strides += found.strides
    found = estimator.finish()
    made = describe("", parameters)
    del made["source"]
    return ResultSet(
        session.path.name,
        "analysed now",
        flattened(made),
        _rows_of([*angles, *found.angles]),
        (*strides, *found.strides),
    )


def _as_recorded(session: Session) -> ResultSet:
    angles: list[AngleBlock] = []
    strides: list[Stride] = []
    for item in read_items(session.path):
        if isinstance(item, AngleBlock):
            angles.append(item)
        elif isinstance(item, Stride):
            strides.append(item)
    made = {key: value for key, value in session.configuration.items() if key not in _NO_SETTINGS}
    made.setdefault("subtalar", session.software_version)
    return ResultSet(session.path.name, "recorded", flattened(made), _rows_of(angles), tuple(strides))


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``; lists as they are."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return found


def _rows_of(blocks: Iterable[AngleBlock]) -> dict[Side, Rows]:
    by_side: dict[Side, list[AngleBlock]] = {}
    for block in blocks:
        by_side.setdefault(block.side, []).append(block)
    return {
        side: Rows(
            np.concatenate([b.time_s for b in parts]),
            np.concatenate([b.angles_deg for b in parts]),
            np.concatenate([b.angles_sd_deg for b in parts]),
            np.concatenate([b.quality for b in parts]),
        )
        for side, parts in sorted(by_side.items())
    }


def rounded(results: ResultSet) -> ResultSet:
    """As tables would hold it."""
    if results.rounded:
        return results
    rows = {
        side: Rows(
            _to_decimals(r.time_s, TABLE_TIME_DECIMALS),
            _to_decimals(r.values_deg, TABLE_ANGLE_DECIMALS),
            _to_decimals(r.sd_deg, TABLE_ANGLE_DECIMALS),
            r.quality,
        )
        for side, r in results.rows.items()
    }
    strides = tuple(_rounded_stride(stride) for stride in results.strides)
    return replace(results, rows=rows, strides=strides, rounded=True)


def _rounded_stride(stride: Stride) -> Stride:
    values: dict[str, Any] = {
        name: round(value, TABLE_STRIDE_DECIMALS) + 0.0
        for name, value in asdict(stride).items()
        if isinstance(value, float) and math.isfinite(value)
    }
    return replace(stride, **values)


def _to_decimals(values: FloatArray, decimals: int) -> FloatArray:
    return np.rint(values * 10.0**decimals) / 10.0**decimals + 0.0


def _from_tables(folder: Path) -> ResultSet:
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text("utf-8"))
        made = {
            "subtalar": summary["software"]["version"],
            "pass": summary["pass"],
            "subtalar_axis": summary["subtalar_axis"],
        }
        return ResultSet(
            folder.name,
            "tables",
            flattened(made),
            _read_angles(folder / ANGLES_FILE),
            _read_strides(folder),
            rounded=True,
        )
    except OSError as error:
        raise InputError(
            f"{folder} cannot be compared: {error.filename} cannot be read ({error.strerror}); give a folder that "
            "`subtalar analyze` wrote."
        ) from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"{folder} is no folder as `subtalar analyze` writes it ({error}): analyse the session again."
        ) from error


def _read_angles(path: Path) -> dict[Side, Rows]:
    text = path.read_text("utf-8")
    header, _, body = text.partition("\n")
    columns = header.split(",")
    for _ in range(2):  # cells overlap: ",,," has two empty ones
        body = body.replace(",,", ",nan,")
    body = body.replace(",\n", ",nan\n")
    numbers = [columns.index("time_s")]
    numbers += [columns.index(f"{name}_deg") if f"{name}_deg" in columns else -1 for name in ANGLE_NAMES]
    numbers += [columns.index(f"{name}_sd_deg") if f"{name}_sd_deg" in columns else -1 for name in ANGLE_NAMES]
    there = [c for c in numbers if c >= 0]
    known = np.loadtxt(io.StringIO(body), delimiter=",", usecols=there, ndmin=2)
    table = np.full((len(known), len(numbers)), np.nan)
    table[:, [c >= 0 for c in numbers]] = known
    words = np.loadtxt(
        io.StringIO(body),
        delimiter=",",
        usecols=[columns.index("side"), columns.index("quality")],
        dtype="U16",
        ndmin=2,
    )
    codes = {quality.label: int(quality) for quality in Quality}
    quality = np.array([codes[word] for word in words[:, 1]], np.uint8)
    n = len(ANGLE_NAMES)
    return {
        side: Rows(table[of, 0], table[of, 1 : 1 + n], table[of, 1 + n :], quality[of])
        for side in SIDES
        if (of := words[:, 0] == side).any()
    }


def _read_strides(folder: Path) -> tuple[Stride, ...]:
    with (folder / STRIDES_FILE).open(newline="", encoding="utf-8") as file:
        return tuple(_stride(row) for row in csv.DictReader(file))


def _stride(row: Mapping[str, str]) -> Stride:
    values: dict[str, Any] = {}
    for field in fields(Stride):
        if field.name not in row:
            continue
        cell = row[field.name]
        if field.type is float:
            values[field.name] = float(cell) if cell else math.nan
        else:
            values[field.name] = int(cell) if field.type is int else cell
    return Stride(**values)
