"""The last ten seconds of one leg, pulled from the ring."""

import numpy as np

from subtalar.acquisition.ring import RingReader
from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT
from subtalar.types import FloatArray, Quality, Side

WINDOW_S = 10.0


class LegTrace:
    """The last ten seconds of one leg: ``time_s`` (n,), ``angles_deg`` and their sd (n, ``ANGLE_COUNT``)."""

    def __init__(self) -> None:
        self.cursor = self.truth_cursor = 0
        self.time_s: FloatArray = np.empty(0)
        self.angles_deg: FloatArray = np.empty((0, ANGLE_COUNT))
        self.angles_sd_deg: FloatArray = np.empty((0, ANGLE_COUNT))
        self.truth_time_s: FloatArray = np.empty(0)
        self.truth_deg: FloatArray = np.empty((0, ANKLE_COUNT))
        self.quality = Quality.NO_DATA
        self.shank_orientation: FloatArray = np.full(4, np.nan)
        self.arrival_ns: int | None = None
        self.publish_ns: int | None = None
        self.missed = 0

    def signal(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Values and sd (n,) of one of ``anatomy.ANGLES``."""
        return self.angles_deg[:, index], self.angles_sd_deg[:, index]

    def pull(self, reader: RingReader, side: Side) -> None:
        """Take what is new; rows from before a jump back in time (another replay) are dropped."""
        batch = reader.angles_since(side, self.cursor)
        self.missed += batch.missed if self.cursor else 0
        self.cursor, rows = batch.cursor, batch.rows
        if len(rows):
            time_s = np.concatenate([self.time_s, rows["time_s"]])
            keep = _recent(time_s)
            self.time_s = time_s[keep:]
            self.angles_deg = np.concatenate([self.angles_deg, rows["angles_deg"]])[keep:]
            self.angles_sd_deg = np.concatenate([self.angles_sd_deg, rows["angles_sd_deg"]])[keep:]
            last = rows[-1]
            self.quality = Quality(int(last["quality"]))
            self.shank_orientation = last["shank_orientation"]
            self.arrival_ns, self.publish_ns = int(last["arrival_ns"]), int(last["publish_ns"])
        truth = reader.truth_since(side, self.truth_cursor)
        self.truth_cursor = truth.cursor
        if len(truth.rows):
            time_s = np.concatenate([self.truth_time_s, truth.rows["time_s"]])
            keep = _recent(time_s)
            self.truth_time_s = time_s[keep:]
            self.truth_deg = np.concatenate([self.truth_deg, truth.rows["ankle_deg"]])[keep:]


def _recent(time_s: FloatArray) -> int:
    back = np.flatnonzero(np.diff(time_s) < 0)
    first = int(back[-1]) + 1 if len(back) else 0
    return first + int(np.searchsorted(time_s[first:], time_s[-1] - WINDOW_S - 0.5))
