"""The two sensors of a leg on one time base: the foot's samples, with the shank interpolated at the same instants."""

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation import sensor_stream as stream
from subtalar.estimation.sensor_stream import SensorStream
from subtalar.types import FloatArray

TIME, Q_FOOT, GYR_FOOT, Q_SHANK, GYR_SHANK = 0, slice(1, 5), slice(5, 8), slice(8, 12), slice(12, 15)
SHOCK, FORCE, REAL, GAP, CLIPPED, BRIDGED, STILL = 15, 16, 17, 18, 19, 20, 21
WIDTH = 22
"""SHOCK and FORCE: magnitude of the specific force of shank and foot (m/s²). GAP: no shank sample near, or samples lost
just before."""


def resolvable(
    foot: SensorStream, shank: SensorStream, first: int, offset_s: float, horizon_s: float, patience_s: float
) -> int:
    """Index after the last foot row, counted from ``first``, for which the shank's part is decided.

    Either the shank has a sample at or after the row's instant, or no such sample arrived within ``patience_s`` of the
    row's own arrival, which is known once everything that arrived before ``horizon_s`` was pushed.
    """
    rows = foot.rows.view(first, foot.rows.end)
    covered = np.searchsorted(rows[:, stream.TIME] + offset_s, shank.end_time_s, side="right")
    # What the shank's clock still holds back at its start did arrive.
    overdue_s = -np.inf if shank.holding else horizon_s - patience_s
    waited = np.searchsorted(rows[:, stream.ARRIVAL], overdue_s, side="left")
    return first + int(max(covered, waited))


def align(
    foot_rows: FloatArray, shank: SensorStream, offset_s: float, longest_s: float, patience_s: float
) -> FloatArray:
    """Rows (n, WIDTH) of the leg for foot rows (n, stream.WIDTH); STILL is left 0."""
    out = np.zeros((len(foot_rows), WIDTH))
    out[:, TIME] = foot_rows[:, stream.TIME]
    out[:, Q_FOOT] = foot_rows[:, stream.Q]
    out[:, GYR_FOOT] = foot_rows[:, stream.GYR]
    acc = foot_rows[:, stream.ACC]
    out[:, FORCE] = np.sqrt(acc[:, 0] ** 2 + acc[:, 1] ** 2 + acc[:, 2] ** 2)
    out[:, REAL] = foot_rows[:, stream.REAL]
    out[:, CLIPPED] = foot_rows[:, stream.CLIPPED]
    gap = foot_rows[:, stream.STEP] > longest_s
    s = shank.rows.view(shank.rows.first, shank.rows.end)
    if len(s) < 2:
        out[:, GAP] = 1.0
        out[:, Q_SHANK] = np.nan
        return out
    t = foot_rows[:, stream.TIME] + offset_s
    # Where a sample coincides with the row it is the right neighbour, whether or not a later one is there yet.
    after = np.searchsorted(s[:, stream.TIME], t, side="left")
    missing = (after == 0) | (after >= len(s))
    j1 = np.clip(after, 1, len(s) - 1)
    j0 = j1 - 1
    left, right = s[j0], s[j1]
    span = right[:, stream.TIME] - left[:, stream.TIME]
    gap |= missing | (span > longest_s) | (right[:, stream.ARRIVAL] > foot_rows[:, stream.ARRIVAL] + patience_s)
    f = np.clip((t - left[:, stream.TIME]) / span, 0.0, 1.0)
    g = f[:, None]
    out[:, Q_SHANK] = quat.interpolate(left[:, stream.Q], right[:, stream.Q], f)
    out[:, GYR_SHANK] = left[:, stream.GYR] * (1 - g) + right[:, stream.GYR] * g
    force = left[:, stream.ACC] * (1 - g) + right[:, stream.ACC] * g
    out[:, SHOCK] = np.sqrt(force[:, 0] ** 2 + force[:, 1] ** 2 + force[:, 2] ** 2)
    out[:, CLIPPED] = np.maximum(out[:, CLIPPED], np.maximum(left[:, stream.CLIPPED], right[:, stream.CLIPPED]))
    out[:, BRIDGED] = 1.0 - np.minimum(np.minimum(left[:, stream.REAL], right[:, stream.REAL]), out[:, REAL])
    out[:, GAP] = gap
    out[gap, Q_SHANK] = np.nan
    return out
