"""What people wrote, on its way into tables that spreadsheet programs open."""

from typing import Final

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

NEUTRALISED: Final = (
    "A text that begins with = + - @, a tab or a line break stands behind an apostrophe (') here, so that no "
    "spreadsheet program takes it for a formula."
)


def safe_text(text: str) -> str:
    """Unchanged unless it could be taken for a formula (OWASP, CSV Injection); then behind an apostrophe."""
    return f"'{text}" if text.lstrip(" ").startswith(_BEGINS_A_FORMULA) else text


def one_line(text: str) -> str:
    """``safe_text`` without tabs and line breaks, which separate cells and rows of tables that cannot quote."""
    return safe_text(" ".join(text.split()))
