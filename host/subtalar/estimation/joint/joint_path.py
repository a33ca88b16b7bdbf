"""The idea at the heart: both sensors must see the ankle travel the same path.

A sensor's specific force, turned into its level world and freed of gravity, integrates to its velocity; the lever arm
adds ``R (ω × r)`` and gives the velocity of the ankle joint centre. Between two rests of the foot that velocity starts
and ends at zero (on a treadmill: at the belt's velocity, which no accelerometer sees). The horizontal velocity curves
of foot and shank then differ by one rotation about the vertical, the relative heading of the two worlds. In complex
form, v = v_x + i v_y, its least-squares estimate is the phase of Σ v_foot · conj(v_shank).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow, at_times_of
from subtalar.types import FloatArray


class PathComparison(NamedTuple):
    """Heading and mismatch as in ``StrideHeading``, the foot's travel, and its own heading at both rests."""

    heading_rad: float
    mismatch: float
    travel_x_m: float
    travel_y_m: float
    first_yaw_rad: float
    last_yaw_rad: float


@dataclass(frozen=True)
class StrideHeading:
    """One stride's evidence. ``heading_rad`` turns the shank's world into the foot's; ``mismatch`` is the share of
    the foot's velocity that the turned shank does not explain; ``travel_m`` is complex, in the foot's world;
    ``yaw_rad`` is the foot's own heading at the two rests.
    """

    time_s: float
    heading_rad: float
    mismatch: float
    travel_m: complex
    yaw_rad: tuple[float, float] = (0.0, 0.0)


def ankle_velocity(samples: SegmentSamples, lever_m: FloatArray, start: int, stop: int) -> FloatArray:
    """Velocity (stop - start + 1, 3) of the ankle in the sensor's level world, zero at both ends.

    ``lever_m`` (3,) is the ankle joint centre in sensor axes. Integration is by the trapezoidal rule and what does
    not return to zero is taken out as a straight line in time (constant acceleration error).
    """
    return _velocity(samples.rows, np.asarray(lever_m, dtype=np.float64), start, stop)


@compiled("(row[::1], f8[::1], i8, i8)", row=SENSOR_ROW)
def _velocity(samples: Records, lever_m: FloatArray, start: int, stop: int) -> FloatArray:
    n = stop - start + 1
    out = np.empty((n, 3))
    rx, ry, rz = lever_m[0], lever_m[1], lever_m[2]
    gained = np.zeros(3)
    before = (0.0, 0.0, 0.0)
    for i in range(n):
        row = samples[start + i]
        turn = quat.quaternion_of(row["q"])
        ax, ay, az = quat.turned(turn, quat.vector_of(row["acc_m_s2"]))
        acc = (ax, ay, az - GRAVITY_M_S2)
        wx, wy, wz = quat.vector_of(row["gyr_rad_s"])
        from_turning = quat.turned(turn, (wy * rz - wz * ry, wz * rx - wx * rz, wx * ry - wy * rx))
        for k in range(3):
            if i > 0:
                gained[k] += 0.5 * (acc[k] + before[k]) * (row["time_s"] - samples[start + i - 1]["time_s"])
            out[i, k] = gained[k] + from_turning[k]
        before = acc
    begin_s = samples[start]["time_s"]
    span_s = samples[stop]["time_s"] - begin_s
    for k in range(3):
        first, left = out[0, k], out[n - 1, k] - out[0, k]
        for i in range(n):
            out[i, k] += -first - (samples[start + i]["time_s"] - begin_s) / span_s * left
    return out


def stride_heading(
    window: StrideWindow, foot_lever_m: FloatArray, shank_lever_m: FloatArray, offset_s: float
) -> StrideHeading:
    """Compare both sensors' ankle velocities over one stride."""
    shank = at_times_of(window.foot.rows, window.shank.rows, offset_s)
    found = compare_paths(window.foot.rows, shank, foot_lever_m, shank_lever_m, window.start, window.stop)
    return evidence_of(window, found)


def evidence_of(window: StrideWindow, found: PathComparison) -> StrideHeading:
    """What ``compare_paths`` found in a stride."""
    travel_m, yaw_rad = complex(found.travel_x_m, found.travel_y_m), (found.first_yaw_rad, found.last_yaw_rad)
    return StrideHeading(window.middle_s, found.heading_rad, found.mismatch, travel_m, yaw_rad)


@compiled("(row[::1], row[::1], f8[::1], f8[::1], i8, i8)", row=SENSOR_ROW)
def compare_paths(
    foot_samples: Records,
    shank_samples: Records,
    foot_lever_m: FloatArray,
    shank_lever_m: FloatArray,
    start: int,
    stop: int,
) -> PathComparison:
    """Both sensors' ankle velocities from rest to rest; the shank's samples are those at the foot's times."""
    foot = _velocity(foot_samples, foot_lever_m, start, stop)
    shank = _velocity(shank_samples, shank_lever_m, start, stop)
    along = across = power = 0.0  # real and imaginary part of Σ v_foot · conj(v_shank)
    for i in range(len(foot)):
        along += foot[i, 0] * shank[i, 0] + foot[i, 1] * shank[i, 1]
        across += foot[i, 1] * shank[i, 0] - foot[i, 0] * shank[i, 1]
        power += foot[i, 0] * foot[i, 0] + foot[i, 1] * foot[i, 1]
    heading = np.arctan2(across, along)
    c, s = np.cos(heading), np.sin(heading)
    unexplained = x = y = 0.0
    for i in range(len(foot)):
        dx = foot[i, 0] - (c * shank[i, 0] - s * shank[i, 1])
        dy = foot[i, 1] - (s * shank[i, 0] + c * shank[i, 1])
        unexplained += dx * dx + dy * dy
        if i > 0:
            step_s = foot_samples[start + i]["time_s"] - foot_samples[start + i - 1]["time_s"]
            x += 0.5 * (foot[i, 0] + foot[i - 1, 0]) * step_s
            y += 0.5 * (foot[i, 1] + foot[i - 1, 1]) * step_s
    mismatch = np.sqrt(unexplained / power) if power > 0 else 1.0
    first_yaw = quat.yaw(quat.quaternion_of(foot_samples[start]["q"]))
    last_yaw = quat.yaw(quat.quaternion_of(foot_samples[stop]["q"]))
    return PathComparison(heading, mismatch, x, y, first_yaw, last_yaw)
