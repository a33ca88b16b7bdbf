"""Foot off and initial contact of one stride from the foot's pitch rate and its shock.

Between two rests the foot pitches toes-down through push-off, toes-up through swing and toes-down again after heel
strike. Push-off's pitch rate returns through zero a little after the toes left the ground (zero crossing of the
medio-lateral rate: Rampp et al. 2015, doi 10.1109/TBME.2014.2368211); its half value on the way back is nearer. The
ground stops the foot between the end of the swing's toes-up turning and the peak of the shock's jerk. Where the foot is
levelled long before it lands, as in running, only the shock tells. Both events are known when the foot's next rest
ends, about 0.4 s after contact in walking.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray

_SHOCK_RISE_S = 0.02
"""From touching the ground to the steepest change of force at the foot: at most this."""
_SHOCK_SEARCH_S = 0.06
"""The shock is sought from this long before the swing's turning ends."""
_SHOCK_LATEST_S = 0.25
"""…until this long after it; a runner's foot is level for a tenth of a second before it lands."""
_FOOT_OFF_SHARE = 0.5


@dataclass(frozen=True)
class SwingEvents:
    """Session times of one swing."""

    foot_off_s: float
    initial_contact_s: float


def swing_events(time_s: FloatArray, pitch_rate_rad_s: FloatArray, acc_m_s2: FloatArray) -> SwingEvents | None:
    """Events of one rest-to-rest window.

    Times (n,), pitch rate (n,) about the right-pointing axis, + toes up, specific force (n, 3) in any fixed axes of the
    foot. None where the pattern of a step is not there.
    """
    t, p = time_s, pitch_rate_rad_s
    if len(p) < 8:
        return None
    swing = int(np.argmax(p))
    if swing < 2 or p[swing] <= 0:
        return None
    push = int(np.argmin(p[: swing + 1]))
    if p[push] >= 0:
        return None
    level = _FOOT_OFF_SHARE * p[push]
    returning = np.flatnonzero((p[push:swing] <= level) & (p[push + 1 : swing + 1] > level))
    ending = np.flatnonzero((p[swing:-1] > 0) & (p[swing + 1 :] <= 0))
    if len(returning) == 0 or len(ending) == 0:
        return None
    foot_off_s = _crossing_s(t, p - level, push + int(returning[0]))
    levelled_s = _crossing_s(t, p, swing + int(ending[0]))
    shock_s = _steepest_s(t, acc_m_s2, max(float(t[swing]), levelled_s - _SHOCK_SEARCH_S), levelled_s + _SHOCK_LATEST_S)
    contact_s = shock_s - min(_SHOCK_RISE_S, max(0.0, 0.5 * (shock_s - levelled_s)))
    return SwingEvents(foot_off_s, contact_s)


def _steepest_s(t: FloatArray, acc: FloatArray, begin_s: float, end_s: float) -> float:
    """When the force changes fastest between two times."""
    change = acc[2:] - acc[:-2]
    jerk = np.sqrt(np.sum(change * change, axis=1)) / (t[2:] - t[:-2])
    first = min(int(np.searchsorted(t[1:-1], begin_s)), len(jerk) - 1)
    last = max(first + 1, int(np.searchsorted(t[1:-1], end_s)))
    return float(t[1 + first + int(np.argmax(jerk[first:last]))])


def _crossing_s(t: FloatArray, p: FloatArray, k: int) -> float:
    return float(t[k] + (t[k + 1] - t[k]) * (-p[k]) / (p[k + 1] - p[k]))
