"""Lever arms and clock offset: what makes both sensors feel the same ankle acceleration.

With M = [ω̇]× + [ω]×[ω]× the ankle's acceleration seen from a sensor is R (a + M r) − g: linear in the lever arm r.
Equating foot and shank (the joint constraint of Seel, Schauer & Raisch 2012, doi 10.1109/CCA.2012.6402423, here in
level worlds with the relative heading as a nuisance and the clock offset as one more unknown) gives one small
least-squares problem a stride. Strides add up in an information matrix that slowly forgets, on top of a weak prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt_zi

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.parameters import JointCentreParameters
from subtalar.estimation.stride_window import StrideWindow
from subtalar.types import FloatArray

_FOOT, _SHANK, _OFFSET = slice(0, 3), slice(3, 6), 6
_SIZE = 7
_EDGE = 9
"""Rows by which a curve is continued, turned about its end, before it is smoothed to and fro (as SciPy does)."""
_NO_TURN = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class JointCentre:
    """Ankle in foot-sensor and shank-sensor axes (m), and how much later the shank's clock shows an instant (s)."""

    foot_lever_m: FloatArray
    shank_lever_m: FloatArray
    offset_s: float
    covariance: FloatArray


class JointCentreEstimator:
    """Information filter over strides; ``state`` is the present estimate."""

    def __init__(self, parameters: JointCentreParameters, shank_down_in_sensor: FloatArray) -> None:
        """``shank_down_in_sensor`` (3,): unit vector along the shank towards the foot, from quiet standing."""
        p = self._p = parameters
        self._prior_mean = np.zeros(_SIZE)
        self._prior_mean[_SHANK] = p.shank_prior_height_m * shank_down_in_sensor
        variance = np.array([p.foot_prior_sd_m] * 3 + [p.shank_prior_sd_m] * 3 + [p.offset_prior_sd_s]) ** 2
        self._prior = np.diag(1.0 / variance)
        self._information = np.zeros((_SIZE, _SIZE))
        self._vector = np.zeros(_SIZE)
        self._sos: FloatArray | None = None
        self._settled: FloatArray | None = None
        self.state = self._solve()

    def add(self, window: StrideWindow, heading_rad: float) -> None:
        """Learn from one stride whose relative heading is known to some degrees."""
        self._information *= 1.0 - 1.0 / self._p.memory_strides
        self._vector *= 1.0 - 1.0 / self._p.memory_strides
        a, b = self.equations(window, heading_rad, self.state)
        self._information += a
        self._vector += b
        self.state = self._solve()

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
        self.state = self._solve()

    def _solve(self) -> JointCentre:
        x, covariance = _solved(self._information, self._vector, self._prior, self._prior_mean)
        return JointCentre(x[_FOOT].copy(), x[_SHANK].copy(), float(x[_OFFSET]), covariance)

    def equations(self, window: StrideWindow, heading_rad: float, at: JointCentre) -> tuple[FloatArray, FloatArray]:
        """Normal equations (7, 7), (7,) of one stride for (r_foot, r_shank, offset), relative heading eliminated;
        linearised ``at`` an estimate.
        """
        offset = at.offset_s
        foot, shank = window.foot, window.shank_at_foot_times(offset)
        rate_hz = (len(foot.time_s) - 1) / float(foot.time_s[-1] - foot.time_s[0])
        if self._sos is None or self._settled is None:
            sos = butter(2, min(self._p.cutoff_hz, 0.4 * rate_hz), fs=rate_hz, output="sos")
            self._sos, self._settled = np.ascontiguousarray(sos[0]), np.ascontiguousarray(sosfilt_zi(sos)[0])
        turn = quat.about_vertical(heading_rad)
        smoothing = rate_hz, self._sos, self._settled
        at_foot = _acceleration(foot.q, foot.gyr_rad_s, foot.acc_m_s2, _NO_TURN, *smoothing)
        at_shank = _acceleration(shank.q, shank.gyr_rad_s, shank.acc_m_s2, turn, *smoothing)
        weight = 1.0 / (self._p.acceleration_noise_m_s2**2 * rate_hz * 0.05)
        rows = window.start, window.stop
        return _normal_equations(at_foot, at_shank, at.shank_lever_m, offset, rate_hz, weight, window.clipped, *rows)


