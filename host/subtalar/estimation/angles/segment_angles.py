"""Angles of foot and shank to the floor, which gravity alone shows: no second sensor and no heading are needed.

Each is read off where the vertical lies in the segment frame (x anterior, y superior, z right). Of the foot: how far
its long axis (pitch) and its medio-lateral axis (inversion) are off the floor. Of the shank: Cardan angles about the
medio-lateral axis last, so that a shank that swings beyond the horizontal still gets the right angle.
"""

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.parameters import SegmentParameters
from subtalar.types import FloatArray, Side


def foot_to_floor_deg(q_foot: FloatArray, side: Side) -> FloatArray:
    """Pitch (+ toes up) and inversion (+ sole to the midline), (n, 2), of the foot segment in a level world (n, 4)."""
    return _foot_deg(np.ascontiguousarray(q_foot), 1.0 if side == "right" else -1.0)


@compiled("(f8[:,::1], f8)")
def _foot_deg(q_foot: FloatArray, mirror: float) -> FloatArray:
    out = np.empty((len(q_foot), 2))
    for i in range(len(q_foot)):
        out[i, 0], out[i, 1] = foot_at_deg(quat.quaternion_of(q_foot[i]), mirror)
    return out


@inlined
def foot_at_deg(q_foot: quat.Quaternion, mirror: float) -> tuple[float, float]:
    """``foot_to_floor_deg`` inside compiled loops; ``mirror`` is 1 on the right, −1 on the left."""
    x, _, z = _up_in_segment(q_foot)
    return np.degrees(_arcsin(x)), np.degrees(-mirror * _arcsin(z))


def shank_to_floor_deg(q_shank: FloatArray, side: Side) -> FloatArray:
    """Lean in the sagittal plane (+ forward, the knee before the ankle) and in the frontal plane (+ knee to the
    midline), (n, 2), of the shank segment in a level world (n, 4).
    """
    return _shank_deg(np.ascontiguousarray(q_shank), 1.0 if side == "right" else -1.0)


@compiled("(f8[:,::1], f8)")
def _shank_deg(q_shank: FloatArray, mirror: float) -> FloatArray:
    out = np.empty((len(q_shank), 2))
    for i in range(len(q_shank)):
        out[i, 0], out[i, 1] = shank_at_deg(quat.quaternion_of(q_shank[i]), mirror)
    return out


@inlined
def shank_at_deg(q_shank: quat.Quaternion, mirror: float) -> tuple[float, float]:
    """``shank_to_floor_deg`` inside compiled loops; ``mirror`` is 1 on the right, −1 on the left."""
    x, y, z = _up_in_segment(q_shank)
    return np.degrees(-np.arctan2(x, y)), np.degrees(mirror * _arcsin(z))


def to_floor_sd_deg(
    sagittal_deg: FloatArray, tilt_variance: FloatArray | float, axis_sd_deg: float, parameters: SegmentParameters
) -> FloatArray:
    """Standard deviation (n, 2) of a sagittal and a frontal angle; an axis that is off mixes the two.

    ``tilt_variance`` in square degrees is that of the inclination beside the floor.
    """
    if isinstance(tilt_variance, float):
        tilt_variance = np.full(len(sagittal_deg), tilt_variance)
    floor = parameters.floor_sd_deg
    return _mixed_sd_deg(np.ascontiguousarray(sagittal_deg), tilt_variance, axis_sd_deg, floor)


@compiled("(f8[::1], f8[::1], f8, f8)")
def _mixed_sd_deg(
    sagittal_deg: FloatArray, tilt_variance: FloatArray, axis_sd_deg: float, floor_sd_deg: float
) -> FloatArray:
    out = np.empty((len(sagittal_deg), 2))
    for i in range(len(sagittal_deg)):
        out[i, 0], out[i, 1] = mixed_sd_at(sagittal_deg[i], tilt_variance[i], axis_sd_deg, floor_sd_deg)
    return out


@inlined
def mixed_sd_at(
    sagittal_deg: float, tilt_variance: float, axis_sd_deg: float, floor_sd_deg: float
) -> tuple[float, float]:
    """``to_floor_sd_deg`` inside compiled loops."""
    common = tilt_variance + floor_sd_deg * floor_sd_deg + 0.0 * sagittal_deg  # unknown where the angle is
    mixed = axis_sd_deg * np.sin(np.radians(sagittal_deg))
    return np.sqrt(common), np.sqrt(common + mixed * mixed)


@inlined
def _up_in_segment(q: quat.Quaternion) -> quat.Vector:
    w, x, y, z = q
    return 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@inlined
def _arcsin(sine: float) -> float:
    return float(np.arcsin(-1.0 if sine < -1.0 else 1.0 if sine > 1.0 else sine))
