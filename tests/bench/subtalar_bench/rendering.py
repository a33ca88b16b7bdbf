"""Tables for people: plain text for a terminal, Markdown for a document."""

from collections.abc import Sequence

from subtalar_bench.table import Column, Table, Value

NOTHING = "–"


def as_text(table: Table) -> str:
    """Title, headings and rows, aligned."""
    cells = [[c.heading for c in table.columns], *_shown(table)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(table.columns))]
    right = [_is_number(table, k) for k in range(len(table.columns))]
    lines = [
        "  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([table.title, "-" * len(table.title), *lines])


def as_markdown(table: Table) -> str:
    """The rows as a Markdown table (the title is left to the document)."""
    rule = ["---:" if _is_number(table, k) else "---" for k in range(len(table.columns))]
    lines: list[Sequence[str]] = [[c.heading for c in table.columns], rule, *_shown(table)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(table: Table) -> list[list[str]]:
    return [[_cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]


def _cell(value: Value, column: Column) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " / ".join(_cell(v, column) for v in value)
    if value is None or value != value:
        return NOTHING
    text = f"{value:.{column.decimals}f}"
    # A figure that rounds to nothing has no sign.
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _is_number(table: Table, k: int) -> bool:
    return any(isinstance(row[k], float | int | tuple) for row in table.rows)
