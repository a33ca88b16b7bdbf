"""Relative heading of foot and shank over time: a Kalman filter over strides that knows its own certainty.

State: heading at the reference (where standing ended and walking began), heading now, drift, and gain: by what share
of a turn the two gyroscopes disagree. The first two start as one value and part ways with drift, turns and noise, so
the variance of their difference is what tibial rotation does not know.
"""

import math

import numpy as np

from subtalar.estimation.joint.heading_trend import (
    DRIFT,
    GAIN,
    HEADING_RULE,
    HEADING_STATE,
    NOW,
    REFERENCE,
    heading_sd,
)
from subtalar.estimation.joint.joint_path import StrideHeading
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.kalman_smoother import FilterStep, start_of
from subtalar.estimation.numerics.records import Records, record
from subtalar.estimation.parameters import HeadingParameters
from subtalar.types import FloatArray

_WIDE = float(np.radians(60.0) ** 2)


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
        covariance = np.diag([0.0, 0.0, math.radians(p.drift_prior_deg_s) ** 2, p.gain_sd**2])
        covariance[:DRIFT, :DRIFT] = _WIDE
        mean = [heading_rad, heading_rad, 0.0, 0.0]
        self.state = record(HEADING_STATE, mean=mean, covariance=covariance, time_s=reference_s)
        self.rule = record(
            HEADING_RULE,
            walk_variance=math.radians(p.walk_deg_sqrt_s) ** 2,
            drift_variance=math.radians(p.drift_walk_deg_s_sqrt_s) ** 2,
            standing_variance=math.radians(p.standing_sd_deg) ** 2,
        )
        self._trace: list[FilterStep] | None = None
        self._yaw_rad: float | None = None
        """The foot's own heading in the middle of the newest stride."""

    @property
    def _mean(self) -> FloatArray:
        return np.asarray(self.state["mean"][0])

    @property
    def _covariance(self) -> FloatArray:
        return np.asarray(self.state["covariance"][0])

    @property
    def time_s(self) -> float:
        """The middle of the newest stride."""
        return float(self.state["time_s"][0])

    @property
    def reference_rad(self) -> float:
        """Heading when standing ended."""
        return float(self._mean[REFERENCE])

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
        _update(x, cov, innovation, variance, self.state, dt, half)
        if self._trace is not None:
            step = self._step(dt, turn)
            self._trace.append(FilterStep(stride.time_s, step, x, cov, *self._present()))
        self._yaw_rad = yaw
        self.strides += 1
        share = 1.0 / min(self.strides, p.mismatch_memory_strides)
        self.mismatch += share * (stride.mismatch - self.mismatch)
        self.strides_since_restart += 1
        return True

    def anchor(self) -> None:
        """Zero is known without the heading of any moment: what tibial rotation does not know is the heading now."""
        cov = self._covariance
        cov[REFERENCE, :] = 0.0
        cov[:, REFERENCE] = 0.0

    def restart(self) -> None:
        """One sensor's heading began anew (a gap in its samples): only its drift and the reference are still known."""
        cov = self._covariance
        cov[NOW, :] = 0.0
        cov[:, NOW] = 0.0
        cov[NOW, NOW] = _WIDE
        self._yaw_rad = None
        self.state["ahead_rad"] = 0.0
        self.strides_since_restart = 0
        self._refused.clear()
        if self._trace is not None:
            forget, present = np.diag([1.0, 0.0, 1.0, 1.0]), self._present()
            self._trace.append(FilterStep(self.time_s, forget, *present, *present))

    def keep_trace(self) -> list[FilterStep]:
        """From now on every step is kept, for ``kalman_smoother.smooth``."""
        self._trace = [start_of(self.time_s, *self._present())]
        return self._trace

    def _present(self) -> tuple[FloatArray, FloatArray]:
        return self._mean.copy(), self._covariance.copy()

    def _refusals_agree(self) -> bool:
        last = self._refused[-self._p.agreeing_refusals :]
        return len(last) == self._p.agreeing_refusals and max(last) - min(last) < np.radians(self._p.outlier_deg)

    def ahead_rad(self, time_s: float) -> float:
        """Heading predicted for an instant after the newest stride."""
        x, ahead_rad = self._mean, self.state["ahead_rad"][0]
        return float(x[NOW] + x[GAIN] * ahead_rad + x[DRIFT] * (time_s - self.time_s))

    def heading_rad(self, time_s: FloatArray) -> FloatArray:
        """``ahead_rad`` of instants (n,)."""
        return np.array([self.ahead_rad(t) for t in time_s.tolist()])

    def sd_rad(self, time_s: FloatArray) -> FloatArray:
        """Standard deviation (n,) of the heading gained or lost since standing."""
        return heading_sd(time_s, self.state, self.rule)

    def _step(self, dt: float, turn_rad: float) -> FloatArray:
        step = np.eye(4)
        step[NOW, DRIFT], step[NOW, GAIN] = dt, turn_rad
        return step

    def _predicted(self, dt: float, turn_rad: float) -> tuple[FloatArray, FloatArray]:
        return _stepped(self.state, self.rule, dt, turn_rad, (self._p.turn_share * turn_rad) ** 2)


@compiled("(state[::1], rule[::1], f8, f8, f8)", state=HEADING_STATE, rule=HEADING_RULE)
def _stepped(
    state: Records, rule: Records, dt: float, turn_rad: float, turn_variance: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance one step later."""
    x, cov = state[0]["mean"], state[0]["covariance"]
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
    cov_out[NOW, NOW] += rule[0]["walk_variance"] * dt + turn_variance
    cov_out[DRIFT, DRIFT] += rule[0]["drift_variance"] * dt
    return x_out, cov_out


@compiled("(f8[::1], f8[:,::1], f8, f8, state[::1], f8, f8)", state=HEADING_STATE)
def _update(
    x: FloatArray,
    cov: FloatArray,
    innovation: float,
    variance: float,
    state: Records,
    dt: float,
    ahead_rad: float,
) -> None:
    """Into ``state``: mean and covariance after a measurement of the heading now, ``dt`` after the one before."""
    state[0]["time_s"] += dt
    state[0]["ahead_rad"] = ahead_rad
    x_out, cov_out = state[0]["mean"], state[0]["covariance"]
    for r in range(4):
        gain = cov[r, NOW] / variance
        x_out[r] = x[r] + gain * innovation
        for c in range(4):
            cov_out[r, c] = cov[r, c] - gain * cov[NOW, c]
