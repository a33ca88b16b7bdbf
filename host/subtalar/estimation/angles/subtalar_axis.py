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
from functools import lru_cache

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
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
    return np.array(_axis(axis, side), dtype=np.float64)


@lru_cache
def _axis(axis: SubtalarAxis, side: Side) -> quat.Vector:
    up, inward = np.radians(axis.inclination_deg), np.radians(axis.deviation_deg)
    mirror = 1.0 if side == "right" else -1.0
    x, y, z = np.cos(up) * np.cos(inward), np.sin(up), -np.cos(up) * np.sin(inward)
    return float(mirror * x), float(mirror * y), float(z)


def hinge_angles(q_shank_foot: FloatArray, axis: SubtalarAxis, side: Side) -> HingeAngles:
    """The two hinge angles closest to ``q_shank_foot`` (n, 4)."""
    found = _hinges(np.ascontiguousarray(q_shank_foot), *_axis(axis, side))
    return HingeAngles(*found.T.copy())


@compiled("(f8[:,::1], f8, f8, f8)")
def _hinges(q_shank_foot: FloatArray, ux: float, uy: float, uz: float) -> FloatArray:
    out = np.empty((len(q_shank_foot), 3))
    for i in range(len(q_shank_foot)):
        out[i] = _closest_deg(_products(quat.quaternion_of(q_shank_foot[i]), (ux, uy, uz)))
    return out


def subtalar_angles(
    angles_deg: FloatArray, sd_deg: FloatArray, axis: SubtalarAxis, side: Side
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """From ankle angles (n, 3) and their sd (n, 3): subtalar angle, its sd and what is left unexplained, (n,) degrees.

    The sd is propagated to first order with the exact derivatives by inversion and tibial rotation, whose errors count
    as independent. It knows nothing of how far the person's own axis lies from the assumed one. NaN where the angles
    are.
    """
    mirror = 1.0 if side == "right" else -1.0
    if sd_deg.shape != angles_deg.shape:
        sd_deg = np.broadcast_to(sd_deg, angles_deg.shape).copy()
    found = _about_axis(np.ascontiguousarray(angles_deg), np.ascontiguousarray(sd_deg), mirror, *_axis(axis, side))
    return found[:, 0], found[:, 1], found[:, 2]


@compiled("(f8[:,::1], f8[:,::1], f8, f8, f8, f8)")
def _about_axis(
    angles_deg: FloatArray, sd_deg: FloatArray, mirror: float, ux: float, uy: float, uz: float
) -> FloatArray:
    """Subtalar angle, its sd and what is left unexplained (n, 3) in degrees."""
    out = np.empty((len(angles_deg), 3))
    u = (ux, uy, uz)
    for i in range(len(angles_deg)):
        out[i, 0], out[i, 1], out[i, 2] = about_axis(
            angles_deg[i, 1], angles_deg[i, 2], sd_deg[i, 1], sd_deg[i, 2], mirror, u
        )
    return out


@inlined
def about_axis(
    inversion_deg: float,
    rotation_deg: float,
    inversion_sd_deg: float,
    rotation_sd_deg: float,
    mirror: float,
    u: quat.Vector,
) -> quat.Vector:
    """``subtalar_angles`` of one row inside compiled loops; ``mirror`` is 1 on the right, −1 on the left."""
    inversion, rotation = np.radians(mirror * inversion_deg), np.radians(-mirror * rotation_deg)
    q = quat.product(
        (np.cos(0.5 * inversion), np.sin(0.5 * inversion), 0.0, 0.0),
        (np.cos(0.5 * rotation), 0.0, np.sin(0.5 * rotation), 0.0),
    )
    m = _products(q, u)
    # ∂q/∂inversion turns about the floating axis, ∂q/∂rotation about the foot's own y axis.
    by_inversion = _slope(m, _products(quat.product((0.0, 1.0, 0.0, 0.0), q), u)) * inversion_sd_deg
    by_rotation = _slope(m, _products(quat.product(q, (0.0, 0.0, 1.0, 0.0)), u)) * rotation_sd_deg
    _, angle, unexplained = _closest_deg(m)
    return angle, np.sqrt(by_inversion * by_inversion + by_rotation * by_rotation), unexplained


@inlined
def _products(q: quat.Quaternion, u: quat.Vector) -> quat.Quaternion:
    """M00 = ⟨q, 1⟩, M01 = ⟨q, u⟩, M10 = ⟨q, z⟩ and M11 = ⟨q, z ⊗ u⟩."""
    return q[0], u[0] * q[1] + u[1] * q[2] + u[2] * q[3], q[3], u[0] * q[2] - u[1] * q[1] - u[2] * q[0]


@inlined
def _closest_deg(m: quat.Quaternion) -> quat.Vector:
    """Talocrural and subtalar angle of the closest pair, and what it leaves unexplained, in degrees."""
    difference, total = np.arctan2(m[2] - m[1], m[0] + m[3]), np.arctan2(m[2] + m[1], m[0] - m[3])
    best = 0.5 * (np.hypot(m[2] - m[1], m[0] + m[3]) + np.hypot(m[2] + m[1], m[0] - m[3]))
    unexplained = 2 * np.arccos(1.0 if best > 1.0 else best)
    return _wrapped_deg(total + difference), _wrapped_deg(total - difference), np.degrees(unexplained)


@inlined
def _slope(m: quat.Quaternion, d: quat.Quaternion) -> float:
    """Derivative of the subtalar angle where half of ``d`` is that of the products ``m``."""
    plus = _slope_of_atan2(m[2] + m[1], m[0] - m[3], 0.5 * (d[2] + d[1]), 0.5 * (d[0] - d[3]))
    return plus - _slope_of_atan2(m[2] - m[1], m[0] + m[3], 0.5 * (d[2] - d[1]), 0.5 * (d[0] + d[3]))


@inlined
def _slope_of_atan2(y: float, x: float, dy: float, dx: float) -> float:
    return (x * dy - y * dx) / (x * x + y * y)


@inlined
def _wrapped_deg(angle_rad: float) -> float:
    """In [−180, 180)."""
    return float(np.degrees(angle_rad - 2 * np.pi * np.floor((angle_rad + np.pi) / (2 * np.pi))))
