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
from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.kalman_smoother import FilterStep, start_of
from subtalar.estimation.parameters import GravityParameters
from subtalar.estimation.rows import leg_rows as col
from subtalar.estimation.rows.motion import ACC, FREE, GYR, TIME, WIDTH, Q, SegmentSamples
from subtalar.types import FloatArray

_UNKNOWN = 1e4
_EYE = np.eye(3)
_TIME, _STRIDES = 0, 1
_Q, _GYR, _ACC, _FREE = Q.start, GYR.start, ACC.start, FREE.start


@dataclass(frozen=True)
class Stance:
    """One sensor in quiet standing.

    ``force_m_s2`` (3,) is its mean specific force over all of it. From its last seconds: mean orientation ``q`` (4,),
    whose heading counts, mean specific force (3,) and rotation matrix (3, 3) in the gyroscope's own frame.
    """

    force_m_s2: FloatArray
    q: FloatArray
    force_turned_m_s2: FloatArray
    turn: FloatArray


class GravityFilter:
    """One sensor. ``gravity_m_s2`` (3,) in its gyroscope's frame, ``bias_m_s2`` (3,) in sensor axes.

    ``state`` is what ``learn_gravity`` changes: mean (6,), covariance (6, 6), and (2,) the time of the newest stride
    and how many there were. Constants: ``rule`` (3,), and ``fading`` (3,), the variances of VQF's vertical, of a
    stride's, and its growth per second.
    """

    def __init__(self, parameters: GravityParameters, stance: Stance, end_s: float) -> None:
        p = parameters
        self._trace: list[FilterStep] | None = None
        x = np.zeros(6)
        cov = np.diag([_UNKNOWN] * 3 + [p.bias_sd_m_s2**2] * 3)
        _take(x, cov, stance.force_turned_m_s2, stance.turn, p.standing_sd_m_s2**2)
        up = x[:3] / np.sqrt(np.sum(x[:3] ** 2))
        size = np.concatenate((up, np.zeros(3)))
        gain = cov @ size / (size @ cov @ size + (p.scale_sd * GRAVITY_M_S2) ** 2)
        self._x, self._cov = x + gain * (GRAVITY_M_S2 - size @ x), cov - np.outer(gain, size @ cov)
        self._at = np.array([end_s, 0.0])
        wander = p.gravity_wander_m_s2_sqrt_s**2, p.bias_wander_m_s2_sqrt_s**2
        self.rule = np.array([*wander, 2.0 * p.rest_velocity_sd_m_s**2])
        own, stride, fade = p.own_vertical_sd_m_s2, p.stride_vertical_sd_m_s2, p.fade_m_s2_sqrt_s
        self.fading = np.array([own**2, stride**2, fade**2])

    @property
    def state(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean, covariance, and what they stand for; to be changed in place."""
        return self._x, self._cov, self._at

    @property
    def told(self) -> tuple[FloatArray, FloatArray]:
        """What ``upright_at`` needs beside ``fading``."""
        return self._x, self._at

    @property
    def gravity_m_s2(self) -> FloatArray:
        """What the accelerometer would show at rest, in the gyroscope's frame (3,)."""
        return np.asarray(self._x[:3])

    @property
    def bias_m_s2(self) -> FloatArray:
        """Bias of the accelerometer (3,)."""
        return np.asarray(self._x[3:])

    @property
    def bias_sd_m_s2(self) -> float:
        """Root mean square standard deviation of the bias over its three axes."""
        return math.sqrt(float(self._cov[3, 3] + self._cov[4, 4] + self._cov[5, 5]) / 3.0)

    def restart(self) -> None:
        """Samples were lost while the sensor turned: where gravity is must be found anew; the bias stays."""
        self._cov[:3] = 0.0
        self._cov[:, :3] = 0.0
        self._cov[:3, :3] = _UNKNOWN * _EYE
        self._at[_STRIDES] = 0.0
        if self._trace is not None:
            forget, known = np.diag([0.0] * 3 + [1.0] * 3), (self._x.copy(), self._cov.copy())
            self._trace.append(FilterStep(float(self._at[_TIME]), forget, *known, *known))

    def keep_trace(self) -> list[FilterStep]:
        """From now on every step is kept, for ``kalman_smoother.smooth``."""
        self._trace = [start_of(float(self._at[_TIME]), self._x.copy(), self._cov.copy())]
        return self._trace

    def add(self, samples: SegmentSamples, start: int, stop: int, lever_m: FloatArray) -> None:
        """Learn from one stride between the rests ``start`` and ``stop``."""
        x, cov = self._x.copy(), self._cov.copy()
        learn_gravity(*self.state, self.rule, samples.rows, lever_m, start, stop)
        if self._trace is not None:
            before_s = self._trace[-1].time_s
            _wander(cov, float(self._at[_TIME]) - before_s, self.rule)
            self._trace.append(FilterStep(float(self._at[_TIME]), np.eye(6), x, cov, self._x.copy(), self._cov.copy()))

    def upright(self, samples: SegmentSamples) -> SegmentSamples:
        """The same samples with orientations tilted to this gravity, and without the bias."""
        return SegmentSamples(upright_rows(samples.rows, self._x))


def upright_samples(samples: SegmentSamples, gravity_m_s2: FloatArray, bias_m_s2: FloatArray) -> SegmentSamples:
    """The samples with orientations tilted to this gravity (3,), and without this bias (3,) of the accelerometer."""
    return SegmentSamples(upright_rows(samples.rows, np.concatenate((gravity_m_s2, bias_m_s2))))


@compiled("(f8[::1], f8[:,::1], f8[::1], f8[::1], f8[:,::1], f8[::1], i8, i8)")
def learn_gravity(
    x: FloatArray,
    cov: FloatArray,
    at: FloatArray,
    rule: FloatArray,
    samples: FloatArray,
    lever_m: FloatArray,
    start: int,
    stop: int,
) -> None:
    """Renew the state of a ``GravityFilter`` by one stride of ``samples`` (n, ``motion.WIDTH`` or more)."""
    since_s = max(0.0, samples[stop, TIME] - at[_TIME])
    at[_TIME] += since_s
    at[_STRIDES] += 1.0
    _wander(cov, since_s, rule)
    z, turn = _mean_force(samples, lever_m, start, stop)
    span_s = samples[stop, TIME] - samples[start, TIME]
    _take(x, cov, z, turn, rule[2] / (span_s * span_s))


@compiled("(f8[:,::1], f8, f8[::1])")
def _wander(cov: FloatArray, since_s: float, rule: FloatArray) -> None:
    """What time adds to the covariance."""
    for k in range(3):
        cov[k, k] += rule[0] * since_s
        cov[3 + k, 3 + k] += rule[1] * since_s


@inlined
def _mean_force(samples: FloatArray, lever_m: FloatArray, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    """z (3,) and mean(R) (3, 3) of one stride, by the trapezoidal rule."""
    span = samples[stop, TIME] - samples[start, TIME]
    z, turned = np.zeros(3), np.zeros((3, 3))
    for i in range(start, stop + 1):
        before = samples[i, TIME] - samples[i - 1, TIME] if i > start else 0.0
        after = samples[i + 1, TIME] - samples[i, TIME] if i < stop else 0.0
        weight = 0.5 * (before + after) / span
        turn = quat.quaternion_at(samples, i, _FREE)
        force = quat.turned(turn, quat.vector_at(samples, i, _ACC))
        rotation = quat.matrix_of(turn)
        for k in range(3):
            z[k] += weight * force[k]
            for c in range(3):
                turned[k, c] += weight * rotation[3 * k + c]
    rx, ry, rz = lever_m[0], lever_m[1], lever_m[2]
    for i, sign in ((start, -1.0), (stop, 1.0)):
        wx, wy, wz = quat.vector_at(samples, i, _GYR)
        spin = quat.turned(
            quat.quaternion_at(samples, i, _FREE), (wy * rz - wz * ry, wz * rx - wx * rz, wx * ry - wy * rx)
        )
        for k in range(3):
            z[k] += sign * spin[k] / span
    return z, turned


@compiled("(f8[::1], f8[:,::1], f8[::1], f8[:,::1], f8)")
def _take(x: FloatArray, cov: FloatArray, z: FloatArray, turn: FloatArray, variance: float) -> None:
    """Renew mean and covariance by the measurement z = n + turn b; its three components err independently and are
    taken one after the other.
    """
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


@compiled("(f8[:,::1], f8[::1])")
def upright_rows(samples: FloatArray, x: FloatArray) -> FloatArray:
    """Rows (n, ``motion.WIDTH``) with orientations tilted to the gravity and without the bias in ``x`` (6,)."""
    out = np.empty((len(samples), WIDTH))
    for i in range(len(samples)):
        free = quat.quaternion_at(samples, i, _FREE)
        up = quat.turned(quat.inverse(free), (x[0], x[1], x[2]))
        tilted = quat.tilted_to(quat.quaternion_at(samples, i, _Q), up)
        out[i, TIME] = samples[i, TIME]
        for k in range(4):
            out[i, _Q + k] = tilted[k]
            out[i, _FREE + k] = free[k]
        for k in range(3):
            out[i, _GYR + k] = samples[i, _GYR + k]
            out[i, _ACC + k] = samples[i, _ACC + k] - x[3 + k]
    return out


@inlined
def upright_at(
    rows: FloatArray,
    i: int,
    q_column: int,
    free_column: int,
    turn_column: int,
    x: FloatArray,
    at: FloatArray,
    fading: FloatArray,
) -> quat.Quaternion:
    """Orientation of a sensor in row ``i`` of the leg's rows, whose values begin at these columns.

    The vertical of the newest stride fades into VQF's own, freed of the bias, as time passes without strides; without
    any it is VQF's own.
    """
    q = quat.quaternion_at(rows, i, q_column)
    free = quat.quaternion_at(rows, i, free_column)
    own = quat.turned(free, quat.turned(quat.inverse(q), (0.0, 0.0, GRAVITY_M_S2)))
    stride_variance = fading[1] + max(0.0, rows[i, col.TIME] - at[_TIME]) * fading[2]
    share = fading[0] / (fading[0] + stride_variance) if at[_STRIDES] > 0 else 0.0
    up = (
        share * x[0] + (1.0 - share) * (own[0] - _leant(rows, i, turn_column, x)),
        share * x[1] + (1.0 - share) * (own[1] - _leant(rows, i, turn_column + 3, x)),
        share * x[2] + (1.0 - share) * (own[2] - _leant(rows, i, turn_column + 6, x)),
    )
    return quat.tilted_to(q, quat.turned(quat.inverse(free), up))


@inlined
def _leant(rows: FloatArray, i: int, column: int, x: FloatArray) -> float:
    """What the bias adds to one component of VQF's vertical."""
    return float(rows[i, column] * x[3] + rows[i, column + 1] * x[4] + rows[i, column + 2] * x[5])
