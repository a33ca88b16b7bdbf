"""Raw rows of one sensor in the order of their device times, and how losses in them are bridged.

Lost samples up to ``longest_bridge_s`` are filled in, a few of them by a parabola, so that the integration keeps its
time.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records
from subtalar.types import FloatArray

RAW_ROW = np.dtype(
    [
        ("time_s", "f8"),
        ("arrival_s", "f8"),
        ("acc_m_s2", "f8", (3,)),
        ("gyr_rad_s", "f8", (3,)),
        ("calm_s", "f8"),
        ("epoch", "i8"),
        ("state", "i8"),
    ]
)
"""Device time, carried on where the device's clock began anew, and how often it had (``epoch``); for how long the
sensor has hardly turned, below zero while it turns; one of the states below."""
MEASURED, FILLED, AFTER_GAP = 0, 1, 2
"""After a gap in which the sensor may have turned inclination starts over."""

SAMPLE_ORDER = np.dtype(
    [
        ("newest_s", "f8"),
        ("newest_arrival_s", "f8"),
        ("shift_s", "f8"),
        ("epoch", "i8"),
        ("stirred_s", "f8"),
        ("silent_until_s", "f8"),
        ("resumed_s", "f8"),
        ("unusable", "i8"),
        ("repeated", "i8"),
        ("restarts", "i8"),
    ]
)
"""What ``in_order`` remembers: newest device time and arrival, the shift of the device clock so far, its epoch, when
the sensor last turned, arrival and device time of the first sample after the last silence; and its counts of samples
that were left out as unusable or repeated, and of how often the clock began anew."""
_BACKWARD_RESTART_S = 1.0
_FORWARD_RESTART_S = 2.0
LONGEST_SILENCE_S = 2.0
"""Links that are silent for as long are taken for dead and made anew (``device/policy.py``): nothing waits in them."""
_BURST_S = 5.0
_AHEAD_S = 0.25


@inlined
def _missing(
    left: Record, right: Record, period_s: float, longest_s: float, longest_calm_s: float, calm_before_s: float
) -> int:
    """How many samples to fill in between two rows; −1 where the sensor may have turned too far meanwhile."""
    step = right["time_s"] - left["time_s"]
    if step <= 1.5 * period_s:
        return 0
    if step > longest_s and (step > longest_calm_s or left["calm_s"] < calm_before_s or right["calm_s"] < 0.0):
        return -1
    missing: int = round(step / period_s) - 1
    return missing


_CURVED = 3.5
"""Over so many periods the curve is known by three of its points; over more it might swing out."""


@inlined
def _fill(earlier: Record, left: Record, right: Record, f: float, period_s: float, out: Record) -> None:
    """A row between two, ``f`` of the way: on the parabola through them and the one before, where that is there.

    A rate that is integrated over a hole is no straight line.
    """
    g = 1 - f
    out["time_s"] = left["time_s"] * g + right["time_s"] * f
    out["arrival_s"] = left["arrival_s"] * g + right["arrival_s"] * f
    # Newton's form: what a straight line misses is a share of the second divided difference.
    before_s, span_s = left["time_s"] - earlier["time_s"], right["time_s"] - left["time_s"]
    bend = 0.0
    if 0.0 < before_s < 1.5 * period_s and span_s < _CURVED * period_s:
        bend = -f * g * span_s * span_s / (before_s + span_s)
    for k in range(3):
        a, b, c = left["acc_m_s2"][k], right["acc_m_s2"][k], earlier["acc_m_s2"][k]
        out["acc_m_s2"][k] = a * g + b * f + (bend * ((b - a) / span_s - (a - c) / before_s) if bend != 0.0 else 0.0)
        a, b, c = left["gyr_rad_s"][k], right["gyr_rad_s"][k], earlier["gyr_rad_s"][k]
        out["gyr_rad_s"][k] = a * g + b * f + (bend * ((b - a) / span_s - (a - c) / before_s) if bend != 0.0 else 0.0)
    out["calm_s"] = left["calm_s"] * g + right["calm_s"] * f
    out["epoch"] = right["epoch"]
    out["state"] = FILLED


@compiled("(row[::1], row[::1], row[::1], f8, f8, f8, f8)", row=RAW_ROW)
def bridged(
    raw: Records,
    before: Records,
    earlier_still: Records,
    period_s: float,
    longest_s: float,
    longest_calm_s: float,
    calm_before_s: float,
) -> tuple[Records, int]:
    """Rows with short losses filled in, their states set, and the number of gaps that stay gaps.

    ``before`` (1,) is the row before the first, ``earlier_still`` (1,) the one before that. A sensor that has hardly
    turned for a while
    before a longer gap, and does not after it, did not turn in it; a foot between two steps rests too briefly for that.
    """
    added = gaps = 0
    for i in range(len(raw)):
        left = raw[i - 1] if i > 0 else before[0]
        missing = _missing(left, raw[i], period_s, longest_s, longest_calm_s, calm_before_s)
        added += max(0, missing)
        gaps += missing < 0
    if added == 0 and gaps == 0:
        return raw, 0
    out = np.empty(len(raw) + added, RAW_ROW)
    at = 0
    for i in range(len(raw)):
        left = raw[i - 1] if i > 0 else before[0]
        missing = _missing(left, raw[i], period_s, longest_s, longest_calm_s, calm_before_s)
        earlier = raw[i - 2] if i > 1 else before[0] if i == 1 else earlier_still[0]
        for k in range(missing):
            _fill(earlier, left, raw[i], (k + 1) / (missing + 1), period_s, out[at])
            at += 1
        out[at] = raw[i]
        out[at]["state"] = AFTER_GAP if missing < 0 else MEASURED
        at += 1
    return out, gaps


@compiled(
    "(f8[::1], f8[::1], f8[:,::1], f8[:,::1], order[::1], f8, f8, f8, f8, f8, f8, row[::1])",
    order=SAMPLE_ORDER,
    row=RAW_ROW,
)
def in_order(
    device_s: FloatArray,
    arrival_s: FloatArray,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    order: Records,
    period_s: float,
    first_s: float,
    most_acc_m_s2: float,
    most_gyr_rad_s: float,
    calm_rad_s: float,
    silence_s: float,
    out: Records,
) -> int:
    """Into the first of ``out`` (n,): raw rows whose device time advances; how many these are.

    Repeats are dropped, a clock that began anew is carried on by the arrivals.

    What is no number, or no foot can reach, is a lost sample: it must not stay in the filters' memory.
    A sensor without a clock, whose samples are counted, does not count what it measured while its link was down: after
    ``silence_s`` its count is carried on by the arrivals, too. Should the samples have been held up after all, they
    now come all at once and would run ahead of the arrivals; those that do are left out (``repeated``).

    Where there are no arrivals, ``first_s`` is the first device time and stands for them; NaN where there are.
    """
    so_far = order[0]
    kept = 0
    for i in range(len(out)):
        usable = np.isfinite(device_s[i]) and np.isfinite(arrival_s[i])
        for k in range(3):
            usable = usable and abs(acc_m_s2[i, k]) < most_acc_m_s2
            usable = usable and abs(gyr_rad_s[i, k]) < most_gyr_rad_s
        if not usable:
            so_far["unusable"] += 1
            continue
        newest, arrived = so_far["newest_s"], so_far["newest_arrival_s"]
        t, a = device_s[i] + so_far["shift_s"], arrival_s[i]
        if not np.isnan(first_s):
            a = t - first_s
        silent = a - arrived > silence_s
        since_silence_s = a - so_far["silent_until_s"]
        if silent or t <= newest - _BACKWARD_RESTART_S or t > newest + (a - arrived) + _FORWARD_RESTART_S:
            # The very first sample has nothing before it to agree with.
            carried_on = newest + max(a - arrived, period_s)
            if np.isfinite(carried_on):
                so_far["shift_s"] += carried_on - t
                so_far["epoch"] += 1
                t = carried_on
                so_far["restarts"] += 1
                if silent:
                    so_far["silent_until_s"], so_far["resumed_s"] = a, t
        elif t <= newest:
            so_far["repeated"] += 1
            continue
        elif a < so_far["silent_until_s"] + _BURST_S and t - so_far["resumed_s"] > since_silence_s + _AHEAD_S:
            so_far["shift_s"] -= period_s
            so_far["repeated"] += 1
            continue
        row = out[kept]
        power = 0.0
        for k in range(3):
            row["acc_m_s2"][k] = acc_m_s2[i, k]
            row["gyr_rad_s"][k] = gyr_rad_s[i, k]
            power += gyr_rad_s[i, k] * gyr_rad_s[i, k]
        if power >= calm_rad_s * calm_rad_s:
            so_far["stirred_s"] = t
            row["calm_s"] = -1.0
        else:
            row["calm_s"] = t - so_far["stirred_s"]
        row["state"] = MEASURED
        if not np.isnan(first_s):
            a = t - first_s  # a clock that began anew was carried on
        row["time_s"], row["arrival_s"] = t, a
        row["epoch"] = so_far["epoch"]
        so_far["newest_s"], so_far["newest_arrival_s"] = t, a
        kept += 1
    return kept


@compiled("(row[::1], f8, row[::1], f8)", row=RAW_ROW)
def rows_until(raw: Records, knot_s: float, before: Records, longest_s: float) -> tuple[int, int, bool]:
    """How many rows of the first clock epoch lie before the knot, which of them was least delayed, and whether no step
    between them, counted from the row ``before`` (1,), is longer than ``longest_s``.
    """
    inside = earliest = 0
    even = True
    before_s = before[0]["time_s"]
    while inside < len(raw) and raw[inside]["epoch"] == raw[0]["epoch"] and raw[inside]["time_s"] < knot_s:
        delay = raw[inside]["arrival_s"] - raw[inside]["time_s"]
        if delay < raw[earliest]["arrival_s"] - raw[earliest]["time_s"]:
            earliest = inside
        even = even and raw[inside]["time_s"] - before_s <= longest_s
        before_s = raw[inside]["time_s"]
        inside += 1
    return inside, earliest, even
