"""Rotations of the legs on the screen.

The ankle is the ISB joint coordinate system (Wu et al. 2002, doi 10.1016/S0021-9290(01)00222-6), Cardan Z-X'-Y'' of the
foot relative to the shank, with the project's clinical signs, which are the same for both legs.
"""

import math
from typing import Literal

import numpy as np

from subtalar.types import FloatArray, Side


def rotation(axis: Literal["x", "y", "z"], angle_rad: float) -> FloatArray:
    """(3, 3) right-handed rotation about a coordinate axis."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    if axis == "x":
        return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0.0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0.0], [s, c, 0], [0, 0, 1]])


def rotation_of(q_wxyz: FloatArray) -> FloatArray:
    """(3, 3) rotation of a scalar-first unit quaternion."""
    w, x, y, z = q_wxyz / np.linalg.norm(q_wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def foot_in_shank(side: Side, angles_deg: FloatArray) -> FloatArray:
    """(3, 3) foot frame into shank frame for dorsiflexion, inversion, tibial rotation (3,).

    Toes up is + about z on both legs. The sole to the midline is + about x on the right leg, − on the left.
    The tibia turned in relative to the foot is the foot turned out: − about y on the right leg, + on the left.
    """
    dorsiflexion, inversion, tibial = np.radians(angles_deg)
    mirror = 1.0 if side == "right" else -1.0
    return rotation("z", dorsiflexion) @ rotation("x", mirror * inversion) @ rotation("y", -mirror * tibial)
