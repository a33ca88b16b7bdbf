"""The rows of a table that can be read, which of them they are, and a sentence about those that cannot.

A logger that loses power leaves half a row, one that stumbles an empty cell: that is a lost sample, not a lost session.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from subtalar.errors import InputError
from subtalar.session.importing.table import Converter, Fault, TextTable, unlike_a_table
from subtalar.session.importing.written_time import (
    across_midnight,
    is_of_a_day,
    is_written_time,
    written_seconds,
)
from subtalar.types import FloatArray, IntArray

_MOST_UNREADABLE = 0.05
"""More than this is another kind of file, or a description that does not fit."""
_LOOKED_AT = 50
_PIECE_ROWS = 1000


@dataclass(frozen=True)
class SampleRows:
    """``values`` (n, columns), every one finite; ``index`` (n,) counts the rows in the file from 0, unreadable too.

    ``written`` are the columns that hold a written time, now in seconds; ``of_a_day`` those of them without a date.
    """

    values: FloatArray
    index: IntArray
    written: frozenset[str] = frozenset()
    of_a_day: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def read_rows(table: TextTable, columns: Sequence[str], *, times: Sequence[str] = (), name: str = "") -> SampleRows:
    """Read what can be read of ``columns``; those in ``times`` may hold numbers or written times.

    ``name`` is that of the table in sentences. Raises InputError where more than a twentieth of the rows is unreadable.
    """
    wanted = table.wanted(columns)
    samples = {c: _first_cells(table, table.columns.index(c)) for c in times}
    written = frozenset(c for c, cells in samples.items() if any(is_written_time(cell) for cell in cells))
    of_a_day = frozenset(c for c in written if any(is_of_a_day(cell) for cell in samples[c]))
    converters: dict[int, Converter] = {table.columns.index(c): written_seconds for c in written}
    values = table.load(table.rows, wanted, converters)
    notes: tuple[str, ...] = ()
    if values is None:
        values, index, notes = _read_in_pieces(table, wanted, converters, name or table.path.name)
    else:
        index = np.arange(len(values), dtype=np.int64)
    for column in of_a_day:
        k = columns.index(column)
        values[:, k] = across_midnight(values[:, k])
    return SampleRows(values, index, written, of_a_day, notes)


def _first_cells(table: TextTable, column: int) -> list[str]:
    rows = (line.split(table.delimiter) for _, line in islice(table.lines(), _LOOKED_AT))
    return [cells[column] for cells in rows if column < len(cells)]


def _read_in_pieces(
    table: TextTable, wanted: Sequence[int], converters: Mapping[int, Converter], name: str
) -> tuple[FloatArray, IntArray, tuple[str, ...]]:
    """Only pieces with a fault in them are looked at row by row."""
    read: list[FloatArray] = []
    index: list[int] = []
    first: Fault | None = None
    total = unreadable = 0
    for piece in _pieces(table.lines()):
        good = list(range(len(piece)))
        values = table.load(_joined(line for _, line in piece), wanted, converters)
        if values is None or len(values) != len(piece):
            faults = [table.fault(number, line, wanted, converters) for number, line in piece]
            good = [k for k, fault in enumerate(faults) if fault is None]
            first = first or next((fault for fault in faults if fault), None)
            values = table.load(_joined(piece[k][1] for k in good), wanted, converters) if good else None
            if good and (values is None or len(values) != len(good)):
                raise unlike_a_table(table.path)
        if values is not None:
            read.append(values)
        index.extend(total + k for k in good)
        unreadable += len(piece) - len(good)
        total += len(piece)
    if first is None:
        raise unlike_a_table(table.path)
    if not read or unreadable > max(1, _MOST_UNREADABLE * total):
        rest = f" (the first of {unreadable} unreadable rows of {total})" if unreadable > 1 else ""
        raise InputError(f"{first.where}: {first.what}{rest}: {first.remedy}")
    what = "is unreadable and was" if unreadable == 1 else "are unreadable and were"
    note = f"{unreadable} of {total} rows of {name} {what} left out."
    return np.vstack(read), np.array(index, dtype=np.int64), (note,)


def _pieces(lines: Iterator[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    while piece := list(islice(lines, _PIECE_ROWS)):
        yield piece


def _joined(lines: Iterable[str]) -> bytes:
    return "\n".join(lines).encode()
