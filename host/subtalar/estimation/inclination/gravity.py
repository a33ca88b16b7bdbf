"""Gravity and the accelerometer's bias from strides: the zero-velocity aid to inclination.

Between two rests of the foot the ankle's velocity is the same at both ends, so its mean acceleration is zero. With the
specific force turned by the gyroscope alone into a frame that hardly moves (``strapdown.py``),

    z = mean(R a) + Δ(R (ω × r)) / T = n + mean(R) b,

where n is gravity there, r the lever arm to the ankle and b the bias of the accelerometer. While somebody walks
straight on the two cannot be told apart, and need not be; a turn of the walk turns b and leaves n. Both are the state
of a Kalman filter over strides, in which everything is linear (zero-velocity updates: Foxlin 2005, doi
10.1109/MCG.2005.140; here over whole strides and with the bias). The size of gravity in quiet standing shows what of
b is vertical.
"""

import math
from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.kalman_smoother import FilterStep, start_of
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.estimation.parameters import GravityParameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import FloatArray

_UNKNOWN = 1e4
_EYE = np.eye(3)

GRAVITY_STATE = np.dtype([("mean", "f8", (6,)), ("covariance", "f8", (6, 6)), ("time_s", "f8"), ("strides", "i8")])
"""Gravity in the gyroscope's frame and bias in sensor axes, as one vector; the time of the newest stride, and how many
there were since gravity was found anew."""

GRAVITY_RULE = np.dtype(
    [
        ("gravity_growth", "f8"),
        ("bias_growth", "f8"),
        ("velocity_variance", "f8"),
        ("own_variance", "f8"),
        ("stride_variance", "f8"),
        ("fading", "f8"),
    ]
)
"""What a second adds to the variances; variance of the difference of velocity between two rests; variance of VQF's own
vertical, and of a stride's with its growth per second while no stride follows."""


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
    """One sensor: ``state`` is changed in place, by ``learn_gravity`` too; ``rule`` is constant."""

    def __init__(
        self, parameters: GravityParameters, stance: Stance, end_s: float, stance_sd_m_s2: float | None = None
    ) -> None:
        """``stance_sd_m_s2``: how well the stance knows gravity; as quiet standing does unless given."""
        p = parameters
        sd_m_s2 = p.standing_sd_m_s2 if stance_sd_m_s2 is None else stance_sd_m_s2
        self._trace: list[FilterStep] | None = None
        x = np.zeros(6)
        cov = np.diag([_UNKNOWN] * 3 + [p.bias_sd_m_s2**2] * 3)
        _take(x, cov, stance.force_turned_m_s2, stance.turn, sd_m_s2**2)
        up = x[:3] / np.sqrt(np.sum(x[:3] ** 2))
        size = np.concatenate((up, np.zeros(3)))
        gain = cov @ size / (size @ cov @ size + (p.scale_sd * GRAVITY_M_S2) ** 2)
        x, cov = x + gain * (GRAVITY_M_S2 - size @ x), cov - np.outer(gain, size @ cov)
        self.state = record(GRAVITY_STATE, mean=x, covariance=cov, time_s=end_s)
        self.rule = record(
            GRAVITY_RULE,
            gravity_growth=p.gravity_wander_m_s2_sqrt_s**2,
            bias_growth=p.bias_wander_m_s2_sqrt_s**2,
            velocity_variance=2.0 * p.rest_velocity_sd_m_s**2,
            own_variance=p.own_vertical_sd_m_s2**2,
            stride_variance=p.stride_vertical_sd_m_s2**2,
            fading=p.fade_m_s2_sqrt_s**2,
        )

    @property
    def _mean(self) -> FloatArray:
        return np.asarray(self.state["mean"][0])

    @property
    def _covariance(self) -> FloatArray:
        return np.asarray(self.state["covariance"][0])

    @property
    def _time_s(self) -> float:
        return float(self.state["time_s"][0])

    @property
    def gravity_m_s2(self) -> FloatArray:
        """What the accelerometer would show at rest, in the gyroscope's frame (3,)."""
        return self._mean[:3]

    @property
    def bias_m_s2(self) -> FloatArray:
        """Bias of the accelerometer (3,), in sensor axes."""
        return self._mean[3:]

    @property
    def bias_sd_m_s2(self) -> float:
        """Root mean square standard deviation of the bias over its three axes."""
        cov = self._covariance
        return math.sqrt(float(cov[3, 3] + cov[4, 4] + cov[5, 5]) / 3.0)

    def restart(self) -> None:
        """Samples were lost while the sensor turned: where gravity is must be found anew; the bias stays."""
        cov = self._covariance
        cov[:3] = 0.0
        cov[:, :3] = 0.0
        cov[:3, :3] = _UNKNOWN * _EYE
        self.state["strides"] = 0
        if self._trace is not None:
            forget, present = np.diag([0.0] * 3 + [1.0] * 3), (self._mean.copy(), cov.copy())
            self._trace.append(FilterStep(self._time_s, forget, *present, *present))

    def keep_trace(self) -> list[FilterStep]:
        """From now on every step is kept, for ``kalman_smoother.smooth``."""
        self._trace = [start_of(self._time_s, self._mean.copy(), self._covariance.copy())]
        return self._trace

    def add(self, samples: SegmentSamples, start: int, stop: int, lever_m: FloatArray) -> None:
        """Learn from one stride between the rests ``start`` and ``stop``."""
        if self._trace is None:
            learn_gravity(self.state, self.rule, samples.rows, lever_m, start, stop)
            return
        x, cov = self._mean.copy(), self._covariance.copy()
        learn_gravity(self.state, self.rule, samples.rows, lever_m, start, stop)
        _grow(cov, self._time_s - self._trace[-1].time_s, self.rule)
        step = FilterStep(self._time_s, np.eye(6), x, cov, self._mean.copy(), self._covariance.copy())
        self._trace.append(step)

    def upright(self, samples: SegmentSamples) -> SegmentSamples:
        """The same samples with orientations tilted to this gravity, and without the bias."""
        return SegmentSamples(upright_rows(samples.rows, self._mean))


