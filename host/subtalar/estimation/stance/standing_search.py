"""Quiet standing and knee bends inside one long rest of the foot."""

import numpy as np
import numpy.typing as npt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import PlacementParameters, StillnessParameters
from subtalar.estimation.rows import leg_rows as col
from subtalar.estimation.stance.standing import Standing
from subtalar.types import FloatArray

_LATE_S = 0.4
"""The stillness filter tells of a movement this much after it began, and of its end as much later."""
_LONGEST_S = 10.0
_HEADING_S = 2.0
_ENOUGH_S = 1.0
_BRIEF_S = 0.1
_NO_ACCELEROMETER = 0.4
"""A sensor whose gravity is so wrong in standing does not measure it."""


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
    gravity_error = max(abs(float(quiet[:, c].mean()) / GRAVITY_M_S2 - 1.0) for c in (col.FORCE, col.SHOCK))
    if gravity_error > _NO_ACCELEROMETER:
        return None
    late = _before_walking(rows, starts, ends, rate_hz)
    if late is None:
        late = quiet[-round(_HEADING_S * rate_hz) :]
    return Standing(
        first + start,
        first + stop,
        float(quiet[0, col.TIME]),
        float(quiet[-1, col.TIME]),
        _stance(quiet[:, col.ACC_FOOT], late[:, col.ACC_FOOT], late[:, col.Q_FOOT], late[:, col.FREE_FOOT]),
        _stance(quiet[:, col.ACC_SHANK], late[:, col.ACC_SHANK], late[:, col.Q_SHANK], late[:, col.FREE_SHANK]),
        gravity_error,
    )


def _before_walking(
    rows: FloatArray, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp], rate_hz: float
) -> FloatArray | None:
    """The last rows of stillness before the walk, from which its heading counts; None where they are too few.

    Heading runs away with what is left of the gyroscope's bias, most of all before that has been learnt, and is lost
    altogether in a gap: then even a moment of stillness after it is worth more than any before.
    """
    gaps = np.flatnonzero(rows[:, col.GAP] > 0)
    since = int(gaps[-1]) + 1 if len(gaps) else 0
    late = round(_LATE_S * rate_hz)
    for start, end in zip(starts[::-1].tolist(), ends[::-1].tolist(), strict=True):
        if end <= since:
            return None
        cut = start < since
        first = since if cut else start
        n = max((end - first) // 2, end - first - late) if cut else end - first - late
        if n >= (_BRIEF_S if cut else _ENOUGH_S) * rate_hz:
            return rows[max(first, first + n - round(_HEADING_S * rate_hz)) : first + n]
    return None


def _stance(force: FloatArray, late_force: FloatArray, q: FloatArray, free: FloatArray) -> Stance:
    """People sway, so the vertical wants a long average (of ``force``), and the heading a late one."""
    turned = quat.rotate(free, late_force).mean(axis=0)
    return Stance(force.mean(axis=0), quat.mean(q), turned, quat.matrix(free).mean(axis=0))


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
