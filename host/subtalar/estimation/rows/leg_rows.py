"""The two sensors of a leg on one time base: the foot's samples, with the shank interpolated at the same instants."""

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.history import first_at
from subtalar.estimation.rows import motion
from subtalar.estimation.rows import sensor_rows as stream
from subtalar.types import FloatArray

TIME, Q_FOOT, GYR_FOOT, Q_SHANK, GYR_SHANK = 0, slice(1, 5), slice(5, 8), slice(8, 12), slice(12, 15)
SHOCK, FORCE, REAL, GAP, CLIPPED, BRIDGED, STILL = 15, 16, 17, 18, 19, 20, 21
ACC_FOOT, ACC_SHANK = slice(22, 25), slice(25, 28)
FREE_FOOT, FREE_SHANK, TURN_FOOT, TURN_SHANK = slice(28, 32), slice(32, 36), slice(36, 45), slice(45, 54)
WIDTH = 54
"""SHOCK and FORCE: magnitude of the specific force of shank and foot (m/s²). GAP: no shank sample near, or samples lost
just before."""

_T, _ARRIVAL, _REAL, _CLIPPED, _STEP = motion.TIME, stream.ARRIVAL, stream.REAL, stream.CLIPPED, stream.STEP
_Q, _GYR, _ACC, _FREE, _TURN = (c.start for c in (motion.Q, motion.GYR, motion.ACC, motion.FREE, stream.TURN))
_Q_FOOT, _GYR_FOOT, _Q_SHANK, _GYR_SHANK = Q_FOOT.start, GYR_FOOT.start, Q_SHANK.start, GYR_SHANK.start
_ACC_FOOT, _ACC_SHANK, _FREE_FOOT, _FREE_SHANK = ACC_FOOT.start, ACC_SHANK.start, FREE_FOOT.start, FREE_SHANK.start
_TURN_FOOT, _TURN_SHANK = TURN_FOOT.start, TURN_SHANK.start


@compiled("(f8[:,::1], f8[:,::1], f8, f8, f8)")
def aligned(
    foot: FloatArray, shank: FloatArray, offset_s: float, longest_bridge_s: float, patience_s: float
) -> FloatArray:
    """Rows (n, WIDTH) of the leg for foot rows (n, stream.WIDTH) and shank rows (m, stream.WIDTH); STILL is left 0."""
    out = np.empty((len(foot), WIDTH))
    after = 0
    for i in range(len(foot)):
        after = shank_after(foot, i, shank, offset_s, after)
        align_at(foot, i, shank, after, offset_s, longest_bridge_s, patience_s, out)
    return out


@inlined
def shank_after(foot: FloatArray, i: int, shank: FloatArray, offset_s: float, after: int) -> int:
    """Index of the first shank row at or after the instant of row ``i`` of the foot, given that of the row before.

    Where a sample coincides with the row it is the right neighbour, whether or not a later one is there yet.
    """
    t = foot[i, _T] + offset_s
    if i == 0:
        return int(first_at(shank, _T, t))
    while after < len(shank) and shank[after, _T] < t:
        after += 1
    return after


@inlined
def align_at(
    foot: FloatArray,
    i: int,
    shank: FloatArray,
    after: int,
    offset_s: float,
    longest_bridge_s: float,
    patience_s: float,
    out: FloatArray,
) -> bool:
    """Write row ``i`` of the leg for row ``i`` of the foot and the shank around ``after``; whether it lies in a gap."""
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
    out[i, STILL] = 0.0
    if len(shank) < 2:
        for k in range(_Q_SHANK, _Q_SHANK + 7):
            out[i, k] = 0.0
        for k in range(3):
            out[i, _ACC_SHANK + k] = 0.0
        for k in range(4):
            out[i, _FREE_SHANK + k] = 0.0
        for k in range(9):
            out[i, _TURN_SHANK + k] = 0.0
        out[i, SHOCK], out[i, CLIPPED], out[i, BRIDGED] = 0.0, foot[i, _CLIPPED], 0.0
        _mark_gap(out, i)
        return True
    right = min(max(after, 1), len(shank) - 1)
    left = right - 1
    span = shank[right, _T] - shank[left, _T]
    f = min(max((t - shank[left, _T]) / span, 0.0), 1.0)
    g = 1.0 - f
    q = quat.between(quat.quaternion_at(shank, left, _Q), quat.quaternion_at(shank, right, _Q), f)
    free = quat.between(quat.quaternion_at(shank, left, _FREE), quat.quaternion_at(shank, right, _FREE), f)
    for k in range(4):
        out[i, _Q_SHANK + k] = q[k]
        out[i, _FREE_SHANK + k] = free[k]
    for k in range(9):
        out[i, _TURN_SHANK + k] = shank[left, _TURN + k] * g + shank[right, _TURN + k] * f
    for k in range(3):
        out[i, _GYR_SHANK + k] = shank[left, _GYR + k] * g + shank[right, _GYR + k] * f
        out[i, _ACC_SHANK + k] = shank[left, _ACC + k] * g + shank[right, _ACC + k] * f
    x, y, z = quat.vector_at(out, i, _ACC_SHANK)
    out[i, SHOCK] = np.sqrt(x * x + y * y + z * z)
    out[i, CLIPPED] = max(foot[i, _CLIPPED], shank[left, _CLIPPED], shank[right, _CLIPPED])
    out[i, BRIDGED] = 1.0 - min(shank[left, _REAL], shank[right, _REAL], foot[i, _REAL])
    gap = foot[i, _STEP] > longest_bridge_s or after == 0 or after >= len(shank) or span > longest_bridge_s
    gap = gap or shank[right, _ARRIVAL] > foot[i, _ARRIVAL] + patience_s
    out[i, GAP] = 0.0
    if gap:
        _mark_gap(out, i)
    return gap


@inlined
def _mark_gap(out: FloatArray, o: int) -> None:
    out[o, GAP] = 1.0
    for k in range(4):
        out[o, _Q_SHANK + k] = np.nan


@compiled("(f8[:,::1],)")
def any_gap(rows: FloatArray) -> bool:
    """Whether any of the leg's rows lies in a gap."""
    for i in range(len(rows)):  # noqa: SIM110 (compiled)
        if rows[i, GAP] > 0:
            return True
    return False