def upright_samples(samples: SegmentSamples, gravity_m_s2: FloatArray, bias_m_s2: FloatArray) -> SegmentSamples:
    """The samples with orientations tilted to this gravity (3,), and without this bias (3,) of the accelerometer."""
    return SegmentSamples(upright_rows(samples.rows, np.concatenate((gravity_m_s2, bias_m_s2))))


@compiled("(state[::1], rule[::1], row[::1], f8[::1], i8, i8)", state=GRAVITY_STATE, rule=GRAVITY_RULE, row=SENSOR_ROW)
def learn_gravity(state: Records, rule: Records, samples: Records, lever_m: FloatArray, start: int, stop: int) -> None:
    """Renew the state of a ``GravityFilter`` by one stride of ``samples`` (n,)."""
    now = state[0]
    since_s = max(0.0, samples[stop]["time_s"] - now["time_s"])
    now["time_s"] += since_s
    now["strides"] += 1
    mean, covariance = now["mean"][:], now["covariance"][:]  # as arrays, which is what Python hands over, too
    _grow(covariance, since_s, rule)
    z, turn = _mean_force(samples, lever_m, start, stop)
    span_s = samples[stop]["time_s"] - samples[start]["time_s"]
    _take(mean, covariance, z, turn, rule[0]["velocity_variance"] / (span_s * span_s))


@compiled("(f8[:,::1], f8, rule[::1])", rule=GRAVITY_RULE)
def _grow(cov: FloatArray, since_s: float, rule: Records) -> None:
    """What time adds to the covariance."""
    for k in range(3):
        cov[k, k] += rule[0]["gravity_growth"] * since_s
        cov[3 + k, 3 + k] += rule[0]["bias_growth"] * since_s


