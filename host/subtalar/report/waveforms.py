"""Angles over the gait cycle: every stride as 101 points from initial contact to the next, gathered in one pass."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar.anatomy import AngleGroup, columns_of
from subtalar.types import AngleBlock, FloatArray, IntArray, Side, Stride

CYCLE_POINTS: Final = 101
"""0, 1 … 100 % of the gait cycle, the custom of the field (Winter 2009, Biomechanics and Motor Control)."""

CYCLE_PCT: Final = np.linspace(0.0, 100.0, CYCLE_POINTS)

_HISTORY_S = 30.0
_LARGEST_HOLE_S = 0.125
"""Longer holes are not drawn across. The estimator bridges up to 0.12 s itself and says so in ``quality``."""


@dataclass(frozen=True)
class Waveforms:
    """Strides of one side that have all angles of a group from start to end.

    ``angles_deg`` (m, 101, c), the angles of the group in the order of ``anatomy.ANGLES``, ``sd_deg`` (m, c) the
    estimator's own mean uncertainty over the stride, ``stride`` (m,) the index of each among the strides of the side.
    """

    angles_deg: FloatArray
    sd_deg: FloatArray
    stride: IntArray


class WaveformCollector:
    """Cuts the angles of one side into strides as both arrive.

    Holds the last 30 s of angles and 2.5 kB a finished stride. A stride may be told before or after its angles; one
    whose angles are older than that, missing or interrupted has no waveform.
    """

    def __init__(self, side: Side, group: AngleGroup = "ankle") -> None:
        self.side = side
        self._columns = list(columns_of(group))
        self._count = len(self._columns)
        self._time_s: FloatArray = np.empty(0)
        self._values: FloatArray = np.empty((0, 2 * self._count))
        self._pending: deque[tuple[int, Stride]] = deque()
        self._strides = 0
        self._found: list[tuple[int, FloatArray, FloatArray]] = []

    def push(self, blocks: tuple[AngleBlock, ...], strides: tuple[Stride, ...]) -> None:
        """Take what one push of the estimator brought; other sides are left alone."""
        mine = [block for block in blocks if block.side == self.side and len(block)]
        if mine:
            self._time_s = np.concatenate([self._time_s, *(block.time_s for block in mine)])
            self._values = np.concatenate([self._values, *(self._of(block) for block in mine)])
        for stride in strides:
            if stride.side == self.side:
                self._pending.append((self._strides, stride))
                self._strides += 1
        self._cut(final=False)
        self._forget()

    def _of(self, block: AngleBlock) -> FloatArray:
        return np.hstack([block.angles_deg[:, self._columns], block.angles_sd_deg[:, self._columns]])

    def finish(self) -> Waveforms:
        """Cut what is left and give all waveforms, in the order of the strides."""
        self._cut(final=True)
        self._found.sort(key=lambda found: found[0])
        n, c = len(self._found), self._count
        return Waveforms(
            np.array([angles for _, angles, _ in self._found]).reshape(n, CYCLE_POINTS, c),
            np.array([sd for _, _, sd in self._found]).reshape(n, c),
            np.array([index for index, _, _ in self._found], np.int64),
        )

    def _cut(self, *, final: bool) -> None:
        newest_s = self._time_s[-1] if len(self._time_s) else -np.inf
        waiting: deque[tuple[int, Stride]] = deque()
        for index, stride in self._pending:
            end_s = stride.initial_contact_s + stride.stride_time_s
            if end_s > newest_s and not final:
                waiting.append((index, stride))
                continue
            waveform = _resample(self._time_s, self._values, stride.initial_contact_s, end_s)
            if waveform is not None:
                self._found.append((index, *waveform))
        self._pending = waiting

    def _forget(self) -> None:
        if len(self._time_s):
            keep = int(np.searchsorted(self._time_s, self._time_s[-1] - _HISTORY_S))
            self._time_s, self._values = self._time_s[keep:].copy(), self._values[keep:].copy()


def _resample(
    time_s: FloatArray, values: FloatArray, start_s: float, end_s: float
) -> tuple[FloatArray, FloatArray] | None:
    """Angles (101, c) and mean sd (c,) between two times, or None where the angles do not cover them."""
    if not (np.isfinite(start_s) and end_s > start_s):
        return None
    first = int(np.searchsorted(time_s, start_s, side="right")) - 1
    last = int(np.searchsorted(time_s, end_s, side="left"))
    if first < 0 or last >= len(time_s):
        return None
    t, v = time_s[first : last + 1], values[first : last + 1]
    c = values.shape[1] // 2
    known = np.asarray(np.isfinite(v[:, :c]).all(axis=1))
    if not (known[0] and known[-1]):
        return None
    t, v = t[known], v[known]
    if np.diff(t).max() > _LARGEST_HOLE_S:
        return None
    at = start_s + (end_s - start_s) * CYCLE_PCT / 100.0
    angles = np.stack([np.interp(at, t, v[:, k]) for k in range(c)], axis=1)
    return angles, v[:, c:].mean(axis=0)
