"""Truth trials: angles, their standard deviations and strides against exact truth, live and in every other pass."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from subtalar.types import SampleBlock, Side
from subtalar_bench.accuracy.angle_score import ANGLE_ORDER, AngleScore, score_angles
from subtalar_bench.accuracy.passes import PASSES, Pass
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.accuracy.stride_score import StrideScore, score_strides
from subtalar_bench.accuracy.truth_trial import TruthTrial, read_trial, trial_folders
from subtalar_bench.accuracy.without_bends import blocks_without_bends, cut_s
from subtalar_bench.parallel import side_by_side
from subtalar_bench.table import Column, Table, Value

FOLDER = "truth_trials"
_WORDS = {
    "walk_right": "normal walk",
    "bilateral_walk": "both legs, three minutes",
    "overpronated_left_any_mount": "overpronated, sensors strapped on anyhow",
    "run_right": "running (accelerometers clip at 16 g)",
    "walk_right_lossy_100hz": "100 Hz with lost packets",
    "walk_left_soft_tissue": "moving soft tissue (what it does to perfect sensors: 0.8 / 1.2 / 1.8)",
    "walk_right_poor_sensors": "poor sensors (gyroscopes off by 4 °/s, accelerometers by 6 %)",
}
_TITLES = {"live": "live", "smooth": "smoothed"}


@dataclass(frozen=True)
class Score:
    """One side of one trial in one pass; None where the estimator gave no angle, or no strides are scored."""

    trial: str
    side: Side
    kind: str
    knee_bends: bool
    angles: AngleScore | None
    strides: StrideScore | None


def measure(data: Path) -> list[Table]:
    """All tables of the truth trials in ``data``, which is the folder of trials, a single trial, or the folder above.

    Raises InputError where there is none.
    """
    return tables([s for found in side_by_side(score_trial, folders_in(data)) for s in found])


def folders_in(data: Path) -> list[Path]:
    """The trials in ``data`` as ``measure`` takes it. Raises InputError where there is none."""
    existing(data)
    return trial_folders(data / FOLDER if (data / FOLDER).is_dir() else data)


def score_trial(folder: Path) -> list[Score]:
    """Every pass over one trial, with the knee bends and without."""
    trial = read_trial(folder)
    scores = []
    for kind, run in PASSES.items():
        scores += _score(trial, kind, run, trial.blocks(), 0.0, knee_bends=True)
        if any(a.label == "knee_bends" for a in trial.annotations):
            start_s, end_s = cut_s(trial)
            scores += _score(trial, kind, run, blocks_without_bends(trial), end_s - start_s, knee_bends=False)
    return scores


def _score(
    trial: TruthTrial, kind: str, run: Pass, blocks: Iterable[SampleBlock], earlier_s: float, *, knee_bends: bool
) -> list[Score]:
    outcome = run(trial.session.sensors, blocks)
    walk = trial.walking.start_s - earlier_s, trial.walking.end_s - earlier_s
    scores = []
    for side, truth in trial.angles_deg.items():
        true_strides = trial.strides[side].moved(-earlier_s)
        track = outcome.tracks.get(side)
        angles = None if track is None else score_angles(track, trial.time_s - earlier_s, truth, walk, true_strides)
        mine = [s for s in outcome.strides if s.side == side]
        strides = score_strides(mine, true_strides, 0.0 if angles is None else angles.lag_s)
        scores.append(Score(trial.name, side, kind, knee_bends, angles, strides))
    return scores


_WHO = (Column("trial", "trial"), Column("side", "side"))
_THREE = (
    Column("dorsiflexion_deg", "dorsiflexion °"),
    Column("inversion_deg", "inversion °"),
    Column("tibial_rotation_deg", "tibial rotation °"),
)
_REST = (
    Column("lag_ms", "lag ms", 1),
    Column("covered_pct", "covered %", 1),
    Column("first_angle_s", "first angle after s", 1),
)


def tables(scores: list[Score]) -> list[Table]:
    """For each pass: errors (with and without knee bends), honesty of the sd, strides. And a summary of all passes."""
    found = [_summary(scores)]
    for kind in PASSES:
        here = [s for s in scores if s.kind == kind]
        title = _TITLES.get(kind, kind)
        with_bends, without_bends = ([s for s in here if s.knee_bends is k] for k in (True, False))
        errors = (*_WHO, *_THREE, *_REST)
        while_walking = f"Error while walking, {title} angles"
        found += [
            Table(f"{kind}_errors", while_walking, errors, _errors(with_bends)),
            Table(
                f"{kind}_errors_without_knee_bends",
                f"{while_walking}, knee bends cut out",
                errors,
                _errors(without_bends),
            ),
            _honesty(f"{kind}_sd", f"Share of the truth within ±2 sd, {title} angles ({ANGLE_ORDER})", with_bends),
            _strides(f"{kind}_strides", f"Strides, {title}", with_bends),
        ]
    return found


def _summary(scores: list[Score]) -> Table:
    """Errors in the words of people, a row a leg, a column a pass."""
    legs = list(dict.fromkeys((s.trial, s.side) for s in scores))
    columns = [Column(f"{kind}_deg", f"{_TITLES.get(kind, kind)}, ° ({ANGLE_ORDER})") for kind in PASSES]
    rows: list[tuple[Value, ...]] = []
    for trial, side in legs:
        cells: list[Value] = []
        for kind in PASSES:
            (score,) = (s for s in scores if (s.trial, s.side, s.kind, s.knee_bends) == (trial, side, kind, True))
            cells.append(None if score.angles is None else tuple(score.angles.rmse_deg.tolist()))
        rows.append((_WORDS.get(trial, trial.replace("_", " ")), side, *cells))
    return Table("summary", "Error while walking", (*_WHO, *columns), tuple(rows))


def _errors(scores: list[Score]) -> tuple[tuple[Value, ...], ...]:
    return tuple(
        (s.trial, s.side, *([None] * 6))
        if (a := s.angles) is None
        else (s.trial, s.side, *a.rmse_deg.tolist(), 1e3 * a.lag_s, 100 * a.covered, a.first_s)
        for s in scores
    )


def _honesty(key: str, title: str, scores: list[Score]) -> Table:
    columns = (
        Column("whole_walk_pct", "whole walk %", 0),
        Column("first_stride_pct", "first stride %", 0),
        Column("first_ten_pct", "first ten strides %", 0),
        Column("last_ten_pct", "last ten strides %", 0),
    )
    rows: list[tuple[Value, ...]] = []
    for s in scores:
        if (a := s.angles) is not None:
            shares = (a.within, a.within_first, a.within_early, a.within_late)
            rows.append((s.trial, s.side, *(tuple((100 * share).tolist()) for share in shares)))
    return Table(key, title, (*_WHO, *columns), tuple(rows))


def _strides(key: str, title: str, scores: list[Score]) -> Table:
    columns = (
        Column("true", "true", 0),
        Column("found", "found", 0),
        Column("missed", "missed", 0),
        Column("invented", "invented", 0),
        Column("measured", "with angles", 0),
        Column("initial_contact_ms", "initial contact ms", 0),
        Column("foot_off_ms", "foot off ms", 0),
        Column("stride_time_ms", "stride time ms", 1),
        Column("peak_eversion_deg", "peak eversion °"),
        Column("tibial_rotation_excursion_deg", "tibial rotation excursion °"),
        Column("peak_dorsiflexion_deg", "peak dorsiflexion °"),
    )
    rows: list[tuple[Value, ...]] = []
    for s in scores:
        if (x := s.strides) is not None:
            counts = [float(n) for n in (x.true, x.found, x.missed, x.invented, x.measured)]
            times_ms = [1e3 * t for t in (x.initial_contact_s, x.foot_off_s, x.stride_time_s)]
            angles = [x.peak_eversion_deg, x.tibial_rotation_excursion_deg, x.peak_dorsiflexion_deg]
            rows.append((s.trial, s.side, *counts, *times_ms, *angles))
    return Table(key, title, (*_WHO, *columns), tuple(rows))
