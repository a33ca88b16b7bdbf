"""One sensor's clock on the session clock.

A sample arrives late by a fixed delay, which nobody can know from arrivals alone, plus a random part that is never
negative. The lower envelope of ``arrival − device time`` therefore shows offset and drift of the two clocks
(Moon, Skelly & Towsley 1999, doi 10.1109/INFCOM.1999.749287). For clocks it is a low quantile over many minutes
(``arrival_floor.py``); for sensors that only count, whose losses lift it, the edge of the lower convex hull below the
centroid over half a minute (Zhang, Liu & Xia 2002, doi 10.1109/INFCOM.2002.1019346). What remains fixed between two
sensors is found from the motion (``joint_centre.py``).
"""

from bisect import bisect_left

import numpy as np

from subtalar.estimation.clocks.arrival_floor import ArrivalFloor
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.parameters import ClockParameters
from subtalar.types import FloatArray

_NO_BINS = np.empty(0)
_REACH_S = 2.0


def lower_line(x: FloatArray, y: FloatArray, max_slope: float) -> tuple[float, float]:
    """Slope and intercept of the line below all points (n,) that is closest to them on average."""
    return _lower_line(x, y, max_slope)


@compiled("(f8[::1], f8[::1], f8)")
def _lower_line(x: FloatArray, y: FloatArray, max_slope: float) -> tuple[float, float]:
    n = len(x)
    hull, size = np.empty(n, np.int64), 0
    total = 0.0
    for i in range(n):
        total += x[i]
        while size > 1:
            a, b = hull[size - 2], hull[size - 1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            size -= 1
        hull[size] = i
        size += 1
    centre = total / n
    slope = 0.0
    for k in range(size - 1):
        a, b = hull[k], hull[k + 1]
        if x[a] <= centre <= x[b]:
            slope = (y[b] - y[a]) / (x[b] - x[a])
            break
    slope = min(max(slope, -max_slope), max_slope)
    intercept = np.inf
    for i in range(n):
        intercept = min(intercept, y[i] - slope * x[i])
    return slope, intercept


class SensorClock:
    """Device time to session time, streaming: continuous, increasing, decided by the data alone.

    The first ``bin_s`` of samples is held back until its envelope is known, and again where the device's clock began
    anew. After that the mapping is piecewise linear in device time with a knot each ``bin_s``, always steered to meet
    the newest line at the next knot; where that would take too long the mapping steps back at the knot.
    A sensor without a clock counts its samples at the nominal rate; its line may then drift by per cents.
    """

    def __init__(self, parameters: ClockParameters, *, counted: bool) -> None:
        self.counted = counted
        self.ready = False
        self.epoch = 0
        self._p = parameters
        self._floor = None if counted else ArrivalFloor(parameters)
        self._window_s = parameters.counted_window_s if counted else parameters.window_s
        self._bin_device_s = self._bin_offset_s = _NO_BINS
        """Of the seconds that count: device time and smallest ``arrival − device`` (n,)."""
        self._late: list[tuple[float, float]] = []
        self._bin_end: float | None = None
        self._best = (0.0, np.inf)
        self._line = (0.0, 0.0)
        self._knot = (0.0, 0.0)
        self._rate = 1.0

    @property
    def rate(self) -> float:
        """Session seconds per device second between the newest knots."""
        return self._rate

    def next_knot(self, device_s: float) -> float:
        """Device time at which the bin of ``device_s`` ends (the first call opens the first bin)."""
        if self._bin_end is None:
            self._bin_end = device_s + self._p.bin_s
        return self._bin_end

    def learn(self, device_s: float, offset_s: float) -> None:
        """The smallest ``arrival − device`` of a run of samples within the open bin."""
        if offset_s < self._best[1]:
            self._best = (device_s, offset_s)

    def start(self, device_s: float) -> None:
        """The first bin is full (or the recording ended): begin at its first sample."""
        slope, (best_s, offset_s) = self._line[0], self._best
        self._line = (slope, offset_s - slope * best_s)
        self._knot = (device_s, device_s + (slope * device_s + self._line[1]))
        self._rate = 1.0 + slope
        self.ready = True

    def begin_epoch(self, epoch: int) -> None:
        """The device clock began anew: what the arrivals showed of the old one is void, its drift is not."""
        self.epoch = epoch
        self.ready = False
        self._bin_device_s = self._bin_offset_s = _NO_BINS
        self._late.clear()
        self._best = (0.0, np.inf)
        if self._floor is not None:
            self._floor.begin_anew()

    def end_first_bin(self, device_s: float) -> None:
        """The first bin of a clock that began anew ends here: it is as long as its arrivals took."""
        self._bin_end = device_s

    def close_bin(self) -> bool:
        """Every sample before the knot was learnt: renew the line and steer to meet it one bin later.

        True where the mapping steps back at the knot: the samples so far had come too late, and so are their times.
        """
        assert self._bin_end is not None
        end = self._bin_end
        if np.isfinite(self._best[1]):
            self._take_bin()
            if len(self._bin_device_s):
                self._renew_line(end)
        here = self._knot[1] + self._rate * (end - self._knot[0])
        late_s = here - (end + self._line[0] * end + self._line[1])
        steps_back = not self.counted and late_s > self._p.step_back_s
        if steps_back:
            here -= late_s
        target = end + self._p.bin_s
        self._rate = (target + self._line[0] * target + self._line[1] - here) / self._p.bin_s
        # Never backwards, never faster than a sample rate may plausibly differ: late news is taken in slowly.
        slack = 0.1 if self.counted else 0.005
        self._rate = min(max(self._rate, 1.0 - slack), 1.0 + slack)
        self._knot = (end, here)
        self._bin_end = target
        return steps_back

    def _take_bin(self) -> None:
        best, self._best = self._best, (0.0, np.inf)
        # Before the rate of a counting sensor is known, its drift looks like a loss each second.
        if not self.counted or len(self._bin_device_s) < self._p.bins_before_steps:
            self._append([best])
            return
        self._late.append(best)
        excess = min(o - (self._line[0] * d + self._line[1]) for d, o in self._late)
        if excess <= self._p.lost_step_s:
            # What came late before it was held up, not lost.
            self._append([best])
            self._late.clear()
        elif len(self._late) >= self._p.lasting_bins:
            self._bin_offset_s = self._bin_offset_s + excess
            self._append(self._late)
            self._late = []

    def _append(self, bins: list[tuple[float, float]]) -> None:
        self._bin_device_s = np.concatenate((self._bin_device_s, [device_s for device_s, _ in bins]))
        self._bin_offset_s = np.concatenate((self._bin_offset_s, [offset_s for _, offset_s in bins]))

    def _renew_line(self, end: float) -> None:
        kept = min(bisect_left(self._bin_device_s, end - self._window_s), len(self._bin_device_s) - 1)
        if kept:
            self._bin_device_s, self._bin_offset_s = self._bin_device_s[kept:], self._bin_offset_s[kept:]
        x, y = self._bin_device_s, self._bin_offset_s
        if self._floor is not None:
            if kept and len(x) == 1:  # after a long silence
                self._floor.begin_anew()
            self._line = self._floor.fit(x, y, end)
            return
        # Over a second or two the jitter of the envelope looks like drift; wait until drift outgrows it.
        if x[-1] - x[0] > _REACH_S:
            self._line = lower_line(x, y, self._p.max_drift_counted)
        else:
            slope = self._line[0]
            self._line = (slope, float(np.min(y - slope * x)))

    @property
    def line(self) -> tuple[float, float, float]:
        """Device and session time of the newest knot, and session seconds per device second from there on."""
        return *self._knot, self._rate

    def session_time(self, device_s: FloatArray) -> FloatArray:
        """Session time of samples (n,) between the newest knot and the next."""
        device, session, rate = self.line
        return np.asarray(session + rate * (device_s - device))
