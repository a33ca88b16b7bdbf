"""Numbers to text a block at a time: rows of digits as a byte matrix, the padding dropped at the end.

``numpy.savetxt`` formats one number after the other and takes many times as long; an hour of four sensors is
1.4 million rows of seven numbers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from subtalar.types import FloatArray

Text = npt.NDArray[np.uint8]
"""(n, width) ASCII, right or left aligned; 0 is padding that does not reach the file."""

_LARGEST = 9e15  # the integers a float64 holds exactly


def decimal_text(values: FloatArray, decimals: int) -> Text:
    """Fixed-point text of ``values`` (n,), rounded half to even; nothing at all where a value is not finite.

    Raises ValueError where a value is too large to be written exactly with that many decimals.
    """
    unknown = ~np.isfinite(values)
    if unknown.all():
        return np.empty((len(values), 0), np.uint8)
    scaled = np.rint(np.where(unknown, 0.0, values) * 10.0**decimals)
    magnitude = np.abs(scaled)
    largest = float(magnitude.max(initial=0.0))
    if largest > _LARGEST:
        raise ValueError(f"{largest / 10.0**decimals:g} cannot be written with {decimals} decimals")
    kind = np.int32 if largest < 2**31 else np.int64  # 32 bits divide twice as fast
    rest: npt.NDArray[Any] = magnitude.astype(kind)
    digits = max(decimals + 1, len(str(int(largest))))
    text = np.zeros((len(values), digits + (2 if decimals else 1)), np.uint8)
    column = text.shape[1] - 1
    for place in range(digits):
        if decimals and place == decimals:
            text[:, column] = ord(".")
            column -= 1
        shorter = rest // 10
        digit = (rest - shorter * 10).astype(np.uint8) + ord("0")
        text[:, column] = digit if place <= decimals else np.where(rest > 0, digit, 0)
        rest = shorter
        column -= 1
    text[:, 0] = np.where(scaled < 0, ord("-"), 0)
    text[unknown] = 0
    return text


def word_table(words: Sequence[str]) -> Text:
    """ASCII words as rows of equal width, to be indexed by their number."""
    width = max(map(len, words))
    return np.array([list(word.encode("ascii").ljust(width, b"\0")) for word in words], np.uint8)


def csv_rows(columns: Sequence[Text]) -> bytes:
    """The columns, each (n, width), as comma-separated lines that end in a line feed."""
    n = len(columns[0])
    comma, newline = np.full((n, 1), ord(","), np.uint8), np.full((n, 1), ord("\n"), np.uint8)
    parts = [part for column in columns for part in (column, comma)]
    parts[-1] = newline
    matrix = np.hstack(parts)
    return bytes(matrix[matrix != 0].data)
