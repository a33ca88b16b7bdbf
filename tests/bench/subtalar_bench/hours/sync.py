"""How far apart the host puts what two sensors measured at the same instant."""

import numpy as np
import numpy.typing as npt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import Parameters
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.types import BodySite, FloatArray, SampleBlock, SensorInfo

_STEP_MS = 1e-3
_STEPS = 50_000
_NEIGHBOUR_S = 0.1


class SensorTimes:
    """The estimator's own front end over one sensor, and by how much its times are late against the true ones."""

    def __init__(self, site: BodySite, rate_hz: float) -> None:
        self._stream = SensorStream(SensorInfo(site, rate_hz), Parameters())
        self._true_s = np.empty(0)

    @property
    def is_whole(self) -> bool:
        """Whether a time was assigned to every sample."""
        counts = self._stream.counts
        return not (counts.repeated or counts.unusable)

    def push(self, block: SampleBlock, true_s: FloatArray) -> FloatArray:
        """Samples, and when they were measured (n,): true time and lateness (m, 2) of all that now have a time.

        What the samples say of the motion is left aside, as a sensor at rest would.
        """
        still = np.zeros_like(block.gyr_rad_s)
        upright = still + np.array([0.0, 0.0, GRAVITY_M_S2])
        self._stream.push(SampleBlock(block.site, block.device_time_s, block.host_time_s, upright, still))
        rows = self._stream.rows
        fresh = rows.view(rows.first, rows.end)
        given_s = fresh["time_s"][fresh["real"] > 0]
        rows.forget_before(rows.end)
        true_s = np.concatenate([self._true_s, true_s])
        self._true_s = true_s[len(given_s) :]
        true_s = true_s[: len(given_s)]
        return np.column_stack([true_s, given_s - true_s])


class SyncMeter:
    """Lateness of the foot's samples beyond that of the shank's at the same instant; bounded memory."""

    def __init__(self, minutes: int, settled_s: float) -> None:
        self.worst_ms = np.zeros(minutes)
        """Largest error of each minute."""
        self.first_ms = 0.0
        """Largest error before ``settled_s``."""
        self.late_s = 0.0
        """Lateness that all samples have in common: the mean of both sensors, over everything that was measured."""
        self.compared = 0
        self._settled_s = settled_s
        self._counts: npt.NDArray[np.int64] = np.zeros(_STEPS + 1, np.int64)
        self._held = np.empty((0, 2)), np.empty((0, 2))

    def take(self, foot: FloatArray, shank: FloatArray) -> None:
        """What ``SensorTimes.push`` gave for either; of what only one has, the rest is kept for the next time."""
        foot, shank = np.concatenate([self._held[0], foot]), np.concatenate([self._held[1], shank])
        if not len(foot) or not len(shank):
            self._held = foot, shank
            return
        until_s = min(foot[-1, 0], shank[-1, 0])
        inside = foot[(foot[:, 0] <= until_s) & (foot[:, 0] >= shank[0, 0])]
        self._held = foot[foot[:, 0] > until_s], shank[max(int(np.searchsorted(shank[:, 0], until_s)) - 1, 0) :]
        after = np.searchsorted(shank[:, 0], inside[:, 0])
        before = np.maximum(after - 1, 0)
        # Where one was silent nothing is compared.
        inside = inside[shank[np.minimum(after, len(shank) - 1), 0] - shank[before, 0] < _NEIGHBOUR_S]
        if len(inside):
            self._compare(inside, np.interp(inside[:, 0], shank[:, 0], shank[:, 1]))

    def _compare(self, foot: FloatArray, shank_late_s: FloatArray) -> None:
        self.late_s += float((0.5 * (foot[:, 1] + shank_late_s)).sum())
        self.compared += len(foot)
        error_ms = 1e3 * np.abs(foot[:, 1] - shank_late_s)
        minute = np.minimum((foot[:, 0] // 60.0).astype(np.int64), len(self.worst_ms) - 1)
        np.maximum.at(self.worst_ms, minute, error_ms)
        settled = foot[:, 0] >= self._settled_s
        self.first_ms = max(self.first_ms, float(error_ms[~settled].max(initial=0.0)))
        steps = np.minimum((error_ms[settled] / _STEP_MS).astype(np.int64), _STEPS)
        self._counts += np.bincount(steps, minlength=_STEPS + 1)

    def share_ms(self, share: float) -> float:
        """That share of the errors after the settling lies below; infinite where it is beyond 50 ms."""
        reached = int(np.searchsorted(np.cumsum(self._counts), share * self._counts.sum()))
        return (reached + 1) * _STEP_MS if reached < _STEPS else np.inf
