"""Lever arms and clock offset: what makes both sensors feel the same ankle acceleration.

With M = [ω̇]× + [ω]×[ω]× the ankle's acceleration seen from a sensor is R (a + M r) − g: linear in the lever arm r.
Equating foot and shank (the joint constraint of Seel, Schauer & Raisch 2012, doi 10.1109/CCA.2012.6402423, here in
level worlds with the relative heading as a nuisance and the clock offset as one more unknown) gives one small
least-squares problem a stride. Strides add up in an information matrix that slowly forgets, on top of a weak prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.low_pass import SecondOrder, second_order
from subtalar.estimation.parameters import JointCentreParameters
from subtalar.estimation.rows.motion import ACC, GYR, TIME, Q
from subtalar.estimation.rows.stride_window import StrideWindow, at_times_of
from subtalar.types import FloatArray

_FOOT, _SHANK, _OFFSET = slice(0, 3), slice(3, 6), 6
_SIZE = 7
_EDGE = 9
"""Rows by which a curve is continued, turned about its end, before it is smoothed to and fro (as SciPy does)."""
_CUTOFF, _NOISE, _MEMORY = 0, 1, 2
_Q, _GYR, _ACC = Q.start, GYR.start, ACC.start


@dataclass(frozen=True)
class JointCentre:
    """Ankle in foot-sensor and shank-sensor axes (m), and how much later the shank's clock shows an instant (s)."""

    foot_lever_m: FloatArray
    shank_lever_m: FloatArray
    offset_s: float
    covariance: FloatArray


