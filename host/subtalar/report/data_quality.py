"""Is it good data? A verdict by fixed rules of this software, each of which says itself in words."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from subtalar.report.results import AnalysisResult, SensorFacts, SideResult
from subtalar.report.wording import ANKLE_WORDS, count, site_words

Level = Literal["good", "limited", "poor"]
_LEVELS: Final[tuple[Level, ...]] = ("good", "limited", "poor")


@dataclass(frozen=True)
class Limits:
    """Beyond ``limited`` a figure needs care, beyond ``poor`` it should not be relied on. Our own choice."""

    limited: float
    poor: float

    def level(self, value: float) -> Level:
        """Of a value where more is worse."""
        return _LEVELS[int(value > self.limited) + int(value > self.poor)]


LOST_RATIO: Final = Limits(0.02, 0.10)
DOUBTFUL_RATIO: Final = Limits(0.10, 0.50)
UNCERTAINTY_DEG: Final = Limits(2.5, 5.0)
ZERO_DEG: Final = 2.0
FEWEST_STRIDES: Final = Limits(10, 3)
"""Means are reliable from 10 strides on (König et al. 2014, doi 10.1016/j.gaitpost.2013.06.014)."""


@dataclass(frozen=True)
class Verdict:
    """``reasons`` are sentences for what keeps the data from being good; none when they are."""

    level: Level
    reasons: tuple[str, ...]


def judge(result: AnalysisResult) -> Verdict:
    """The worst of all rules decides."""
    found = [_judge_sensor(sensor) for sensor in result.sensors]
    for side in result.sides.values():
        found += _judge_side(side)
    problems = [("limited", tally.text) for tally in result.notices if tally.level == "problem"]
    reasons: list[tuple[Level, str]] = [(level, text) for level, text in found if level != "good"]
    reasons += [("limited", text) for _, text in problems if text not in {t for _, t in reasons}]
    reasons.sort(key=lambda reason: -_LEVELS.index(reason[0]))
    level = reasons[0][0] if reasons else "good"
    return Verdict(level, tuple(text for _, text in reasons))


def _judge_sensor(sensor: SensorFacts) -> tuple[Level, str]:
    return (
        LOST_RATIO.level(sensor.lost_ratio),
        f"The {site_words(sensor.info.site)} sensor lost {100 * sensor.lost_ratio:.1f} % of its samples.",
    )


def _judge_side(side: SideResult) -> list[tuple[Level, str]]:
    n, name = len(side.strides), side.side.capitalize()
    if not n:
        return [("poor", f"{name}: no strides were found.")]
    found: list[tuple[Level, str]] = []
    if len(side.used_strides) < FEWEST_STRIDES.limited:
        level: Level = "poor" if len(side.used_strides) < FEWEST_STRIDES.poor else "limited"
        found.append((level, f"{name}: the means rest on {count(len(side.used_strides), 'stride')} only."))
    doubtful = side.doubtful_count
    fate = "too uncertain to use" if side.only_reliable else "uncertain, but in the means for want of better ones"
    found.append((DOUBTFUL_RATIO.level(doubtful / n), f"{name}: {doubtful} of {n} strides are {fate}."))
    if not side.has_pair:
        found.append(("limited", f"{name}: a sensor on the {side.one_sensor} only, so no ankle angles."))
        return found
    used, whole = len(side.used_strides), len(side.used_waveforms_deg)
    if used:
        found.append(
            (DOUBTFUL_RATIO.level(1 - whole / used), f"{name}: {used - whole} of {used} strides lack complete angles.")
        )
    zero_sd = side.coverage.zero_sd_deg
    if zero_sd > ZERO_DEG:
        text = f"{name}: zero is known to ±{zero_sd:.1f}° only (nobody stood still): compare curves and excursions."
        found.append(("limited", text))
    sd = np.sqrt(np.maximum(side.used_sd_deg**2 - (zero_sd**2 if zero_sd > ZERO_DEG else 0.0), 0.0))
    if np.isfinite(sd).any():
        worst = int(np.nanargmax(sd))
        found.append(
            (
                UNCERTAINTY_DEG.level(float(sd[worst])),
                f"{name}: {ANKLE_WORDS[worst].name.lower()} is uncertain by ±{sd[worst]:.1f}° (standard deviation).",
            )
        )
    return found
