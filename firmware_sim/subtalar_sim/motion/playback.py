"""A recording that is played: when it begins, what its sensors measure at any time, and when it is over."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from subtalar_sim.motion.recording import RecordedMotion, RecordedSensor
from subtalar_sim.motion.resample import resample
from subtalar_sim.sensor import ImuSamples, clipped
from subtalar_sim.types import FloatArray, Side

_REST_S: Final = 1.0
_OVER_AFTER_S: Final = 1.0
"""What was measured last is on its way for a while."""


class RecordedBody:
    """The body of a recording, played from ``begin_s`` on in session time; None while that is not known yet.

    Until it begins the person stands as in the first second of the recording, which is played back and forth, if they
    stand still in it; else nothing is measured. After the end nothing is measured, unless ``loop`` begins it again.
    """

    def __init__(self, motion: RecordedMotion, *, loop: bool = False) -> None:
        self.motion, self.loop = motion, loop
        self.begin_s: float | None = 0.0
        # Where all can wait, it begins when all of them measure.
        self._first_s = motion.all_measure_from_s if motion.begins_at_rest else 0.0
        self._period_s = motion.duration_s - self._first_s + 1.0 / min(s.rate_hz for s in motion.sensors.values())

    @property
    def begins_at_rest(self) -> bool:
        """Whether the person stands still where the recording begins."""
        return self.motion.begins_at_rest

    @property
    def annotations(self) -> list[tuple[str, float, float]]:
        """(label, start, end) in session time; none before it has begun."""
        begin_s = self.begin_s
        if begin_s is None:
            return []
        shift = begin_s - self._first_s
        return [(label, start + shift, end + shift) for label, start, end in self.motion.annotations]

    def is_over(self, now_s: float) -> bool:
        """Whether all that there was has been measured, and has had a second to arrive."""
        return not self.loop and self.begin_s is not None and now_s > self.begin_s + self._period_s + _OVER_AFTER_S

    def motion_time(self, t_s: FloatArray) -> FloatArray:
        """Session times (n,) on the recording's axis; NaN where it does not play."""
        since = t_s - (np.inf if self.begin_s is None else self.begin_s)
        played = self._first_s + (np.mod(since, self._period_s) if self.loop and self.begin_s is not None else since)
        played = np.where(played <= self.motion.duration_s, played, np.nan)
        if not self.motion.begins_at_rest:
            return np.where(since >= 0.0, played, np.nan)
        # Back and forth, so that nothing jumps; any phase will do as long as nobody knows when it begins.
        phase = np.mod(t_s if self.begin_s is None else -since, 2.0 * _REST_S)
        return np.where(since >= 0.0, played, self._first_s + np.minimum(phase, 2.0 * _REST_S - phase))

    def angles_deg(self, side: Side, t_s: FloatArray) -> FloatArray:
        """True dorsiflexion, inversion and tibial rotation (n, 3) in degrees at session times ``t_s`` (n,), as far as
        they stand beside the recording; NaN elsewhere.
        """
        t = np.asarray(t_s, dtype=np.float64)
        out = np.full((len(t), 3), np.nan)
        if self.begin_s is None or side not in self.motion.truth:
            return out
        at = np.where(t >= self.begin_s, self.motion_time(t), np.nan)
        time_s, angles = self.motion.truth[side]
        known = np.isfinite(at)
        for axis in range(3):
            out[known, axis] = np.interp(at[known], time_s, angles[:, axis], left=np.nan, right=np.nan)
        return out


class RecordedSource:
    """A sensor that measures what another one has measured at ``site``; it adds no errors but its own limits.

    Ranges and ``saturation`` (start, length, share) as of ``subtalar_sim.sensor.Imu``.
    """

    def __init__(
        self,
        body: RecordedBody,
        site: str,
        *,
        acc_range_m_s2: float,
        gyr_range_rad_s: float,
        saturation: Sequence[tuple[float, float, float]] = (),
    ) -> None:
        self._body, self._sensor = body, body.motion.sensors[site]
        self._ranges, self._saturation = (acc_range_m_s2, gyr_range_rad_s), tuple(saturation)

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """Samples at times ``t_s`` (n,); ``measured`` is False where the recording has none."""
        t = np.asarray(t_s, dtype=np.float64)
        sensor, at = self._sensor, self._body.motion_time(t)
        values, known = resample(sensor.t_s, sensor.values, sensor.run, at, rate_hz / sensor.rate_hz)
        acc, gyr = (
            clipped(v, t, full, self._saturation)
            for v, full in zip((values[:, :3], values[:, 3:]), self._ranges, strict=True)
        )
        return ImuSamples(t, acc, gyr, self.orientation(t), known)

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """Sensor axes into the world at any times (n,), by the sensor's own fusion: (n, 3, 3)."""
        return _orientation(self._sensor, self._body.motion_time(np.asarray(t_s, dtype=np.float64)))


def _orientation(sensor: RecordedSensor, at_s: FloatArray) -> FloatArray:
    at = np.where(np.isfinite(at_s), at_s, sensor.t_s[0])
    q = np.column_stack([np.interp(at, sensor.t_s, sensor.orientation[:, i]) for i in range(4)])
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    return matrices(q)


def matrices(q: FloatArray) -> FloatArray:
    """Quaternions (n, 4), scalar first, -> (n, 3, 3)."""
    w, x, y, z = q.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.ascontiguousarray(np.moveaxis(np.array(rows), 2, 0))
