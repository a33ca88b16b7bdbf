"""Fewer points with the same picture: minimum and maximum of each bucket of time.

Buckets lie on a grid of absolute time, so a peak does not flicker while the trace scrolls past.
"""

import numpy as np

from subtalar.types import FloatArray, IntArray

GAP_S = 0.1
"""A longer pause between samples is drawn as a break, never as a line that was not measured."""


def bucket_starts(time_s: FloatArray, bucket_s: float) -> tuple[IntArray, FloatArray]:
    """Index of the first sample of each bucket, and the bucket's middle. ``time_s`` (n,) increasing, n >= 1."""
    bucket = np.floor(time_s / bucket_s)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(bucket)) + 1])
    return starts, (bucket[starts] + 0.5) * bucket_s


def trace(time_s: FloatArray, values: FloatArray, bucket_s: float) -> tuple[FloatArray, FloatArray]:
    """Points (m,) and (m, k) to draw as lines for ``values`` (n, k), NaN where the line breaks."""
    if len(time_s) == 0:
        return time_s, values
    starts, middle = bucket_starts(time_s, bucket_s)
    if len(time_s) > 2 * len(starts):
        low = np.fmin.reduceat(values, starts, axis=0)
        high = np.fmax.reduceat(values, starts, axis=0)
        values = np.stack([low, high], axis=1).reshape(-1, values.shape[1])
        time_s = np.repeat(middle, 2)
    gaps = np.flatnonzero(np.diff(time_s) > max(GAP_S, 1.5 * bucket_s)) + 1
    if len(gaps):
        time_s = np.insert(time_s, gaps, time_s[gaps])
        values = np.insert(values, gaps, np.nan, axis=0)
    return time_s, values


def band(
    time_s: FloatArray, values: FloatArray, sd: FloatArray, bucket_s: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The region ``values ± sd``, (n,) each, as columns one bucket wide: middle, low, high, (m,) each."""
    known = np.isfinite(values) & np.isfinite(sd)
    time_s, values, sd = time_s[known], values[known], sd[known]
    if len(time_s) == 0:
        return time_s, values, sd
    starts, middle = bucket_starts(time_s, bucket_s)
    return middle, np.minimum.reduceat(values - sd, starts), np.maximum.reduceat(values + sd, starts)
