"""One walk of many hours through the streaming estimator: its memory, and whether its angles stay right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from subtalar.bench.estimator_cost import lap
from subtalar.bench.long_walk import prolonged
from subtalar.estimation import GaitEstimator
from subtalar.session import Session
from subtalar.session.estimates import AngleTrack, collect_estimates
from subtalar.session.interleave import by_site
from subtalar.types import Estimates, FloatArray, SampleBlock, Side
from subtalar_bench.accuracy.truth_trial import read_trial
from subtalar_bench.arrays import at
from subtalar_bench.hours.footprint import Footprint, footprint

DRIFT_PPM: Mapping[str, float] = {"foot": 50.0, "shank": -50.0}
_SETTLE_S = 60.0
"""From the first angles on; the estimator still learns lever arms and biases."""
_WINDOW_S = 60.0
_LAGS_S = np.arange(-0.060, 0.0601, 0.0025)


@dataclass(frozen=True)
class WalkDayResult:
    """Root mean square errors (3,) in degrees of each side in an early and in the last minute, and the memory."""

    first_deg: Mapping[Side, FloatArray]
    last_deg: Mapping[Side, FloatArray]
    strides: int
    footprints: tuple[Footprint, ...]


def walk_for(folder: Path, duration_s: float, every_s: float = 3600.0) -> WalkDayResult:
    """The walk of the truth trial in ``folder``, lap after lap, on clocks that run 100 ppm apart."""
    trial = read_trial(folder)
    lap_s, _ = lap(trial.session)
    windows = [lap_s[0] + _SETTLE_S, duration_s - _WINDOW_S - 5.0]
    gait = GaitEstimator(trial.session.sensors)
    kept: list[list[Estimates]] = [[] for _ in windows]
    strides = 0
    footprints: list[Footprint] = []
    for block in drifting(trial.session, prolonged(trial.session, lap_s, duration_s)):
        found = gait.push(block)
        strides += sum(s.quality == "ok" for s in found.strides)
        assert block.host_time_s is not None
        now_s = float(block.host_time_s[-1]) if len(block) else 0.0
        for begin_s, window in zip(windows, kept, strict=True):
            if begin_s - 2.0 < now_s < begin_s + _WINDOW_S + 2.0:
                window.append(found)
        if now_s >= (len(footprints) + 1) * every_s:
            footprints.append(footprint((len(footprints) + 1) * every_s))
    gait.finish()
    footprints.append(footprint(duration_s))
    errors = []
    for begin_s, window in zip(windows, kept, strict=True):
        tracks = collect_estimates(window).tracks
        errors.append(
            {
                side: _error_deg(tracks[side], begin_s, lap_s, trial.time_s, truth)
                for side, truth in trial.angles_deg.items()
            }
        )
    return WalkDayResult(errors[0], errors[1], strides, tuple(footprints))


def drifting(session: Session, blocks: Iterator[SampleBlock]) -> Iterator[SampleBlock]:
    """The same samples from clocks that run as fast and slow as ``DRIFT_PPM`` says."""
    own = {site: _own_rate(block) for site, block in by_site(session.blocks()).items()}
    for block in blocks:
        rate = (1.0 + 1e-6 * DRIFT_PPM[block.site.segment]) / own[block.site]
        assert block.device_time_s is not None
        yield replace(block, device_time_s=block.device_time_s * rate)


def _own_rate(block: SampleBlock) -> float:
    """Device seconds a host second."""
    assert block.device_time_s is not None
    assert block.host_time_s is not None
    rows = np.arange(len(block))
    period_s = float(block.device_time_s[-1] - block.device_time_s[0]) / (len(block) - 1)
    return period_s / float(np.polyfit(rows, block.host_time_s, 1)[0])


def _error_deg(
    track: AngleTrack, begin_s: float, lap_s: tuple[float, float], truth_time_s: FloatArray, truth_deg: FloatArray
) -> FloatArray:
    """RMSE (3,) over a minute, the one constant lag that fits best taken out: see ``angle_score``."""
    known = track.known()
    t = begin_s + np.arange(0.0, _WINDOW_S, 0.01)
    start_s, end_s = lap_s
    truth = at(start_s + (t - start_s) % (end_s - start_s), truth_time_s, truth_deg)
    errors = [np.sqrt(np.mean((at(t + lag, known.time_s, known.ankle_deg) - truth) ** 2, axis=0)) for lag in _LAGS_S]
    return np.asarray(errors[int(np.argmin([e.sum() for e in errors]))])
