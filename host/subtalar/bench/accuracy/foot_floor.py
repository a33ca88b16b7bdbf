"""A foot sensor alone: pitch and inversion to the floor against optical markers, strides against a list.

The markers' own frame is made level over the rests of the foot, as the sensor's is; each angle's constant offset is
taken out. The distances between the markers vary by 1 to 4 mm (the shoe bends): the reference is 1 to 3° itself.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from vqf import VQF

from subtalar.bench.accuracy.estimates import Outcome, estimate_live
from subtalar.bench.accuracy.foot_markers import (
    FloorError,
    compare,
    compare_turned,
    levelled,
    up_in_foot,
    up_of_angles,
)
from subtalar.bench.accuracy.foot_recording import MARKER_RATE_HZ, RATE_HZ, FootRecording, read_foot
from subtalar.bench.accuracy.front_end import rests, rows_of
from subtalar.bench.accuracy.recordings import existing
from subtalar.bench.accuracy.stride_score import StrideScore, score_strides
from subtalar.bench.parallel import side_by_side
from subtalar.bench.table import Column, Table, Value
from subtalar.conventions import FURTHER_ANGLE_NAMES
from subtalar.estimation import quaternions as quat
from subtalar.estimation import sensor_stream as stream
from subtalar.types import SIDES, BodySite, FloatArray, SampleBlock, SensorInfo, Side

FOLDER = "gaitmap_foot_mocap"
_FLOOR = [FURTHER_ANGLE_NAMES.index("foot_pitch"), FURTHER_ANGLE_NAMES.index("foot_inversion")]
_LAGS_S = np.arange(-0.050, 0.0501, 0.0025)


@dataclass(frozen=True)
class FootScore:
    """One foot: angles as they are, with the yaw fitted, VQF with all of its mounting fitted; strides."""

    side: Side
    covered: float
    ours: FloorError | None
    ours_turned: FloorError | None
    vqf: FloorError
    strides: StrideScore


def measure(data: Path) -> list[Table]:
    """Both feet of ``data/gaitmap_foot_mocap``."""
    folder = existing(data, FOLDER)
    return tables(side_by_side(measure_foot, [(folder, side) for side in SIDES]))


def tables(feet: list[FootScore]) -> list[Table]:
    """Angles to the floor, and strides."""
    return [_angles(feet), _strides(feet)]


def measure_foot(foot: tuple[Path, Side]) -> FootScore:
    """One foot of the recording in a folder."""
    recording = read_foot(*foot)
    t, truth = _reference(recording)
    outcome = foot_alone(recording)
    times, up = _estimated(outcome, recording.side)
    own = np.zeros(len(t), dtype=bool) if len(times) < 2 else (t >= times[0]) & (t <= times[-1])
    known = None if not own.any() else (t[own], truth[own], times, up, recording.side)
    return FootScore(
        recording.side,
        float(own.mean()),
        None if known is None else compare(*known),
        None if known is None else compare_turned(*known),
        _vqf(recording, t[own] if own.any() else t, truth[own] if own.any() else truth),
        score_strides(outcome.strides, recording.strides, 0.0),
    )


def foot_alone(recording: FootRecording) -> Outcome:
    """The estimator with this one sensor."""
    site = BodySite.of(recording.side, "foot")
    acc, gyr = (np.ascontiguousarray(x) for x in (recording.acc_m_s2, recording.gyr_rad_s))
    block = SampleBlock(site, recording.time_s, recording.time_s, acc, gyr)
    return estimate_live({site: SensorInfo(site, RATE_HZ)}, [block])


def _estimated(outcome: Outcome, side: Side) -> tuple[FloatArray, FloatArray]:
    """Times (n,) and verticals (n, 3) in foot axes of all rows that have both angles."""
    track = outcome.tracks.get(side)
    if track is None:
        return np.empty(0), np.empty((0, 3))
    angles = track.further_deg[:, _FLOOR]
    known = np.isfinite(angles).all(axis=1)
    return track.time_s[known], up_of_angles(angles[known], side)


def _reference(recording: FootRecording) -> tuple[FloatArray, FloatArray]:
    """Marker times (n,) and true verticals (n, 3) in a foot frame that is level in the rests of the foot."""
    up = up_in_foot(recording.toe_m, recording.heel_m, recording.fifth_m, recording.side)
    rows = rows_of(BodySite.of(recording.side, "foot"), recording.time_s, recording.acc_m_s2, recording.gyr_rad_s)
    flat_s = np.array([rows[flat.first, stream.TIME] for flat in rests(rows)])
    flat = np.clip(np.round(flat_s * MARKER_RATE_HZ).astype(int), 0, len(up) - 1)
    level = levelled(up, up[flat].mean(axis=0))
    seen = np.isfinite(level).all(axis=1)
    return recording.marker_time_s[seen], level[seen]


def _vqf(recording: FootRecording, t: FloatArray, truth: FloatArray) -> FloorError:
    """VQF with the constant rotation from its sensor to the markers' frame that suits the whole recording best."""
    acc, gyr = (np.ascontiguousarray(x) for x in (recording.acc_m_s2, recording.gyr_rad_s))
    q = VQF(1.0 / RATE_HZ).updateBatch(gyr, acc)["quat6D"]
    up = quat.rotate(quat.conjugate(q), np.broadcast_to(np.array([0.0, 0.0, 1.0]), (len(q), 3)))
    best = None
    for lag in _LAGS_S:
        here = np.stack([np.interp(t + lag, recording.time_s, up[:, k]) for k in range(3)], axis=1)
        u, _, vt = np.linalg.svd(truth.T @ here)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        error = compare(t, truth, recording.time_s, up @ turn.T, recording.side)
        if best is None or error.pitch_deg + error.inversion_deg < best.pitch_deg + best.inversion_deg:
            best = error
    assert best is not None
    return best


