"""The idea at the heart: both sensors must see the ankle travel the same path.

A sensor's specific force, turned into its level world and freed of gravity, integrates to its velocity; the lever arm
adds ``R (ω × r)`` and gives the velocity of the ankle joint centre. Between two rests of the foot that velocity starts
and ends at zero (on a treadmill: at the belt's velocity, which no accelerometer sees). The horizontal velocity curves
of foot and shank then differ by one rotation about the vertical, the relative heading of the two worlds. In complex
form, v = v_x + i v_y, its least-squares estimate is the phase of Σ v_foot · conj(v_shank).
"""

from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import FloatArray


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
    inside = slice(start, stop + 1)
    return _velocity(
        samples.time_s[inside], samples.q[inside], samples.gyr_rad_s[inside], samples.acc_m_s2[inside], lever_m
    )


@compiled("(f8[::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _velocity(
    time_s: FloatArray, q: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, lever_m: FloatArray
) -> FloatArray:
    n = len(time_s)
    out = np.empty((n, 3))
    rx, ry, rz = lever_m[0], lever_m[1], lever_m[2]
    gained = np.zeros(3)
    before = (0.0, 0.0, 0.0)
    for i in range(n):
        turn = quat.quaternion_at(q, i, 0)
        ax, ay, az = quat.turned(turn, quat.vector_at(acc_m_s2, i, 0))
        acc = (ax, ay, az - GRAVITY_M_S2)
        wx, wy, wz = quat.vector_at(gyr_rad_s, i, 0)
        from_turning = quat.turned(turn, (wy * rz - wz * ry, wz * rx - wx * rz, wx * ry - wy * rx))
        for k in range(3):
            if i > 0:
                gained[k] += 0.5 * (acc[k] + before[k]) * (time_s[i] - time_s[i - 1])
            out[i, k] = gained[k] + from_turning[k]
        before = acc
    for k in range(3):
        first, left = out[0, k], out[n - 1, k] - out[0, k]
        for i in range(n):
            out[i, k] += -first - (time_s[i] - time_s[0]) / (time_s[n - 1] - time_s[0]) * left
    return out


def stride_heading(
    window: StrideWindow, foot_lever_m: FloatArray, shank_lever_m: FloatArray, offset_s: float
) -> StrideHeading:
    """Compare both sensors' ankle velocities over one stride."""
    foot = ankle_velocity(window.foot, foot_lever_m, window.start, window.stop)
    shank = ankle_velocity(window.shank_at_foot_times(offset_s), shank_lever_m, window.start, window.stop)
    t = window.foot.time_s[window.start : window.stop + 1]
    heading, mismatch, x, y = _compared(t, foot, shank)
    yaw_rad = quat.yaw_rad(window.foot.q[window.start]), quat.yaw_rad(window.foot.q[window.stop])
    return StrideHeading(window.middle_s, heading, mismatch, complex(x, y), yaw_rad)


@compiled("(f8[::1], f8[:,::1], f8[:,::1])")
def _compared(t: FloatArray, foot: FloatArray, shank: FloatArray) -> tuple[float, float, float, float]:
    """Heading, mismatch and the foot's travel (x, y) of two horizontal velocity curves (n, 3)."""
    along = across = power = 0.0  # real and imaginary part of Σ v_foot · conj(v_shank)
    for i in range(len(t)):
        along += foot[i, 0] * shank[i, 0] + foot[i, 1] * shank[i, 1]
        across += foot[i, 1] * shank[i, 0] - foot[i, 0] * shank[i, 1]
        power += foot[i, 0] * foot[i, 0] + foot[i, 1] * foot[i, 1]
    heading = np.arctan2(across, along)
    c, s = np.cos(heading), np.sin(heading)
    unexplained = x = y = 0.0
    for i in range(len(t)):
        dx = foot[i, 0] - (c * shank[i, 0] - s * shank[i, 1])
        dy = foot[i, 1] - (s * shank[i, 0] + c * shank[i, 1])
        unexplained += dx * dx + dy * dy
        if i > 0:
            x += 0.5 * (foot[i, 0] + foot[i - 1, 0]) * (t[i] - t[i - 1])
            y += 0.5 * (foot[i, 1] + foot[i - 1, 1]) * (t[i] - t[i - 1])
    return heading, np.sqrt(unexplained / power) if power > 0 else 1.0, x, y
