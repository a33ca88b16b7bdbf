"""Measured tables in documents: what stands between ``<!-- table KEY -->`` and ``<!-- /table -->`` is replaced."""

import re
from collections.abc import Iterable
from pathlib import Path

from subtalar.bench.rendering import as_markdown
from subtalar.bench.table import Table
from subtalar.errors import InputError

_BLOCK = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def write_tables(path: Path, tables: Iterable[Table]) -> int:
    """Put tables into a document where it has places for them; how many it had.

    The words around them, and tables that were not measured, stay as they are. Raises InputError where the document
    cannot be read or written, or has no such place.
    """
    by_key = {table.key: table for table in tables}
    try:
        text = path.read_text("utf-8")
        filled, count = fill(text, by_key)
        if count and filled != text:
            path.write_text(filled, "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be written with the figures ({error}): name an existing document.") from error
    if not count:
        raise InputError(
            f"{path} has no place for any of these figures: mark one with <!-- table NAME --> and <!-- /table -->."
        )
    return count


def fill(text: str, tables: dict[str, Table]) -> tuple[str, int]:
    """The text with its table blocks renewed, and how many were."""
    count = 0

    def renewed(block: re.Match[str]) -> str:
        nonlocal count
        table = tables.get(block[2])
        if table is None:
            return block[0]
        count += 1
        return f"{block[1]}{as_markdown(table)}\n{block[3]}"

    return _BLOCK.sub(renewed, text), count


def places(text: str) -> list[str]:
    """Keys of the tables that a document has places for, in order."""
    return [block[2] for block in _BLOCK.finditer(text)]
