"""Quiet standing and knee bends inside one long rest of the foot."""

import numpy as np
import numpy.typing as npt

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters, PlacementParameters, StillnessParameters
from subtalar.estimation.stance.calm_stance import calmest_stance
from subtalar.estimation.stance.standing import Standing
from subtalar.types import FloatArray

_LATE_S = 0.4
"""The stillness filter notices a movement this much after it began, and of its end as much later."""
_LONGEST_S = 10.0
_HEADING_S = 2.0
_ENOUGH_S = 1.0
_BRIEF_S = 0.1
_NO_ACCELEROMETER = 0.4
"""A sensor whose gravity is so wrong in standing does not measure it."""


def longest_standing(rows: Records, first: int, parameters: StillnessParameters, rate_hz: float) -> Standing | None:
    """The longest run of stillness in ``rows`` (n,) of the leg, whose first has stream index ``first``."""
    still = np.concatenate(([0.0], rows["still"], [0.0]))
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
    gravity_error = _gravity_error(quiet)
    if gravity_error > _NO_ACCELEROMETER:
        return None
    late = _before_walking(rows, starts, ends, rate_hz)
    if late is None:
        late = quiet[-round(_HEADING_S * rate_hz) :]
    return Standing(
        first + start,
        first + stop,
        float(quiet["time_s"][0]),
        float(quiet["time_s"][-1]),
        _stance(quiet["foot"], late["foot"]),
        _stance(quiet["shank"], late["shank"]),
        gravity_error,
    )


def brief_standing(rows: Records, first: int, parameters: Parameters, rate_hz: float) -> Standing | None:
    """The calmest part of ``rows`` (n,), as in ``longest_standing``, for whoever sways or walks off at once."""
    calm = calmest_stance(rows, parameters.zero, rate_hz)
    if calm is None:
        return None
    quiet = rows[calm.start : calm.stop]
    gravity_error = _gravity_error(quiet)
    if gravity_error > _NO_ACCELEROMETER:
        return None
    stances = _stance(quiet["foot"], quiet["foot"]), _stance(quiet["shank"], quiet["shank"])
    span_s = float(quiet["time_s"][0]), float(quiet["time_s"][-1])
    return Standing(first + calm.start, first + calm.stop, *span_s, *stances, gravity_error, zero_sd_deg=calm.sd_deg)


def _gravity_error(quiet: Records) -> float:
    sizes = (float(quiet[f"{segment}_force_m_s2"].mean()) for segment in ("foot", "shank"))
    return max(abs(size / GRAVITY_M_S2 - 1.0) for size in sizes)


def _before_walking(
    rows: Records, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp], rate_hz: float
) -> Records | None:
    """The last rows of stillness before the walk, from which its heading counts; None where they are too few.

    Heading runs away with what is left of the gyroscope's bias, most of all before that has been learnt, and is lost
    altogether in a gap: then even a moment of stillness after it is worth more than any before.
    """
    gaps = np.flatnonzero(rows["gap"] > 0)
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


def _stance(quiet: Records, late: Records) -> Stance:
    """Of one segment's rows. People sway, so the vertical wants a long average, and the heading a late one."""
    force, strapdown = quiet["acc_m_s2"], late["q_strapdown"]
    turned = quat.rotate(strapdown, late["acc_m_s2"]).mean(axis=0)
    return Stance(force.mean(axis=0), quat.mean(late["q"]), turned, quat.matrix(strapdown).mean(axis=0))


def bend_moment(rows: Records, parameters: PlacementParameters) -> FloatArray | None:
    """Second moment (3, 3) of the shank's angular rate while it turns over the resting foot.

    None where it hardly turns, or not about one axis.
    """
    foot = rows["foot"]["gyr_rad_s"]
    resting = np.sum(foot * foot, axis=1) < parameters.resting_foot_rad_s**2
    gyr = rows[resting & (rows["still"] < 1) & (rows["gap"] < 1)]["shank"]["gyr_rad_s"]
    if len(gyr) < 10:
        return None
    step_s = float(np.median(np.diff(rows["time_s"])))
    moment = gyr.T @ gyr
    values, vectors = np.linalg.eigh(moment)
    swept = float(np.sum(np.abs(gyr @ vectors[:, -1]))) * step_s
    if swept < 2 * parameters.min_bend_rad or values[-1] < 5.0 * values[-2]:
        return None
    return np.asarray(moment)
