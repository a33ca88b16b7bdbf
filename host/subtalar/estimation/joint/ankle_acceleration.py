"""One stride's equations for the lever arms and the clock offset, from the acceleration of the ankle.

With M = [ω̇]× + [ω]×[ω]× the ankle's acceleration seen from a sensor is R (a + M r) − g: linear in the lever arm r.
Foot and shank must see the same one; the relative heading is a further unknown, which is eliminated.
"""

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.low_pass import SecondOrder, second_order
from subtalar.estimation.numerics.records import Records
from subtalar.types import FloatArray

FOOT, SHANK, OFFSET = slice(0, 3), slice(3, 6), 6
"""The unknowns: the ankle in foot-sensor and in shank-sensor axes (m), and the clock offset (s)."""
UNKNOWNS = 7
_EDGE = 9
"""Rows by which a curve is continued, turned about its end, before it is smoothed to and fro (as SciPy does)."""


@inlined
def equations_at(
    foot: Records,
    shank: Records,
    heading_rad: float,
    x: FloatArray,
    cutoff_hz: float,
    noise_m_s2: float,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> tuple[FloatArray, FloatArray]:
    """Normal equations (7, 7) and (7,) from rest to rest, linearised at ``x`` (7,); the shank's samples are those at
    the foot's times by that offset.
    """
    rate_hz = (len(foot) - 1) / (foot[len(foot) - 1]["time_s"] - foot[0]["time_s"])
    low_pass = second_order(min(cutoff_hz, 0.4 * rate_hz) / rate_hz)
    at_foot = _acceleration(foot, 0.0, rate_hz, low_pass)
    at_shank = _acceleration(shank, heading_rad, rate_hz, low_pass)
    weight = 1.0 / (noise_m_s2 * noise_m_s2 * rate_hz * 0.05)
    return _normal_equations(at_foot, at_shank, x, rate_hz, weight, clipped, start, stop)


@inlined
def _acceleration(samples: Records, heading_rad: float, rate_hz: float, low_pass: SecondOrder) -> FloatArray:
    """Acceleration of the sensor in its level world turned by the heading (n, 0:3), and the matrix through which a
    lever arm adds to it (n, 3:12), row by row: the derivative of R [ω]×. Smoothed.
    """
    n = len(samples)
    out, spin = np.empty((n, 12)), np.empty((n, 9))
    turn = (np.cos(0.5 * heading_rad), 0.0, 0.0, np.sin(0.5 * heading_rad))
    for i in range(n):
        own = quat.product(turn, quat.quaternion_of(samples[i]["q"]))
        r = quat.matrix_of(own)
        ax, ay, az = quat.vector_of(samples[i]["acc_m_s2"])
        wx, wy, wz = quat.vector_of(samples[i]["gyr_rad_s"])
        for k in range(3):
            a, b, c = r[3 * k], r[3 * k + 1], r[3 * k + 2]
            out[i, k] = a * ax + b * ay + c * az
            # The columns of R [ω]× are ω × e_x, ω × e_y and ω × e_z, turned.
            spin[i, 3 * k] = b * wz - c * wy
            spin[i, 3 * k + 1] = c * wx - a * wz
            spin[i, 3 * k + 2] = a * wy - b * wx
        out[i, 2] -= GRAVITY_M_S2
    for i in range(n):
        low, high = max(i - 1, 0), min(i + 1, n - 1)
        share = rate_hz / (high - low)
        for c in range(9):
            out[i, 3 + c] = (spin[high, c] - spin[low, c]) * share
    return _smoothed(out, low_pass)


@inlined
def _smoothed(curves: FloatArray, low_pass: SecondOrder) -> FloatArray:
    """The columns (n, m) low-passed to and fro: no phase shift (Gustafsson 1996, doi 10.1109/78.492552)."""
    b0, b1, b2, a1, a2 = low_pass.b0, low_pass.b1, low_pass.b2, low_pass.a1, low_pass.a2
    settled_second = b2 - a2
    settled_first = b1 - a1 + settled_second
    n, m = curves.shape
    out = np.empty((n + 2 * _EDGE, m))
    for c in range(m):
        for i in range(_EDGE):
            out[i, c] = 2 * curves[0, c] - curves[_EDGE - i, c]
            out[n + _EDGE + i, c] = 2 * curves[n - 1, c] - curves[n - 2 - i, c]
    out[_EDGE : n + _EDGE] = curves
    first, second = np.empty(m), np.empty(m)
    for towards in range(2):
        start, step = (0, 1) if towards == 0 else (len(out) - 1, -1)
        for c in range(m):
            first[c], second[c] = settled_first * out[start, c], settled_second * out[start, c]
        for i in range(len(out)):
            row = start + step * i
            for c in range(m):
                x = out[row, c]
                y = b0 * x + first[c]
                first[c] = b1 * x - a1 * y + second[c]
                second[c] = b2 * x - a2 * y
                out[row, c] = y
    return out[_EDGE : n + _EDGE].copy()


@inlined
def _normal_equations(
    foot: FloatArray,
    shank: FloatArray,
    x: FloatArray,
    rate_hz: float,
    weight: float,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> tuple[FloatArray, FloatArray]:
    """Weighted sums over rows ``start`` to ``stop`` of both sensors' ``_acceleration`` (n, 12), but ``clipped`` ones.

    Unknowns: foot lever, shank lever, offset, and the heading, which is then eliminated.
    """
    n = len(shank)
    ankle = np.empty((n, 3))
    for i in range(n):
        for k in range(3):
            added = 0.0
            for c in range(3):
                added += shank[i, 3 + 3 * k + c] * x[3 + c]
            ankle[i, k] = shank[i, k] + added
    a, b, row = np.zeros((UNKNOWNS + 1, UNKNOWNS + 1)), np.zeros(UNKNOWNS + 1), np.empty(UNKNOWNS + 1)
    for i in range(start, stop + 1):
        low, high = max(i - 1, 0), min(i + 1, n - 1)
        for k in range(3):
            for c in range(3):
                row[c] = foot[i, 3 + 3 * k + c]
                row[3 + c] = -shank[i, 3 + 3 * k + c]
            row[OFFSET] = -(ankle[high, k] - ankle[low, k]) / (high - low) * rate_hz
            row[UNKNOWNS] = ankle[i, 1] if k == 0 else -ankle[i, 0] if k == 1 else 0.0
            counts = weight * (1.0 - clipped[i])
            target = counts * (shank[i, k] - foot[i, k])
            for c in range(UNKNOWNS + 1):
                b[c] += row[c] * target
                weighted = counts * row[c]
                for d in range(c + 1):
                    a[c, d] += weighted * row[d]
    for c in range(UNKNOWNS + 1):
        for d in range(c):
            a[d, c] = a[c, d]
    spare = a[UNKNOWNS, UNKNOWNS] + 1.0
    left, right = np.empty((UNKNOWNS, UNKNOWNS)), np.empty(UNKNOWNS)
    # The offset enters as a correction to the offset at which the shank was interpolated.
    b_heading = b[UNKNOWNS] + a[UNKNOWNS, OFFSET] * x[OFFSET]
    for c in range(UNKNOWNS):
        right[c] = b[c] + a[c, OFFSET] * x[OFFSET] - a[c, UNKNOWNS] * b_heading / spare
        for d in range(UNKNOWNS):
            left[c, d] = a[c, d] - a[c, UNKNOWNS] * a[UNKNOWNS, d] / spare
    return left, right