class JointCentreEstimator:
    """Information filter over strides; ``state`` is the present estimate.

    ``knowledge`` is what ``learn_centre`` changes: estimate (7,), its covariance (7, 7), and what the strides told,
    information (7, 7) and vector (7,). ``prior`` (7, 8): information, and in the last column the mean. ``rule`` (3,):
    cut-off frequency, noise, memory.
    """

    def __init__(self, parameters: JointCentreParameters, shank_down_in_sensor: FloatArray) -> None:
        """``shank_down_in_sensor`` (3,): unit vector along the shank towards the foot, from quiet standing."""
        p = parameters
        variance = np.array([p.foot_prior_sd_m] * 3 + [p.shank_prior_sd_m] * 3 + [p.offset_prior_sd_s]) ** 2
        self.prior = np.zeros((_SIZE, _SIZE + 1))
        self.prior[:, :_SIZE] = np.diag(1.0 / variance)
        self.prior[_SHANK, _SIZE] = p.shank_prior_height_m * shank_down_in_sensor
        self.rule = np.array([p.cutoff_hz, p.acceleration_noise_m_s2, 1.0 - 1.0 / p.memory_strides])
        self._x, self._covariance = np.zeros(_SIZE), np.zeros((_SIZE, _SIZE))
        self._information, self._vector = np.zeros((_SIZE, _SIZE)), np.zeros(_SIZE)
        _solve(*self.knowledge, self.prior)

    @property
    def knowledge(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Estimate, covariance, information and vector; to be changed in place."""
        return self._x, self._covariance, self._information, self._vector

    @property
    def state(self) -> JointCentre:
        """The present estimate."""
        x = self._x
        return JointCentre(x[_FOOT].copy(), x[_SHANK].copy(), float(x[_OFFSET]), self._covariance.copy())

    @property
    def offset_s(self) -> float:
        """How much later the shank's clock shows an instant."""
        return float(self._x[_OFFSET])

    def add(self, window: StrideWindow, heading_rad: float) -> None:
        """Learn from one stride whose relative heading is known to some degrees."""
        foot, rows = window.foot.rows, (window.start, window.stop)
        shank = at_times_of(foot, window.shank.rows, self.offset_s)
        learn_centre(*self.knowledge, self.prior, self.rule, foot, shank, heading_rad, window.clipped, *rows)

    def relearn(self, windows: list[StrideWindow], headings_rad: list[float]) -> None:
        """Start over from the prior with these strides, linearised at the present estimate."""
        at = self.state
        self.settle([self.equations(window, h, at) for window, h in zip(windows, headings_rad, strict=True)])

    def settle(self, equations: Sequence[tuple[FloatArray, FloatArray]]) -> None:
        """Start over from the prior with these strides' ``equations``."""
        self._information[:] = 0.0
        self._vector[:] = 0.0
        for a, b in equations:
            self._information += a
            self._vector += b
        _solve(*self.knowledge, self.prior)

    def equations(self, window: StrideWindow, heading_rad: float, at: JointCentre) -> tuple[FloatArray, FloatArray]:
        """Normal equations (7, 7), (7,) of one stride for (r_foot, r_shank, offset), relative heading eliminated;
        linearised ``at`` an estimate.
        """
        foot, rows = window.foot.rows, (window.start, window.stop)
        shank = at_times_of(foot, window.shank.rows, at.offset_s)
        x = np.concatenate((at.foot_lever_m, at.shank_lever_m, [at.offset_s]))
        return _equations(foot, shank, heading_rad, x, self.rule, window.clipped, *rows)


@compiled("(f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[:,::1], f8[::1], f8[:,::1], f8[:,::1], f8, f8[::1], i8, i8)")
def learn_centre(
    x: FloatArray,
    covariance: FloatArray,
    information: FloatArray,
    vector: FloatArray,
    prior: FloatArray,
    rule: FloatArray,
    foot: FloatArray,
    shank: FloatArray,
    heading_rad: float,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> None:
    """Renew the knowledge of a ``JointCentreEstimator`` by one stride; the shank's samples are those at the foot's
    times by the present offset.
    """
    left, right = _equations(foot, shank, heading_rad, x, rule, clipped, start, stop)
    for r in range(_SIZE):
        vector[r] = rule[_MEMORY] * vector[r] + right[r]
        for c in range(_SIZE):
            information[r, c] = rule[_MEMORY] * information[r, c] + left[r, c]
    _solve(x, covariance, information, vector, prior)


@compiled("(f8[:,::1], f8[:,::1], f8, f8[::1], f8[::1], f8[::1], i8, i8)")
def _equations(
    foot: FloatArray,
    shank: FloatArray,
    heading_rad: float,
    x: FloatArray,
    rule: FloatArray,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> tuple[FloatArray, FloatArray]:
    rate_hz = (len(foot) - 1) / (foot[len(foot) - 1, TIME] - foot[0, TIME])
    low_pass = second_order(min(rule[_CUTOFF], 0.4 * rate_hz) / rate_hz)
    at_foot = _acceleration(foot, 0.0, rate_hz, low_pass)
    at_shank = _acceleration(shank, heading_rad, rate_hz, low_pass)
    weight = 1.0 / (rule[_NOISE] * rule[_NOISE] * rate_hz * 0.05)
    return _normal_equations(at_foot, at_shank, x, rate_hz, weight, clipped, start, stop)


@inlined
def _acceleration(samples: FloatArray, heading_rad: float, rate_hz: float, low_pass: SecondOrder) -> FloatArray:
    """Acceleration of the sensor in its level world turned by the heading (n, 0:3), and the matrix through which a
    lever arm adds to it (n, 3:12), row by row: the derivative of R [ω]×. Smoothed.
    """
    n = len(samples)
    out, spin = np.empty((n, 12)), np.empty((n, 9))
    turn = (np.cos(0.5 * heading_rad), 0.0, 0.0, np.sin(0.5 * heading_rad))
    for i in range(n):
        own = quat.product(turn, quat.quaternion_at(samples, i, _Q))
        r = quat.matrix_of(own)
        ax, ay, az = quat.vector_at(samples, i, _ACC)
        wx, wy, wz = quat.vector_at(samples, i, _GYR)
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
    b0, b1, b2, a1, a2 = low_pass
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
    a, b, row = np.zeros((_SIZE + 1, _SIZE + 1)), np.zeros(_SIZE + 1), np.empty(_SIZE + 1)
    for i in range(start, stop + 1):
        low, high = max(i - 1, 0), min(i + 1, n - 1)
        for k in range(3):
            for c in range(3):
                row[c] = foot[i, 3 + 3 * k + c]
                row[3 + c] = -shank[i, 3 + 3 * k + c]
            row[_OFFSET] = -(ankle[high, k] - ankle[low, k]) / (high - low) * rate_hz
            row[_SIZE] = ankle[i, 1] if k == 0 else -ankle[i, 0] if k == 1 else 0.0
            counts = weight * (1.0 - clipped[i])
            target = counts * (shank[i, k] - foot[i, k])
            for c in range(_SIZE + 1):
                b[c] += row[c] * target
                weighted = counts * row[c]
                for d in range(c + 1):
                    a[c, d] += weighted * row[d]
    for c in range(_SIZE + 1):
        for d in range(c):
            a[d, c] = a[c, d]
    spare = a[_SIZE, _SIZE] + 1.0
    left, right = np.empty((_SIZE, _SIZE)), np.empty(_SIZE)
    # The offset enters as a correction to the offset at which the shank was interpolated.
    b_heading = b[_SIZE] + a[_SIZE, _OFFSET] * x[_OFFSET]
    for c in range(_SIZE):
        right[c] = b[c] + a[c, _OFFSET] * x[_OFFSET] - a[c, _SIZE] * b_heading / spare
        for d in range(_SIZE):
            left[c, d] = a[c, d] - a[c, _SIZE] * a[_SIZE, d] / spare
    return left, right


@compiled("(f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[:,::1])")
def _solve(
    x: FloatArray, covariance: FloatArray, information: FloatArray, vector: FloatArray, prior: FloatArray
) -> None:
    """Mean and covariance, by Gauss-Jordan elimination; the matrix is positive definite and needs no pivoting."""
    right = np.empty(_SIZE)
    for r in range(_SIZE):
        right[r] = vector[r]
        for c in range(_SIZE):
            covariance[r, c] = information[r, c] + prior[r, c]
            right[r] += prior[r, c] * prior[c, _SIZE]
    for k in range(_SIZE):
        pivot = 1.0 / covariance[k, k]
        covariance[k, k] = 1.0
        for c in range(_SIZE):
            covariance[k, c] *= pivot
        for r in range(_SIZE):
            if r != k:
                share = covariance[r, k]
                covariance[r, k] = 0.0
                for c in range(_SIZE):
                    covariance[r, c] -= share * covariance[k, c]
    for r in range(_SIZE):
        x[r] = 0.0
        for c in range(_SIZE):
            x[r] += covariance[r, c] * right[c]
