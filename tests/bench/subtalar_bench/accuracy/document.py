"""Measured tables in documents: what stands between ``<!-- table KEY -->`` and ``<!-- /table -->`` is replaced."""

import re
from collections.abc import Iterable
from pathlib import Path

from subtalar.errors import InputError
from subtalar_bench.rendering import as_markdown
from subtalar_bench.table import Table

_BLOCK = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def write_tables(path: Path, tables: Iterable[Table]) -> set[str]:
    """Put tables into a document where it has places for them; the keys of those that it has.

    The words around them, and tables that were not measured, stay as they are. Raises InputError where the document
    cannot be read or written.
    """
    by_key = {table.key: table for table in tables}
    try:
        text = path.read_text("utf-8")
        filled = fill(text, by_key)
        if filled != text:
            path.write_text(filled, "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be written with the figures ({error}): name an existing document.") from error
    return by_key.keys() & set(places(text))


def fill(text: str, tables: dict[str, Table]) -> str:
    """The text with its table blocks renewed."""

    def renewed(block: re.Match[str]) -> str:
        table = tables.get(block[2])
        return block[0] if table is None else f"{block[1]}{as_markdown(table)}\n{block[3]}"

    return _BLOCK.sub(renewed, text)


def places(text: str) -> list[str]:
    """Keys of the tables that a document has places for, in order."""
    return [block[2] for block in _BLOCK.finditer(text)]
