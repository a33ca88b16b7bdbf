"""Rows and states with named fields: NumPy's structured arrays, which compiled functions read and write through.

A table is an array (n,) of a dtype that stands as a constant beside what it describes; a filter's constants and memory
are an array of one such record. In both worlds ``rows[i]["time_s"]`` is one value and ``rows[i]["q"]`` a view; compiled
functions that call one with a signature of its own hand over ``["q"][:]``, which is of the type that Python's is.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[np.void]
Record = Any
"""One of them inside compiled loops, by reference."""


def record(dtype: np.dtype[np.void], **values: object) -> Records:
    """One record as an array (1,), which compiled functions take and may change; zero where no value is given."""
    made = np.zeros(1, dtype)
    for name, value in values.items():
        made[name] = value
    return made


def opaque(rows: Records) -> Records:
    """The same rows as lumps of bytes: NumPy copies these whole, which takes an eighth of copying field by field."""
    return rows.view(np.dtype((np.void, rows.dtype.itemsize)))
