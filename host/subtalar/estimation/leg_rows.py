"""The two sensors of a leg on one time base: the foot's samples, with the shank interpolated at the same instants."""

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation import sensor_stream as stream
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.sensor_stream import SensorStream
from subtalar.types import FloatArray

TIME, Q_FOOT, GYR_FOOT, Q_SHANK, GYR_SHANK = 0, slice(1, 5), slice(5, 8), slice(8, 12), slice(12, 15)
SHOCK, FORCE, REAL, GAP, CLIPPED, BRIDGED, STILL = 15, 16, 17, 18, 19, 20, 21
ACC_FOOT, ACC_SHANK = slice(22, 25), slice(25, 28)
FREE_FOOT, FREE_SHANK, TURN_FOOT, TURN_SHANK = slice(28, 32), slice(32, 36), slice(36, 45), slice(45, 54)
WIDTH = 54
"""SHOCK and FORCE: magnitude of the specific force of shank and foot (m/s²). GAP: no shank sample near, or samples lost
just before."""

_Q_FOOT, _GYR_FOOT, _Q_SHANK, _GYR_SHANK = Q_FOOT.start, GYR_FOOT.start, Q_SHANK.start, GYR_SHANK.start
_T, _ARRIVAL, _REAL, _CLIPPED, _STEP = stream.TIME, stream.ARRIVAL, stream.REAL, stream.CLIPPED, stream.STEP
_Q, _GYR, _ACC, _FREE, _TURN = (c.start for c in (stream.Q, stream.GYR, stream.ACC, stream.FREE, stream.TURN))
_ACC_FOOT, _ACC_SHANK, _FREE_FOOT, _FREE_SHANK = ACC_FOOT.start, ACC_SHANK.start, FREE_FOOT.start, FREE_SHANK.start
_TURN_FOOT, _TURN_SHANK = TURN_FOOT.start, TURN_SHANK.start


def resolvable(
    foot: SensorStream, shank: SensorStream, first: int, offset_s: float, horizon_s: float, patience_s: float
) -> int:
    """Index after the last foot row, counted from ``first``, for which the shank's part is decided.

    Either the shank has a sample at or after the row's instant, or no such sample arrived within ``patience_s`` of the
    row's own arrival, which is known once everything that arrived before ``horizon_s`` was pushed.
    """
    rows = foot.rows.view(first, foot.rows.end)
    # What the shank's clock still holds back at its start did arrive.
    overdue_s = -np.inf if shank.holding else horizon_s - patience_s
    return first + _decided(rows, offset_s, shank.end_time_s, overdue_s)


@compiled("(f8[:,::1], f8, f8, f8)")
def _decided(foot_rows: FloatArray, offset_s: float, shank_end_s: float, overdue_s: float) -> int:
    """How many of the rows are covered by the shank or have waited long enough."""
    n = len(foot_rows)
    covered = waited = 0
    while covered < n and foot_rows[covered, _T] + offset_s <= shank_end_s:
        covered += 1
    while waited < n and foot_rows[waited, _ARRIVAL] < overdue_s:
        waited += 1
    return max(covered, waited)


