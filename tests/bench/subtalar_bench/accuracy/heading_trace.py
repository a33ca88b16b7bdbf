"""What each stride says of the relative heading of foot and shank, and what the estimator makes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from subtalar.estimation import GaitEstimator
from subtalar.session.estimates import SessionEstimates, collect_estimates
from subtalar.types import BodySite, FloatArray, SampleBlock, SensorInfo, Side

_AHEAD_S = np.linspace(0.0, 4.0, 41)


@dataclass(frozen=True)
class HeadingTrace:
    """One side, a value a stride (n,): middle of the stride (session time); heading of the shank's level world in the
    foot's by this stride alone, and by the filter after it, and by the filter before it (what the live angles of the
    stride were made with); degrees, unwrapped, NaN before the filter's second stride.
    """

    time_s: FloatArray
    evidence_deg: FloatArray
    filtered_deg: FloatArray
    live_deg: FloatArray


def traced(
    sensors: Mapping[BodySite, SensorInfo], blocks: Iterable[SampleBlock]
) -> tuple[SessionEstimates, dict[Side, HeadingTrace]]:
    """Run the streaming estimator and look at its legs after every block, which must be shorter than a stride."""
    estimator = GaitEstimator(sensors)
    found = []
    rows: dict[Side, list[tuple[float, float, float, float]]] = {leg.side: [] for leg in estimator._legs}
    ahead: dict[Side, tuple[FloatArray, FloatArray]] = {}
    for block in blocks:
        found.append(estimator.push(block))
        for leg in estimator._legs:
            solution = leg.tracker.solution
            seen = rows[leg.side]
            if solution is None or (seen and solution.last.time_s <= seen[-1][0]):
                continue
            middle_s = solution.last.time_s
            live = float(np.interp(middle_s, *ahead[leg.side])) if leg.side in ahead else float("nan")
            filtered = float(solution.heading.heading_rad(np.array([middle_s]))[0])
            seen.append((middle_s, solution.last.heading_rad, filtered, live))
            times = middle_s + _AHEAD_S
            ahead[leg.side] = times, np.unwrap(solution.heading.heading_rad(times))
    found.append(estimator.finish())
    return collect_estimates(found), {side: _trace(np.array(seen)) for side, seen in rows.items() if seen}


def _trace(rows: FloatArray) -> HeadingTrace:
    evidence = np.unwrap(rows[:, 1])
    # The same turn of the circle for all three.
    others = rows[:, 2:] + 2 * np.pi * np.round((evidence[:, None] - rows[:, 2:]) / (2 * np.pi))
    return HeadingTrace(rows[:, 0], np.degrees(evidence), np.degrees(others[:, 0]), np.degrees(others[:, 1]))


def smooth_trend(time_s: FloatArray, value: FloatArray, width_s: float) -> FloatArray:
    """Local straight lines with Gaussian weights of standard deviation ``width_s`` (Cleveland 1979, without rounds)."""
    trend = np.empty_like(value)
    for k, t in enumerate(time_s):
        x = time_s - t
        w = np.exp(-0.5 * (x / width_s) ** 2)
        total, first, second = w.sum(), (w * x).sum(), (w * x * x).sum()
        determinant = total * second - first * first
        trend[k] = (second * (w * value).sum() - first * (w * x * value).sum()) / determinant
    return trend
