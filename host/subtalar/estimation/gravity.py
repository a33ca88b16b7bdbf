"""Gravity and the accelerometer's bias from strides: the zero-velocity aid to inclination.

Between two rests of the foot the ankle's velocity is the same at both ends, so its mean acceleration is zero. With the
specific force turned by the gyroscope alone into a frame that hardly moves (``free_turning.py``),

    z = mean(R a) + Δ(R (ω × r)) / T = n + mean(R) b,

where n is gravity there, r the lever arm to the ankle and b the bias of the accelerometer. While somebody walks
straight on the two cannot be told apart, and need not be; a turn of the walk turns b and leaves n. Both are the state
of a Kalman filter over strides, in which everything is linear (zero-velocity updates: Foxlin 2005, doi
10.1109/MCG.2005.140; here over whole strides and with the bias). The size of gravity in quiet standing tells what of
b is vertical.
"""

import math
from dataclasses import replace

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.joint_centre import JointCentre
from subtalar.estimation.kalman_smoother import FilterStep, start_of
from subtalar.estimation.parameters import GravityParameters
from subtalar.estimation.standing import Stance, Standing
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import FloatArray

_UNKNOWN = 1e4
_EYE = np.eye(3)


class GravityFilter:
    """One sensor. ``gravity_m_s2`` (3,) in its gyroscope's frame, ``bias_m_s2`` (3,) in sensor axes."""

    def __init__(self, parameters: GravityParameters, stance: Stance, end_s: float) -> None:
        p = self._p = parameters
        self._trace: list[FilterStep] | None = None
        self._x = np.zeros(6)
        self._cov = np.diag([_UNKNOWN] * 3 + [p.bias_sd_m_s2**2] * 3)
        self.time_s = end_s
        self.strides = 0
        self._update(stance.force_turned_m_s2, stance.turn, p.standing_sd_m_s2**2)
        up = self._x[:3] / np.sqrt(np.sum(self._x[:3] ** 2))
        size = np.concatenate((up, np.zeros(3)))
        gain = self._cov @ size / (size @ self._cov @ size + (p.scale_sd * GRAVITY_M_S2) ** 2)
        self._x = self._x + gain * (GRAVITY_M_S2 - size @ self._x)
        self._cov = self._cov - np.outer(gain, size @ self._cov)

    @property
    def gravity_m_s2(self) -> FloatArray:
        """What the accelerometer would show at rest, in the gyroscope's frame (3,)."""
        return self._x[:3]

    @property
    def bias_m_s2(self) -> FloatArray:
        """Bias of the accelerometer (3,)."""
        return self._x[3:]

    @property
    def bias_sd_m_s2(self) -> float:
        """Root mean square standard deviation of the bias over its three axes."""
        return math.sqrt(float(self._cov[3, 3] + self._cov[4, 4] + self._cov[5, 5]) / 3.0)

    def restart(self) -> None:
        """Samples were lost while the sensor turned: where gravity is must be found anew; the bias stays."""
        self._cov[:3] = 0.0
        self._cov[:, :3] = 0.0
        self._cov[:3, :3] = _UNKNOWN * _EYE
        self.strides = 0
        if self._trace is not None:
            forget, known = np.diag([0.0] * 3 + [1.0] * 3), (self._x.copy(), self._cov.copy())
            self._trace.append(FilterStep(self.time_s, forget, *known, *known))

    def keep_trace(self) -> list[FilterStep]:
        """From now on every step is kept, for ``kalman_smoother.smooth``."""
        self._trace = [start_of(self.time_s, self._x.copy(), self._cov.copy())]
        return self._trace

    def add(self, samples: SegmentSamples, start: int, stop: int, lever_m: FloatArray) -> None:
        """Learn from one stride between the rests ``start`` and ``stop``."""
        p = self._p
        begin_s, end_s = float(samples.time_s[start]), float(samples.time_s[stop])
        since_s = max(0.0, end_s - self.time_s)
        self.time_s += since_s
        for k in range(3):
            self._cov[k, k] += p.gravity_wander_m_s2_sqrt_s**2 * since_s
            self._cov[3 + k, 3 + k] += p.bias_wander_m_s2_sqrt_s**2 * since_s
        predicted = self._x, self._cov
        motion = samples.time_s, samples.free, samples.gyr_rad_s, samples.acc_m_s2
        z, turn = _mean_force(*motion, lever_m, start, stop)
        self._update(z, turn, 2.0 * (p.rest_velocity_sd_m_s / (end_s - begin_s)) ** 2)
        if self._trace is not None:
            self._trace.append(FilterStep(self.time_s, np.eye(6), *predicted, self._x, self._cov.copy()))
        self.strides += 1

    def upright(self, samples: SegmentSamples) -> SegmentSamples:
        """The same samples with orientations tilted to this gravity, and without the bias."""
        return upright_samples(samples, self.gravity_m_s2, self.bias_m_s2)

    @property
    def vertical(self) -> FloatArray:
        """All that ``upright_at`` needs (11,): gravity, bias, their instant, whether a stride confirmed them, variances
        of VQF's vertical, of a stride's, and its growth per second.
        """
        p = self._p
        known = 1.0 if self.strides else 0.0
        variances = p.own_vertical_sd_m_s2**2, p.stride_vertical_sd_m_s2**2, p.fade_m_s2_sqrt_s**2
        return np.array([*self._x.tolist(), self.time_s, known, *variances])

    def _update(self, z: FloatArray, turn: FloatArray, variance: float) -> None:
        self._x, self._cov = _updated(self._x, self._cov, z, turn, variance)


