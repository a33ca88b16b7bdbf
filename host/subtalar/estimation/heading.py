"""Relative heading of foot and shank over time: a Kalman filter over strides that knows its own certainty.

State: heading at the reference (where standing ended and walking began), heading now, drift. The first two start as one
value and part ways with drift and noise, so the variance of their difference is what tibial rotation does not know.
"""

import numpy as np

from subtalar.estimation.ankle_path import StrideHeading
from subtalar.estimation.parameters import HeadingParameters
from subtalar.types import FloatArray

_REFERENCE, _NOW, _DRIFT = 0, 1, 2


def wrapped(angle_rad: float) -> float:
    """The same angle in (−π, π]."""
    return float(np.angle(np.exp(1j * angle_rad)))


class HeadingFilter:
    """Angles in rad, times on the session clock."""

    def __init__(self, parameters: HeadingParameters, reference_s: float, heading_rad: float) -> None:
        """``heading_rad`` is a first guess, good to a quarter turn; it carries no weight."""
        p = self._p = parameters
        self.time_s = reference_s
        self.strides = 0
        self.strides_since_restart = 0
        self.jump_rad: float | None = None
        self._refused: list[float] = []
        self._x = np.array([heading_rad, heading_rad, 0.0])
        wide = np.radians(60.0) ** 2
        self._cov = np.array([[wide, wide, 0.0], [wide, wide, 0.0], [0.0, 0.0, np.radians(p.drift_prior_deg_s) ** 2]])

    @property
    def reference_rad(self) -> float:
        """Heading when standing ended."""
        return float(self._x[_REFERENCE])

    def add(self, stride: StrideHeading) -> bool:
        """Learn from one stride; False where it is too far from the trend to be believed.

        The stride's evidence belongs to its middle, where it is applied; the filter's time never runs back.
        """
        p = self._p
        dt = max(0.0, stride.time_s - self.time_s)
        x, cov = self._predicted(dt)
        noise = np.radians(p.stride_sd_deg) ** 2 * (1.0 + (stride.mismatch / 0.15) ** 2)
        innovation = wrapped(stride.heading_rad - x[_NOW])
        variance = cov[_NOW, _NOW] + noise
        limit = max(np.radians(p.outlier_deg), 3.5 * float(np.sqrt(variance)))
        self.jump_rad = None
        if stride.mismatch > p.max_velocity_mismatch:
            return False
        if abs(innovation) > limit:
            self._refused.append(innovation)
            if not self._refusals_agree():
                return False
            # One stray stride is an error of that stride; several that agree are the truth.
            self.jump_rad = innovation
            cov[_NOW, _NOW] += innovation**2
            variance += innovation**2
        self._refused.clear()
        gain = cov[:, _NOW] / variance
        self._x = x + gain * innovation
        self._cov = cov - np.outer(gain, cov[_NOW, :])
        self.time_s += dt
        self.strides += 1
        self.strides_since_restart += 1
        return True

    def restart(self) -> None:
        """One sensor's heading began anew (a gap in its samples): only its drift and the reference are still known."""
        self._cov[_NOW, :] = 0.0
        self._cov[:, _NOW] = 0.0
        self._cov[_NOW, _NOW] = np.radians(60.0) ** 2
        self.strides_since_restart = 0
        self._refused.clear()

    def _refusals_agree(self) -> bool:
        last = self._refused[-self._p.agreeing_refusals :]
        return len(last) == self._p.agreeing_refusals and max(last) - min(last) < np.radians(self._p.outlier_deg)

    def heading_rad(self, time_s: FloatArray) -> FloatArray:
        """Heading predicted for instants (n,) after the newest stride."""
        return np.asarray(self._x[_NOW] + self._x[_DRIFT] * (time_s - self.time_s))

    def sd_rad(self, time_s: FloatArray) -> FloatArray:
        """Standard deviation (n,) of the heading gained or lost since standing."""
        dt = np.maximum(0.0, time_s - self.time_s)
        c = self._cov
        q_now, _ = self._process_noise()
        gap = c[_NOW, _NOW] - 2 * c[_NOW, _REFERENCE] + c[_REFERENCE, _REFERENCE]
        cross = c[_NOW, _DRIFT] - c[_REFERENCE, _DRIFT]
        standing = np.radians(self._p.standing_sd_deg) ** 2
        grown = gap + dt * (2 * cross + dt * c[_DRIFT, _DRIFT] + q_now)
        return np.asarray(np.sqrt(np.maximum(0.0, grown) + standing))

    def _process_noise(self) -> tuple[float, float]:
        return (
            float(np.radians(self._p.walk_deg_sqrt_s) ** 2),
            float(np.radians(self._p.drift_walk_deg_s_sqrt_s) ** 2),
        )

    def _predicted(self, dt: float) -> tuple[FloatArray, FloatArray]:
        step = np.eye(3)
        step[_NOW, _DRIFT] = dt
        q_now, q_drift = self._process_noise()
        cov = step @ self._cov @ step.T
        cov[_NOW, _NOW] += q_now * dt
        cov[_DRIFT, _DRIFT] += q_drift * dt
        return step @ self._x, cov