@compiled("(f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], f8, f8[::1], f8[::1])")
def _acceleration(
    q: FloatArray,
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    turn: FloatArray,
    rate_hz: float,
    sos: FloatArray,
    settled: FloatArray,
) -> FloatArray:
    """Acceleration of the sensor in its level world turned by ``turn`` (n, 0:3), and the matrix through which a lever
    arm adds to it (n, 3:12), row by row: the derivative of R [ω]×. Smoothed.
    """
    n = len(q)
    out, spin = np.empty((n, 12)), np.empty((n, 9))
    for i in range(n):
        own = quat.product((turn[0], turn[1], turn[2], turn[3]), quat.quaternion_at(q, i, 0))
        out[i, 0], out[i, 1], out[i, 2] = quat.turned(own, quat.vector_at(acc_m_s2, i, 0))
        out[i, 2] -= GRAVITY_M_S2
        wx, wy, wz = quat.vector_at(gyr_rad_s, i, 0)
        # The columns of R [ω]× are ω × e_x, ω × e_y and ω × e_z, turned.
        columns = (
            quat.turned(own, (0.0, wz, -wy)),
            quat.turned(own, (-wz, 0.0, wx)),
            quat.turned(own, (wy, -wx, 0.0)),
        )
        for k in range(3):
            for c in range(3):
                spin[i, 3 * k + c] = columns[c][k]
    for i in range(n):
        low, high = max(i - 1, 0), min(i + 1, n - 1)
        for c in range(9):
            out[i, 3 + c] = (spin[high, c] - spin[low, c]) / (high - low) * rate_hz
    return _smoothed(out, sos, settled)


@inlined
def _smoothed(curves: FloatArray, sos: FloatArray, settled: FloatArray) -> FloatArray:
    """The columns (n, m) low-passed to and fro: no phase shift (Gustafsson 1996, doi 10.1109/78.492552).

    ``sos`` (6,) is one second-order section, ``settled`` (2,) its memory after a long input of 1.
    """
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
            first[c], second[c] = settled[0] * out[start, c], settled[1] * out[start, c]
        for i in range(len(out)):
            row = start + step * i
            for c in range(m):
                x = out[row, c]
                y = sos[0] * x + first[c]
                first[c] = sos[1] * x - sos[4] * y + second[c]
                second[c] = sos[2] * x - sos[5] * y
                out[row, c] = y
    return out[_EDGE : n + _EDGE].copy()


@compiled("(f8[:,::1], f8[:,::1], f8[::1], f8, f8, f8, f8[::1], i8, i8)")
def _normal_equations(
    foot: FloatArray,
    shank: FloatArray,
    shank_lever_m: FloatArray,
    offset_s: float,
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
                added += shank[i, 3 + 3 * k + c] * shank_lever_m[c]
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
                for d in range(_SIZE + 1):
                    a[c, d] += weighted * row[d]
    spare = a[_SIZE, _SIZE] + 1.0
    left, right = np.empty((_SIZE, _SIZE)), np.empty(_SIZE)
    # The offset enters as a correction to the offset at which the shank was interpolated.
    b_heading = b[_SIZE] + a[_SIZE, _OFFSET] * offset_s
    for c in range(_SIZE):
        right[c] = b[c] + a[c, _OFFSET] * offset_s - a[c, _SIZE] * b_heading / spare
        for d in range(_SIZE):
            left[c, d] = a[c, d] - a[c, _SIZE] * a[_SIZE, d] / spare
    return left, right


@compiled("(f8[:,::1], f8[::1], f8[:,::1], f8[::1])")
def _solved(
    information: FloatArray, vector: FloatArray, prior: FloatArray, prior_mean: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance, by Gauss-Jordan elimination; the matrix is positive definite and needs no pivoting."""
    cov = information + prior
    n = len(cov)
    for k in range(n):
        pivot = 1.0 / cov[k, k]
        cov[k, k] = 1.0
        for c in range(n):
            cov[k, c] *= pivot
        for r in range(n):
            if r != k:
                share = cov[r, k]
                cov[r, k] = 0.0
                for c in range(n):
                    cov[r, c] -= share * cov[k, c]
    x, right = np.zeros(n), vector.copy()
    for r in range(n):
        for c in range(n):
            right[r] += prior[r, c] * prior_mean[c]
    for r in range(n):
        for c in range(n):
            x[r] += cov[r, c] * right[c]
    return x, cov
