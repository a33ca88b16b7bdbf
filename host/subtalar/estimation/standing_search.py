"""Quiet standing and knee bends inside one long rest of the foot."""

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.parameters import PlacementParameters, StillnessParameters
from subtalar.estimation.standing import Standing
from subtalar.types import FloatArray

_LATE_S = 0.4
"""The stillness filter tells of a movement this much after it began, and of its end as much later."""
_LONGEST_S = 10.0
_HEADING_S = 2.0
_UP = np.array([0.0, 0.0, 1.0])


def longest_standing(rows: FloatArray, first: int, parameters: StillnessParameters, rate_hz: float) -> Standing | None:
    """The longest run of stillness in ``rows`` (n, leg_rows.WIDTH), whose first has stream index ``first``."""
    still = np.concatenate(([0.0], rows[:, col.STILL], [0.0]))
    starts = np.flatnonzero(np.diff(still) > 0)
    ends = np.flatnonzero(np.diff(still) < 0)
    if len(starts) == 0:
        return None
    k = int(np.argmax(ends - starts))
    start, stop = int(starts[k]), int(ends[k]) - round(_LATE_S * rate_hz)
    start = max(start, stop - round(_LONGEST_S * rate_hz))
    if stop - start < parameters.min_duration_s * rate_hz:
        return None
    quiet = rows[start:stop]
    late = round(_HEADING_S * rate_hz)
    return Standing(
        first + start,
        first + stop,
        float(quiet[0, col.TIME]),
        float(quiet[-1, col.TIME]),
        _pose(quiet[:, col.Q_FOOT], late),
        _pose(quiet[:, col.Q_SHANK], late),
        max(abs(float(quiet[:, c].mean()) / GRAVITY_M_S2 - 1.0) for c in (col.FORCE, col.SHOCK)),
    )


def _pose(q: FloatArray, late: int) -> FloatArray:
    """Orientation (4,) in standing: the vertical from all of it (n, 4), the heading from its last ``late`` rows.

    People sway, so the vertical wants a long average. The heading wants a late one: it runs away until the
    gyroscope's bias has been learnt, which takes the first seconds of standing.
    """
    up = quat.rotate(quat.conjugate(q), np.broadcast_to(_UP, (len(q), 3))).mean(axis=0)
    return quat.levelled(quat.mean(q[-late:]), up)


def bend_moment(rows: FloatArray, parameters: PlacementParameters) -> FloatArray | None:
    """Second moment (3, 3) of the shank's angular rate while it turns over the resting foot.

    None where it hardly turns, or not about one axis.
    """
    foot = rows[:, col.GYR_FOOT]
    resting = np.sum(foot * foot, axis=1) < parameters.resting_foot_rad_s**2
    gyr = rows[resting & (rows[:, col.STILL] < 1) & (rows[:, col.GAP] < 1)][:, col.GYR_SHANK]
    if len(gyr) < 10:
        return None
    step_s = float(np.median(np.diff(rows[:, col.TIME])))
    moment = gyr.T @ gyr
    values, vectors = np.linalg.eigh(moment)
    swept = float(np.sum(np.abs(gyr @ vectors[:, -1]))) * step_s
    if swept < 2 * parameters.min_bend_rad or values[-1] < 5.0 * values[-2]:
        return None
    return np.asarray(moment)
