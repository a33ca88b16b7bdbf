"""Raw rows of one sensor, and how losses in them are bridged.

Lost samples up to ``longest_bridge_s`` are filled by straight lines so that the integration keeps its time.
"""

import numpy as np

from subtalar.estimation.compiled import compiled, inlined
from subtalar.types import FloatArray

TIME, ARRIVAL, ACC, GYR, EPOCH, STATE, CALM, WIDTH = 0, 1, 2, 5, 8, 9, 10, 11
"""CALM: for how long the sensor has hardly turned (s), below zero while it turns."""
MEASURED, FILLED, AFTER_GAP = 0.0, 1.0, 2.0
"""States of a raw row; after a gap in which the sensor may have turned inclination starts over."""


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
