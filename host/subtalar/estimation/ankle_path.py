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
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import FloatArray


@dataclass(frozen=True)
class StrideHeading:
    """One stride's evidence. ``heading_rad`` turns the shank's world into the foot's; ``mismatch`` is the share of
    the foot's velocity that the turned shank does not explain; ``travel_m`` is complex, in the foot's world.
    """

    time_s: float
    heading_rad: float
    mismatch: float
    travel_m: complex


def ankle_velocity(samples: SegmentSamples, lever_m: FloatArray, start: int, stop: int) -> FloatArray:
    """Velocity (stop - start + 1, 3) of the ankle in the sensor's level world, zero at both ends.

    ``lever_m`` (3,) is the ankle joint centre in sensor axes. Integration is by the trapezoidal rule and what does
    not return to zero is taken out as a straight line in time (constant acceleration error).
    """
    window = slice(start, stop + 1)
    q = samples.q[window]
    acc = quat.rotate(q, samples.acc_m_s2[window])
    acc[:, 2] -= GRAVITY_M_S2
    t = samples.time_s[window]
    dt = np.diff(t)
    velocity = np.zeros_like(acc)
    velocity[1:] = np.cumsum(0.5 * (acc[1:] + acc[:-1]) * dt[:, None], axis=0)
    velocity += quat.rotate(q, np.cross(samples.gyr_rad_s[window], lever_m))
    share = ((t - t[0]) / (t[-1] - t[0]))[:, None]
    return np.asarray(velocity - velocity[0] - share * (velocity[-1] - velocity[0]))


def stride_heading(
    window: StrideWindow, foot_lever_m: FloatArray, shank_lever_m: FloatArray, offset_s: float
) -> StrideHeading:
    """Compare both sensors' ankle velocities over one stride."""
    foot = ankle_velocity(window.foot, foot_lever_m, window.start, window.stop)
    shank = ankle_velocity(window.shank_at_foot_times(offset_s), shank_lever_m, window.start, window.stop)
    v_foot = foot[:, 0] + 1j * foot[:, 1]
    v_shank = shank[:, 0] + 1j * shank[:, 1]
    product = complex(np.sum(v_foot * np.conj(v_shank)))
    heading = float(np.angle(product))
    power = float(np.sum(np.abs(v_foot) ** 2))
    unexplained = float(np.sum(np.abs(v_foot - np.exp(1j * heading) * v_shank) ** 2))
    t = window.foot.time_s[window.start : window.stop + 1]
    travel = complex(np.sum(0.5 * (v_foot[1:] + v_foot[:-1]) * np.diff(t)))
    mismatch = float(np.sqrt(unexplained / power)) if power > 0 else 1.0
    return StrideHeading(window.middle_s, heading, mismatch, travel)
