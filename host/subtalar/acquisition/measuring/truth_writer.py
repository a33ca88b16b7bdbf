"""True angles of provided hardware, beside the measured ones: on the screen and in a file."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from subtalar.acquisition.plan import Hardware
from subtalar.acquisition.ring import RingWriter
from subtalar.anatomy import ANKLE_NAMES
from subtalar.device import SessionClock
from subtalar.types import SIDES, BodySite, Side

_STEP_S = 0.01


class TruthWriter:
    """Follows the session clock at 100 Hz; ``path`` takes the form of ``truth_angles.csv.gz`` of a truth trial.

    Times at which nothing is known (recorded motion has not begun, or has no truth) are left out.
    """

    def __init__(self, path: Path | None, ring: RingWriter, clock: SessionClock, hardware: Hardware) -> None:
        self._ring, self._hardware = ring, hardware
        self._start_s = clock.start_ns * 1e-9
        self._next_s = 0.0
        self._sides: tuple[Side, ...] = ()
        self._file: IO[str] | None = None if path is None else gzip.open(path, "wt")  # noqa: SIM115  (see close)

    def write_until(self, sites: Iterable[BodySite], now_s: float) -> None:
        """Tell the truth up to now."""
        if not self._sides:
            present = {site.side for site in sites}
            self._sides = tuple(side for side in SIDES if side in present)
            if self._file is not None:
                names = [f"{side}_{angle}_deg" for side in self._sides for angle in ANKLE_NAMES]
                self._file.write(",".join(["time_s", *names]) + "\n")
        times = np.arange(self._next_s, now_s, _STEP_S)
        if len(times) == 0:
            return
        self._next_s = float(times[-1]) + _STEP_S
        columns = [times]
        for side in self._sides:
            angles = np.asarray(self._hardware.truth(side, times + self._start_s), dtype=np.float64)
            is_catalogued = np.isfinite(angles).all(axis=1)
            self._ring.publish_truth(side, times[is_catalogued], angles[is_catalogued])
            columns.extend(angles.T)
        if self._file is not None:
            rows = np.column_stack(columns)
            rows = rows[np.isfinite(rows[:, 1:]).any(axis=1)]
            for row in rows:  # what is not known is an empty cell
                self._file.write(",".join("" if np.isnan(v) else f"{v:.4f}" for v in row) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
