"""Times that a file writes as people do: ISO 8601, or hours, minutes and seconds of a day."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np

from subtalar.types import FloatArray

DAY_S = 86_400.0
_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)
"""One for all files, so that their times can be compared; near, so that a double holds them to 0.1 µs."""
_OF_A_DAY = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:[.,]\d*)?)", re.ASCII)


def written_seconds(cell: str) -> float:
    """Seconds since the origin of an ISO 8601 date and time, without a zone as if in UTC; or since midnight.

    Raises ValueError where it is neither.
    """
    text = cell.strip().strip('"').strip()
    match = _OF_A_DAY.fullmatch(text)
    if match:
        return 3600.0 * int(match[1]) + 60.0 * int(match[2]) + float(match[3].replace(",", "."))
    if ":" not in text or not text.isascii():  # a date alone is no time of a sample
        raise ValueError(f"{text[:40]} is no time")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _ORIGIN) / timedelta(seconds=1)


def is_written_time(cell: str) -> bool:
    """Whether the cell holds a time in one of these forms."""
    try:
        written_seconds(cell)
    except (ValueError, OverflowError):
        return False
    return True


def is_of_a_day(cell: str) -> bool:
    """Whether the time has no date, so that it begins anew at midnight."""
    return _OF_A_DAY.fullmatch(cell.strip().strip('"').strip()) is not None


def across_midnight(time_s: FloatArray) -> FloatArray:
    """Times of a day (n,), going on after midnight."""
    step = np.diff(time_s, prepend=time_s[:1])
    turns = np.cumsum((step < -DAY_S / 2).astype(np.float64) - (step > DAY_S / 2))
    return np.asarray(time_s + DAY_S * turns, dtype=np.float64)
