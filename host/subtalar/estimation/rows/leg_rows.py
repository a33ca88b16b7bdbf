"""The two sensors of a leg on one time base: the foot's samples, with the shank interpolated at the same instants."""

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW, first_at

SEGMENT = np.dtype(
    [
        ("q", "f8", (4,)),
        ("gyr_rad_s", "f8", (3,)),
        ("acc_m_s2", "f8", (3,)),
        ("q_strapdown", "f8", (4,)),
        ("lowpassed_rotation", "f8", (9,)),
    ]
)
"""What of a sensor's row is its own motion, as in ``SENSOR_ROW``."""

LEG_ROW = np.dtype(
    [
        ("time_s", "f8"),
        ("foot", SEGMENT),
        ("shank", SEGMENT),
        ("foot_force_m_s2", "f8"),
        ("shank_force_m_s2", "f8"),
        ("real", "f8"),
        ("gap", "f8"),
        ("clipped", "f8"),
        ("bridged", "f8"),
        ("still", "f8"),
    ]
)
"""Session time, both sensors, and the magnitude of their specific force; then 1.0 or 0.0. A ``gap``: no shank sample
near, or samples lost just before. ``still``: quiet standing (``standing.py``)."""


@compiled("(row[::1], row[::1], f8, f8, f8)", row=SENSOR_ROW)
def aligned(foot: Records, shank: Records, offset_s: float, longest_bridge_s: float, patience_s: float) -> Records:
    """Rows (n,) of the leg for the foot's (n,) and the shank's (m,); none is marked as still."""
    out = np.empty(len(foot), LEG_ROW)
    after = 0
    for i in range(len(foot)):
        after = shank_after(foot, i, shank, offset_s, after)
        align(foot[i], shank, after, offset_s, longest_bridge_s, patience_s, out[i])
    return out


@inlined
def shank_after(foot: Records, i: int, shank: Records, offset_s: float, after: int) -> int:
    """Index of the first shank row at or after the instant of row ``i`` of the foot, given that of the row before.

    Where a sample coincides with the row it is the right neighbour, whether or not a later one is there yet.
    """
    t = foot[i]["time_s"] + offset_s
    if i == 0:
        return int(first_at(shank["time_s"], t))
    while after < len(shank) and shank[after]["time_s"] < t:
        after += 1
    return after


@inlined
def align(
    foot: Record,
    shank: Records,
    after: int,
    offset_s: float,
    longest_bridge_s: float,
    patience_s: float,
    out: Record,
) -> bool:
    """Write a row of the leg for a row of the foot and the shank's around ``after``; whether it lies in a gap."""
    t = foot["time_s"] + offset_s
    out["time_s"] = foot["time_s"]
    _copy(foot, out["foot"])
    out["foot_force_m_s2"] = _magnitude(quat.vector_of(foot["acc_m_s2"]))
    out["real"] = foot["real"]
    out["still"] = 0.0
    segment = out["shank"]
    if len(shank) < 2:
        _clear(segment)
        out["shank_force_m_s2"], out["clipped"], out["bridged"] = 0.0, foot["clipped"], 0.0
        _mark_gap(out)
        return True
    right = min(max(after, 1), len(shank) - 1)
    before, later = shank[right - 1], shank[right]
    span = later["time_s"] - before["time_s"]
    f = min(max((t - before["time_s"]) / span, 0.0), 1.0)
    _interpolate(before, later, f, segment)
    out["shank_force_m_s2"] = _magnitude(quat.vector_of(segment["acc_m_s2"]))
    out["clipped"] = max(foot["clipped"], before["clipped"], later["clipped"])
    out["bridged"] = 1.0 - min(before["real"], later["real"], foot["real"])
    gap = foot["step_s"] > longest_bridge_s or after == 0 or after >= len(shank) or span > longest_bridge_s
    gap = gap or later["arrival_s"] > foot["arrival_s"] + patience_s
    out["gap"] = 0.0
    if gap:
        _mark_gap(out)
    return gap


@inlined
def _copy(row: Record, out: Record) -> None:
    quat.write(quat.quaternion_of(row["q"]), out["q"])
    quat.write(quat.quaternion_of(row["q_strapdown"]), out["q_strapdown"])
    quat.write(quat.vector_of(row["gyr_rad_s"]), out["gyr_rad_s"])
    quat.write(quat.vector_of(row["acc_m_s2"]), out["acc_m_s2"])
    for k in range(9):
        out["lowpassed_rotation"][k] = row["lowpassed_rotation"][k]


@inlined
def _interpolate(before: Record, later: Record, f: float, out: Record) -> None:
    g = 1.0 - f
    quat.write(quat.between(quat.quaternion_of(before["q"]), quat.quaternion_of(later["q"]), f), out["q"])
    strapdown = quat.quaternion_of(before["q_strapdown"]), quat.quaternion_of(later["q_strapdown"])
    quat.write(quat.between(strapdown[0], strapdown[1], f), out["q_strapdown"])
    for k in range(9):
        out["lowpassed_rotation"][k] = before["lowpassed_rotation"][k] * g + later["lowpassed_rotation"][k] * f
    for k in range(3):
        out["gyr_rad_s"][k] = before["gyr_rad_s"][k] * g + later["gyr_rad_s"][k] * f
        out["acc_m_s2"][k] = before["acc_m_s2"][k] * g + later["acc_m_s2"][k] * f


@inlined
def _clear(out: Record) -> None:
    out["q"][:] = out["q_strapdown"][:] = 0.0
    out["gyr_rad_s"][:] = out["acc_m_s2"][:] = 0.0
    out["lowpassed_rotation"][:] = 0.0


@inlined
def _magnitude(v: quat.Vector) -> float:
    return float(np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]))


@inlined
def _mark_gap(out: Record) -> None:
    out["gap"] = 1.0
    out["shank"]["q"][:] = np.nan


@compiled("(row[::1],)", row=LEG_ROW)
def any_gap(rows: Records) -> bool:
    """Whether any of the leg's rows lies in a gap."""
    for i in range(len(rows)):  # noqa: SIM110 (compiled)
        if rows[i]["gap"] > 0:
            return True
    return False
