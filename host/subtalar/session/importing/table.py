"""Read chosen columns of a table of numbers (CSV or tab-separated), and say where it is broken."""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.errors import InputError
from subtalar.session.importing.text_file import read_text
from subtalar.types import FloatArray

_DELIMITERS = (",", ";", "\t")
_LONGEST_PREAMBLE = 200

TRUNCATED_ROW_NOTE = "{}: the last row was cut short and has been left out."
"""Of a table, by its name, whose ``without_truncated_row`` is another."""


@dataclass(frozen=True)
class TextTable:
    """A table as text: the lines before the header, its column names and the lines below (UTF-8).

    ``first_row_line`` is the line number (from 1) in the file of the first row below the header. ``decimal`` is the
    sign between whole and fraction.
    """

    path: Path
    preamble: tuple[str, ...]
    columns: tuple[str, ...]
    rows: bytes
    delimiter: str
    first_row_line: int
    decimal: str = "."

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there."""
        return all(c in self.columns for c in columns)

    def numbers(self, columns: Sequence[str]) -> FloatArray:
        """The named columns as (n, len(columns)) float64, every value finite.

        Raises InputError naming file, line and column where a cell is missing, not a number or not finite.
        """
        missing = [c for c in columns if c not in self.columns]
        if missing:
            raise InputError(
                f"{self.path.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
                f"it has {', '.join(c for c in self.columns if c)}."
            )
        if not self.rows or self.rows.isspace():
            raise InputError(f"{self.path.name} holds a header but no samples: record again, or leave this sensor out.")
        wanted = [self.columns.index(c) for c in columns]
        rows = self.rows if self.decimal == "." else self.rows.replace(self.decimal.encode(), b".")
        values = self._read(rows, wanted)
        if not np.isfinite(values).all() or self._rows_are_longer(len(values)):
            self._raise_for_bad_cell(wanted)
        return np.ascontiguousarray(values)

    def _read(self, rows: bytes, wanted: Sequence[int]) -> FloatArray:
        try:
            return np.loadtxt(
                io.TextIOWrapper(io.BytesIO(rows), encoding="utf-8"),  # read in pieces, not as one wide string
                delimiter=self.delimiter,
                usecols=wanted,
                comments=None,
                quotechar='"',
                ndmin=2,
                dtype=np.float64,
            )
        except ValueError as error:
            self._raise_for_bad_cell(wanted)
            raise InputError(f"{self.path.name} cannot be read as a table of numbers ({error}).") from error

    def without_truncated_row(self) -> "TextTable":
        """The table without a last row that does not end in a line end: part of it is missing, a number perhaps too."""
        whole = self.rows.rfind(b"\n") + 1
        if whole == len(self.rows) or not self.rows[whole:].strip():
            return self
        return TextTable(
            self.path, self.preamble, self.columns, self.rows[:whole], self.delimiter, self.first_row_line, self.decimal
        )

    def _rows_are_longer(self, row_count: int) -> bool:
        """Whether there are more cells than the header has names for, as decimal commas make them."""
        sign = self.delimiter.encode()
        extra = self.rows.count(sign) - row_count * (len(self.columns) - 1)
        if extra <= 0:
            return False
        at_line_ends = sum(self.rows.count(sign + space + end) for space in (b"", b" ") for end in (b"\n", b"\r\n"))
        return extra > at_line_ends

    def _raise_for_bad_cell(self, wanted: Sequence[int]) -> None:
        """Find the first bad cell the slow way and raise InputError about it."""
        for number, line in enumerate(self.rows.decode().splitlines(), start=self.first_row_line):
            if not line.strip():
                continue
            cells = line.split(self.delimiter)
            where = f"{self.path.name}, line {number}"
            if any(c.strip() for c in cells[len(self.columns) :]):
                raise InputError(
                    f"{where}: the row has {len(cells)} values for {len(self.columns)} columns: are there commas "
                    "inside the numbers? Then export it again with decimal points."
                )
            for index in wanted:
                name = self.columns[index]
                if index >= len(cells):
                    raise InputError(
                        f"{where}: the row ends before column {name} ({len(cells)} of {len(self.columns)} values): "
                        "the file may have been cut; delete the row or export it again."
                    )
                if not _is_finite(cells[index], self.decimal):
                    shown = "".join(c if c.isprintable() else "?" for c in cells[index].strip()) or "nothing"
                    raise InputError(
                        f"{where}, column {name}: {shown[:40]} is not a number: delete the row (a lost sample is "
                        "allowed, an invented one is not) or export the file again."
                    )


def read_table(path: Path, *, delimiter: str = ",", comment: str = "#") -> TextTable:
    """Read a text table whole; the first line that does not start with ``comment`` is the header.

    The lines before it are kept as the preamble. Raises InputError when the file cannot be read, is empty, is not
    text, or is a gzip file that was cut short.
    """
    data = read_text(path)
    preamble: list[str] = []
    for number, line, position in _lines(data):
        if line.strip() and not line.startswith(comment):
            if delimiter == "," and line.count(";") > line.count(","):
                raise InputError(
                    f"{path.name} is separated by semicolons, as some spreadsheet programs save it: "
                    "save it with commas between the columns and points in the numbers."
                )
            return TextTable(path, tuple(preamble), _names(path, line, delimiter), data[position:], delimiter, number)
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
                decimal = "," if delimiter != "," and b"," in rows[:4096] else "."
                names = _names(path, line, delimiter)
                return TextTable(path, tuple(preamble), names, rows, delimiter, number, decimal)
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
                return TextTable(path, tuple(preamble), names, data[position:], delimiter, number, decimal)
            names = tuple(str(k) for k in range(1, len(line.rstrip("\r").split(delimiter)) + 1))
            return TextTable(path, tuple(preamble), names, data[start:], delimiter, number - 1, decimal)
        preamble.append(line)
        start = position
    raise InputError(f"{path.name} has no table after the {skip_lines} lines to skip: correct skip_lines.")


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
