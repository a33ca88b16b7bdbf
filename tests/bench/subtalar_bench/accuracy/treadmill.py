"""People after stroke on a treadmill: no truth, but what must hold of any walk can be checked.

A steady walk has no reason to drift: what the mean angles of strides do over minutes is the estimator, or the person.
"""

from dataclasses import dataclass, replace
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
    found: int = 0
    zero_sd_deg: float = float("nan")
    problems: int = 0


def measure(data: Path) -> list[Table]:
    """Heading, drift and waveforms of every leg in ``data/movingreality``."""
    folders = sorted(p for p in existing(data, FOLDER).iterdir() if p.is_dir())
    legs = [leg for found in side_by_side(measure_person, folders) for leg in found]
    return tables(legs)


def tables(legs: list[TreadmillLeg]) -> list[Table]:
    """Heading and drift, waveforms, and a summary."""
    return [_found_table(legs), _heading_table(legs), _waveform_table(legs), _summary_table(legs)]


def measure_person(folder: Path) -> list[TreadmillLeg]:
    """Both legs of one recording."""
    session = open_session(folder)
    outcome, traces = traced(session.sensors, session.blocks(_BLOCK_S))
    legs = []
    for side, trace in traces.items():
        strides = [s for s in outcome.strides if s.side == side and usable(s)]
        leg = measure_leg(folder.name, side, trace, strides, outcome.tracks[side].known())
        found = sum(s.side == side for s in outcome.strides)
        problems = sum(n.side == side and n.level == "problem" for n in outcome.notices)
        zero_sd_deg = float(outcome.tracks[side].known().zero_sd_deg[-1])
        legs.append(replace(leg, found=found, problems=problems, zero_sd_deg=zero_sd_deg))
    return legs


def usable(stride: Stride) -> bool:
    """Whether a stride is one of steady walking with all its angles."""
    return stride.quality in ("ok", "provisional_zero", "few_strides", "clipped") and bool(
        np.isfinite(stride.mean_tibial_rotation_deg)
    )


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


COUNTED = {
    ("1019_pp01", "left"): 105,
    ("1019_pp01", "right"): 98,
    ("1019_pp02", "left"): 120,
    ("1019_pp02", "right"): 118,
    ("1019_pp11", "left"): 113,
    ("1019_pp11", "right"): 112,
}
"""Swings of the shank, counted by who added these recordings (``PROVENANCE.md`` there)."""


def _found_table(legs: list[TreadmillLeg]) -> Table:
    columns = (
        *_WHO,
        Column("counted", "swings counted", 0),
        Column("found", "strides found", 0),
        Column("usable", "usable", 0),
        Column("zero_sd_deg", "zero sd °", 1),
        Column("problems", "problems told", 0),
    )
    rows = []
    for x in legs:
        counted = COUNTED.get((x.trial, x.side))
        counts = None if counted is None else float(counted), float(x.found), float(x.strides)
        rows.append((x.trial, x.side, *counts, x.zero_sd_deg, float(x.problems)))
    return Table("treadmill_strides", "Strides of people after stroke", columns, tuple(rows))


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
