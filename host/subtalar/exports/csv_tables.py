"""Tidy CSV: samples, angles, strides, events; each number is the shortest text that reads back as the same."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from subtalar.exports.columns import ANGLES, EVENTS, SAMPLES, STRIDES, TABLES, Column
from subtalar.exports.content import GaitResults, Options, session_header, session_stem
from subtalar.exports.safe_text import NEUTRALISED, safe_text
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.tables import angle_columns, sample_columns
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.model import Session
from subtalar.types import AngleBlock

_DICTIONARY_COLUMNS: Final = ("table", "column", "kind", "unit", "positive", "meaning")
_ROWS: Final = 65_536


class CsvWriter(FormatWriter):
    """``NAME_samples.csv``, ``NAME_angles.csv``, ``NAME_strides.csv``, ``NAME_events.csv`` and a data dictionary."""

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        self._name = session_stem(session)
        self._samples = self._open("samples", SAMPLES)
        self._angles = self._open("angles", ANGLES)

    def add_samples(self, block: TimedBlock) -> None:
        """Rows of one sensor."""
        _write(self._samples, sample_columns(block))

    def add_angles(self, block: AngleBlock) -> None:
        """Rows of one side."""
        _write(self._angles, angle_columns(block))

    def finish(self, results: GaitResults) -> None:
        """Strides, events, dictionary."""
        for table, columns, rows in (
            ("strides", STRIDES, results.strides),
            ("events", EVENTS, results.events),
        ):
            write = csv.writer(self._open(table, columns), lineterminator="\n").writerow
            for row in rows:
                write([_cell(getattr(row, column.name)) for column in columns])
        write = csv.writer(self._new("data_dictionary.csv"), lineterminator="\n").writerow
        write(_DICTIONARY_COLUMNS)
        dictionary = _dictionary()
        for entry in dictionary:
            write([safe_text(entry[name]) for name in _DICTIONARY_COLUMNS])
        content = {
            **session_header(self.session, self.options),
            "missing_values": "An empty cell: not known. Lost samples have no row.",
            "texts": NEUTRALISED,
            "columns": dictionary,
        }
        json.dump(content, self._new("data_dictionary.json"), indent=1, ensure_ascii=False)

    def _open(self, table: str, columns: Sequence[Column]) -> TextIO:
        file = self._new(f"{table}.csv")
        file.write(",".join(column.name for column in columns) + "\n")
        return file

    def _new(self, ending: str) -> TextIO:
        path = self.folder / f"{self._name}_{ending}"
        return self.files.enter_context(path.open("w", encoding="utf-8", newline=""))


def _dictionary() -> list[dict[str, str]]:
    return [
        {
            "table": table,
            "column": column.name,
            "kind": column.kind,
            "unit": column.unit,
            "positive": column.sign,
            "meaning": column.meaning,
        }
        for table, columns in TABLES.items()
        for column in columns
    ]


def _write(file: TextIO, columns: Sequence[Any]) -> None:
    for start in range(0, len(columns[0]), _ROWS):
        cells = [_texts(column[start : start + _ROWS]) for column in columns]
        buffer = io.StringIO()
        buffer.writelines(f"{line}\n" for line in map(",".join, zip(*cells, strict=True)))
        file.write(buffer.getvalue())


def _texts(values: Any) -> Iterable[str]:
    """``repr`` of a Python float is the shortest text that gives the same float64."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        texts = list(map(repr, values.tolist()))
        for k in np.flatnonzero(~np.isfinite(values)).tolist():
            texts[k] = ""
        return texts
    return list(values)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return value
