"""Quiet standing, found from the motion: both sensors of the leg still for a while."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, lfilter

from subtalar.estimation.parameters import StillnessParameters
from subtalar.types import FloatArray


class StillnessDetector:
    """One sensor: is the spread of its angular rate around its own slow mean below that of quiet standing?

    The mean is judged apart and less strictly, so that a biased gyroscope is still and a slow knee bend is not.
    """

    def __init__(self, parameters: StillnessParameters, rate_hz: float) -> None:
        self._limit = parameters.max_rate_spread_rad_s**2
        self._limit_of_mean = parameters.max_mean_rate_rad_s**2
        self._b, self._a = butter(1, parameters.smoothing_hz, fs=rate_hz)
        self._zi: FloatArray | None = None

    def push(self, gyr_rad_s: FloatArray) -> FloatArray:
        """1.0 for each of the rows (n, 3) at which the sensor is still, else 0.0 (n,)."""
        if len(gyr_rad_s) == 0:
            return np.empty(0)
        signal = np.empty((len(gyr_rad_s), 4))
        signal[:, :3] = gyr_rad_s
        signal[:, 3] = gyr_rad_s[:, 0] ** 2 + gyr_rad_s[:, 1] ** 2 + gyr_rad_s[:, 2] ** 2
        if self._zi is None:
            self._zi = np.zeros((1, 4))
            self._zi[0, 3] = self._limit  # not still until the data say so
        smooth, self._zi = lfilter(self._b, self._a, signal, axis=0, zi=self._zi)
        mean = smooth[:, 0] ** 2 + smooth[:, 1] ** 2 + smooth[:, 2] ** 2
        return np.where((smooth[:, 3] - mean < self._limit) & (mean < self._limit_of_mean), 1.0, 0.0)


@dataclass(frozen=True)
class Standing:
    """One quiet stance: rows ``start`` to ``stop``, mean orientations sensor to level world (4,).

    ``gravity_error``: by what share the worse of the two accelerometers misses standard gravity.
    """

    start: int
    stop: int
    start_s: float
    end_s: float
    q_foot: FloatArray
    q_shank: FloatArray
    gravity_error: float

    @property
    def duration_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.start_s
