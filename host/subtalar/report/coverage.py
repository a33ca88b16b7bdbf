"""How much of a session has angles, how sure they are, and what the estimator had to say: counted in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from subtalar.anatomy import ANKLE_COUNT, columns_of
from subtalar.types import AngleBlock, BodySite, FloatArray, Notice, NoticeLevel, Quality, SampleBlock, Segment, Side


@dataclass(frozen=True)
class AngleCoverage:
    """Rows of ``angles.csv`` of one side: all, with values, and by quality; ``mean_sd_deg`` (3,), ``zero_sd_deg`` of
    the last row with values; NaN without rows.

    Values are the ankle angles; of a leg with one sensor, those of its segment to the floor.
    """

    rows: int
    known: int
    by_quality: dict[Quality, int]
    mean_sd_deg: FloatArray
    zero_sd_deg: float = np.nan

    @property
    def known_ratio(self) -> float:
        """Share of the rows that have values; 0 without rows."""
        return self.known / self.rows if self.rows else 0.0


class CoverageCounter:
    """Counts the angle rows of one side."""

    def __init__(self, one_sensor: Segment | None = None) -> None:
        self._further = None if one_sensor is None else list(columns_of(one_sensor))
        self._known = 0
        self._by_quality = np.zeros(len(Quality), np.int64)
        self._sd_sum = np.zeros(ANKLE_COUNT)
        self._sd_count = 0
        self._zero_sd_deg = np.nan

    def push(self, block: AngleBlock) -> None:
        """Count one block."""
        known = np.isfinite(block.ankle_deg).all(axis=1)
        sd = block.ankle_sd_deg[known]
        sd = sd[np.isfinite(sd).all(axis=1)]
        if self._further is not None:
            known = np.isfinite(block.angles_deg[:, self._further]).all(axis=1)
        self._known += int(known.sum())
        self._by_quality += np.bincount(block.quality, minlength=len(Quality))
        self._sd_sum += sd.sum(axis=0)
        self._sd_count += len(sd)
        stated = block.zero_sd_deg[np.isfinite(block.zero_sd_deg)]
        if len(stated):
            self._zero_sd_deg = float(stated[-1])

    def finish(self) -> AngleCoverage:
        """What was counted."""
        counts = {quality: int(self._by_quality[quality]) for quality in Quality if self._by_quality[quality]}
        mean_sd = self._sd_sum / self._sd_count if self._sd_count else np.full(ANKLE_COUNT, np.nan)
        return AngleCoverage(int(self._by_quality.sum()), self._known, counts, mean_sd, self._zero_sd_deg)


@dataclass(frozen=True)
class NoticeTally:
    """One thing the estimator said, however often: the first wording and time, and how many times."""

    level: NoticeLevel
    code: str
    text: str
    side: Side | None
    site: BodySite | None
    first_s: float
    count: int = 1


class NoticeTallies:
    """Notices by code, side and sensor, so that a fault said every second stays one line."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, Side | None, BodySite | None], NoticeTally] = {}

    def push(self, notices: Iterable[Notice]) -> None:
        """Count these too."""
        for notice in notices:
            key = (notice.level, notice.code, notice.side, notice.site)
            known = self._tallies.get(key)
            self._tallies[key] = (
                replace(known, count=known.count + 1)
                if known
                else NoticeTally(notice.level, notice.code, notice.text, notice.side, notice.site, notice.time_s)
            )

    def finish(self) -> tuple[NoticeTally, ...]:
        """All tallies: problems first, then advice, then information; in order of time within each."""
        order: dict[NoticeLevel, int] = {"problem": 0, "advice": 1, "info": 2}
        return tuple(sorted(self._tallies.values(), key=lambda tally: (order[tally.level], tally.first_s)))


class RateCounter:
    """Counts a sensor's samples and the time they cover, on its own clock where it has one."""

    def __init__(self) -> None:
        self.samples = 0
        self._first_s = np.nan
        self._last_s = np.nan

    def push(self, block: SampleBlock) -> None:
        """Count one block."""
        time_s = block.device_time_s if block.device_time_s is not None else block.host_time_s
        if time_s is None or not len(time_s):
            return
        self.samples += len(block)
        if np.isnan(self._first_s):
            self._first_s = float(time_s[0])
        self._last_s = float(time_s[-1])

    @property
    def rate_hz(self) -> float:
        """Samples that arrived per second of the sensor's clock, losses included as losses; NaN when not known."""
        span_s = self._last_s - self._first_s
        return (self.samples - 1) / span_s if self.samples > 1 and span_s > 0 else float("nan")
