"""Rotations of many instants at once: (n, 3, 3) matrices that map segment vectors into the world.

World: z up. Segment frames are ISB (Wu et al. 2002): x anterior, y superior, z to the right.
"""

import numpy as np

from subtalar_sim.types import FloatArray, Side


def _empty(angle: FloatArray) -> FloatArray:
    return np.zeros((*angle.shape, 3, 3))


def about_x(angle_rad: FloatArray) -> FloatArray:
    """(n,) -> (n, 3, 3), right-handed rotation about x."""
    R, c, s = _empty(angle_rad), np.cos(angle_rad), np.sin(angle_rad)
    R[..., 0, 0], R[..., 1, 1], R[..., 1, 2], R[..., 2, 1], R[..., 2, 2] = 1.0, c, -s, s, c
    return R


def about_y(angle_rad: FloatArray) -> FloatArray:
    """(n,) -> (n, 3, 3), right-handed rotation about y."""
    R, c, s = _empty(angle_rad), np.cos(angle_rad), np.sin(angle_rad)
    R[..., 1, 1], R[..., 0, 0], R[..., 0, 2], R[..., 2, 0], R[..., 2, 2] = 1.0, c, s, -s, c
    return R


def about_z(angle_rad: FloatArray) -> FloatArray:
    """(n,) -> (n, 3, 3), right-handed rotation about z."""
    R, c, s = _empty(angle_rad), np.cos(angle_rad), np.sin(angle_rad)
    R[..., 2, 2], R[..., 0, 0], R[..., 0, 1], R[..., 1, 0], R[..., 1, 1] = 1.0, c, -s, s, c
    return R


def upright(heading_rad: FloatArray) -> FloatArray:
    """Segment standing upright and facing ``heading_rad`` (counter-clockwise from world x): (n,) -> (n, 3, 3)."""
    R, c, s = _empty(heading_rad), np.cos(heading_rad), np.sin(heading_rad)
    R[..., 0, 0], R[..., 1, 0] = c, s
    R[..., 2, 1] = 1.0
    R[..., 0, 2], R[..., 1, 2] = s, -c
    return R


def side_sign(side: Side) -> float:
    """+1 for the right leg, -1 for the left: the mirror in the sagittal plane flips rotations about x and y."""
    return 1.0 if side == "right" else -1.0


def joint_rotation(angles_rad: FloatArray, side: Side) -> FloatArray:
    """Foot relative to shank, Cardan Z-X'-Y'': (n, 3) clinical angles -> (n, 3, 3).

    Turning about +z lifts the toes on either leg. Turning about +x brings the top of the foot to the right and
    the sole to the left: towards the midline on the right leg only. Turning about +y brings the toes to the left;
    seen from a right foot the tibia has then turned externally, seen from a left foot internally.
    """
    s = side_sign(side)
    a, b, g = angles_rad[..., 0], s * angles_rad[..., 1], -s * angles_rad[..., 2]
    ca, sa, cb, sb, cg, sg = np.cos(a), np.sin(a), np.cos(b), np.sin(b), np.cos(g), np.sin(g)
    R = np.empty((*a.shape, 3, 3))
    R[..., 0, 0], R[..., 0, 1], R[..., 0, 2] = ca * cg - sa * sb * sg, -sa * cb, ca * sg + sa * sb * cg
    R[..., 1, 0], R[..., 1, 1], R[..., 1, 2] = sa * cg + ca * sb * sg, ca * cb, sa * sg - ca * sb * cg
    R[..., 2, 0], R[..., 2, 1], R[..., 2, 2] = -cb * sg, sb, cb * cg
    return R


def joint_angles(shank: FloatArray, foot: FloatArray, side: Side) -> FloatArray:
    """Inverse of ``joint_rotation``: orientations of the two segments in the world -> (n, 3) clinical angles, rad."""
    R = np.swapaxes(shank, -1, -2) @ foot
    s = side_sign(side)
    flexion = np.arctan2(-R[..., 0, 1], R[..., 1, 1])
    inversion = s * np.arcsin(np.clip(R[..., 2, 1], -1.0, 1.0))
    tibial = -s * np.arctan2(-R[..., 2, 0], R[..., 2, 2])
    return np.stack([flexion, inversion, tibial], axis=-1)


def small_log(R: FloatArray) -> FloatArray:
    """Rotation vector of a rotation well below 180°: (n, 3, 3) -> (n, 3) rad."""
    v = 0.5 * np.stack([R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]], axis=-1)
    sine = np.linalg.norm(v, axis=-1, keepdims=True)
    angle = np.arctan2(sine, 0.5 * (np.trace(R, axis1=-2, axis2=-1)[..., None] - 1.0))
    ratio = np.where(sine > 1e-9, angle / np.maximum(sine, 1e-300), 1.0)
    return np.asarray(v * ratio, dtype=np.float64)