def _angles(feet: list[FootScore]) -> Table:
    columns = (
        Column("side", "foot"),
        Column("method", "method"),
        Column("pitch_deg", "pitch °"),
        Column("inversion_deg", "inversion °"),
        Column("lag_ms", "lag ms", 1),
        Column("yaw_deg", "yaw fitted °", 1),
        Column("covered_pct", "covered %", 0),
    )
    rows: list[tuple[Value, ...]] = []
    for f in feet:
        methods: tuple[tuple[str, FloorError | None, bool, float], ...] = (
            ("subtalar, foot sensor alone", f.ours, False, f.covered),
            ("the same, one yaw fitted", f.ours_turned, True, f.covered),
            ("VQF, mounting fitted", f.vqf, False, 1.0),
        )
        for name, error, yaw, covered in methods:
            if error is None:
                rows.append((f.side, name, None, None, None, None, 0.0))
            else:
                angle = error.yaw_deg if yaw else None
                figures = (error.pitch_deg, error.inversion_deg, 1e3 * error.lag_s, angle, 100 * covered)
                rows.append((f.side, name, *figures))
    return Table("foot_floor", "Foot to the floor against three optical markers, RMS", columns, tuple(rows))


def _strides(feet: list[FootScore]) -> Table:
    columns = (
        Column("side", "foot"),
        Column("listed", "listed", 0),
        Column("found", "found", 0),
        Column("missed", "missed", 0),
        Column("invented", "beside the list", 0),
        Column("initial_contact_ms", "initial contact ms", 0),
        Column("foot_off_ms", "foot off ms", 0),
        Column("stride_time_ms", "stride time ms", 0),
    )
    rows = tuple(
        (
            f.side,
            *(float(n) for n in (f.strides.true, f.strides.found, f.strides.missed, f.strides.invented)),
            *(1e3 * s for s in (f.strides.initial_contact_s, f.strides.foot_off_s, f.strides.stride_time_s)),
        )
        for f in feet
    )
    return Table("foot_strides", "Strides of the foot sensor alone against the list", columns, rows)
