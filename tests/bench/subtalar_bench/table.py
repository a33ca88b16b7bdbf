"""Figures as tables: measured once, shown as JSON, in a terminal or in a document."""

from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = str | float | tuple[float, ...] | None
"""A cell: a word, a figure, some figures of one kind (one an angle), or None where there is nothing to say."""


@dataclass(frozen=True)
class Column:
    """One column: its name in JSON (unit at the end), its heading for people, and how many decimals are shown."""

    key: str
    heading: str
    decimals: int = 2


@dataclass(frozen=True)
class Table:
    """``key`` names the table in JSON and in documents; ``title`` is one line."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"every row of {self.key} needs {len(self.columns)} cells")

    def as_json(self) -> dict[str, Any]:
        """Plain values; a figure that is not a number is null."""
        keys = [c.key for c in self.columns]
        rows = [dict(zip(keys, (_plain(v) for v in row), strict=True)) for row in self.rows]
        return {"key": self.key, "title": self.title, "rows": rows}


def _plain(value: Value) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    number = float(value)
    return number if abs(number) < float("inf") else None
