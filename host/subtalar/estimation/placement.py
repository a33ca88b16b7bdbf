"""Sensor to segment, for sensors strapped on in any orientation.

Quiet standing gives each sensor's vertical and the zero of all angles. The medio-lateral axis is the axis about which
the shank turns: over a resting foot in knee bends where there were any, else over the whole stride (principal axis of
the angular rate: Seel, Raisch & Schauer 2014, doi 10.3390/s140406891). Its sign comes from the direction of travel.
"""

import math
from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.types import FloatArray


@dataclass(frozen=True)
class Placement:
    """``foot`` and ``shank`` (4,) turn sensor axes into segment axes; ``forward_rad`` is the direction the standing
    leg faced, in the foot's level world.
    """

    foot: FloatArray
    shank: FloatArray
    forward_rad: float


def right_azimuth_rad(axis_in_sensor: FloatArray, q_standing: FloatArray) -> float:
    """Horizontal direction, in the sensor's level world while standing, of an axis (3,) given in sensor axes."""
    v = quat.rotate(q_standing, axis_in_sensor)
    return float(np.arctan2(v[1], v[0]))


def principal_axis(moment: FloatArray) -> FloatArray:
    """Direction (3,) of the largest turning, of the second moment (3, 3) of the angular rate."""
    values, vectors = np.linalg.eigh(moment)
    return np.asarray(vectors[:, int(np.argmax(values))])


def segment_axes(forward_rad: float) -> FloatArray:
    """Quaternion (4,) of the standing segment frame (x forward, y up, z right) in a level world."""
    half = 0.5 * math.remainder(forward_rad, math.tau)
    c, s = math.sqrt(0.5) * math.cos(half), math.sqrt(0.5) * math.sin(half)
    return np.array([c, c, s, s])


def place(q_foot: FloatArray, q_shank: FloatArray, heading_rad: float, forward_rad: float) -> Placement:
    """From the sensors' orientations (4,) in quiet standing, in which both segment frames coincide.

    ``heading_rad`` turns the shank's world into the foot's then.
    """
    to_segment = quat.conjugate(segment_axes(forward_rad))
    shank_in_foot_world = quat.multiply(quat.about_vertical(heading_rad), q_shank)
    return Placement(
        quat.multiply(to_segment, q_foot),
        quat.multiply(to_segment, shank_in_foot_world),
        forward_rad,
    )
