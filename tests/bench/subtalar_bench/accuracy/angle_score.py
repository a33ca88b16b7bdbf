"""Angles against truth: error, lag, how much of the walk has a value, and whether the stated sd is honest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANKLE_NAMES
from subtalar.session.estimates import AngleTrack
from subtalar.types import FloatArray
from subtalar_bench.accuracy.truth_trial import TrueStrides
from subtalar_bench.arrays import at

ANGLE_ORDER = " / ".join(name.replace("_", " ") for name in ANKLE_NAMES)
"""For the heads of tables with three figures in a cell."""
SETTLE_S = 8.0
"""The first seconds of the walk are not scored: the first angles need three strides."""
_END_S = 1.5
_LAGS_S = np.arange(-0.060, 0.0601, 0.0025)
_NEAR_S = 0.03
_FEW = 10
_KNOWN_SHARE = 0.95


@dataclass(frozen=True)
class AngleScore:
    """One side. Arrays (3,) in the order of ``anatomy.ANKLE_NAMES``; shares from 0 to 1, NaN where not known.

    ``first_s``: from the first step to the first angle. ``within``: share of the truth within ±2 sd; ``within_first``:
    in the first stride that has values; ``within_early``, ``within_late``: in the first and last ten such strides.
    """

    rmse_deg: FloatArray
    lag_s: float
    covered: float
    first_s: float
    within: FloatArray
    within_first: FloatArray
    within_early: FloatArray
    within_late: FloatArray


def score_angles(
    track: AngleTrack, truth_time_s: FloatArray, truth_deg: FloatArray, walk: tuple[float, float], strides: TrueStrides
) -> AngleScore | None:
    """Compare a track with the truth (n, 3) between start and end of the walk; None where the track has no value.

    The root mean square error is over the true instants from 8 s after the first step to 1.5 s before the end, standing
    offset kept (standing is zero by definition), the one constant lag within ±60 ms that fits best taken out: the fixed
    part of the arrival delay cannot be known. Missing values are bridged by straight lines and counted in ``covered``.
    """
    known = track.known()
    if len(known.time_s) < 2:
        return None
    scored = (truth_time_s > walk[0] + SETTLE_S) & (truth_time_s < walk[1] - _END_S)
    t, truth = truth_time_s[scored], truth_deg[scored]
    lag_s, rmse = _best_lag(known, t, truth)
    whole = (truth_time_s > walk[0]) & (truth_time_s < walk[1] - _END_S)
    t, truth = truth_time_s[whole] + lag_s, truth_deg[whole]
    near = has_value(known.time_s, t)
    inside = np.abs(at(t, known.time_s, known.ankle_deg) - truth) <= 2.0 * at(t, known.time_s, known.ankle_sd_deg)
    spans = [
        (t >= start + lag_s) & (t < start + lag_s + duration)
        for start, duration in zip(strides.initial_contact_s, strides.stride_time_s, strict=True)
    ]
    measured = [s for s in spans if s.any() and near[s].mean() >= _KNOWN_SHARE]
    values = known.time_s[known.time_s >= walk[0]]
    return AngleScore(
        rmse,
        lag_s,
        float(has_value(known.time_s, truth_time_s[scored][::20]).mean()),
        float(values[0] - walk[0]) if len(values) else float("nan"),
        _share(inside, near),
        _share(inside, _any(measured[:1], near)),
        _share(inside, _any(measured[:_FEW], near)),
        _share(inside, _any(measured[-_FEW:], near)),
    )


def _best_lag(track: AngleTrack, t: FloatArray, truth: FloatArray) -> tuple[float, FloatArray]:
    """The lag (s) with the least sum of the three errors, and these errors (3,)."""
    errors = [np.sqrt(np.mean((at(t + lag, track.time_s, track.ankle_deg) - truth) ** 2, axis=0)) for lag in _LAGS_S]
    best = int(np.argmin([e.sum() for e in errors]))
    return float(_LAGS_S[best]), np.asarray(errors[best])


def has_value(time_s: FloatArray, t: FloatArray) -> npt.NDArray[np.bool_]:
    """For each instant ``t`` (n,) whether one of the ascending times is within 30 ms."""
    after = np.clip(np.searchsorted(time_s, t), 1, len(time_s) - 1)
    nearest = np.minimum(np.abs(time_s[after] - t), np.abs(time_s[after - 1] - t))
    return np.asarray(nearest < _NEAR_S)


def _any(spans: list[npt.NDArray[np.bool_]], near: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.logical_and(np.any(spans, axis=0), near) if spans else np.zeros_like(near)


def _share(inside: npt.NDArray[np.bool_], which: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(inside[which].mean(axis=0)) if which.any() else np.full(3, np.nan)
