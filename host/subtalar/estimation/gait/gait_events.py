"""Foot off and initial contact of one stride from the foot's pitch rate and its shock.

Between two rests the foot pitches toes-down through push-off, toes-up through swing and toes-down again after heel
strike. Push-off's pitch rate returns through zero a little after the toes left the ground (zero crossing of the
medio-lateral rate: Rampp et al. 2015, doi 10.1109/TBME.2014.2368211); its half value on the way back is nearer. The
ground stops the foot between the end of the swing's toes-up turning and the peak of the shock's jerk. Where the foot is
levelled long before it lands, as in running, only the shock shows it. Both events are known when the foot's next rest
ends, about 0.4 s after contact in walking.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
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


class _Phases(NamedTuple):
    """Rows of push-off's fastest pitch, of the swing's, of push-off's half value on the way back, and the last before
    the swing's turning ends; the last is −1 where the pattern of a step is not there.
    """

    push: int
    swing: int
    returning: int
    ending: int


def swing_events(foot: Records, placement: FloatArray) -> SwingEvents | None:
    """Events of one rest-to-rest window of the foot's rows (n,).

    ``placement`` (4,) turns sensor axes into segment axes. None where the pattern of a step is not there.
    """
    found, foot_off_s, contact_s = _of_foot(foot, placement)
    return SwingEvents(foot_off_s, contact_s) if found else None


def events_of_rate(time_s: FloatArray, pitch_rate_rad_s: FloatArray, acc_m_s2: FloatArray) -> SwingEvents | None:
    """The same from times (n,), rate (n,) about the right-pointing axis, + toes up, and specific force (n, 3) in any
    fixed axes.
    """
    t, rate, acc = map(np.ascontiguousarray, (time_s, pitch_rate_rad_s, acc_m_s2))
    found, foot_off_s, contact_s = _events(t, rate, acc)
    return SwingEvents(foot_off_s, contact_s) if found else None


@compiled("(row[::1], f8[::1])", row=SENSOR_ROW)
def _of_foot(foot: Records, placement: FloatArray) -> tuple[bool, float, float]:
    n = len(foot)
    t, rate, acc = np.empty(n), np.empty(n), np.empty((n, 3))
    right = quat.turned((placement[0], -placement[1], -placement[2], -placement[3]), (0.0, 0.0, 1.0))
    for i in range(n):
        x, y, z = quat.vector_of(foot[i]["gyr_rad_s"])
        t[i], rate[i] = foot[i]["time_s"], x * right[0] + y * right[1] + z * right[2]
        quat.write(quat.vector_of(foot[i]["acc_m_s2"]), acc[i])
    return _events(t, rate, acc)


@compiled("(f8[::1], f8[::1], f8[:,::1])")
def _events(t: FloatArray, p: FloatArray, acc: FloatArray) -> tuple[bool, float, float]:
    """Whether a step is there, foot off and initial contact."""
    phases = _phases(p)
    if phases.ending < 0:
        return False, np.nan, np.nan
    foot_off_s = _crossing_s(t, p, phases.returning, _FOOT_OFF_SHARE * p[phases.push])
    levelled_s = _crossing_s(t, p, phases.ending, 0.0)
    earliest_s = max(t[phases.swing], levelled_s - _SHOCK_SEARCH_S)
    shock_s = t[_steepest(t, acc, earliest_s, levelled_s + _SHOCK_LATEST_S)]
    return True, foot_off_s, shock_s - min(_SHOCK_RISE_S, max(0.0, 0.5 * (shock_s - levelled_s)))


@inlined
def _phases(p: FloatArray) -> _Phases:
    nothing = _Phases(0, 0, 0, -1)
    if len(p) < 8:
        return nothing
    swing = int(np.argmax(p))
    if swing < 2 or p[swing] <= 0:
        return nothing
    push = int(np.argmin(p[: swing + 1]))
    if p[push] >= 0:
        return nothing
    level = _FOOT_OFF_SHARE * p[push]
    returning, ending = push, swing
    while returning < swing and not (p[returning] <= level and p[returning + 1] > level):
        returning += 1
    while ending < len(p) - 1 and not (p[ending] > 0 and p[ending + 1] <= 0):
        ending += 1
    if returning == swing or ending == len(p) - 1:
        return nothing
    return _Phases(push, swing, returning, ending)


@inlined
def _steepest(t: FloatArray, acc: FloatArray, begin_s: float, end_s: float) -> int:
    """Row between two times at which the force changes fastest."""
    last = len(t) - 2
    first = 1
    while first < last and t[first] < begin_s:
        first += 1
    best, fastest = first, -1.0
    for i in range(first, last + 1):
        if i > first and t[i] >= end_s:
            break
        x, y, z = acc[i + 1, 0] - acc[i - 1, 0], acc[i + 1, 1] - acc[i - 1, 1], acc[i + 1, 2] - acc[i - 1, 2]
        jerk = np.sqrt(x * x + y * y + z * z) / (t[i + 1] - t[i - 1])
        if jerk > fastest:
            best, fastest = i, jerk
    return best


@inlined
def _crossing_s(t: FloatArray, p: FloatArray, k: int, level: float) -> float:
    """When ``p`` passes ``level`` between rows ``k`` and ``k + 1``."""
    return float(t[k] + (t[k + 1] - t[k]) * (level - p[k]) / (p[k + 1] - p[k]))
