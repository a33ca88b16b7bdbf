"""How a leg's heading goes on after its newest stride, and how certain that is, for every row."""

from typing import NamedTuple

import numpy as np

from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records
from subtalar.types import FloatArray

REFERENCE, NOW, DRIFT, GAIN = 0, 1, 2, 3
"""The unknowns, in ``mean`` and ``covariance``."""

HEADING_STATE = np.dtype([("mean", "f8", (4,)), ("covariance", "f8", (4, 4)), ("time_s", "f8"), ("ahead_rad", "f8")])
"""The time of the newest stride's middle, and how far the foot turned from there to its end."""

HEADING_RULE = np.dtype([("walk_variance", "f8"), ("drift_variance", "f8"), ("standing_variance", "f8")])
"""What a second adds to the variances of heading and drift; variance of what standing knows of the heading."""


class Trend(NamedTuple):
    """The instant of the newest stride, heading at its end and drift; and the variance of heading now less heading at
    the reference, as a parabola in time, with the part that is always there.
    """

    time_s: float
    heading_rad: float
    drift_rad_s: float
    variance: float
    variance_slope: float
    variance_bend: float
    standing_variance: float


@inlined
def trend_of(state: Record, rule: Record) -> Trend:
    """How the heading goes on; its variance is that of h = (−1, 1, dt, ahead) times the unknowns."""
    x, cov, ahead = state["mean"], state["covariance"], state["ahead_rad"]
    now = cov[NOW, NOW] - cov[REFERENCE, NOW] + ahead * cov[GAIN, NOW]
    reference = cov[NOW, REFERENCE] - cov[REFERENCE, REFERENCE] + ahead * cov[GAIN, REFERENCE]
    drift = cov[NOW, DRIFT] - cov[REFERENCE, DRIFT] + ahead * cov[GAIN, DRIFT]
    gain = cov[NOW, GAIN] - cov[REFERENCE, GAIN] + ahead * cov[GAIN, GAIN]
    return Trend(
        state["time_s"],
        x[NOW] + x[GAIN] * ahead,
        x[DRIFT],
        now - reference + ahead * gain,
        2 * drift + rule["walk_variance"],
        cov[DRIFT, DRIFT],
        rule["standing_variance"],
    )


@inlined
def heading_at(time_s: float, trend: Trend) -> float:
    """``HeadingFilter.ahead_rad`` inside compiled loops."""
    return trend.heading_rad + trend.drift_rad_s * (time_s - trend.time_s)


@inlined
def heading_sd_at(time_s: float, trend: Trend) -> float:
    """``HeadingFilter.sd_rad`` inside compiled loops."""
    dt = max(0.0, time_s - trend.time_s)
    variance = trend.variance + dt * (trend.variance_slope + dt * trend.variance_bend)
    return float(np.sqrt(max(0.0, variance) + trend.standing_variance))


@compiled("(f8[::1], state[::1], rule[::1])", state=HEADING_STATE, rule=HEADING_RULE)
def heading_sd(time_s: FloatArray, state: Records, rule: Records) -> FloatArray:
    """``HeadingFilter.sd_rad`` (n,)."""
    trend, out = trend_of(state[0], rule[0]), np.empty(len(time_s))
    for i in range(len(time_s)):
        out[i] = heading_sd_at(time_s[i], trend)
    return out
