"""Raw rows of one sensor, and how losses in them are bridged.

Lost samples up to ``longest_bridge_s`` are filled by straight lines so that the integration keeps its time.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.types import FloatArray

TIME, ARRIVAL, ACC, GYR, EPOCH, STATE, CALM, WIDTH = 0, 1, 2, 5, 8, 9, 10, 11
"""CALM: for how long the sensor has hardly turned (s), below zero while it turns."""
MEASURED, FILLED, AFTER_GAP = 0.0, 1.0, 2.0
"""States of a raw row; after a gap in which the sensor may have turned inclination starts over."""
_NEWEST, NEWEST_ARRIVAL, _SHIFT, _EPOCH, _STIRRED, _SILENT_UNTIL, _RESUMED = 0, 1, 2, 3, 4, 5, 6
"""Of what ``one_way`` remembers."""
_BACKWARD_RESTART_S = 1.0
_FORWARD_RESTART_S = 2.0
LONGEST_SILENCE_S = 2.0
"""Links that are silent for as long are taken for dead and made anew (``device/policy.py``): nothing waits in them."""
_BURST_S = 5.0
_AHEAD_S = 0.25


@inlined
def _missing(
    left: FloatArray, right: FloatArray, period_s: float, longest_s: float, longest_calm_s: float, calm_before_s: float
) -> int:
    """How many samples to fill in between two rows; −1 where the sensor may have turned too far meanwhile."""
    step = right[TIME] - left[TIME]
    if step <= 1.5 * period_s:
        return 0
    if step > longest_s and (step > longest_calm_s or left[CALM] < calm_before_s or right[CALM] < 0.0):
        return -1
    missing: int = round(step / period_s) - 1
    return missing


@compiled("(f8[:,::1], f8[::1], f8, f8, f8, f8)")
def bridged(
    raw: FloatArray,
    before: FloatArray,
    period_s: float,
    longest_s: float,
    longest_calm_s: float,
    calm_before_s: float,
) -> tuple[FloatArray, int]:
    """Rows with short losses filled by straight lines, their states set, and the number of gaps that stay gaps.

    ``before`` is the row before the first. A sensor that has hardly turned for a while
    before a longer gap, and does not after it, did not turn in it; a foot between two steps rests too briefly for that.
    """
    added = gaps = 0
    left = before
    for i in range(len(raw)):
        missing = _missing(left, raw[i], period_s, longest_s, longest_calm_s, calm_before_s)
        added += max(0, missing)
        gaps += missing < 0
        left = raw[i]
    if added == 0 and gaps == 0:
        return raw, 0
    out = np.empty((len(raw) + added, WIDTH))
    at = 0
    left = before
    for i in range(len(raw)):
        missing = _missing(left, raw[i], period_s, longest_s, longest_calm_s, calm_before_s)
        for k in range(missing):
            f = (k + 1) / (missing + 1)
            for c in range(WIDTH):
                out[at, c] = left[c] * (1 - f) + raw[i, c] * f
            out[at, STATE] = FILLED
            at += 1
        out[at] = raw[i]
        out[at, STATE] = AFTER_GAP if missing < 0 else MEASURED
        at += 1
        left = raw[i]
    return out, gaps


def order_at_start() -> FloatArray:
    """What ``one_way`` remembers before the first sample."""
    return np.array([-np.inf, -np.inf, 0.0, 0.0, -np.inf, -np.inf, 0.0])


@compiled("(f8[::1], f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8, f8, f8, f8, f8, f8)")
def one_way(
    device_s: FloatArray,
    arrival_s: FloatArray,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    order: FloatArray,
    period_s: float,
    first_s: float,
    most_acc_m_s2: float,
    most_gyr_rad_s: float,
    calm_rad_s: float,
    silence_s: float,
) -> tuple[FloatArray, int, int, int, int]:
    """Raw rows whose device time advances: repeats are dropped, a clock that began anew is carried on by the arrivals.

    What is no number, or no foot can reach, is a lost sample: it must not stay in the filters' memory. ``order``
    remembers the newest device time and arrival, the shift of the device clock so far, how often it began anew, when
    the sensor last turned, and arrival and device time of the first sample after the last silence.
    A sensor without a clock, whose samples are counted, does not count what it measured while its link was down: after
    ``silence_s`` its count is carried on by the arrivals, too. Should the samples have been held up after all, they
    now come all at once and would run ahead of the arrivals; those that do are left out (``repeated``).

    Where there are no arrivals, ``first_s`` is the first device time and stands for them; NaN where there are.
    Returns the rows, how many of them were kept (they come first), unusable and repeated, and how often the clock began
    anew.
    """
    raw = np.empty((len(device_s), WIDTH))
    kept = unusable = repeated = restarts = 0
    for i in range(len(raw)):
        usable = np.isfinite(device_s[i]) and np.isfinite(arrival_s[i])
        for k in range(3):
            usable = usable and abs(acc_m_s2[i, k]) < most_acc_m_s2
            usable = usable and abs(gyr_rad_s[i, k]) < most_gyr_rad_s
        if not usable:
            unusable += 1
            continue
        newest, arrived = order[_NEWEST], order[NEWEST_ARRIVAL]
        t, a = device_s[i] + order[_SHIFT], arrival_s[i]
        if not np.isnan(first_s):
            a = t - first_s
        silent = a - arrived > silence_s
        if silent or t <= newest - _BACKWARD_RESTART_S or t > newest + (a - arrived) + _FORWARD_RESTART_S:
            # The very first sample has nothing before it to agree with.
            carried_on = newest + max(a - arrived, period_s)
            if np.isfinite(carried_on):
                order[_SHIFT] += carried_on - t
                order[_EPOCH] += 1.0
                t = carried_on
                restarts += 1
                if silent:
                    order[_SILENT_UNTIL], order[_RESUMED] = a, t
        elif t <= newest:
            repeated += 1
            continue
        elif a < order[_SILENT_UNTIL] + _BURST_S and t - order[_RESUMED] > a - order[_SILENT_UNTIL] + _AHEAD_S:
            order[_SHIFT] -= period_s
            repeated += 1
            continue
        power = 0.0
        for k in range(3):
            raw[kept, ACC + k] = acc_m_s2[i, k]
            raw[kept, GYR + k] = gyr_rad_s[i, k]
            power += gyr_rad_s[i, k] * gyr_rad_s[i, k]
        if power >= calm_rad_s * calm_rad_s:
            order[_STIRRED] = t
            raw[kept, CALM] = -1.0
        else:
            raw[kept, CALM] = t - order[_STIRRED]
        raw[kept, STATE] = MEASURED
        if not np.isnan(first_s):
            a = t - first_s  # a clock that began anew was carried on
        raw[kept, TIME], raw[kept, ARRIVAL] = t, a
        raw[kept, EPOCH] = order[_EPOCH]
        order[_NEWEST], order[NEWEST_ARRIVAL] = t, a
        kept += 1
    return raw, kept, unusable, repeated, restarts


@compiled("(f8[:,::1], f8, f8, f8)")
def rows_until(raw: FloatArray, knot_s: float, before_s: float, longest_s: float) -> tuple[int, int, int, bool]:
    """How many rows of the first clock epoch lie before the knot, how many there are, which was least delayed, and
    whether no step between those before the knot, counted from ``before_s``, is longer than ``longest_s``.
    """
    same = 0
    while same < len(raw) and raw[same, EPOCH] == raw[0, EPOCH]:
        same += 1
    inside = earliest = 0
    even = True
    while inside < same and raw[inside, TIME] < knot_s:
        delay = raw[inside, ARRIVAL] - raw[inside, TIME]
        if delay < raw[earliest, ARRIVAL] - raw[earliest, TIME]:
            earliest = inside
        even = even and raw[inside, TIME] - before_s <= longest_s
        before_s = raw[inside, TIME]
        inside += 1
    return inside, same, earliest, even
