"""The measures of one stride (columns of ``strides.csv``) from the angles between two initial contacts.

Eversion is negative inversion. Peaks are sought in stance; velocity is the steepest rise of eversion over 50 ms between
contact and its peak; the coupling is the ratio of eversion excursion to tibial rotation excursion over the same part of
stance (McClay & Manal 1997, doi 10.1016/S0268-0033(97)00006-7).
"""

import math
from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.angles.subtalar_axis import about_axis
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.types import FloatArray, Quality, Side, Stride

_SHOCK_WINDOW_S = 0.15
_SLOPE_S = 0.05
_TURN_DEG = 25.0
_SHUFFLE_M = 0.2
"""Shorter steps are shuffles and adjustments of the stance, marked and not meant for averages."""

# Columns of the rows of a stride: session time, ankle angles, quality code, specific force of the shank (m/s²), pitch
# of the foot to the floor, whether it was measured (1.0) or bridged.
TIME, ANGLES, QUALITY, SHOCK, PITCH, REAL, WIDTH = 0, slice(1, 4), 4, 5, 6, 7, 8
_DORSIFLEXION, _INVERSION, _ROTATION = range(ANGLES.start, ANGLES.stop)


_Stance = tuple[float, float, float, float, float, float, float]
_Whole = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class StrideFrame:
    """What is known of the stride beside its samples."""

    side: Side
    initial_contact_s: float
    foot_off_s: float
    next_contact_s: float
    length_m: float
    progression_deg: float
    turn_deg: float
    measured_by: str


def measure(frame: StrideFrame, rows: FloatArray, mirror: float, axis: FloatArray) -> Stride:
    """All measures from the rows (n, ``WIDTH``) from initial contact to the next; NaN where they do not carry one.

    ``mirror`` is 1 on the right and −1 on the left; ``axis`` (3,) is the subtalar axis in the foot.
    """
    duration = frame.next_contact_s - frame.initial_contact_s
    stance, whole, pronation = _measured(rows, frame.initial_contact_s, frame.foot_off_s, mirror, axis)
    peak, excursion, peak_s, velocity, rotation_excursion, turned, peak_dorsiflexion = stance
    mean_rotation, mean_inversion, dorsiflexion_range, shock, lost, worst = whole
    peak_pronation, pronation_excursion, residual = pronation
    peak_pct = 100.0 * (peak_s - frame.initial_contact_s) / (frame.foot_off_s - frame.initial_contact_s)
    coupling = excursion / turned if turned > 1.0 else math.nan
    return Stride(
        side=frame.side,
        initial_contact_s=frame.initial_contact_s,
        foot_off_s=frame.foot_off_s,
        stride_time_s=duration,
        stance_ratio=(frame.foot_off_s - frame.initial_contact_s) / duration,
        stride_length_m=frame.length_m,
        peak_eversion_deg=peak,
        eversion_excursion_deg=excursion,
        time_to_peak_eversion_pct=peak_pct,
        peak_eversion_velocity_deg_s=velocity,
        tibial_rotation_excursion_deg=rotation_excursion,
        eversion_tibial_coupling=coupling,
        peak_dorsiflexion_deg=peak_dorsiflexion,
        peak_tibial_acceleration_g=shock / GRAVITY_M_S2,
        foot_strike_angle_deg=float(rows[0, PITCH]) if len(rows) else math.nan,
        foot_progression_deg=frame.progression_deg,
        lost_samples=int(lost),
        quality=_quality(frame, Quality(int(worst))),
        mean_tibial_rotation_deg=mean_rotation,
        mean_inversion_deg=mean_inversion,
        dorsiflexion_range_deg=dorsiflexion_range,
        peak_subtalar_pronation_deg=peak_pronation,
        subtalar_pronation_excursion_deg=pronation_excursion,
        subtalar_unexplained_deg=residual,
        measured_by=frame.measured_by,
    )


@compiled("(f8[:,::1], f8, f8, f8, f8[::1])")
def _measured(
    rows: FloatArray, contact_s: float, foot_off_s: float, mirror: float, axis: FloatArray
) -> tuple[_Stance, _Whole, quat.Vector]:
    """What stance tells, what the whole stride tells, and pronation."""
    stance = _known_stance(rows, contact_s, foot_off_s)
    whole = _over_stride(rows, contact_s + _SHOCK_WINDOW_S, len(stance) > 0)
    if len(stance) == 0:
        nan = np.nan
        return (nan, nan, nan, nan, nan, nan, nan), whole, (nan, nan, nan)
    return _in_stance(stance), whole, _pronation(stance, mirror, axis)


