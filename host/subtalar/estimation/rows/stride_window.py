"""The samples of both sensors of a leg between two rests of the foot, ready to be compared at the ankle."""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.leg_rows import LEG_ROW, any_gap
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW, first_at
from subtalar.types import FloatArray

_FEW = 8


@dataclass(frozen=True)
class StrideWindow:
    """Foot samples from rest to rest with a margin on both sides; the shank's own samples around them.

    ``start`` and ``stop`` index the two rests in the foot's samples; ``clipped`` (n,) marks foot instants near which
    either sensor touched its range; ``row`` is the stream row of the second rest.
    """

    foot: SegmentSamples
    shank: SegmentSamples
    start: int
    stop: int
    clipped: FloatArray
    row: int

    @property
    def end_s(self) -> float:
        """Session time of the second rest."""
        return float(self.foot.time_s[self.stop])

    @property
    def middle_s(self) -> float:
        """Session time half-way between the rests."""
        return 0.5 * float(self.foot.time_s[self.start] + self.foot.time_s[self.stop])

    def shank_at_foot_times(self, offset_s: float) -> SegmentSamples:
        """The shank's samples interpolated at the foot's instants; the shank's clock shows ``offset_s`` more."""
        return SegmentSamples(at_times_of(self.foot.rows, self.shank.rows, offset_s))


@compiled("(row[::1], row[::1], f8)", row=SENSOR_ROW)
def at_times_of(foot: Records, shank: Records, offset_s: float) -> Records:
    """The shank's rows interpolated at the times of the foot's, which these (n,) keep."""
    n = len(foot)
    rows = np.zeros(n, SENSOR_ROW)
    j = 0
    for i in range(n):
        t = foot[i]["time_s"] + offset_s
        while j < len(shank) - 2 and shank[j + 1]["time_s"] <= t:
            j += 1
        before, later, out = shank[j], shank[j + 1], rows[i]
        f = min(max((t - before["time_s"]) / (later["time_s"] - before["time_s"]), 0.0), 1.0)
        out["time_s"] = foot[i]["time_s"]
        quat.write(quat.between(quat.quaternion_of(before["q"]), quat.quaternion_of(later["q"]), f), out["q"])
        strapdown = quat.quaternion_of(before["q_strapdown"]), quat.quaternion_of(later["q_strapdown"])
        quat.write(quat.between(strapdown[0], strapdown[1], f), out["q_strapdown"])
        for k in range(3):
            out["gyr_rad_s"][k] = before["gyr_rad_s"][k] * (1 - f) + later["gyr_rad_s"][k] * f
            out["acc_m_s2"][k] = before["acc_m_s2"][k] * (1 - f) + later["acc_m_s2"][k] * f
    return rows


def cut_window(
    foot: Records, shank: Records, between: Records, start: int, row: int, offset_s: float, margin_s: float
) -> StrideWindow | None:
    """The window of the foot's rows (n,) and those of the shank's (m,) that belong to them.

    ``between`` are the leg's rows from the first rest, ``start`` in the foot's rows, to the second, stream row ``row``.
    None where samples are missing.
    """
    first, last, clipped = _belonging(foot, shank, between, offset_s, margin_s)
    if last - first < _FEW:
        return None
    return StrideWindow(
        SegmentSamples(foot), SegmentSamples(shank[first:last]), start, start + len(between), clipped, row
    )


@compiled("(row[::1], row[::1], leg[::1], f8, f8)", row=SENSOR_ROW, leg=LEG_ROW)
def _belonging(
    foot: Records, shank: Records, between: Records, offset_s: float, margin_s: float
) -> tuple[int, int, FloatArray]:
    """First and end of the shank's rows, no more than ``_FEW`` where a gap lies between; and where either is clipped.

    A little more of the shank than its present offset asks for, so that the offset can still move.
    """
    n = len(foot)
    clipped = np.zeros(n)
    if any_gap(between):
        return 0, 0, clipped
    first = max(0, first_at(shank["time_s"], foot[0]["time_s"] + offset_s - margin_s) - 1)
    last = min(len(shank), first_at(shank["time_s"], foot[n - 1]["time_s"] + offset_s) + 1)
    j = first
    for i in range(n):
        # Near: two rows of the foot, and the shank's rows on both sides of the same time.
        for k in range(max(0, i - 2), min(n, i + 3)):
            if foot[k]["clipped"] > 0:
                clipped[i] = 1.0
        while j < last - 2 and shank[j + 1]["time_s"] <= foot[i]["time_s"]:
            j += 1
        if last > first and (shank[j]["clipped"] > 0 or shank[min(j + 1, last - 1)]["clipped"] > 0):
            clipped[i] = 1.0
    return first, last, clipped
