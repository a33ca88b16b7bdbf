"""The angle about the subtalar axis: pronation as one turn, beside its shares in the three planes.

The ankle complex is taken for two hinges in series (Inman 1976; Dul & Johnson 1985, J Biomed Eng 7:137-143):
the talocrural joint about the shank's medio-lateral axis z by α, then the subtalar joint about an oblique axis u,
fixed in the foot, by θ,

    q_shank_foot ≈ q_z(α) ⊗ q_u(θ).

The pair that comes closest to the measured rotation maximises ⟨q, q_z(α) ⊗ q_u(θ)⟩ = aᵀ M b, with
a = (cos α/2, sin α/2), b = (cos θ/2, sin θ/2) and M the products of q with 1, u, z and z ⊗ u. In the sum and the
difference of the half angles this falls apart into two independent maxima:

    (α − θ)/2 = atan2(M10 − M01, M00 + M11)        (α + θ)/2 = atan2(M10 + M01, M00 − M11)

and the rotation that two hinges cannot make is twice the arc cosine of the maximum. A turn about z in front goes into α
whole, so θ does not depend on dorsiflexion at all.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.types import FloatArray, Side


@dataclass(frozen=True)
class HingeAngles:
    """Degrees, (n,) each: ``ankle`` (+ toes up), ``subtalar`` (+ supination, − pronation, on both legs), and what two
    hinges leave ``unexplained`` (0 to 180).
    """

    ankle_deg: FloatArray
    subtalar_deg: FloatArray
    unexplained_deg: FloatArray


def axis_in_foot(axis: SubtalarAxis, side: Side) -> FloatArray:
    """Unit vector (3,) in the foot's segment frame (x anterior, y superior, z right); a turn by + supinates.

    On the right foot it points forward, up and to the midline. The left leg is its mirror image; a turn mirrors
    without the component across the mirror.
    """
    up, inward = np.radians(axis.inclination_deg), np.radians(axis.deviation_deg)
    mirror = 1.0 if side == "right" else -1.0
    x, y, z = np.cos(up) * np.cos(inward), np.sin(up), -np.cos(up) * np.sin(inward)
    return np.array([mirror * x, mirror * y, z])


def hinge_angles(q_shank_foot: FloatArray, axis: SubtalarAxis, side: Side) -> HingeAngles:
    """The two hinge angles closest to ``q_shank_foot`` (n, 4)."""
    m00, m01, m10, m11 = _products(q_shank_foot, axis_in_foot(axis, side))
    difference, sum_ = np.arctan2(m10 - m01, m00 + m11), np.arctan2(m10 + m01, m00 - m11)
    best = 0.5 * (np.hypot(m10 - m01, m00 + m11) + np.hypot(m10 + m01, m00 - m11))
    unexplained = 2 * np.arccos(np.minimum(best, 1.0))
    return HingeAngles(_degrees(sum_ + difference), _degrees(sum_ - difference), np.asarray(np.degrees(unexplained)))


def subtalar_angles(
    angles_deg: FloatArray, sd_deg: FloatArray, axis: SubtalarAxis, side: Side
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """From ankle angles (n, 3) and their sd (n, 3): subtalar angle, its sd and what is left unexplained, (n,) degrees.

    The sd is propagated to first order with the exact derivatives by inversion and tibial rotation, whose errors count
    as independent. It knows nothing of how far the person's own axis lies from the assumed one. NaN where the angles
    are.
    """
    mirror = 1.0 if side == "right" else -1.0
    inversion, rotation = np.radians(mirror * angles_deg[..., 1]), np.radians(-mirror * angles_deg[..., 2])
    q = quat.multiply(_turn(inversion, 1), _turn(rotation, 2))
    u = axis_in_foot(axis, side)
    m00, m01, m10, m11 = _products(q, u)
    variance = np.zeros(inversion.shape)
    # ∂q/∂inversion turns about the floating axis, ∂q/∂rotation about the foot's own y axis.
    floating = np.zeros(q.shape)
    floating[..., 1] = 1.0
    about_y = np.zeros(q.shape)
    about_y[..., 2] = 1.0
    for k, change in ((1, quat.multiply(floating, q)), (2, quat.multiply(q, about_y))):
        d00, d01, d10, d11 = (0.5 * part for part in _products(change, u))
        slope = _slope(m10 + m01, m00 - m11, d10 + d01, d00 - d11) - _slope(m10 - m01, m00 + m11, d10 - d01, d00 + d11)
        variance = variance + (slope * sd_deg[..., k]) ** 2
    found = hinge_angles(q, axis, side)
    return found.subtalar_deg, np.asarray(np.sqrt(variance)), found.unexplained_deg


def _products(q: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """⟨q, 1⟩, ⟨q, u⟩, ⟨q, z⟩ and ⟨q, z ⊗ u⟩."""
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    ux, uy, uz = float(u[0]), float(u[1]), float(u[2])
    return w, ux * x + uy * y + uz * z, z, ux * y - uy * x - uz * w


def _slope(y: FloatArray, x: FloatArray, dy: FloatArray, dx: FloatArray) -> FloatArray:
    """Derivative of atan2(y, x)."""
    return np.asarray((x * dy - y * dx) / (x * x + y * y))


def _turn(angle_rad: FloatArray, component: int) -> FloatArray:
    q = np.zeros((*angle_rad.shape, 4))
    q[..., 0], q[..., component] = np.cos(0.5 * angle_rad), np.sin(0.5 * angle_rad)
    return q


def _degrees(angle_rad: FloatArray) -> FloatArray:
    """In [−180, 180)."""
    return np.asarray(np.degrees(angle_rad - 2 * np.pi * np.floor((angle_rad + np.pi) / (2 * np.pi))))
