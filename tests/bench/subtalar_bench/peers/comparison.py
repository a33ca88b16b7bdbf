"""Ours, told nothing, beside VQF, Fusion and qmt, told mounting, clocks and biases: the same trials, the same score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtalar.session.estimates import AngleTrack, estimate_live
from subtalar.types import FloatArray, Side
from subtalar_bench.accuracy.angle_score import ANGLE_ORDER, score_angles
from subtalar_bench.accuracy.truth_trial import TruthTrial, read_trial
from subtalar_bench.accuracy.truth_trials import folders_in
from subtalar_bench.parallel import side_by_side
from subtalar_bench.peers import filters
from subtalar_bench.peers.joint import ankle_fixed_in_standing, ankle_heading_corrected
from subtalar_bench.peers.peer_input import input_from_truth
from subtalar_bench.table import Column, Table, Value

OURS = "subtalar, told nothing"
_DIVERGED_DEG = 20.0


@dataclass(frozen=True)
class PeerScore:
    """Root mean square errors (3,) of one leg by one method; None where it gave no angle."""

    trial: str
    side: Side
    method: str
    rmse_deg: FloatArray | None


def measure(data: Path) -> list[Table]:
    """Every truth trial in ``data`` by every method. Raises InputError where trials or a package are missing."""
    folders = folders_in(data)
    for name in ("imufusion", "qmt"):
        filters.optional(name)
    return [table([s for found in side_by_side(measure_trial, folders) for s in found])]


def measure_trial(folder: Path) -> list[PeerScore]:
    """One trial."""
    trial = read_trial(folder)
    ours = estimate_live(trial.session.sensors, trial.blocks()).tracks
    scores = []
    for side in trial.angles_deg:
        given = input_from_truth(trial, side)
        tracks = {
            OURS: ours.get(side),
            "VQF, heading fixed in standing": ankle_fixed_in_standing(given, filters.vqf),
            "Fusion, heading fixed in standing": ankle_fixed_in_standing(given, filters.fusion),
            "VQF with qmt's heading correction": ankle_heading_corrected(given, filters.vqf, trial.walking.start_s),
        }
        scores += [PeerScore(trial.name, side, name, _rmse(trial, side, track)) for name, track in tracks.items()]
    return scores


def _rmse(trial: TruthTrial, side: Side, track: AngleTrack | None) -> FloatArray | None:
    if track is None:
        return None
    walk = trial.walking.start_s, trial.walking.end_s
    score = score_angles(track, trial.time_s, trial.angles_deg[side], walk, trial.strides[side])
    return None if score is None else score.rmse_deg


def table(scores: list[PeerScore]) -> Table:
    """A row a leg, a column a method."""
    legs = list(dict.fromkeys((s.trial, s.side) for s in scores))
    methods = list(dict.fromkeys(s.method for s in scores))
    by_cell = {(s.trial, s.side, s.method): s.rmse_deg for s in scores}
    rows = tuple((trial, side, *(_cell(by_cell[trial, side, m]) for m in methods)) for trial, side in legs)
    columns = (Column("trial", "trial"), Column("side", "side"), *(Column(_key(m), m, 1) for m in methods))
    return Table("peers", f"Error while walking, ° ({ANGLE_ORDER})", columns, rows)


def _key(method: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in method.lower().replace("'s", "")).replace("__", "_") + "_deg"


def _cell(rmse_deg: FloatArray | None) -> Value:
    if rmse_deg is None:
        return "no angles"
    return tuple(rmse_deg.tolist()) if np.max(rmse_deg) < _DIVERGED_DEG else "diverged"
