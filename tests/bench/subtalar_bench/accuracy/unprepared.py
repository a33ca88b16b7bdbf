"""People who were not told to stand first, and straps that slip: the truth trials, altered, live."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.anatomy import ANKLE_SEGMENTS
from subtalar.estimation import GaitEstimator
from subtalar.estimation.numerics import quaternions as quat
from subtalar.session.estimates import AngleTrack, SessionEstimates, estimate_live
from subtalar.types import BodySite, FloatArray, Segment, Side
from subtalar_bench.accuracy.altered import between, slipped
from subtalar_bench.accuracy.truth_trial import TruthTrial, read_trial
from subtalar_bench.accuracy.truth_trials import folders_in
from subtalar_bench.arrays import at
from subtalar_bench.parallel import side_by_side
from subtalar_bench.table import Column, Table, Value

_LAGS_S = np.arange(-0.060, 0.0601, 0.0025)
_SETTLE_S, _END_S = 8.0, 1.5
_BRIEF_S = 0.8
_SLIP_AT_S, _SLIP_LASTS_S, _CREEP_AT_S, _CREEP_LASTS_S = 50.0, 0.2, 30.0, 60.0
_SLIPPING = ("walk_right", "overpronated_left_any_mount", "run_right")
_AXES = ("forward", "up", "right")


@dataclass(frozen=True)
class Compared:
    """Arrays (3,): root mean square error, the same without the mean, the mean, shares within ±2 sd and of lies (off by
    more than 3° at an sd of 1° or less). ``zero_sd_deg`` at the end.
    """

    rmse_deg: FloatArray
    waveform_deg: FloatArray
    mean_deg: FloatArray
    within: FloatArray
    lies: FloatArray
    zero_sd_deg: float


def compare(track: AngleTrack, t: FloatArray, truth: FloatArray, lag_s: float | None = None) -> Compared | None:
    """A track with the truth (n, 3) at instants (n,); the lag that fits the curves best is taken out unless given."""
    known = track.known()
    if len(known.time_s) < 2 or len(t) < 2:
        return None
    lags = _LAGS_S if lag_s is None else [lag_s]
    errors = [at(t + lag, known.time_s, known.ankle_deg) - truth for lag in lags]
    best = int(np.argmin([float(e.std(axis=0).sum()) for e in errors]))
    error, sd = errors[best], at(t + lags[best], known.time_s, known.ankle_sd_deg)
    return Compared(
        np.sqrt(np.mean(error**2, axis=0)),
        error.std(axis=0),
        error.mean(axis=0),
        np.mean(np.abs(error) <= 2.0 * sd, axis=0),
        np.mean((np.abs(error) > 3.0) & (sd <= 1.0), axis=0),
        float(known.zero_sd_deg[-1]),
    )


def measure(data: Path) -> list[Table]:
    """Zero without standing, and slips. Raises InputError where there is no truth trial."""
    folders = folders_in(data)
    zeros = [row for rows in side_by_side(_zeros, folders) for row in rows]
    slips = [row for rows in side_by_side(_slips, [f for f in folders if f.name in _SLIPPING]) for row in rows]
    return tables(zeros, slips)


def tables(zeros: list[tuple[Value, ...]], slips: list[tuple[Value, ...]]) -> list[Table]:
    """Walks without standing, and straps."""
    return [_zero_table(zeros), _slip_table(slips)]


def _zeros(folder: Path) -> list[tuple[Value, ...]]:
    trial, rows = read_trial(folder), []
    walk = trial.walking
    for words, begin_s in (
        ("nobody stands", walk.start_s + 0.2),
        (f"{_BRIEF_S} s of standing", walk.start_s - _BRIEF_S),
    ):
        outcome = estimate_live(trial.session.sensors, between(trial, begin_s, walk.end_s))
        for side in trial.angles_deg:
            found = _walking(trial, outcome, side)
            rows.append((trial.name, side, words, *_cells(found), None if found is None else found.zero_sd_deg))
    return rows


def _walking(trial: TruthTrial, outcome: SessionEstimates, side: Side) -> Compared | None:
    t, walk = trial.time_s, trial.walking
    scored = (t > walk.start_s + _SETTLE_S) & (t < walk.end_s - _END_S)
    track = outcome.tracks.get(side)
    return None if track is None else compare(track, t[scored], trial.angles_deg[side][scored])


def _cells(found: Compared | None) -> tuple[Value, ...]:
    if found is None:
        return (None,) * 4
    return (
        tuple(found.rmse_deg.tolist()),
        tuple(found.waveform_deg.tolist()),
        tuple(found.mean_deg.tolist()),
        tuple((100 * found.within).tolist()),
    )


def _slips(folder: Path) -> list[tuple[Value, ...]]:
    """Sudden slips and creeping ones of every size, axis and sensor."""
    trial, rows = read_trial(folder), []
    (side,) = list(trial.angles_deg)[:1]
    estimator = GaitEstimator(trial.session.sensors)
    calibrations = [c for b in trial.blocks() for c in estimator.push(b).calibrations if c.side == side]
    placed = {"foot": calibrations[-1].foot_placement, "shank": calibrations[-1].shank_placement}
    for lasts_s, at_s, sizes in (
        (_SLIP_LASTS_S, _SLIP_AT_S, (4.0, 6.0, 8.0, 15.0)),
        (_CREEP_LASTS_S, _CREEP_AT_S, (6.0, 10.0)),
    ):
        for segment in ANKLE_SEGMENTS:
            for k, axis in enumerate(_AXES):
                placement = placed[segment]
                assert placement is not None
                own = quat.rotate(quat.conjugate(np.array(placement)), np.eye(3)[k])
                for size in sizes:
                    found = _slip(trial, side, segment, own, size, at_s, lasts_s)
                    kind = "slips" if lasts_s < 1.0 else "creeps"
                    rows.append((trial.name, f"{segment} {kind} about {axis}", size, *found))
    return rows


def _slip(
    trial: TruthTrial, side: Side, segment: Segment, axis: FloatArray, size: float, at_s: float, lasts_s: float
) -> tuple[Value, ...]:
    t, walk, truth = trial.time_s, trial.walking, trial.angles_deg[side]
    begin_s = walk.start_s + at_s
    site = BodySite.of(side, segment)
    outcome = estimate_live(trial.session.sensors, slipped(trial, site, axis, size, begin_s, lasts_s))
    noticed = [n for n in outcome.notices if n.code == "strap_slipped"]
    after_s = noticed[0].time_s - begin_s if noticed else None
    right = float(bool(noticed) and noticed[0].site == site)
    track = outcome.tracks[side]
    before = (t > walk.start_s + _SETTLE_S) & (t < begin_s)
    known = track.known()
    cost = [np.abs(at(t[before] + lag, known.time_s, known.ankle_deg) - truth[before]).mean() for lag in _LAGS_S]
    lag_s = float(_LAGS_S[int(np.argmin(cost))])
    settled = (t > begin_s + lasts_s + 20.0) & (t < walk.end_s - _END_S)
    whole = (t > walk.start_s + _SETTLE_S) & (t < walk.end_s - _END_S)
    late, all_ = (compare(track, t[rows], truth[rows], lag_s) for rows in (settled, whole))
    return (
        after_s,
        right,
        None if late is None else tuple(late.rmse_deg.tolist()),
        None if all_ is None else float(100 * all_.within.min()),
        None if all_ is None else float(100 * all_.lies.max()),
    )


_THREE = "dorsiflexion / inversion / tibial rotation"


def _zero_table(rows: list[tuple[Value, ...]]) -> Table:
    columns = (
        *(Column("trial", "trial"), Column("side", "side"), Column("stood", "before the walk")),
        Column("rmse_deg", "error °", 1),
        Column("waveform_deg", "without its mean °"),
        Column("mean_deg", "its mean °", 1),
        Column("within_pct", "within ±2 sd %", 0),
        Column("zero_sd_deg", "zero sd °", 1),
    )
    return Table("zero_found_late", f"Walks without standing, live angles ({_THREE})", columns, tuple(rows))


def _slip_table(rows: list[tuple[Value, ...]]) -> Table:
    columns = (
        *(Column("trial", "trial"), Column("what", "what"), Column("size_deg", "by °", 0)),
        Column("noticed_s", "noticed after s", 1),
        Column("right_sensor", "right sensor", 0),
        Column("late_rmse_deg", "error 20 s later °", 1),
        Column("within_pct", "whole walk within ±2 sd, worst angle %", 0),
        Column("lies_pct", "off by 3° at ±1° %", 1),
    )
    return Table("strap_slips", f"Straps that slip or creep, live angles ({_THREE})", columns, tuple(rows))
