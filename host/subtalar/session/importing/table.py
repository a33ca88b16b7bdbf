"""Read chosen columns of a table of numbers (CSV or tab-separated), and say where it is broken."""

import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from subtalar.errors import InputError
from subtalar.session.importing.text_file import read_text
from subtalar.session.importing.written_time import is_written_time
from subtalar.types import FloatArray

_DELIMITERS = (",", ";", "\t")
_LONGEST_PREAMBLE = 200
_LIKE_A_VALUE = re.compile(r"[+-]?[.,]?\d|[+-]?(nan|inf|infinity|null|none|n/a|na)$", re.IGNORECASE)

TRUNCATED_ROW_NOTE = "{}: the last row was cut short and has been left out."
"""Of a table, by its name, whose ``without_truncated_row`` is another."""


Converter = Callable[[str], float]


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be read: where in the file, what it is, and what to do."""

    where: str
    what: str
    remedy: str


@dataclass(frozen=True)
class TextTable:
    """A table as text: the lines before the header, its column names and the lines below (UTF-8).

    ``first_row_line`` is the line number (from 1) in the file of the first row below the header. ``decimal`` is the
    sign between whole and fraction. ``units`` are the cells of a second header row, which names units; empty without
    one.
    """

    path: Path
    preamble: tuple[str, ...]
    columns: tuple[str, ...]
    rows: bytes
    delimiter: str
    first_row_line: int
    decimal: str = "."
    units: tuple[str, ...] = ()

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there."""
        return all(c in self.columns for c in columns)

    def unit(self, column: str) -> str:
        """What the second header row says of a column; empty where it says nothing."""
        index = self.columns.index(column)
        return self.units[index] if index < len(self.units) else ""

    def numbers(self, columns: Sequence[str]) -> FloatArray:
        """The named columns as (n, len(columns)) float64, every value finite.

        Raises InputError naming file, line and column where a cell is missing, not a number or not finite.
        """
        wanted = self.wanted(columns)
        values = self.load(self.rows, wanted)
        if values is None:
            self._raise_for_bad_cell(wanted)
        return values

    def wanted(self, columns: Sequence[str]) -> list[int]:
        """Where the columns stand. Raises InputError where one is missing, or the table has no rows."""
        missing = [c for c in columns if c not in self.columns]
        if missing:
            raise InputError(
                f"{self.path.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
                f"it has {', '.join(c for c in self.columns if c)}."
            )
        if not self.rows or self.rows.isspace():
            raise InputError(f"{self.path.name} holds a header but no samples: record again, or leave this sensor out.")
        return [self.columns.index(c) for c in columns]

    def load(
        self, rows: bytes, wanted: Sequence[int], converters: Mapping[int, Converter] | None = None
    ) -> FloatArray | None:
        """Rows of this table as (n, len(wanted)) float64; None where any cell of them cannot be read."""
        text = rows if self.decimal == "." else rows.replace(self.decimal.encode(), b".")
        by_column: dict[int | str, Converter] = dict((converters or {}).items())
        try:
            values = np.loadtxt(
                io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"),  # read in pieces, not as one wide string
                delimiter=self.delimiter,
                usecols=wanted,
                comments=None,
                quotechar='"',
                ndmin=2,
                dtype=np.float64,
                converters=by_column or None,
                encoding=None,
            )
        except (ValueError, OverflowError):
            return None
        if not np.isfinite(values).all() or self._rows_are_longer(rows, len(values)):
            return None
        return np.ascontiguousarray(values)

    def without_truncated_row(self) -> "TextTable":
        """The table without a last row that does not end in a line end: part of it is missing, a number perhaps too."""
        whole = self.rows.rfind(b"\n") + 1
        if whole == len(self.rows) or not self.rows[whole:].strip():
            return self
        return replace(self, rows=self.rows[:whole])

    def _rows_are_longer(self, rows: bytes, row_count: int) -> bool:
        """Whether there are more cells than the header has names for, as decimal commas make them."""
        sign = self.delimiter.encode()
        extra = rows.count(sign) - row_count * (len(self.columns) - 1)
        if extra <= 0:
            return False
        at_line_ends = sum(rows.count(sign + space + end) for space in (b"", b" ") for end in (b"\n", b"\r\n"))
        return extra > at_line_ends

    def fault(
        self, number: int, line: str, wanted: Sequence[int], converters: Mapping[int, Converter] | None = None
    ) -> Fault | None:
        """What is wrong with a row, ``number`` its line in the file; None where it can be read."""
        cells = line.split(self.delimiter)
        where = f"{self.path.name}, line {number}"
        if any(c.strip() for c in cells[len(self.columns) :]):
            return Fault(
                where,
                f"the row has {len(cells)} values for {len(self.columns)} columns",
                "are there commas inside the numbers? Then export it again with decimal points.",
            )
        for index in wanted:
            name = self.columns[index]
            if index >= len(cells):
                return Fault(
                    where,
                    f"the row ends before column {name} ({len(cells)} of {len(self.columns)} values)",
                    "the file may have been cut; delete the row or export it again.",
                )
            converter = (converters or {}).get(index)
            if not (is_written_time(cells[index]) if converter else _is_finite(cells[index], self.decimal)):
                shown = "".join(c if c.isprintable() else "?" for c in cells[index].strip()) or "nothing"
                return Fault(
                    f"{where}, column {name}",
                    f"{shown[:40]} is not a {'time' if converter else 'number'}",
                    "delete the row (a lost sample is allowed, an invented one is not) or export the file again.",
                )
        return None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Line number in the file and text of each row."""
        position, number = 0, self.first_row_line
        while position < len(self.rows):
            end = self.rows.find(b"\n", position)
            end = len(self.rows) if end < 0 else end
            line = self.rows[position:end].decode(errors="replace").rstrip("\r")
            if line.strip():
                yield number, line
            position, number = end + 1, number + 1

    def _raise_for_bad_cell(self, wanted: Sequence[int]) -> NoReturn:
        """Find the first bad cell the slow way and raise InputError about it."""
        for number, line in self.lines():
            fault = self.fault(number, line, wanted)
            if fault:
                raise InputError(f"{fault.where}: {fault.what}: {fault.remedy}")
        raise unlike_a_table(self.path)


def unlike_a_table(path: Path) -> InputError:
    """Each row can be read and the whole cannot: quotes that do not close, for instance."""
    return InputError(f"{path.name} cannot be read as a table of numbers: export it again.")


def read_table(path: Path, *, delimiter: str | None = ",", comment: str = "#") -> TextTable:
    """Read a text table whole; the first line that does not start with ``comment`` is the header.

    The lines before it are kept as the preamble. ``delimiter`` None takes the sign that cuts the header into most
    names, and numbers with decimal commas where that sign is no comma. Raises InputError when the file cannot be read,
    is empty, is not text, or is a gzip file that was cut short.
    """
    data = read_text(path)
    preamble: list[str] = []
    for number, line, position in _lines(data):
        if line.strip() and not line.startswith(comment) and not (delimiter is None and line.startswith("sep=")):
            sign = delimiter or max(_DELIMITERS, key=line.count)
            if delimiter == "," and line.count(";") > line.count(","):
                raise InputError(
                    f"{path.name} is separated by semicolons, as some spreadsheet programs save it: "
                    "save it with commas between the columns and points in the numbers."
                )
            rows = data[position:]
            decimal = "." if delimiter else _decimal(rows, sign)
            return _below_units(TextTable(path, tuple(preamble), _names(path, line, sign), rows, sign, number, decimal))
        if line.strip():
            preamble.append(line)
    raise InputError(f"{path.name} holds no table, only comments: export or copy it again.")


def find_table(path: Path, is_header: Callable[[Sequence[str]], bool]) -> TextTable | None:
    """Read a table whole whose header is the first line whose names ``is_header`` accepts; None where there is none.

    Commas, semicolons and tabs separate columns; where it is not commas, the numbers may have decimal commas, as
    spreadsheet programs save them in much of Europe. Raises InputError as ``read_table`` does.
    """
    data = read_text(path)
    preamble: list[str] = []
    for number, line, position in _lines(data):
        for delimiter in _DELIMITERS:
            if is_header([c.strip().strip('"') for c in line.split(delimiter)]):
                rows = data[position:]
                names = _names(path, line, delimiter)
                table = TextTable(path, tuple(preamble), names, rows, delimiter, number, _decimal(rows, delimiter))
                return _below_units(table)
        preamble.append(line)
        if number > _LONGEST_PREAMBLE:
            break
    return None


def split_table(
    path: Path, *, delimiter: str, decimal: str = ".", skip_lines: int = 0, has_header: bool = True
) -> TextTable:
    """Read a table whose form is told: the header after ``skip_lines`` lines, or columns numbered ``1``, ``2`` … .

    Raises InputError as ``read_table`` does, and where there is nothing after the lines to skip.
    """
    data = read_text(path)
    preamble: list[str] = []
    start = 0
    for number, line, position in _lines(data):
        if number - 1 > skip_lines and line.strip():
            if has_header:
                names = _names(path, line, delimiter)
                table = TextTable(path, tuple(preamble), names, data[position:], delimiter, number, decimal)
                return _below_units(table)
            names = tuple(str(k) for k in range(1, len(line.rstrip("\r").split(delimiter)) + 1))
            return TextTable(path, tuple(preamble), names, data[start:], delimiter, number - 1, decimal)
        preamble.append(line)
        start = position
    raise InputError(f"{path.name} has no table after the {skip_lines} lines to skip: correct skip_lines.")


def _decimal(rows: bytes, delimiter: str) -> str:
    return "," if delimiter != "," and b"," in rows[:4096] else "."


def _below_units(table: TextTable) -> TextTable:
    """The table without a second header row: one in which no cell is a value and at least two are words, or units."""
    for number, line, position in _lines(table.rows):
        cells = [c.strip().strip('"').strip() for c in line.split(table.delimiter)]
        words = [c for c in cells if c]
        if not words:
            continue
        if len(words) < 2 or len(cells) < len(table.columns) - 1 or any(_LIKE_A_VALUE.match(c) for c in words):
            return table
        first = table.first_row_line + number - 1
        return replace(table, rows=table.rows[position:], first_row_line=first, units=tuple(cells))
    return table


def _lines(data: bytes) -> Iterator[tuple[int, str, int]]:
    """Number of the next line (from 1), the line, and where the next one starts."""
    position, number = 0, 1
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        line = data[position : min(end, position + 65536)].decode(errors="replace").rstrip("\r")
        position = min(end + 1, len(data))
        number += 1
        yield number, line, position


def _names(path: Path, line: str, delimiter: str) -> tuple[str, ...]:
    columns = tuple(c.strip().strip('"') for c in line.split(delimiter))  # R and others put names in quotes
    twice = sorted({c for c in columns if c and columns.count(c) > 1})
    if twice:
        raise InputError(f"{path.name} has the column {twice[0]} more than once: keep one of them.")
    return columns


def _is_finite(cell: str, decimal: str) -> bool:
    if "_" in cell or not cell.isascii():  # digits to Python, not to a table
        return False
    try:
        return math.isfinite(float(cell.strip().strip('"').replace(decimal, ".")))
    except ValueError:
        return False