@compiled("(f8[:,::1], i8, f8)")
def first_at(rows: FloatArray, column: int, value: float) -> int:
    """Index of the first row (n, m) whose ``column``, which never decreases, is not below ``value``."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle, column] < value:
            low = middle + 1
        else:
            high = middle
    return low


def align(
    foot_rows: FloatArray, shank: SensorStream, offset_s: float, longest_s: float, patience_s: float
) -> FloatArray:
    """Rows (n, WIDTH) of the leg for foot rows (n, stream.WIDTH); STILL is left 0."""
    held = shank.rows.view(shank.rows.first, shank.rows.end)
    return aligned(foot_rows, held, offset_s, longest_s, patience_s)


@compiled("(f8[:,::1], f8[:,::1], f8, f8, f8)")
def aligned(foot: FloatArray, shank: FloatArray, offset_s: float, longest_s: float, patience_s: float) -> FloatArray:
    """``align`` with the shank's rows (m, stream.WIDTH) given."""
    out = np.zeros((len(foot), WIDTH))
    for i in range(len(foot)):
        t = foot[i, _T] + offset_s
        out[i, TIME] = foot[i, _T]
        for k in range(4):
            out[i, _Q_FOOT + k] = foot[i, _Q + k]
            out[i, _FREE_FOOT + k] = foot[i, _FREE + k]
        for k in range(9):
            out[i, _TURN_FOOT + k] = foot[i, _TURN + k]
        for k in range(3):
            out[i, _GYR_FOOT + k] = foot[i, _GYR + k]
            out[i, _ACC_FOOT + k] = foot[i, _ACC + k]
        x, y, z = quat.vector_at(foot, i, _ACC)
        out[i, FORCE] = np.sqrt(x * x + y * y + z * z)
        out[i, REAL] = foot[i, _REAL]
        gap = foot[i, _STEP] > longest_s
        if len(shank) < 2:
            _mark_gap(out, i)
            out[i, CLIPPED] = foot[i, _CLIPPED]
            continue
        # Where a sample coincides with the row it is the right neighbour, whether or not a later one is there yet.
        after = first_at(shank, _T, t)
        j = min(max(after, 1), len(shank) - 1)
        left, right = shank[j - 1], shank[j]
        span = right[_T] - left[_T]
        if after == 0 or after >= len(shank) or span > longest_s or right[_ARRIVAL] > foot[i, _ARRIVAL] + patience_s:
            gap = True
        f = min(max((t - left[_T]) / span, 0.0), 1.0)
        q = quat.between(quat.quaternion_at(shank, j - 1, _Q), quat.quaternion_at(shank, j, _Q), f)
        free = quat.between(quat.quaternion_at(shank, j - 1, _FREE), quat.quaternion_at(shank, j, _FREE), f)
        for k in range(4):
            out[i, _Q_SHANK + k] = q[k]
            out[i, _FREE_SHANK + k] = free[k]
        for k in range(9):
            out[i, _TURN_SHANK + k] = left[_TURN + k] * (1 - f) + right[_TURN + k] * f
        for k in range(3):
            out[i, _GYR_SHANK + k] = left[_GYR + k] * (1 - f) + right[_GYR + k] * f
        x = left[_ACC] * (1 - f) + right[_ACC] * f
        y = left[_ACC + 1] * (1 - f) + right[_ACC + 1] * f
        z = left[_ACC + 2] * (1 - f) + right[_ACC + 2] * f
        out[i, _ACC_SHANK], out[i, _ACC_SHANK + 1], out[i, _ACC_SHANK + 2] = x, y, z
        out[i, SHOCK] = np.sqrt(x * x + y * y + z * z)
        out[i, CLIPPED] = max(foot[i, _CLIPPED], left[_CLIPPED], right[_CLIPPED])
        out[i, BRIDGED] = 1.0 - min(left[_REAL], right[_REAL], foot[i, _REAL])
        if gap:
            _mark_gap(out, i)
    return out


@inlined
def _mark_gap(out: FloatArray, i: int) -> None:
    out[i, GAP] = 1.0
    for k in range(4):
        out[i, _Q_SHANK + k] = np.nan


@compiled("(f8[:,::1],)")
def any_gap(rows: FloatArray) -> bool:
    """Whether any of the leg's rows lies in a gap."""
    for i in range(len(rows)):  # noqa: SIM110 (compiled)
        if rows[i, GAP] > 0:
            return True
    return False


@compiled("(f8[:,::1],)")
def first_change(rows: FloatArray) -> int:
    """How many of the leg's rows come before a gap begins or ends."""
    i = 1
    while i < len(rows) and rows[i, GAP] == rows[0, GAP]:
        i += 1
    return i
