"""Read chosen columns of a table of numbers (CSV or tab-separated, plain or gzipped), and say where it is broken."""

import gzip
import io
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.errors import InputError
from subtalar.types import FloatArray

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class TextTable:
    """A table as text: the lines before the header, its column names and the lines below.

    ``first_row_line`` is the line number (from 1) in the file of the first row below the header.
    """

    path: Path
    preamble: tuple[str, ...]
    columns: tuple[str, ...]
    rows: str
    delimiter: str
    first_row_line: int

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
                f"it has {', '.join(self.columns)}."
            )
        if not self.rows.strip():
            raise InputError(f"{self.path.name} holds a header but no samples: record again, or leave this sensor out.")
        wanted = [self.columns.index(c) for c in columns]
        try:
            values = np.loadtxt(
                io.StringIO(self.rows),
                delimiter=self.delimiter,
                usecols=wanted,
                comments=None,
                quotechar='"',
                ndmin=2,
                dtype=np.float64,
            )
        except ValueError as error:
            self._complain(wanted)
            raise InputError(f"{self.path.name} cannot be read as a table of numbers ({error}).") from error
        if not np.isfinite(values).all() or self._rows_are_longer(len(values)):
            self._complain(wanted)
        return np.ascontiguousarray(values)

    def _rows_are_longer(self, row_count: int) -> bool:
        """Whether there are more cells than the header has names for, as decimal commas make them."""
        return self.rows.count(self.delimiter) > row_count * (len(self.columns) - 1)

    def _complain(self, wanted: Sequence[int]) -> None:
        """Find the first bad cell the slow way and raise InputError about it."""
        for number, line in enumerate(self.rows.splitlines(), start=self.first_row_line):
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
                if not _is_finite(cells[index]):
                    shown = "".join(c if c.isprintable() else "?" for c in cells[index].strip()) or "nothing"
                    raise InputError(
                        f"{where}, column {name}: {shown[:40]} is not a number: delete the row (a lost sample is "
                        "allowed, an invented one is not) or export the file again."
                    )


def read_table(path: Path, *, delimiter: str = ",", comment: str = "#") -> TextTable:
    """Read a text table whole; gzip is known by its first bytes, not by the name.

    Lines that start with ``comment`` before the header are kept as the preamble. Raises InputError when the file
    cannot be read, is empty, is not text, or is a gzip file that was cut short.
    """
    text = _read_text(path)
    if not text.strip():
        raise InputError(f"{path.name} is empty: export or copy it again.")
    position, line_number, preamble = 0, 0, []
    while True:
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].rstrip("\r")
        position = min(end + 1, len(text))
        line_number += 1
        if line.strip() and not line.startswith(comment):
            break
        if line.strip():
            preamble.append(line)
        if position >= len(text):
            raise InputError(f"{path.name} holds no table, only comments: export or copy it again.")
    if delimiter == "," and line.count(";") > line.count(","):
        raise InputError(
            f"{path.name} is separated by semicolons, as some spreadsheet programs save it: "
            "save it with commas between the columns and points in the numbers."
        )
    columns = tuple(c.strip().strip('"') for c in line.split(delimiter))  # R and others put names in quotes
    twice = sorted({c for c in columns if c and columns.count(c) > 1})
    if twice:
        raise InputError(f"{path.name} has the column {twice[0]} more than once: keep one of them.")
    return TextTable(path, tuple(preamble), columns, text[position:], delimiter, line_number + 1)


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    if data.startswith(_GZIP_MAGIC):
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path.name} is a gzip file that was cut short or damaged: copy it again.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a text file: a table of numbers was expected.") from error


def _is_finite(cell: str) -> bool:
    if "_" in cell or not cell.isascii():  # digits to Python, not to a table
        return False
    try:
        return math.isfinite(float(cell.strip().strip('"')))
    except ValueError:
        return False
