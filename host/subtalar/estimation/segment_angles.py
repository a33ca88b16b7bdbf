"""Angles of foot and shank to the floor, which gravity alone shows: no second sensor and no heading are needed.

Each is read off where the vertical lies in the segment frame (x anterior, y superior, z right). Of the foot: how far
its long axis (pitch) and its medio-lateral axis (inversion) are off the floor. Of the shank: Cardan angles about the
medio-lateral axis last, so that a shank that swings beyond the horizontal is still told right.
"""

import numpy as np

from subtalar.estimation.parameters import SegmentParameters
from subtalar.types import FloatArray, Side


def foot_to_floor_deg(q_foot: FloatArray, side: Side) -> FloatArray:
    """Pitch (+ toes up) and inversion (+ sole to the midline), (n, 2), of the foot segment in a level world (n, 4)."""
    x, _, z = _up_in_segment(q_foot)
    mirror = 1.0 if side == "right" else -1.0
    return _columns(np.arcsin(_clipped(x)), -mirror * np.arcsin(_clipped(z)))


def shank_to_floor_deg(q_shank: FloatArray, side: Side) -> FloatArray:
    """Lean in the sagittal plane (+ forward, the knee before the ankle) and in the frontal plane (+ knee to the
    midline), (n, 2), of the shank segment in a level world (n, 4).
    """
    x, y, z = _up_in_segment(q_shank)
    mirror = 1.0 if side == "right" else -1.0
    return _columns(-np.arctan2(x, y), mirror * np.arcsin(_clipped(z)))


def to_floor_sd_deg(
    sagittal_deg: FloatArray, tilt_variance: FloatArray | float, axis_sd_deg: float, parameters: SegmentParameters
) -> FloatArray:
    """Standard deviation (n, 2) of a sagittal and a frontal angle; an axis that is off mixes the two.

    ``tilt_variance`` in square degrees is that of the inclination beside the floor.
    """
    sagittal = np.radians(sagittal_deg)
    common = tilt_variance + parameters.floor_sd_deg**2 + 0.0 * sagittal
    return _columns(np.sqrt(common), np.sqrt(common + (axis_sd_deg * np.sin(sagittal)) ** 2), degrees=False)


def _up_in_segment(q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


def _clipped(sine: FloatArray) -> FloatArray:
    return np.minimum(np.maximum(sine, -1.0), 1.0)


def _columns(first: FloatArray, second: FloatArray, *, degrees: bool = True) -> FloatArray:
    out = np.empty((*first.shape, 2))
    out[..., 0], out[..., 1] = first, second
    return np.asarray(np.degrees(out)) if degrees else out
