"""Accelerations and angular velocities that were written apart, each with times of its own, on one row of times."""

from dataclasses import dataclass

import numpy as np

from subtalar.errors import InputError
from subtalar.session.importing.clock_repair import mend_strays, usual_step
from subtalar.types import FloatArray

_CLEARLY_FASTER = 1.05
_LONGEST_BRIDGE = 2.5
"""Periods of the slower one across which is interpolated: one lost sample, as between two that were read late."""

_BESIDE = 0.1
"""Periods from a sample at which its value still holds, though the next one is far."""


@dataclass(frozen=True)
class Stream:
    """A quantity (n, 3) and its times (n,); ``name`` and ``column`` (of the time) for sentences."""

    name: str
    column: str
    time_s: FloatArray
    values: FloatArray


@dataclass(frozen=True)
class Joined:
    """Times (n,), accelerations and angular velocities (n, 3), and what was done in a sentence."""

    time_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    note: str


def join_streams(acc: Stream, gyr: Stream) -> Joined:
    """Both at the times of the gyroscope, or of the accelerometer where that is clearly faster.

    Where the other has no sample near before or after, there is no row. Raises InputError where they have no time in
    common.
    """
    acc, gyr = _in_order(acc), _in_order(gyr)
    acc_first = usual_step(acc.time_s) * _CLEARLY_FASTER < usual_step(gyr.time_s)
    base, other = (acc, gyr) if acc_first else (gyr, acc)
    after = np.clip(np.searchsorted(other.time_s, base.time_s), 1, len(other.time_s) - 1)
    left, right = other.time_s[after - 1], other.time_s[after]
    period_s = usual_step(other.time_s)
    bridged = right - left <= _LONGEST_BRIDGE * period_s
    beside = np.minimum(np.abs(base.time_s - left), np.abs(right - base.time_s)) <= _BESIDE * period_s
    kept = (base.time_s >= other.time_s[0]) & (base.time_s <= other.time_s[-1]) & (bridged | beside)
    if not kept.any():
        raise InputError(
            f"{acc.name} and {gyr.name} do not overlap in time: they are not of one recording, or the unit of one time "
            "is wrong."
        )
    time_s = base.time_s[kept]
    between = np.column_stack([np.interp(time_s, other.time_s, other.values[:, k]) for k in range(3)])
    mine = np.ascontiguousarray(base.values[kept])
    left_out = len(base.time_s) - len(time_s)
    note = f"{other.name} was interpolated to the times of {base.name}"
    note += f"; {left_out} rows that it does not reach were left out." if left_out else "."
    return Joined(time_s, *((mine, between) if acc_first else (between, mine)), note)


def _in_order(stream: Stream) -> Stream:
    time_s, _ = mend_strays(stream.time_s)
    if (np.diff(time_s) < -1.0).any():
        raise InputError(
            f"{stream.name}: {stream.column} falls back by more than a second, so it cannot be joined with the other "
            "file of the sensor: make a session of each part."
        )
    time_s, first = np.unique(time_s, return_index=True)
    if len(time_s) < 2:
        raise InputError(f"{stream.name}: {stream.column} stands still: name the column that holds the times.")
    return Stream(stream.name, stream.column, time_s, stream.values[first])
