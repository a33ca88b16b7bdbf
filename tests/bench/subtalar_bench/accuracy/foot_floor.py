"""A foot sensor alone: pitch and inversion to the floor against optical markers, strides against a list.

The markers' own frame is made level over the rests of the foot, as the sensor's is; each angle's constant offset is
taken out. At push-off the shoe bends and the markers show the toes' part of it: figures without that are given too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from vqf import VQF

from subtalar.anatomy import angle_index
from subtalar.estimation.numerics import quaternions as quat
from subtalar.session.estimates import SessionEstimates, estimate_live
from subtalar.types import SIDES, BodySite, FloatArray, SampleBlock, SensorInfo, Side
from subtalar_bench.accuracy.foot_markers import (
    LAGS_S,
    FloorError,
    Reference,
    compare,
    compare_turned,
    levelled,
    unbent,
    up_in_foot,
    up_of_angles,
)
from subtalar_bench.accuracy.foot_recording import MARKER_RATE_HZ, RATE_HZ, FootRecording, read_foot
from subtalar_bench.accuracy.front_end import rests, rows_of
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.accuracy.stride_score import StrideScore, score_strides
from subtalar_bench.arrays import at, rotation_to
from subtalar_bench.parallel import side_by_side
from subtalar_bench.table import Column, Table, Value

FOLDER = "gaitmap_foot_mocap"
_FLOOR = [angle_index("foot_pitch"), angle_index("foot_inversion")]


@dataclass(frozen=True)
class FootScore:
    """One foot: angles as they are, with the yaw fitted, VQF with all of its mounting fitted; strides.

    Shares from 0 to 1: of the optical recording that has angles, and of that part with the shoe unbent.
    """

    side: Side
    covered: float
    unbent: float
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
    outcome = foot_alone(recording)
    times, up = _estimated(outcome, recording.side)
    whole = _reference(recording)
    given = len(times) > 1
    reference = whole.between(times[0], times[-1]) if given else whole
    return FootScore(
        recording.side,
        len(reference.time_s) / len(whole.time_s) if given else 0.0,
        float(reference.unbent.mean()),
        compare(reference, times, up, recording.side) if given else None,
        compare_turned(reference, times, up, recording.side) if given else None,
        _vqf(recording, reference),
        score_strides(outcome.strides, recording.strides, 0.0),
    )


def foot_alone(recording: FootRecording) -> SessionEstimates:
    """The estimator with this one sensor."""
    site = BodySite.of(recording.side, "foot")
    acc, gyr = (np.ascontiguousarray(x) for x in (recording.acc_m_s2, recording.gyr_rad_s))
    block = SampleBlock(site, recording.time_s, recording.time_s, acc, gyr)
    return estimate_live({site: SensorInfo(site, RATE_HZ)}, [block])


def _estimated(outcome: SessionEstimates, side: Side) -> tuple[FloatArray, FloatArray]:
    """Times (n,) and verticals (n, 3) in foot axes of all rows that have both angles."""
    track = outcome.tracks.get(side)
    if track is None:
        return np.empty(0), np.empty((0, 3))
    angles = track.angles_deg[:, _FLOOR]
    known = np.isfinite(angles).all(axis=1)
    return track.time_s[known], up_of_angles(angles[known], side)


def _reference(recording: FootRecording) -> Reference:
    """From the markers, in a foot frame that is level in the rests of the foot."""
    markers = recording.toe_m, recording.heel_m, recording.fifth_m
    up = up_in_foot(*markers, recording.side)
    rows = rows_of(BodySite.of(recording.side, "foot"), recording.time_s, recording.acc_m_s2, recording.gyr_rad_s)
    flat_s = np.array([rows["time_s"][flat.first] for flat in rests(rows)])
    flat = np.clip(np.round(flat_s * MARKER_RATE_HZ).astype(int), 0, len(up) - 1)
    return Reference(recording.marker_time_s, levelled(up, up[flat].mean(axis=0)), unbent(*markers))


def _vqf(recording: FootRecording, reference: Reference) -> FloorError:
    """VQF with the constant rotation from its sensor to the markers' frame that suits the whole recording best."""
    acc, gyr = (np.ascontiguousarray(x) for x in (recording.acc_m_s2, recording.gyr_rad_s))
    q = VQF(1.0 / RATE_HZ).updateBatch(gyr, acc)["quat6D"]
    up = quat.rotate(quat.conjugate(q), np.broadcast_to(np.array([0.0, 0.0, 1.0]), (len(q), 3)))
    errors = []
    for lag in LAGS_S:
        turn = rotation_to(reference.up, at(reference.time_s + lag, recording.time_s, up))
        errors.append(compare(reference, recording.time_s, up @ turn.T, recording.side))
    return min(errors, key=lambda error: error.pitch_deg + error.inversion_deg)


def _angles(feet: list[FootScore]) -> Table:
    columns = (
        Column("side", "foot"),
        Column("method", "method"),
        Column("pitch_deg", "pitch °"),
        Column("inversion_deg", "inversion °"),
        Column("unbent_pitch_deg", "shoe unbent: pitch °"),
        Column("unbent_inversion_deg", "inversion °"),
        Column("lag_ms", "lag ms", 1),
        Column("yaw_deg", "yaw fitted °", 1),
        Column("covered_pct", "covered %", 0),
        Column("unbent_pct", "of it unbent %", 0),
    )
    rows: list[tuple[Value, ...]] = []
    for f in feet:
        methods: tuple[tuple[str, FloorError | None, bool, float], ...] = (
            ("subtalar, foot sensor alone", f.ours, False, f.covered),
            ("the same, one yaw fitted", f.ours_turned, True, f.covered),
            ("VQF, mounting fitted", f.vqf, False, f.covered or 1.0),
        )
        for name, error, yaw, covered in methods:
            if error is None:
                rows.append((f.side, name, *([None] * 6), 0.0, None))
            else:
                angle = error.yaw_deg if yaw else None
                whole, part = (
                    (error.pitch_deg, error.inversion_deg),
                    (error.unbent_pitch_deg, error.unbent_inversion_deg),
                )
                rows.append((f.side, name, *whole, *part, 1e3 * error.lag_s, angle, 100 * covered, 100 * f.unbent))
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
