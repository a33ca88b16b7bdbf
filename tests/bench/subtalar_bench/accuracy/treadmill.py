"""People after stroke on a treadmill: no truth, but what must hold of any walk can be checked.

A steady walk has no reason to drift: what the mean angles of strides do over minutes is the estimator, or the person.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.session import open_session
from subtalar.session.estimates import AngleTrack
from subtalar.types import FloatArray, Side, Stride
from subtalar_bench.accuracy.angle_score import ANGLE_ORDER
from subtalar_bench.accuracy.heading_trace import HeadingTrace, smooth_trend, traced
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.arrays import at
from subtalar_bench.parallel import side_by_side
from subtalar_bench.table import Column, Table, Value

FOLDER = "movingreality"
_BLOCK_S = 0.2
_TREND_S = 10.0
_FIRST_S = 60.0
_POINTS = 101
_FEWEST = 5


@dataclass(frozen=True)
class TreadmillLeg:
    """One leg of one person; waveform differences (3,) in the order of ``anatomy.ANKLE_NAMES``."""

    trial: str
    side: Side
    strides: int
    per_minute: float
    evidence_deg: float
    filtered_deg: float
    live_deg: float
    six_axis_deg_min: float
    rotation_deg_min: float
    rotation_error_deg_min: float
    waveform_rms_deg: FloatArray
    waveform_max_deg: FloatArray


def measure(data: Path) -> list[Table]:
    """Heading, drift and waveforms of every leg in ``data/movingreality``."""
    folders = sorted(p for p in existing(data, FOLDER).iterdir() if p.is_dir())
    legs = [leg for found in side_by_side(measure_person, folders) for leg in found]
    return tables(legs)


def tables(legs: list[TreadmillLeg]) -> list[Table]:
    """Heading and drift, waveforms, and a summary."""
    return [_heading_table(legs), _waveform_table(legs), _summary_table(legs)]


def measure_person(folder: Path) -> list[TreadmillLeg]:
    """Both legs of one recording."""
    session = open_session(folder)
    outcome, traces = traced(session.sensors, session.blocks(_BLOCK_S))
    legs = []
    for side, trace in traces.items():
        strides = [s for s in outcome.strides if s.side == side and usable(s)]
        legs.append(measure_leg(folder.name, side, trace, strides, outcome.tracks[side].known()))
    return legs


def usable(stride: Stride) -> bool:
    """Whether a stride is one of steady walking with all its angles."""
    return stride.quality in ("ok", "few_strides", "clipped") and bool(np.isfinite(stride.mean_tibial_rotation_deg))


def measure_leg(trial: str, side: Side, trace: HeadingTrace, strides: list[Stride], track: AngleTrack) -> TreadmillLeg:
    """Figures of one leg from its usable strides and its rows."""
    known = np.isfinite(trace.live_deg)
    evidence, t = trace.evidence_deg[known], trace.time_s[known]
    trend = smooth_trend(t, evidence, _TREND_S)
    contact_s = np.array([s.initial_contact_s for s in strides])
    rotation = np.array([s.mean_tibial_rotation_deg for s in strides])
    slope, covariance = np.polyfit(contact_s / 60.0, rotation, 1, cov=True)
    first = [s for s in strides if s.initial_contact_s < contact_s[0] + _FIRST_S]
    last = [s for s in strides if s.initial_contact_s > contact_s[-1] - _FIRST_S]
    change = mean_waveform(track, last) - mean_waveform(track, first)
    return TreadmillLeg(
        trial,
        side,
        len(strides),
        60.0 / float(np.median([s.stride_time_s for s in strides])),
        float(np.std(evidence - trend)),
        float(np.std(trace.filtered_deg[known] - trend)),
        float(np.std(trace.live_deg[known] - trend)),
        60.0 * float(np.polyfit(t, evidence, 1)[0]),
        float(slope[0]),
        float(np.sqrt(covariance[0, 0])),
        np.sqrt(np.mean(change**2, axis=0)),
        np.abs(change).max(axis=0),
    )


def mean_waveform(track: AngleTrack, strides: list[Stride]) -> FloatArray:
    """Mean angles (101, 3) over strides from contact to contact, each stretched to the same length; NaN where few."""
    if len(strides) < _FEWEST:
        return np.full((_POINTS, 3), np.nan)
    share = np.linspace(0.0, 1.0, _POINTS)
    curves = [at(s.initial_contact_s + share * s.stride_time_s, track.time_s, track.ankle_deg) for s in strides]
    return np.asarray(np.mean(curves, axis=0))


_WHO = (Column("trial", "recording"), Column("side", "side"))


def _heading_table(legs: list[TreadmillLeg]) -> Table:
    columns = (
        *_WHO,
        Column("strides", "strides", 0),
        Column("strides_per_minute", "strides a minute", 1),
        Column("evidence_sd_deg", "one stride's heading, sd °"),
        Column("filtered_sd_deg", "after filtering, sd °"),
        Column("live_sd_deg", "as used live, sd °"),
        Column("six_axis_drift_deg_min", "six-axis drift °/min", 1),
        Column("tibial_rotation_drift_deg_min", "tibial rotation drift °/min"),
        Column("tibial_rotation_drift_se_deg_min", "its standard error"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            x.trial,
            x.side,
            float(x.strides),
            x.per_minute,
            x.evidence_deg,
            x.filtered_deg,
            x.live_deg,
            x.six_axis_deg_min,
            x.rotation_deg_min,
            x.rotation_error_deg_min,
        )
        for x in legs
    ]
    return Table("treadmill_heading", "People after stroke on a treadmill: heading and drift", columns, tuple(rows))


def _waveform_table(legs: list[TreadmillLeg]) -> Table:
    columns = (Column("rms_deg", "RMS over the stride °"), Column("largest_deg", "largest °"))
    rows: list[tuple[Value, ...]] = [
        (x.trial, x.side, tuple(x.waveform_rms_deg.tolist()), tuple(x.waveform_max_deg.tolist())) for x in legs
    ]
    title = f"Mean waveform of the last minute against the first ({ANGLE_ORDER})"
    return Table("treadmill_waveforms", title, (*_WHO, *columns), tuple(rows))


def _summary_table(legs: list[TreadmillLeg]) -> Table:
    columns = (
        *_WHO,
        Column("six_axis_drift_deg_min", "six-axis fusion alone °/min", 1),
        Column("tibial_rotation_drift_deg_min", "mean tibial rotation of a stride °/min", 1),
    )
    people = list(dict.fromkeys(x.trial for x in legs))
    rows = tuple((f"person {1 + people.index(x.trial)}", x.side, x.six_axis_deg_min, x.rotation_deg_min) for x in legs)
    return Table("treadmill_summary", "Drift on a treadmill", columns, rows)
