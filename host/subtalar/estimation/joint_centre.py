"""Lever arms and clock offset: what makes both sensors feel the same ankle acceleration.

With M = [ω̇]× + [ω]×[ω]× the ankle's acceleration seen from a sensor is R (a + M r) − g: linear in the lever arm r.
Equating foot and shank (the joint constraint of Seel, Schauer & Raisch 2012, doi 10.1109/CCA.2012.6402423, here in
level worlds with the relative heading as a nuisance and the clock offset as one more unknown) gives one small
least-squares problem a stride. Strides add up in an information matrix that slowly forgets, on top of a weak prior.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import quaternions as quat
from subtalar.estimation.parameters import JointCentreParameters
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import FloatArray

_FOOT, _SHANK, _OFFSET = slice(0, 3), slice(3, 6), 6
_SIZE = 7


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
        self.state = self._solve()

    def add(self, window: StrideWindow, heading_rad: float) -> None:
        """Learn from one stride whose relative heading is known to some degrees."""
        self._information *= 1.0 - 1.0 / self._p.memory_strides
        self._vector *= 1.0 - 1.0 / self._p.memory_strides
        a, b = self._stride_equations(window, heading_rad)
        self._information += a
        self._vector += b
        self.state = self._solve()

    def relearn(self, windows: list[StrideWindow], headings_rad: list[float]) -> None:
        """Start over from the prior with these strides, linearised at the present estimate."""
        self._information[:] = 0.0
        self._vector[:] = 0.0
        for window, heading in zip(windows, headings_rad, strict=True):
            a, b = self._stride_equations(window, heading)
            self._information += a
            self._vector += b
        self.state = self._solve()

    def _solve(self) -> JointCentre:
        covariance: FloatArray = np.asarray(np.linalg.inv(self._information + self._prior), dtype=np.float64)
        x = covariance @ (self._vector + self._prior @ self._prior_mean)
        return JointCentre(x[_FOOT].copy(), x[_SHANK].copy(), float(x[_OFFSET]), covariance)

    def _stride_equations(self, window: StrideWindow, heading_rad: float) -> tuple[FloatArray, FloatArray]:
        """Normal equations of one stride for (r_foot, r_shank, offset), relative heading eliminated."""
        offset = self.state.offset_s
        turn = quat.about_vertical(heading_rad)
        foot, shank = window.foot, window.shank_at_foot_times(offset)
        rate_hz = (len(foot.time_s) - 1) / float(foot.time_s[-1] - foot.time_s[0])
        if self._sos is None:
            self._sos = butter(2, min(self._p.cutoff_hz, 0.4 * rate_hz), fs=rate_hz, output="sos")
        foot_acc, foot_gain = _acceleration(foot, foot.q, rate_hz)
        shank_acc, shank_gain = _acceleration(shank, quat.multiply(turn, shank.q), rate_hz)
        n = len(foot.time_s)
        stacked = np.concatenate((foot_acc, shank_acc, foot_gain.reshape(n, 9), shank_gain.reshape(n, 9)), axis=1)
        stacked = sosfiltfilt(self._sos, stacked, axis=0)
        inside = slice(window.start, window.stop + 1)
        shank_acc = stacked[:, 3:6] + stacked[:, 15:24].reshape(n, 3, 3) @ self.state.shank_lever_m
        design = np.empty((n, 3, _SIZE + 1))
        design[:, :, _FOOT] = stacked[:, 6:15].reshape(n, 3, 3)
        design[:, :, _SHANK] = -stacked[:, 15:24].reshape(n, 3, 3)
        design[:, :, _OFFSET] = -np.gradient(shank_acc, axis=0) * rate_hz
        design[:, 0, _SIZE] = shank_acc[:, 1]
        design[:, 1, _SIZE] = -shank_acc[:, 0]
        design[:, 2, _SIZE] = 0.0
        target = stacked[:, 3:6] - stacked[:, 0:3]
        weight = (1.0 - window.clipped[inside]) / (self._p.acceleration_noise_m_s2**2 * rate_hz * 0.05)
        rows = design[inside]
        a = np.einsum("nik,nil,n->kl", rows, rows, weight)
        b = np.einsum("nik,ni,n->k", rows, target[inside], weight)
        # The offset enters as a correction to the offset at which the shank was interpolated.
        b += a[:, _OFFSET] * offset
        spare = a[_SIZE, _SIZE] + 1.0
        return (
            a[:_SIZE, :_SIZE] - np.outer(a[:_SIZE, _SIZE], a[_SIZE, :_SIZE]) / spare,
            b[:_SIZE] - a[:_SIZE, _SIZE] * b[_SIZE] / spare,
        )


def _acceleration(samples: SegmentSamples, q: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Level-world acceleration of the sensor (n, 3), and the matrices (n, 3, 3) that a lever arm adds through."""
    acc = quat.rotate(q, samples.acc_m_s2)
    acc[:, 2] -= GRAVITY_M_S2
    x, y, z = samples.gyr_rad_s.T
    zero = np.zeros_like(x)
    cross = np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=1).reshape(-1, 3, 3)
    gain = np.gradient(quat.matrix(q) @ cross, axis=0) * rate_hz
    return acc, gain