@inlined
def _mean_force(samples: Records, lever_m: FloatArray, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    """z (3,) and mean(R) (3, 3) of one stride, by the trapezoidal rule."""
    span = samples[stop]["time_s"] - samples[start]["time_s"]
    z, turned = np.zeros(3), np.zeros((3, 3))
    for i in range(start, stop + 1):
        before = samples[i]["time_s"] - samples[i - 1]["time_s"] if i > start else 0.0
        after = samples[i + 1]["time_s"] - samples[i]["time_s"] if i < stop else 0.0
        weight = 0.5 * (before + after) / span
        turn = quat.quaternion_of(samples[i]["q_strapdown"])
        force = quat.turned(turn, quat.vector_of(samples[i]["acc_m_s2"]))
        rotation = quat.matrix_of(turn)
        for k in range(3):
            z[k] += weight * force[k]
            for c in range(3):
                turned[k, c] += weight * rotation[3 * k + c]
    rx, ry, rz = lever_m[0], lever_m[1], lever_m[2]
    for i, sign in ((start, -1.0), (stop, 1.0)):
        wx, wy, wz = quat.vector_of(samples[i]["gyr_rad_s"])
        spin = quat.turned(
            quat.quaternion_of(samples[i]["q_strapdown"]), (wy * rz - wz * ry, wz * rx - wx * rz, wx * ry - wy * rx)
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


@compiled("(row[::1], f8[::1])", row=SENSOR_ROW)
def upright_rows(samples: Records, x: FloatArray) -> Records:
    """Rows (n,) with orientations tilted to the gravity and without the bias in ``x`` (6,)."""
    rows = np.zeros(len(samples), SENSOR_ROW)
    for i in range(len(samples)):
        row, out = samples[i], rows[i]
        strapdown = quat.quaternion_of(row["q_strapdown"])
        up = quat.turned(quat.inverse(strapdown), (x[0], x[1], x[2]))
        out["time_s"] = row["time_s"]
        quat.write(quat.tilted_to(quat.quaternion_of(row["q"]), up), out["q"])
        quat.write(strapdown, out["q_strapdown"])
        quat.write(quat.vector_of(row["gyr_rad_s"]), out["gyr_rad_s"])
        for k in range(3):
            out["acc_m_s2"][k] = row["acc_m_s2"][k] - x[3 + k]
    return rows


@inlined
def upright_at(time_s: float, segment: Record, state: Record, rule: Record) -> quat.Quaternion:
    """Orientation of a sensor (``leg_rows.SEGMENT``) at a time, tilted to the gravity of a ``GravityFilter``.

    The vertical of the newest stride fades into VQF's own, freed of the bias, as time passes without strides; without
    any it is VQF's own.
    """
    q, strapdown = quat.quaternion_of(segment["q"]), quat.quaternion_of(segment["q_strapdown"])
    x, rotation = state["mean"], segment["lowpassed_rotation"]
    own = quat.turned(strapdown, quat.turned(quat.inverse(q), (0.0, 0.0, GRAVITY_M_S2)))
    stride_variance = rule["stride_variance"] + max(0.0, time_s - state["time_s"]) * rule["fading"]
    share = rule["own_variance"] / (rule["own_variance"] + stride_variance) if state["strides"] > 0 else 0.0
    up = (
        share * x[0] + (1.0 - share) * (own[0] - _leant(rotation, 0, x)),
        share * x[1] + (1.0 - share) * (own[1] - _leant(rotation, 3, x)),
        share * x[2] + (1.0 - share) * (own[2] - _leant(rotation, 6, x)),
    )
    return quat.tilted_to(q, quat.turned(quat.inverse(strapdown), up))


@inlined
def _leant(rotation: FloatArray, first: int, x: FloatArray) -> float:
    """What the bias adds to one component of VQF's vertical."""
    return float(rotation[first] * x[3] + rotation[first + 1] * x[4] + rotation[first + 2] * x[5])
