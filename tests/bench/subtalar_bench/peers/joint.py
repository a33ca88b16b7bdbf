"""Ankle angles from the orientations of two sensors whose mounting is given and whose heading is fixed in standing."""

import numpy as np
from scipy.spatial.transform import Rotation

from subtalar.anatomy import ANGLE_COUNT, ANKLE
from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.numerics import quaternions as quat
from subtalar.session.estimates import AngleTrack
from subtalar.types import FloatArray
from subtalar_bench.peers.filters import Filter, heading_corrected
from subtalar_bench.peers.peer_input import PeerInput, Sensor

_BEFORE_S = 1.0
"""qmt begins so long before the walk: in the rests and knee bends before it the joint shows it nothing."""


def ankle_fixed_in_standing(given: PeerInput, orientation: Filter) -> AngleTrack:
    """Heading between the two worlds as it was in the last standing before the walk, and never again."""
    t, q_shank, q_foot = segments(given, orientation)
    return _track(given, t, q_shank, q_foot)


def ankle_heading_corrected(given: PeerInput, orientation: Filter, walk_start_s: float) -> AngleTrack:
    """The same orientations, their heading handed to qmt from just before the walk on."""
    t, q_shank, q_foot = segments(given, orientation)
    part = t >= walk_start_s - _BEFORE_S
    even = np.arange(int(part.sum())) / round(given.foot.rate_hz)
    gyr_shank = given.shank.rate_at(t[part]) @ given.shank.to_segment.T
    gyr_foot = given.foot.gyr_rad_s[part] @ given.foot.to_segment.T
    corrected = heading_corrected(even, gyr_shank, gyr_foot, q_shank[part], q_foot[part])
    return _track(given, t[part], q_shank[part], corrected)


def segments(given: PeerInput, orientation: Filter) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The foot's times (n,), shank and foot segment in the shank's world (n, 4), aligned in standing."""
    t = given.foot.time_s
    q_foot = _segment(given.foot, orientation(given.foot))
    q_shank = _at(t, given.shank.time_s, _segment(given.shank, orientation(given.shank)))
    still = (t > given.standing[0]) & (t < given.standing[1])
    foot, shank = quat.mean(q_foot[still]), quat.mean(q_shank[still])
    apart = quat.multiply(shank, quat.conjugate(foot))
    q_foot = quat.multiply(quat.about_vertical(2 * float(np.arctan2(apart[3], apart[0]))), q_foot)
    # Standing is zero by definition: what tilt is left belongs to the mounting.
    left = quat.multiply(quat.conjugate(quat.mean(q_foot[still])), shank)
    return t, q_shank, quat.multiply(q_foot, left)


def _segment(sensor: Sensor, q: FloatArray) -> FloatArray:
    x, y, z, w = Rotation.from_matrix(sensor.to_segment).as_quat()
    return quat.multiply(q, quat.conjugate(np.array([w, x, y, z])))


def _at(t: FloatArray, times: FloatArray, q: FloatArray) -> FloatArray:
    j = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
    fraction = np.clip((t - times[j]) / (times[j + 1] - times[j]), 0.0, 1.0)
    return quat.interpolate(q[j], q[j + 1], fraction)


def _track(given: PeerInput, t: FloatArray, q_shank: FloatArray, q_foot: FloatArray) -> AngleTrack:
    angles = np.full((len(t), ANGLE_COUNT), np.nan)
    angles[:, ANKLE] = ankle_angles_deg(quat.multiply(quat.conjugate(q_shank), q_foot), given.side)
    return AngleTrack(
        t,
        angles,
        np.full_like(angles, np.nan),
        np.zeros(len(t), dtype=np.uint8),
        np.full((len(t), 4), np.nan),
    )
