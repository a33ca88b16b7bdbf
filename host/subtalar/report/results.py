"""What an analysis found, complete and frozen: tables and pages are made from this and nothing else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import AngleGroup
from subtalar.report.coverage import AngleCoverage, NoticeTally
from subtalar.report.waveforms import Waveforms
from subtalar.report.wording import TURN
from subtalar.session.catalogue import UNASSIGNED, Assignment
from subtalar.session.model import Annotation
from subtalar.types import FloatArray, GaitEvent, Ledger, Quality, Segment, SensorInfo, Side, Stride

Gait = Literal["walking", "running"]
Pass = Literal["live", "smoothed"]

RELIABLE_QUALITIES: Final = frozenset(q.label for q in (Quality.OK, Quality.PROVISIONAL_ZERO, Quality.BRIDGED_GAP))
"""Strides that enter the means. A bridged gap is at most 0.12 s, and clipped impacts are left out of the angles by the
estimator: both are told, neither spoils a stride. An uncertain heading, a turn or anything unknown does."""

FEWEST_RELIABLE_STRIDES: Final = 5
"""With fewer reliable strides than this, all strides are used, and the report says so."""


@dataclass(frozen=True)
class SensorFacts:
    """A sensor and what came of it. ``measured_rate_hz`` is NaN when not known."""

    info: SensorInfo
    samples: int
    measured_rate_hz: float
    ledger: Ledger

    @property
    def lost_ratio(self) -> float:
        """Lost samples among those that were sent; 0 when none were."""
        sent = self.samples + self.ledger.lost
        return self.ledger.lost / sent if sent else 0.0


@dataclass(frozen=True)
class SideResult:
    """One leg. ``used`` (n,) marks the strides that means are taken over: of the session's gait, reliable if enough.

    ``one_sensor`` is the segment that carries the leg's only sensor, None where both carry one.
    """

    side: Side
    one_sensor: Segment | None
    strides: tuple[Stride, ...]
    used: npt.NDArray[np.bool_]
    only_reliable: bool
    waveforms: Waveforms
    coverage: AngleCoverage
    further: Mapping[AngleGroup, Waveforms] = field(default_factory=dict)

    def used_further_deg(self, group: AngleGroup) -> FloatArray:
        """Further angles of the used strides over the gait cycle (m, 101, c); empty where there are none."""
        found = self.further.get(group)
        return np.empty((0, 101, 1)) if found is None else found.angles_deg[self.used[found.stride]]

    def used_further_sd_deg(self, group: AngleGroup) -> FloatArray:
        """The estimator's own mean uncertainty of further angles in those strides (c,); NaN without any."""
        found = self.further[group]
        sd = found.sd_deg[self.used[found.stride]]
        return sd.mean(axis=0) if len(sd) else np.full(found.sd_deg.shape[1], np.nan)

    @property
    def has_pair(self) -> bool:
        """Whether foot and shank both carry a sensor, as ankle angles need."""
        return self.one_sensor is None

    @property
    def used_strides(self) -> tuple[Stride, ...]:
        """The strides that means are taken over."""
        return tuple(stride for stride, used in zip(self.strides, self.used, strict=True) if used)

    @property
    def used_waveforms_deg(self) -> FloatArray:
        """Their angles over the gait cycle (m, 101, 3); m may be smaller, where angles have holes."""
        return self.waveforms.angles_deg[self.used[self.waveforms.stride]]

    @property
    def used_sd_deg(self) -> FloatArray:
        """The estimator's own mean uncertainty in those strides (3,); NaN without any."""
        sd = self.waveforms.sd_deg[self.used[self.waveforms.stride]]
        return sd.mean(axis=0) if len(sd) else np.full(3, np.nan)

    @property
    def doubtful_count(self) -> int:
        """Strides that were measured badly; those in a turn were measured well and are left out for another reason."""
        return sum(stride.quality not in (*RELIABLE_QUALITIES, TURN) for stride in self.strides)

    @property
    def foot_off_pct(self) -> float:
        """Where in the gait cycle the foot leaves the ground, mean of the used strides; NaN when not known."""
        ratios = [stride.stance_ratio for stride in self.used_strides if np.isfinite(stride.stance_ratio)]
        return 100.0 * float(np.mean(ratios)) if ratios else float("nan")

    def stride_qualities(self) -> Counter[str]:
        """How many strides of each quality."""
        return Counter(stride.quality for stride in self.strides)


@dataclass(frozen=True)
class AnalysisResult:
    """A session analysed. ``gait`` is the gait of most strides; strides of the other are counted, not averaged in.

    ``subtalar_axis_deg``: inclination and deviation of the axis that pronation turns about. ``estimator_pass``: the
    live one, or the smoothed one, whose angles look ahead. ``assignment``: to whom the session belongs, and under which
    condition, if said. ``events``: of both legs, in order of time.
    """

    session_name: str
    kind: str
    start_utc: datetime | None
    duration_s: float
    annotations: tuple[Annotation, ...]
    sensors: tuple[SensorFacts, ...]
    gait: Gait
    sides: Mapping[Side, SideResult]
    notices: tuple[NoticeTally, ...]
    notes: tuple[str, ...] = field(default=())
    subtalar_axis_deg: tuple[float, float] = (42.0, 23.0)
    estimator_pass: Pass = "live"
    assignment: Assignment = UNASSIGNED
    events: tuple[GaitEvent, ...] = ()

    @property
    def stride_count(self) -> int:
        """Strides of all sides."""
        return sum(len(side.strides) for side in self.sides.values())

    def other_gait_count(self, side: Side) -> int:
        """Strides of that side in the gait that is not reported."""
        return sum(stride_gait(stride) not in (self.gait, None) for stride in self.sides[side].strides)


def stride_gait(stride: Stride) -> Gait | None:
    """Running has a flight phase: the foot is on the ground for less than half of the stride (Novacheck 1998)."""
    if not np.isfinite(stride.stance_ratio):
        return None
    return "walking" if stride.stance_ratio >= 0.5 else "running"


def main_gait(strides: tuple[Stride, ...]) -> Gait:
    """The gait of most strides; walking when nothing tells."""
    gaits = Counter(stride_gait(stride) for stride in strides)
    return "running" if gaits["running"] > gaits["walking"] else "walking"


def choose_strides(strides: tuple[Stride, ...], gait: Gait) -> tuple[npt.NDArray[np.bool_], bool]:
    """Which strides of a side enter the means, (n,), and whether all of these are reliable."""
    of_gait = np.array([stride_gait(stride) in (gait, None) for stride in strides], bool)
    reliable = of_gait & np.array([stride.quality in RELIABLE_QUALITIES for stride in strides], bool)
    only_reliable = bool(reliable.sum() >= min(FEWEST_RELIABLE_STRIDES, of_gait.sum()))
    return (reliable if only_reliable else of_gait), only_reliable