def upright_samples(samples: SegmentSamples, gravity_m_s2: FloatArray, bias_m_s2: FloatArray) -> SegmentSamples:
    """The samples with orientations tilted to this gravity (3,), and without this bias (3,) of the accelerometer."""
    q, acc_m_s2 = _tilted(samples.q, samples.free, samples.acc_m_s2, gravity_m_s2, bias_m_s2)
    return SegmentSamples(samples.time_s, q, samples.gyr_rad_s, acc_m_s2, samples.free)


class LegGravity:
    """Both sensors of a leg, from quiet standing on."""

    def __init__(self, parameters: GravityParameters, standing: Standing) -> None:
        self._standing = standing
        self.foot = GravityFilter(parameters, standing.foot, standing.end_s)
        self.shank = GravityFilter(parameters, standing.shank, standing.end_s)

    @property
    def neutral(self) -> tuple[FloatArray, FloatArray]:
        """Orientations (4,) of foot and shank sensor in quiet standing."""
        return (
            self._standing.foot.orientation(self.foot.bias_m_s2),
            self._standing.shank.orientation(self.shank.bias_m_s2),
        )

    @property
    def tilt_sd_rad(self) -> float:
        """How far the biases, as angles, are still unknown: both sensors together."""
        return math.hypot(self.foot.bias_sd_m_s2, self.shank.bias_sd_m_s2) / GRAVITY_M_S2

    @property
    def excess(self) -> float:
        """By what share gravity seems larger than it is, at the worse of the two sensors."""
        sizes = (math.hypot(*f.gravity_m_s2.tolist()) for f in (self.foot, self.shank))
        return max(abs(size / GRAVITY_M_S2 - 1.0) for size in sizes)

    def restart(self) -> None:
        """One of the sensors began anew."""
        self.foot.restart()
        self.shank.restart()

    def add(self, window: StrideWindow, centre: JointCentre) -> None:
        """Learn from one stride."""
        self.foot.add(window.foot, window.start, window.stop, centre.foot_lever_m)
        shank = window.shank_at_foot_times(centre.offset_s)
        self.shank.add(shank, window.start, window.stop, centre.shank_lever_m)

    def upright(self, window: StrideWindow) -> StrideWindow:
        """The window as this gravity sees it."""
        return replace(window, foot=self.foot.upright(window.foot), shank=self.shank.upright(window.shank))


