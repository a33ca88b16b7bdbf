"""Foot off and initial contact of one stride from the foot's pitch rate.

Between two rests the foot pitches toes-down through push-off, toes-up through swing and toes-down again after heel
strike. Foot off is where push-off's pitch rate returns through zero; initial contact is where swing's does (zero
crossings of the medio-lateral angular rate: Rampp et al. 2015, doi 10.1109/TBME.2014.2368211, who report the same
features). Both are known when the foot next rests and its rest ends, about 0.4 s after contact in walking.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray


@dataclass(frozen=True)
class SwingEvents:
    """Session times of one swing."""

    foot_off_s: float
    initial_contact_s: float


def swing_events(time_s: FloatArray, pitch_rate_rad_s: FloatArray) -> SwingEvents | None:
    """Events of one rest-to-rest window: times (n,), pitch rate (n,) about the right-pointing axis, + toes up.

    None where the pattern of a step is not there.
    """
    p = pitch_rate_rad_s
    if len(p) < 8:
        return None
    swing = int(np.argmax(p))
    if swing < 2 or p[swing] <= 0:
        return None
    push = int(np.argmin(p[: swing + 1]))
    if p[push] >= 0:
        return None
    rising = np.flatnonzero((p[push:swing] < 0) & (p[push + 1 : swing + 1] >= 0))
    falling = np.flatnonzero((p[swing:-1] > 0) & (p[swing + 1 :] <= 0))
    if len(rising) == 0 or len(falling) == 0:
        return None
    return SwingEvents(
        _crossing_s(time_s, p, push + int(rising[0])),
        _crossing_s(time_s, p, swing + int(falling[0])),
    )


def _crossing_s(t: FloatArray, p: FloatArray, k: int) -> float:
    return float(t[k] + (t[k + 1] - t[k]) * (-p[k]) / (p[k + 1] - p[k]))
