"""Ankle angles of the ISB joint coordinate system (Wu et al. 2002, doi 10.1016/S0021-9290(01)00222-6).

The foot's orientation relative to the shank is the Cardan sequence Z-X'-Y'' (Grood & Suntay 1983): about the shank's
z axis (dorsiflexion), the floating axis (inversion) and the foot's y axis (rotation).
"""

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.types import FloatArray, Side


def ankle_angles_deg(q_shank_foot: FloatArray, side: Side) -> FloatArray:
    """Dorsiflexion, inversion, internal tibial rotation (n, 3) in degrees of ``q_shank_foot`` (n, 4).

    For R = Rz(α) Rx(β) Ry(γ): α lifts the toes on both legs; β lowers the sole's lateral edge of a right foot; γ turns
    a right foot's toes inward, which is the tibia turning outward over it. Left legs mirror β and γ.
    """
    return _cardan_deg(np.ascontiguousarray(q_shank_foot), 1.0 if side == "right" else -1.0)


@compiled("(f8[:,::1], f8)")
def _cardan_deg(q_shank_foot: FloatArray, mirror: float) -> FloatArray:
    out = np.empty((len(q_shank_foot), 3))
    for i in range(len(q_shank_foot)):
        out[i, 0], out[i, 1], out[i, 2] = cardan_deg(quat.quaternion_of(q_shank_foot[i]), mirror)
    return out


@inlined
def cardan_deg(q_shank_foot: quat.Quaternion, mirror: float) -> quat.Vector:
    """``ankle_angles_deg`` inside compiled loops; ``mirror`` is 1 on the right, −1 on the left."""
    w, x, y, z = q_shank_foot
    degrees = 180.0 / np.pi
    alpha = np.arctan2(-2 * (x * y - w * z), 1 - 2 * (x * x + z * z))
    sine = 2 * (y * z + w * x)
    beta = np.arcsin(-1.0 if sine < -1.0 else 1.0 if sine > 1.0 else sine)
    gamma = np.arctan2(-2 * (x * z - w * y), 1 - 2 * (x * x + y * y))
    return alpha * degrees, mirror * beta * degrees, -mirror * gamma * degrees
