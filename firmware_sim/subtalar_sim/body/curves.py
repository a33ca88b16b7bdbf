"""Smooth curves through knots: twice continuously differentiable, so accelerations are finite and continuous."""

import numpy as np
from scipy.interpolate import BPoly, PPoly, make_interp_spline

from subtalar_sim.body.style import Knots
from subtalar_sim.types import FloatArray


def smootherstep(u: FloatArray) -> FloatArray:
    """0 to 1 with zero first and second derivative at both ends (C²); constant outside [0, 1]."""
    v = np.clip(u, 0.0, 1.0)
    return v * v * v * (v * (6.0 * v - 15.0) + 10.0)


def bump(u: FloatArray) -> FloatArray:
    """0 to 1 to 0 over [0, 1], C² at its ends, zero outside."""
    v = np.clip(u, 0.0, 1.0)
    return np.asarray((4.0 * v * (1.0 - v)) ** 3, dtype=np.float64)


def periodic_curve(knots: Knots) -> PPoly:
    """Quintic spline of period 1 through (phase, degrees); value in rad at ``phase mod 1``."""
    x = np.array([p for p, _ in knots] + [knots[0][0] + 1.0])
    y = np.radians([v for _, v in knots] + [knots[0][1]])
    spline = make_interp_spline(x, y, k=5, bc_type="periodic")
    return PPoly.from_spline(spline.tck, extrapolate="periodic")


def flat_ended_curve(knots: Knots, scale: float = 1.0) -> PPoly:
    """Quintic spline through (phase, degrees), rad, with zero slope and curvature at both ends."""
    x = np.array([p for p, _ in knots])
    y = scale * np.radians([v for _, v in knots])
    still = [(1, 0.0), (2, 0.0)]
    spline = make_interp_spline(x, y, k=5, bc_type=(still, still))  # type: ignore[arg-type]  # stubs know one condition
    return PPoly.from_spline(spline.tck, extrapolate=False)


def hermite(x: list[float], rows: list[tuple[float, float, float]]) -> PPoly:
    """C² curve with value, slope and curvature given at every knot."""
    return PPoly.from_bernstein_basis(BPoly.from_derivatives(x, [list(r) for r in rows]))


def quintic_pieces(t: FloatArray, y: FloatArray, slope: FloatArray) -> FloatArray:
    """Coefficients (6, n-1), highest power first, of quintics with zero curvature at every knot.

    Two knots at one time make a jump; the piece between them is never looked up.
    """
    h = np.diff(t)
    h = np.where(h > 0.0, h, 1.0)
    y0, d, m0, m1 = y[:-1], np.diff(y), slope[:-1] * h, slope[1:] * h
    zero = np.zeros_like(h)
    c = np.stack([6 * d - 3 * (m0 + m1), -15 * d + 8 * m0 + 7 * m1, 10 * d - 6 * m0 - 4 * m1, zero, m0, y0], axis=0)
    return c / h ** np.arange(5, -1, -1)[:, None]