@compiled("(f8[::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], i8, i8)")
def _mean_force(
    time_s: FloatArray,
    free: FloatArray,
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    lever_m: FloatArray,
    start: int,
    stop: int,
) -> tuple[FloatArray, FloatArray]:
    """z (3,) and mean(R) (3, 3) of one stride, by the trapezoidal rule."""
    span = time_s[stop] - time_s[start]
    z, turned = np.zeros(3), np.zeros((3, 3))
    for i in range(start, stop + 1):
        before = time_s[i] - time_s[i - 1] if i > start else 0.0
        after = time_s[i + 1] - time_s[i] if i < stop else 0.0
        weight = 0.5 * (before + after) / span
        turn = quat.quaternion_at(free, i, 0)
        force = quat.turned(turn, quat.vector_at(acc_m_s2, i, 0))
        columns = (
            quat.turned(turn, (1.0, 0.0, 0.0)),
            quat.turned(turn, (0.0, 1.0, 0.0)),
            quat.turned(turn, (0.0, 0.0, 1.0)),
        )
        for k in range(3):
            z[k] += weight * force[k]
            for c in range(3):
                turned[k, c] += weight * columns[c][k]
    rx, ry, rz = lever_m[0], lever_m[1], lever_m[2]
    for i, sign in ((start, -1.0), (stop, 1.0)):
        wx, wy, wz = quat.vector_at(gyr_rad_s, i, 0)
        spin = quat.turned(quat.quaternion_at(free, i, 0), (wy * rz - wz * ry, wz * rx - wx * rz, wx * ry - wy * rx))
        for k in range(3):
            z[k] += sign * spin[k] / span
    return z, turned


@compiled("(f8[::1], f8[:,::1], f8[::1], f8[:,::1], f8)")
def _updated(
    x: FloatArray, cov: FloatArray, z: FloatArray, turn: FloatArray, variance: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance after the measurement z = n + turn b; its three components err independently and are taken
    one after the other.
    """
    x, cov = x.copy(), cov.copy()
    h, cov_h = np.zeros(6), np.empty(6)
    for k in range(3):
        innovation, total = z[k], variance
        for c in range(3):
            h[c], h[3 + c] = 1.0 if c == k else 0.0, turn[k, c]
        for r in range(6):
            cov_h[r] = 0.0
            for c in range(6):
                cov_h[r] += cov[r, c] * h[c]
        for c in range(6):
            innovation -= h[c] * x[c]
            total += h[c] * cov_h[c]
        for r in range(6):
            x[r] += cov_h[r] / total * innovation
            for c in range(6):
                cov[r, c] -= cov_h[r] * cov_h[c] / total
    return x, cov


@compiled("(f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], f8[::1])")
def _tilted(
    q: FloatArray, free: FloatArray, acc: FloatArray, gravity: FloatArray, bias: FloatArray
) -> tuple[FloatArray, FloatArray]:
    out, freed = np.empty((len(q), 4)), np.empty((len(q), 3))
    for i in range(len(q)):
        for k in range(3):
            freed[i, k] = acc[i, k] - bias[k]
        up = quat.turned(quat.inverse(quat.quaternion_at(free, i, 0)), (gravity[0], gravity[1], gravity[2]))
        tilted = quat.tilted_to(quat.quaternion_at(q, i, 0), up)
        for k in range(4):
            out[i, k] = tilted[k]
    return out, freed


@inlined
def upright_at(
    rows: FloatArray, i: int, q_column: int, free_column: int, turn_column: int, vertical: FloatArray
) -> quat.Quaternion:
    """Orientation of a sensor in row ``i`` of the leg's rows, whose values begin at these columns.

    The ``vertical`` of the newest stride fades into VQF's own, freed of the bias, as time passes without strides.
    """
    q = quat.quaternion_at(rows, i, q_column)
    free = quat.quaternion_at(rows, i, free_column)
    own = quat.turned(free, quat.turned(quat.inverse(q), (0.0, 0.0, GRAVITY_M_S2)))
    own_variance = vertical[8]
    stride_variance = vertical[9] + max(0.0, rows[i, col.TIME] - vertical[6]) * vertical[10]
    share = vertical[7] * own_variance / (own_variance + stride_variance)
    x = share * vertical[0] + (1.0 - share) * (own[0] - _leant(rows, i, turn_column, vertical))
    y = share * vertical[1] + (1.0 - share) * (own[1] - _leant(rows, i, turn_column + 3, vertical))
    z = share * vertical[2] + (1.0 - share) * (own[2] - _leant(rows, i, turn_column + 6, vertical))
    return quat.tilted_to(q, quat.turned(quat.inverse(free), (x, y, z)))


@inlined
def _leant(rows: FloatArray, i: int, column: int, vertical: FloatArray) -> float:
    """What the bias adds to one component of VQF's vertical."""
    return float(rows[i, column] * vertical[3] + rows[i, column + 1] * vertical[4] + rows[i, column + 2] * vertical[5])
