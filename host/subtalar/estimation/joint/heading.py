"""Relative heading of foot and shank over time: a Kalman filter over strides that knows its own certainty.

State: heading at the reference (where standing ended and walking began), heading now, drift, and gain: by what share
of a turn the two gyroscopes disagree. The first two start as one value and part ways with drift, turns and noise, so
the variance of their difference is what tibial rotation does not know.
"""

import math

import numpy as np

from subtalar.estimation.joint.joint_path import StrideHeading
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.kalman_smoother import FilterStep, start_of
from subtalar.estimation.parameters import HeadingParameters
from subtalar.types import FloatArray

REFERENCE, NOW, DRIFT, GAIN = 0, 1, 2, 3
_TIME, _AHEAD = 0, 1
_WIDE = float(np.radians(60.0) ** 2)
Trend = tuple[float, float, float, float, float, float, float]


def wrapped(angle_rad: float) -> float:
    """The same angle in (−π, π]."""
    return math.remainder(angle_rad, math.tau)


class HeadingFilter:
    """Angles in rad, times on the session clock."""

    def __init__(self, parameters: HeadingParameters, reference_s: float, heading_rad: float) -> None:
        """``heading_rad`` is a first guess, good to a quarter turn; it carries no weight."""
        p = self._p = parameters
        self.strides = 0
        self.strides_since_restart = 0
        self.jump_rad: float | None = None
        self._refused: list[float] = []
        self.mismatch = 0.0
        self._x = np.array([heading_rad, heading_rad, 0.0, 0.0])
        self._cov = np.diag([0.0, 0.0, math.radians(p.drift_prior_deg_s) ** 2, p.gain_sd**2])
        self._cov[:DRIFT, :DRIFT] = _WIDE
        self._at = np.array([reference_s, 0.0])
        walk, drift = math.radians(p.walk_deg_sqrt_s), math.radians(p.drift_walk_deg_s_sqrt_s)
        self._rule = np.array([walk**2, drift**2, math.radians(p.standing_sd_deg) ** 2])
        self._trace: list[FilterStep] | None = None
        self._yaw_rad: float | None = None
        """The foot's own heading in the middle of the newest stride."""

    @property
    def state(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """All that ``trend_of`` needs: mean (4,), covariance (4, 4), and (2,) the time of the newest stride's middle
        and how far the foot turned from there to its end; constants (3,). Renewed in place.
        """
        return self._x, self._cov, self._at, self._rule

    @property
    def time_s(self) -> float:
        """The middle of the newest stride."""
        return float(self._at[_TIME])

    @property
    def reference_rad(self) -> float:
        """Heading when standing ended."""
        return float(self._x[REFERENCE])

    def add(self, stride: StrideHeading) -> bool:
        """Learn from one stride; False where it is too far from the trend to be believed.

        The stride's evidence belongs to its middle, where it is applied; the filter's time never runs back.
        """
        p = self._p
        dt = max(0.0, stride.time_s - self.time_s)
        half = 0.5 * wrapped(stride.yaw_rad[1] - stride.yaw_rad[0])
        yaw = stride.yaw_rad[0] + half
        turn = 0.0 if self._yaw_rad is None else wrapped(yaw - self._yaw_rad)
        x, cov = self._predicted(dt, turn)
        by_mismatch = math.radians(p.evidence_per_mismatch_deg) * stride.mismatch
        innovation = wrapped(stride.heading_rad - float(x[NOW]))
        variance = float(cov[NOW, NOW]) + math.radians(p.evidence_sd_deg) ** 2 + by_mismatch**2
        limit = max(math.radians(p.outlier_deg), 3.5 * math.sqrt(variance))
        self.jump_rad = None
        if stride.mismatch > p.max_velocity_mismatch:
            return False
        if abs(innovation) > limit:
            self._refused.append(innovation)
            if not self._refusals_agree():
                return False
            # One stray stride is an error of that stride; several that agree are the truth.
            self.jump_rad = innovation
            cov[NOW, NOW] += innovation**2
            variance += innovation**2
        self._refused.clear()
        _update(x, cov, innovation, variance, self._x, self._cov)
        if self._trace is not None:
            step = self._step(dt, turn)
            self._trace.append(FilterStep(stride.time_s, step, x, cov, self._x.copy(), self._cov.copy()))
        self._yaw_rad = yaw
        self._at[_TIME] += dt
        self._at[_AHEAD] = half
        self.strides += 1
        share = 1.0 / min(self.strides, p.mismatch_memory_strides)
        self.mismatch += share * (stride.mismatch - self.mismatch)
        self.strides_since_restart += 1
        return True

    def restart(self) -> None:
        """One sensor's heading began anew (a gap in its samples): only its drift and the reference are still known."""
        self._cov[NOW, :] = 0.0
        self._cov[:, NOW] = 0.0
        self._cov[NOW, NOW] = _WIDE
        self._yaw_rad = None
        self._at[_AHEAD] = 0.0
        self.strides_since_restart = 0
        self._refused.clear()
        if self._trace is not None:
            forget, known = np.diag([1.0, 0.0, 1.0, 1.0]), (self._x.copy(), self._cov.copy())
            self._trace.append(FilterStep(self.time_s, forget, *known, *known))

    def keep_trace(self) -> list[FilterStep]:
        """From now on every step is kept, for ``kalman_smoother.smooth``."""
        self._trace = [start_of(self.time_s, self._x.copy(), self._cov.copy())]
        return self._trace

    def _refusals_agree(self) -> bool:
        last = self._refused[-self._p.agreeing_refusals :]
        return len(last) == self._p.agreeing_refusals and max(last) - min(last) < np.radians(self._p.outlier_deg)

    def ahead_rad(self, time_s: float) -> float:
        """Heading predicted for an instant after the newest stride."""
        x, at = self._x, self._at
        return float(x[NOW] + x[GAIN] * at[_AHEAD] + x[DRIFT] * (time_s - at[_TIME]))

    def heading_rad(self, time_s: FloatArray) -> FloatArray:
        """``ahead_rad`` of instants (n,)."""
        return np.array([self.ahead_rad(t) for t in time_s.tolist()])

    def sd_rad(self, time_s: FloatArray) -> FloatArray:
        """Standard deviation (n,) of the heading gained or lost since standing."""
        return _sd(time_s, *self.state)

    def _step(self, dt: float, turn_rad: float) -> FloatArray:
        step = np.eye(4)
        step[NOW, DRIFT], step[NOW, GAIN] = dt, turn_rad
        return step

    def _predicted(self, dt: float, turn_rad: float) -> tuple[FloatArray, FloatArray]:
        walk, drift = self._rule[:2].tolist()
        grown = walk * dt + (self._p.turn_share * turn_rad) ** 2
        return _stepped(self._x, self._cov, dt, turn_rad, grown, drift * dt)


@compiled("(f8[::1], f8[:,::1], f8, f8, f8, f8)")
def _stepped(
    x: FloatArray, cov: FloatArray, dt: float, turn_rad: float, now_variance: float, drift_variance: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance one step later."""
    x_out, half, cov_out, step = np.zeros(4), np.zeros((4, 4)), np.zeros((4, 4)), np.eye(4)
    step[NOW, DRIFT], step[NOW, GAIN] = dt, turn_rad
    for r in range(4):
        for k in range(4):
            x_out[r] += step[r, k] * x[k]
            for c in range(4):
                half[r, c] += step[r, k] * cov[k, c]
    for r in range(4):
        for c in range(4):
            for k in range(4):
                cov_out[r, c] += half[r, k] * step[c, k]
    cov_out[NOW, NOW] += now_variance
    cov_out[DRIFT, DRIFT] += drift_variance
    return x_out, cov_out


@compiled("(f8[::1], f8[:,::1], f8, f8, f8[::1], f8[:,::1])")
def _update(
    x: FloatArray, cov: FloatArray, innovation: float, variance: float, x_out: FloatArray, cov_out: FloatArray
) -> None:
    """Mean and covariance after a measurement of the heading now."""
    for r in range(4):
        gain = cov[r, NOW] / variance
        x_out[r] = x[r] + gain * innovation
        for c in range(4):
            cov_out[r, c] = cov[r, c] - gain * cov[NOW, c]


@inlined
def trend_of(x: FloatArray, cov: FloatArray, at: FloatArray, rule: FloatArray) -> Trend:
    """The instant of the newest stride, heading at its end, drift, and the variance of heading now (h) less heading at
    the reference as a parabola in time, with the part that is always there: h = (−1, 1, dt, ahead).
    """
    ahead = at[_AHEAD]
    now = cov[NOW, NOW] - cov[REFERENCE, NOW] + ahead * cov[GAIN, NOW]
    reference = cov[NOW, REFERENCE] - cov[REFERENCE, REFERENCE] + ahead * cov[GAIN, REFERENCE]
    drift = cov[NOW, DRIFT] - cov[REFERENCE, DRIFT] + ahead * cov[GAIN, DRIFT]
    gain = cov[NOW, GAIN] - cov[REFERENCE, GAIN] + ahead * cov[GAIN, GAIN]
    gap = now - reference + ahead * gain
    return at[_TIME], x[NOW] + x[GAIN] * ahead, x[DRIFT], gap, 2 * drift + rule[0], cov[DRIFT, DRIFT], rule[2]


@inlined
def heading_at(time_s: float, trend: Trend) -> float:
    """``HeadingFilter.ahead_rad`` inside compiled loops."""
    return trend[1] + trend[2] * (time_s - trend[0])


@inlined
def heading_sd_at(time_s: float, trend: Trend) -> float:
    """``HeadingFilter.sd_rad`` inside compiled loops."""
    dt = max(0.0, time_s - trend[0])
    return float(np.sqrt(max(0.0, trend[3] + dt * (trend[4] + dt * trend[5])) + trend[6]))


@compiled("(f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1])")
def _sd(time_s: FloatArray, x: FloatArray, cov: FloatArray, at: FloatArray, rule: FloatArray) -> FloatArray:
    trend, out = trend_of(x, cov, at, rule), np.empty(len(time_s))
    for i in range(len(time_s)):
        out[i] = heading_sd_at(time_s[i], trend)
    return out
