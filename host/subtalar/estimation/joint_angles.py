"""Ankle angles of the ISB joint coordinate system (Wu et al. 2002, doi 10.1016/S0021-9290(01)00222-6).

The foot's orientation relative to the shank is the Cardan sequence Z-X'-Y'' (Grood & Suntay 1983): about the shank's
z axis (dorsiflexion), the floating axis (inversion) and the foot's y axis (rotation).
"""

import numpy as np

from subtalar.types import FloatArray, Side


def ankle_angles_deg(q_shank_foot: FloatArray, side: Side) -> FloatArray:
    """Dorsiflexion, inversion, internal tibial rotation (n, 3) in degrees of ``q_shank_foot`` (n, 4).

    For R = Rz(α) Rx(β) Ry(γ): α lifts the toes on both legs; β lowers the sole's lateral edge of a right foot; γ turns
    a right foot's toes inward, which is the tibia turning outward over it. Left legs mirror β and γ.
    """
    w, x, y, z = q_shank_foot[..., 0], q_shank_foot[..., 1], q_shank_foot[..., 2], q_shank_foot[..., 3]
    alpha = np.arctan2(-2 * (x * y - w * z), 1 - 2 * (x * x + z * z))
    beta = np.arcsin(np.minimum(np.maximum(2 * (y * z + w * x), -1.0), 1.0))
    gamma = np.arctan2(-2 * (x * z - w * y), 1 - 2 * (x * x + y * y))
    mirror = 1.0 if side == "right" else -1.0
    out = np.empty((*alpha.shape, 3))
    out[..., 0], out[..., 1], out[..., 2] = alpha, mirror * beta, -mirror * gamma
    out *= 180.0 / np.pi
    return out
