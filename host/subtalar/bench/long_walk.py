"""A long session made of a short one, without seams that the estimator could see."""

from collections.abc import Iterator

import numpy as np

from subtalar.session import Session
from subtalar.session.interleave import by_site
from subtalar.types import BodySite, FloatArray, IntArray, SampleBlock


def prolonged(
    session: Session, lap_s: tuple[float, float], duration_s: float, block_s: float = 1.0
) -> Iterator[SampleBlock]:
    """The session up to the end of ``lap_s``, then that stretch of it over and over until ``duration_s``.

    Choose a lap between two initial contacts of one foot, and the next lap goes on where the last one ended. Every
    clock runs on evenly and every sensor stays at its place in the lap, so there is no gap, no repeated sample and no
    new standing. Blocks of ``block_s``; the sensors need both clocks and must not have lost a sample.
    """
    tracks = [_Track(block, lap_s) for block in by_site(session.blocks()).values()]
    for k in range(round(duration_s / block_s)):
        for track in tracks:
            yield track.between(k * block_s, (k + 1) * block_s)


class _Track:
    """One sensor. Row ``j`` of the long session is the row of the short one that lies at the same place of the lap."""

    def __init__(self, block: SampleBlock, lap_s: tuple[float, float]) -> None:
        assert block.device_time_s is not None
        assert block.host_time_s is not None
        self._site: BodySite = block.site
        self._device, self._host = block.device_time_s, block.host_time_s
        self._acc, self._gyr = block.acc_m_s2, block.gyr_rad_s
        rows = np.arange(len(block))
        # Arrivals jitter; the sensor itself samples evenly.
        self._period_s, self._start_s = (float(x) for x in np.polyfit(rows, self._host, 1))
        self._device_period_s = float(self._device[-1] - self._device[0]) / (len(block) - 1)
        self._lap_s = lap_s
        self._arrived_s = -np.inf

    def between(self, begin_s: float, end_s: float) -> SampleBlock:
        """What was measured between two instants of the long session."""
        first, last = (max(0, int(np.ceil((t - self._start_s) / self._period_s))) for t in (begin_s, end_s))
        rows = np.arange(first, last)
        at = self._source(rows)
        later = rows - at
        host = np.maximum.accumulate(np.maximum(self._host[at] + later * self._period_s, self._arrived_s))
        self._arrived_s = float(host[-1]) if len(host) else self._arrived_s
        device: FloatArray = self._device[at] + later * self._device_period_s
        return SampleBlock(self._site, device, host, self._acc[at], self._gyr[at])

    def _source(self, rows: IntArray) -> IntArray:
        begin_s, end_s = self._lap_s
        t = self._start_s + rows * self._period_s
        lap = np.round((begin_s + (t - begin_s) % (end_s - begin_s) - self._start_s) / self._period_s)
        return np.where(t < end_s, rows, lap.astype(np.int64))
