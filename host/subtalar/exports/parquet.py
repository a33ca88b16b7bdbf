"""Apache Parquet: the tables of the CSV export as typed columns with their units, and the session's header."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from subtalar.exports.columns import ANGLES, EVENTS, SAMPLES, STRIDES, Column, Kind
from subtalar.exports.content import GaitResults, Options, session_header, session_stem
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.tables import Values, angle_columns, sample_columns
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.model import Session
from subtalar.types import AngleBlock

_TYPES: Final[dict[Kind, Any]] = {
    "number": pa.float64(),
    "integer": pa.int64(),
    "word": pa.dictionary(pa.int32(), pa.string()),
    "text": pa.string(),
}
_GROUP_ROWS: Final = 131_072
HEADER_KEY: Final = b"subtalar"


class ParquetWriter(FormatWriter):
    """``NAME_samples.parquet``, ``NAME_angles.parquet``, ``NAME_strides.parquet``, ``NAME_events.parquet``."""

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        self._samples = self._table("samples", SAMPLES)
        self._angles = self._table("angles", ANGLES)

    def add_samples(self, block: TimedBlock) -> None:
        """Rows of one sensor."""
        self._samples.add(sample_columns(block))

    def add_angles(self, block: AngleBlock) -> None:
        """Rows of one side."""
        self._angles.add(angle_columns(block))

    def finish(self, results: GaitResults) -> None:
        """Strides and events."""
        for name, columns, rows in (
            ("strides", STRIDES, results.strides),
            ("events", EVENTS, results.events),
        ):
            table = self._table(name, columns)
            table.add([_column([getattr(row, column.name) for row in rows], column) for column in columns])
            table.close()
        self._samples.close()
        self._angles.close()

    def _table(self, name: str, columns: Sequence[Column]) -> "_Table":
        header = {**session_header(self.session, self.options), "table": name}
        table = _Table(self.folder / f"{session_stem(self.session)}_{name}.parquet", columns, header)
        self.files.callback(table.abandon)
        return table


class _Table:
    """Rows gathered to row groups of useful size."""

    def __init__(self, path: Path, columns: Sequence[Column], header: dict[str, Any]) -> None:
        self._schema = pa.schema(
            [pa.field(c.name, _TYPES[c.kind], metadata=_described(c)) for c in columns],
            metadata={HEADER_KEY: json.dumps(header, ensure_ascii=False)},
        )
        self._writer = pq.ParquetWriter(str(path), self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0

    def add(self, columns: Sequence[Values | list[Any]]) -> None:
        """NaN and empty words become null."""
        arrays = [
            pa.array(values, type=field.type, from_pandas=True)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        self._rows += len(columns[0])
        if self._rows >= _GROUP_ROWS:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def abandon(self) -> None:
        """Let go of the file where something went wrong."""
        if self._writer.is_open:
            self._writer.close()

    def _write(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, schema=self._schema).unify_dictionaries()
            self._writer.write_table(table, row_group_size=2 * _GROUP_ROWS)
            self._waiting, self._rows = [], 0


def _described(column: Column) -> dict[str, str]:
    described = {"unit": column.unit, "positive": column.sign, "description": column.meaning}
    return {key: text for key, text in described.items() if text}


def _column(values: list[Any], column: Column) -> Values | list[Any]:
    if column.kind == "number":
        return np.array(values, dtype=np.float64)
    return values if column.kind == "integer" else [value or None for value in values]
