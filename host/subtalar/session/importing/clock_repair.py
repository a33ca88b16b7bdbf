"""Mend clocks that were disturbed while they were read: single wrong stamps, and a clock that was set.

A clock that is set shifts every later time by the same amount while the samples go on as before. Lost samples look
alike to one clock; a second one beside it tells them apart. Pure: arrays in, arrays out.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from subtalar.types import FloatArray

_SURELY_SET_S = 600.0
"""Nobody pauses that long within a recording; a clock that is put right jumps so."""
_DISAGREE_S = 60.0
"""Two clocks of one sensor that differ by more: a link that stalls holds samples back for seconds."""
_LONGEST_SET_S = 86_400.0
_QUARTER_HOUR_S = 900.0
_ABOUT_S = 1.0
_REGULAR = 0.75
_ENOUGH = 20
_MOST_STRAYS = 0.01
_NEAR_ARRIVALS_S = 0.25
_TAKEN = 0.6

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class ClockStep:
    """Between samples ``at - 1`` and ``at`` the clock was set by ``by_s``."""

    at: int
    by_s: float


def usual_step(time_s: FloatArray) -> float:
    """The step (s) at which a clock (n,) usually goes on; 0 where it does not."""
    step = np.diff(time_s)
    step = step[step > 0]
    # A low percentile, so that many lost samples do not pass for a slower sensor.
    return float(np.percentile(step, 20)) if len(step) else 0.0


def mend_strays(time_s: FloatArray, *, arrivals: bool = False) -> tuple[FloatArray, int]:
    """Times (n,) with single stray stamps put on the line of their neighbours, and how many there were.

    A stamp is astray where it lies outside its neighbours by more than a step, and these are as far apart as if it lay
    between them. Where its time is free in the record it is a packet that came late. ``arrivals`` may lie anywhere
    between their neighbours.
    """
    if len(time_s) < _ENOUGH:
        return time_s, 0
    period_s = usual_step(time_s)
    before, here, after = time_s[:-2], time_s[1:-1], time_s[2:]
    span = after - before
    fits = (span >= 0) & (span < _NEAR_ARRIVALS_S) if arrivals else np.abs(span - 2 * period_s) < 0.5 * period_s
    astray = fits & ((here < before - period_s) | (here > after + period_s))
    found = np.flatnonzero(astray) + 1
    if len(found) and not arrivals:
        found = found[_is_taken(time_s[found], np.sort(np.delete(time_s, found)), period_s)]
    if not len(found) or len(found) > max(3, _MOST_STRAYS * len(time_s)):
        return time_s, 0
    mended = time_s.copy()
    mended[found] = (time_s[found - 1] + time_s[found + 1]) / 2
    return mended, len(found)


def _is_taken(stamps_s: FloatArray, others_s: FloatArray, period_s: float) -> NDArray[np.bool_]:
    """Whether each stamp is beside the record or on the time of another sample of it (sorted)."""
    after = np.clip(np.searchsorted(others_s, stamps_s), 1, len(others_s) - 1)
    nearest = np.minimum(np.abs(stamps_s - others_s[after - 1]), np.abs(others_s[after] - stamps_s))
    beyond = (stamps_s < others_s[0] - period_s) | (stamps_s > others_s[-1] + period_s)
    return np.asarray(beyond | (nearest < _TAKEN * period_s), dtype=np.bool_)


def find_step(time_s: FloatArray, beside_s: FloatArray | None = None, *, backwards: bool = True) -> ClockStep | None:
    """Where the clock (n,) was set, if it was; ``beside_s`` (n,) are times of the same samples by another clock.

    Without another clock a single jump of more than ten minutes between regular samples is taken for it, and backwards
    only one by whole quarters of an hour: anything else is a sensor that began anew. Without ``backwards`` every fall
    is.
    """
    if len(time_s) < 2 * _ENOUGH:
        return None
    step = np.diff(time_s)
    period_s = usual_step(time_s)
    limit = _SURELY_SET_S if beside_s is None else _DISAGREE_S
    far = np.flatnonzero(np.abs(step) > limit)
    if len(far) != 1 or (beside_s is None and np.mean(np.abs(step) < 1.5 * period_s) < _REGULAR):
        return None
    k = int(far[0])
    by_s = float(step[k]) - period_s
    if abs(by_s) > _LONGEST_SET_S or (by_s < 0 and not backwards):
        return None
    if beside_s is None:
        whole = abs(by_s - _QUARTER_HOUR_S * round(by_s / _QUARTER_HOUR_S)) < _ABOUT_S
        return ClockStep(k + 1, by_s) if by_s > 0 or whole else None
    other = float(beside_s[k + 1] - beside_s[k])
    if abs(other) > _DISAGREE_S:
        return None
    return ClockStep(k + 1, float(step[k]) - max(other, period_s))


def take_out_steps(
    times_s: Mapping[_Key, FloatArray],
    beside_s: Mapping[_Key, FloatArray] | None = None,
    *,
    backwards: bool = True,
) -> tuple[dict[_Key, FloatArray], dict[_Key, ClockStep]]:
    """Times of several sensors by one clock, without what it was set by; and where it was.

    All are moved by the same amount where it is the same step of one clock, so that they stay in step. A jump across
    which another sensor has samples is a gap.
    """
    beside_s = beside_s or {}
    found: dict[_Key, ClockStep] = {}
    for key, t in times_s.items():
        step = find_step(t, beside_s.get(key), backwards=backwards)
        if step is None:
            continue
        others = [o for k, o in times_s.items() if k != key]
        low, high = float(t[step.at - 1]) + _ABOUT_S, float(t[step.at]) - _ABOUT_S
        if key in beside_s or not any(((o > low) & (o < high)).any() for o in others):
            found[key] = step
    moved = dict(times_s)
    for key, step in found.items():
        by_s = min(s.by_s for s in found.values() if abs(s.by_s - step.by_s) < _ABOUT_S)
        moved[key] = times_s[key].copy()
        moved[key][step.at :] -= by_s
    return moved, found


def stray_note(name: str, column: str, count: int) -> str:
    """What is said of stamps that were mended."""
    if count == 1:
        return f"{name}: a single stray time in {column} was put between its neighbours."
    return f"{name}: {count} single stray times in {column} were put between their neighbours."


def step_note(name: str, column: str, step: ClockStep, *, certain: bool) -> str:
    """What is said of a clock that was set."""
    size = f"{abs(step.by_s):.0f} s" if abs(step.by_s) < 120 else f"{abs(step.by_s) / 60:.0f} min"
    why = (
        "the sensor's other clock or counter went on, so the jump was taken out"
        if certain
        else "the samples go on as before, so it is taken for a clock that was set, not for a gap, and was taken out"
    )
    return (
        f"{name}: {column} jumps {'forward' if step.by_s > 0 else 'back'} by {size} before sample {step.at + 1}; {why}."
    )
