"""Band-limited interpolation of recorded samples at times of another sensor's own.

A windowed sinc (Kaiser), not a spline: the impact of a heel strike has content up to half the rate, which a cubic
would dampen and fold. Where the new rate is lower the cut-off goes down with it, as in a sensor that filters before it
samples; unlike a real sensor's the filter has no delay. Oppenheim & Schafer, *Discrete-Time Signal Processing*, 7.5.
"""

from typing import Final

import numpy as np

from subtalar_sim.types import BoolArray, FloatArray, IntArray

_HALF_TAPS: Final = 24
_BETA: Final = 6.0
"""Kaiser window: images and aliases 63 dB down; flat to 92 % of half the lower rate."""
_ON_A_SAMPLE: Final = 1e-3
"""In sample periods: so near to a recorded sample it is that sample, whatever is missing beside it."""


def resample(
    t_s: FloatArray, values: FloatArray, run: IntArray, at_s: FloatArray, ratio: float
) -> tuple[FloatArray, BoolArray]:
    """Values (n, k) recorded at rising ``t_s`` (n,), at the times ``at_s`` (m,): (m, k), and where they are known (m,).

    ``run`` (n,) numbers the runs of samples between which nothing is missing. Known is what lies between two
    neighbours of one run, and nothing else; values elsewhere are zero. ``ratio``: new rate / recorded rate. The kernel
    never reaches over a gap: beyond the end of a run it finds the run mirrored in its last sample.
    """
    n, m = len(t_s), len(at_s)
    out, known = np.zeros((m, values.shape[1])), np.zeros(m, dtype=np.bool_)
    inside = np.flatnonzero((at_s >= t_s[0]) & (at_s <= t_s[-1]))  # NaN is outside
    if not len(inside):
        return out, known
    x = at_s[inside]
    left = np.clip(np.searchsorted(t_s, x, side="right") - 1, 0, n - 2)
    u = (x - t_s[left]) / (t_s[left + 1] - t_s[left])
    near = left + (u > 0.5)
    is_known = (run[left] == run[left + 1]) | (np.abs(u - (u > 0.5)) < _ON_A_SAMPLE)
    offset = np.where(run[left] == run[left + 1], left + u - near, 0.0)
    inside, near, offset = inside[is_known], near[is_known], offset[is_known]

    scale = min(1.0, ratio)
    half = int(np.ceil(_HALF_TAPS / scale))
    taps = np.arange(-half, half + 1)
    distance = taps - offset[:, None]
    window = np.i0(_BETA * np.sqrt(np.maximum(1.0 - (distance / (half + 0.5)) ** 2, 0.0)))
    weight = np.sinc(scale * distance) * window
    weight /= weight.sum(axis=1, keepdims=True)

    first = np.searchsorted(run, run[near])[:, None]
    last = np.searchsorted(run, run[near], side="right")[:, None] - 1
    index = near[:, None] + taps
    folded = np.where(index < first, 2 * first - index, np.where(index > last, 2 * last - index, index))
    taken = values[np.clip(folded, first, last)]
    edge = values[np.where(index < first, first, last)]
    beyond = ((index < first) | (index > last))[..., None]
    taken = np.where(beyond, 2.0 * edge - taken, taken)
    out[inside] = np.einsum("mj,mjk->mk", weight, taken)
    known[inside] = True
    return out, known
