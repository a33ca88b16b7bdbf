"""Read plain decimal numbers from a table, fast and to the last bit as the exact way does.

A number of at most 15 digits is an integer below 2⁵³ divided by a power of ten up to 10¹⁵: both are doubles, and one
division rounds once, so the result is the double nearest to the decimal (Clinger 1990, "How to read floating point
numbers accurately", doi 10.1145/93542.93557). Whatever is not that simple (exponents, quotes, more digits, empty or odd
cells) is left to the slow reader, which also says what is wrong.
"""

import numpy as np
import numpy.typing as npt

from subtalar.estimation.compiled import compiled
from subtalar.types import FloatArray, IntArray

Bytes = npt.NDArray[np.uint8]
_MOST_DIGITS = 15
_POWERS = np.array([10.0**k for k in range(_MOST_DIGITS + 1)])


def plain_numbers(rows: bytes, delimiter: str, wanted: list[int]) -> FloatArray | None:
    """Columns ``wanted`` (indices) as (n, len(wanted)) float64; None where a cell is not a plain decimal number."""
    data = np.frombuffer(rows, np.uint8)
    order = np.full(max(wanted) + 1, -1, np.int64)
    order[wanted] = np.arange(len(wanted))
    out = np.empty((rows.count(b"\n") + 1, len(wanted)))
    count = _parse(data, ord(delimiter), order, _POWERS, out)
    return None if count < 0 else out[:count]


@compiled("i8(Array(u1, 1, 'C', True), i8, i8[::1], f8[::1], f8[:, ::1])")
def _parse(data: Bytes, delimiter: int, order: IntArray, powers: FloatArray, out: FloatArray) -> int:
    """Number of rows; -1 where a cell is anything but ``[+-]digits[.digits]`` between blanks, or a row ends early."""
    i, size, row, last = 0, len(data), 0, len(order) - 1
    while i < size:
        if data[i] == 10 or (data[i] == 13 and i + 1 < size and data[i + 1] == 10):
            i += 1 if data[i] == 10 else 2
            continue
        for column in range(last + 1):
            k = order[column]
            if k >= 0:
                while i < size and data[i] == 32:
                    i += 1
                negative = i < size and data[i] == 45
                if i < size and (data[i] == 45 or data[i] == 43):
                    i += 1
                mantissa, digits, decimals, fraction = 0, 0, 0, False
                while i < size:
                    c = data[i]
                    if 48 <= c <= 57:
                        mantissa = mantissa * 10 + (c - 48)
                        digits += 1
                        decimals += fraction
                        if digits > 15:
                            return -1
                    elif c == 46 and not fraction:
                        fraction = True
                    else:
                        break
                    i += 1
                if digits == 0:
                    return -1
                value = mantissa / powers[decimals]
                out[row, k] = -value if negative else value
                while i < size and data[i] == 32:
                    i += 1
                if i + 1 < size and data[i] == 13 and data[i + 1] == 10:
                    i += 1
                if i < size and data[i] != delimiter and data[i] != 10:
                    return -1
            else:
                while i < size and data[i] != delimiter and data[i] != 10:
                    if data[i] == 34 or (data[i] == 13 and (i + 1 == size or data[i + 1] != 10)):
                        return -1
                    i += 1
            if column < last:
                if i >= size or data[i] == 10:
                    return -1
                i += 1
        while i < size and data[i] != 10:
            if data[i] == 34 or (data[i] == 13 and (i + 1 == size or data[i + 1] != 10)):
                return -1
            i += 1
        i += 1
        row += 1
    return row
