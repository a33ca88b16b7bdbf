"""A sensor's own clock, and the one thing that knows what time it is while serving."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from subtalar_sim.types import FloatArray, IntArray


@dataclass(frozen=True)
class SensorClock:
    """Reads ``offset_s + t * (1 + drift_ppm * 1e-6)`` at true session time t, and more after ``jumps`` (time, by).

    ``sway_ppm``: by how much the drift swings to and fro within ``sway_period_s``, as with the temperature.
    """

    offset_s: float = 0.0
    drift_ppm: float = 0.0
    jumps: tuple[tuple[float, float], ...] = ()
    sway_ppm: float = 0.0
    sway_period_s: float = 3600.0

    def reading(self, t_s: FloatArray) -> FloatArray:
        """True session times (n,) -> what the sensor's clock shows."""
        shown = self.offset_s + t_s * (1.0 + 1e-6 * self.drift_ppm) + self._swayed_s(t_s)
        for at_s, by_s in self.jumps:
            shown = shown + by_s * (t_s >= at_s)
        return np.asarray(shown, dtype=np.float64)

    def _swayed_s(self, t_s: FloatArray) -> FloatArray:
        turn = 2.0 * np.pi / self.sway_period_s
        return np.asarray(1e-6 * self.sway_ppm / turn * np.sin(turn * t_s) if self.sway_ppm else np.zeros_like(t_s))

    def sample_times(self, start_s: float, numbers: IntArray, rate_hz: float) -> FloatArray:
        """True times of the samples ``numbers`` (n,) of a sensor that began at ``start_s`` and goes by this clock."""
        t = start_s + numbers / self.true_rate(rate_hz)
        if self.sway_ppm:
            begin, steady = self._swayed_s(np.array([start_s])), t
            for _ in range(2):  # each round leaves 1e-5 of what was wrong
                t = steady - (self._swayed_s(t) - begin) / (1.0 + 1e-6 * self.drift_ppm)
        return np.asarray(t, dtype=np.float64)

    def true_rate(self, rate_hz: float) -> float:
        """Samples a true second from a sensor that samples ``rate_hz`` times a second of its own."""
        return rate_hz * (1.0 + 1e-6 * self.drift_ppm)


def draw_clock(site: str, seed: int, drift_ppm: float = 25.0) -> SensorClock:
    """A clock that was switched on minutes ago and runs some ``drift_ppm`` wrong (standard deviation)."""
    rng = np.random.default_rng([seed, 14, *site.encode()])
    return SensorClock(float(rng.uniform(60.0, 3000.0)), float(np.clip(rng.normal(0.0, drift_ppm), -50.0, 50.0)))


class SessionClock:
    """Session time that runs ``speed`` times as fast as ``now`` (seconds; the host's monotonic clock by default)."""

    def __init__(self, speed: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed, self._now = speed, now
        self.anchor_s = now()

    def session_s(self) -> float:
        """Seconds of session time since the start."""
        return (self._now() - self.anchor_s) * self.speed

    def wait_s(self, session_s: float) -> float:
        """Host seconds until session time ``session_s``; zero if it has passed."""
        return max(0.0, (session_s - self.session_s()) / self.speed)

    def from_host(self, host_s: FloatArray) -> FloatArray:
        """Readings of the host's clock (n,) -> session time."""
        return np.asarray((np.asarray(host_s, dtype=np.float64) - self.anchor_s) * self.speed, dtype=np.float64)