@inlined
def _known_stance(rows: FloatArray, contact_s: float, foot_off_s: float) -> FloatArray:
    """Time, dorsiflexion, inversion and rotation (m, 4) of the rows of stance with angles; none where too few have."""
    out = np.empty((len(rows), 4))
    stance = known = 0
    for i in range(len(rows)):
        if contact_s <= rows[i, TIME] <= foot_off_s:
            stance += 1
            if np.isfinite(rows[i, _INVERSION]):
                out[known, 0] = rows[i, TIME]
                for k in range(3):
                    out[known, 1 + k] = rows[i, _DORSIFLEXION + k]
                known += 1
    if stance <= 5 or known <= 0.9 * stance:
        known = 0
    return out[:known]


@inlined
def _in_stance(stance: FloatArray) -> _Stance:
    """Peak eversion, eversion excursion, time of the peak, steepest rise of eversion until then (°/s between instants
    ``_SLOPE_S`` apart: skin and shoe ring after contact for less than that), excursion of tibial rotation in stance and
    until the peak, peak dorsiflexion.
    """
    t, dorsiflexion, eversion, rotation = stance[:, 0], stance[:, 1], -stance[:, 2], stance[:, 3]
    k = int(np.argmax(eversion))
    steepest, later = np.nan, 0
    for i in range(k + 1):
        while later <= k and t[later] < t[i] + _SLOPE_S:
            later += 1
        if later > k:
            break
        rise = (eversion[later] - eversion[i]) / (t[later] - t[i])
        if not rise <= steepest:
            steepest = rise
    until = rotation[: k + 1]
    return (
        eversion[k],
        eversion[k] - eversion[0],
        t[k],
        steepest,
        rotation.max() - rotation.min(),
        until.max() - until.min(),
        dorsiflexion.max(),
    )


@inlined
def _pronation(stance: FloatArray, mirror: float, axis: FloatArray) -> quat.Vector:
    """Peak and excursion of pronation about the subtalar axis, and root mean square of what it leaves unexplained."""
    least, first, power = np.inf, 0.0, 0.0
    for i in range(len(stance)):
        angle, _, unexplained = about_axis(stance[i, 2], stance[i, 3], 0.0, 0.0, mirror, (axis[0], axis[1], axis[2]))
        first = angle if i == 0 else first
        least = min(least, angle)
        power += unexplained * unexplained
    return -least, first - least, np.sqrt(power / len(stance))


@inlined
def _over_stride(rows: FloatArray, shock_until_s: float, known: bool) -> _Whole:
    """Mean tibial rotation, mean inversion and range of dorsiflexion of the rows with angles, if they are ``known``;
    the greatest force of the shank until an instant, NaN where one is unknown; bridged rows; the worst quality.
    """
    rotation = inversion = lost = worst = 0.0
    lowest, highest, count, shock = np.inf, -np.inf, 0, -np.inf
    for i in range(len(rows)):
        if np.isfinite(rows[i, _INVERSION]):
            rotation += rows[i, _ROTATION]
            inversion += rows[i, _INVERSION]
            lowest, highest = min(lowest, rows[i, _DORSIFLEXION]), max(highest, rows[i, _DORSIFLEXION])
            count += 1
        if rows[i, TIME] <= shock_until_s and not np.isnan(shock):
            shock = rows[i, SHOCK] if not rows[i, SHOCK] <= shock else shock
        lost += rows[i, REAL] < 1
        worst = max(worst, rows[i, QUALITY])
    if not np.isfinite(shock):
        shock = np.nan
    if not known:
        return np.nan, np.nan, np.nan, shock, lost, worst
    return rotation / count, inversion / count, highest - lowest, shock, lost, worst


def _quality(frame: StrideFrame, worst: Quality) -> str:
    if worst >= Quality.CLIPPED:
        return worst.label
    if abs(frame.turn_deg) > _TURN_DEG:
        return "turn"
    if frame.length_m < _SHUFFLE_M:
        return "shuffle"
    return worst.label
