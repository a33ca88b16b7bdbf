"""Sensor to segment, for sensors strapped on in any orientation.

Quiet standing gives each sensor's vertical and the zero of all angles. The medio-lateral axis is the axis about which
the shank turns: over a resting foot in knee bends where there were any, else over the whole stride (principal axis of
the angular rate: Seel, Raisch & Schauer 2014, doi 10.3390/s140406891). Its sign comes from the direction of travel.
"""

import math
from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.types import FloatArray


@dataclass(frozen=True)
class Placement:
    """``foot`` and ``shank`` (4,) turn sensor axes into segment axes; ``forward_rad`` is the direction the standing
    leg faced, in the foot's level world.
    """

    foot: FloatArray
    shank: FloatArray
    forward_rad: float


def principal_axis(moment: FloatArray) -> FloatArray:
    """Direction (3,) of the largest turning, of the second moment (3, 3) of the angular rate."""
    values, vectors = np.linalg.eigh(moment)
    return np.ascontiguousarray(vectors[:, int(np.argmax(values))])


def segment_axes(forward_rad: float) -> FloatArray:
    """Quaternion (4,) of the standing segment frame (x forward, y up, z right) in a level world."""
    half = 0.5 * math.remainder(forward_rad, math.tau)
    c, s = math.sqrt(0.5) * math.cos(half), math.sqrt(0.5) * math.sin(half)
    return np.array([c, c, s, s])


def place(
    foot: FloatArray,
    foot_force: FloatArray,
    shank: FloatArray,
    shank_force: FloatArray,
    axis: FloatArray,
    heading_rad: float,
) -> Placement:
    """From the sensors' orientations (4,) in quiet standing, in which both segment frames coincide.

    They are tilted to what the accelerometers felt then (3,), whose vertical is better: any fused inclination leans by
    some seconds of the gyroscope's bias until that is learnt. ``axis`` (3,) is the medio-lateral one in shank-sensor
    axes, to the right; ``heading_rad`` turns the shank's world into the foot's then.
    """
    poses, forward_rad = _placed(foot, foot_force, shank, shank_force, axis, heading_rad)
    return Placement(poses[0], poses[1], forward_rad)


@compiled("(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8)")
def _placed(
    foot: FloatArray,
    foot_force: FloatArray,
    shank: FloatArray,
    shank_force: FloatArray,
    axis: FloatArray,
    heading_rad: float,
) -> tuple[FloatArray, float]:
    q_foot = quat.tilted_to(quat.quaternion_of(foot), quat.vector_of(foot_force))
    q_shank = quat.tilted_to(quat.quaternion_of(shank), quat.vector_of(shank_force))
    right = quat.turned(q_shank, quat.vector_of(axis))
    forward = np.arctan2(right[1], right[0]) + heading_rad + 0.5 * np.pi
    turn = (np.cos(0.5 * heading_rad), 0.0, 0.0, np.sin(0.5 * heading_rad))
    c, s = np.sqrt(0.5) * np.cos(0.5 * forward), np.sqrt(0.5) * np.sin(0.5 * forward)
    to_segment = (c, -c, -s, -s)
    in_foot, in_shank = quat.product(to_segment, q_foot), quat.product(to_segment, quat.product(turn, q_shank))
    poses = np.empty((2, 4))
    quat.write(in_foot, poses[0])
    quat.write(in_shank, poses[1])
    return poses, forward
