"""The measures of one stride (columns of ``strides.csv``) from the angles between two initial contacts.

Eversion is negative inversion. Peaks are sought in stance; velocity is the steepest rise of eversion over 50 ms between
contact and its peak; the coupling is the ratio of eversion excursion to tibial rotation excursion over the same part of
stance (McClay & Manal 1997, doi 10.1016/S0268-0033(97)00006-7).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.angles.subtalar_axis import about_axis
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Records
from subtalar.types import SEVERITY, FloatArray, Quality, Side, Stride

_SEVERITY = np.array(SEVERITY)
_SHOCK_WINDOW_S = 0.15
_SLOPE_S = 0.05
_TURN_DEG = 25.0
_SHUFFLE_M = 0.2
"""Shorter steps are shuffles and adjustments of the stance, marked and not meant for averages."""

STRIDE_ROW = np.dtype(
    [
        ("time_s", "f8"),
        ("dorsiflexion_deg", "f8"),
        ("inversion_deg", "f8"),
        ("rotation_deg", "f8"),
        ("quality", "f8"),
        ("shank_force_m_s2", "f8"),
        ("foot_pitch_deg", "f8"),
        ("real", "f8"),
    ]
)
"""Session time, ankle angles, quality code, magnitude of the specific force of the shank, pitch of the foot to the
floor, whether it was measured (1.0) or bridged."""


class _Stance(NamedTuple):
    """Of stance; ``steepest_deg_s``: rise of eversion until its peak, between instants ``_SLOPE_S`` apart (skin and
    shoe ring after contact for less than that). Excursion of tibial rotation in all of stance, and until that peak.
    """

    peak_eversion_deg: float
    eversion_excursion_deg: float
    peak_s: float
    steepest_deg_s: float
    rotation_excursion_deg: float
    rotation_until_peak_deg: float
    peak_dorsiflexion_deg: float


class _Whole(NamedTuple):
    """Of the whole stride: means and range of the rows with angles, NaN where these are too few; the greatest force of
    the shank around contact; bridged rows; the worst quality.
    """

    mean_rotation_deg: float
    mean_inversion_deg: float
    dorsiflexion_range_deg: float
    shank_force_m_s2: float
    lost: float
    worst: float


class _Pronation(NamedTuple):
    """About the subtalar axis: peak, excursion, and root mean square of what that leaves unexplained."""

    peak_deg: float
    excursion_deg: float
    unexplained_deg: float


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


def measure(frame: StrideFrame, rows: Records, mirror: float, axis: FloatArray) -> Stride:
    """All measures from the rows (n,) from initial contact to the next; NaN where they do not carry one.

    ``mirror`` is 1 on the right and −1 on the left; ``axis`` (3,) is the subtalar axis in the foot.
    """
    duration = frame.next_contact_s - frame.initial_contact_s
    stance, whole, pronation = _measured(rows, frame.initial_contact_s, frame.foot_off_s, mirror, axis)
    peak_pct = 100.0 * (stance.peak_s - frame.initial_contact_s) / (frame.foot_off_s - frame.initial_contact_s)
    turned_deg = stance.rotation_until_peak_deg
    coupling = stance.eversion_excursion_deg / turned_deg if turned_deg > 1.0 else math.nan
    return Stride(
        side=frame.side,
        initial_contact_s=frame.initial_contact_s,
        foot_off_s=frame.foot_off_s,
        stride_time_s=duration,
        stance_ratio=(frame.foot_off_s - frame.initial_contact_s) / duration,
        stride_length_m=frame.length_m,
        peak_eversion_deg=stance.peak_eversion_deg,
        eversion_excursion_deg=stance.eversion_excursion_deg,
        time_to_peak_eversion_pct=peak_pct,
        peak_eversion_velocity_deg_s=stance.steepest_deg_s,
        tibial_rotation_excursion_deg=stance.rotation_excursion_deg,
        eversion_tibial_coupling=coupling,
        peak_dorsiflexion_deg=stance.peak_dorsiflexion_deg,
        peak_tibial_acceleration_g=whole.shank_force_m_s2 / GRAVITY_M_S2,
        foot_strike_angle_deg=float(rows["foot_pitch_deg"][0]) if len(rows) else math.nan,
        foot_progression_deg=frame.progression_deg,
        lost_samples=int(whole.lost),
        quality=_quality(frame, Quality(int(whole.worst))),
        mean_tibial_rotation_deg=whole.mean_rotation_deg,
        mean_inversion_deg=whole.mean_inversion_deg,
        dorsiflexion_range_deg=whole.dorsiflexion_range_deg,
        peak_subtalar_pronation_deg=pronation.peak_deg,
        subtalar_pronation_excursion_deg=pronation.excursion_deg,
        subtalar_unexplained_deg=pronation.unexplained_deg,
        measured_by=frame.measured_by,
    )


@compiled("(row[::1], f8, f8, f8, f8[::1])", row=STRIDE_ROW)
def _measured(
    rows: Records, contact_s: float, foot_off_s: float, mirror: float, axis: FloatArray
) -> tuple[_Stance, _Whole, _Pronation]:
    """What stance shows, what the whole stride shows, and pronation; NaN where too few rows of stance have angles."""
    stance = _known_stance(rows, contact_s, foot_off_s)
    whole = _over_stride(rows, contact_s + _SHOCK_WINDOW_S, len(stance) > 0)
    if len(stance) == 0:
        nan = np.nan
        return _Stance(nan, nan, nan, nan, nan, nan, nan), whole, _Pronation(nan, nan, nan)
    return _in_stance(stance), whole, _pronation(stance, mirror, axis)


@inlined
def _known_stance(rows: Records, contact_s: float, foot_off_s: float) -> Records:
    """The rows (m,) of stance with angles; none where too few have."""
    out = np.empty(len(rows), STRIDE_ROW)
    stance = known = 0
    for i in range(len(rows)):
        if contact_s <= rows[i]["time_s"] <= foot_off_s:
            stance += 1
            if np.isfinite(rows[i]["inversion_deg"]):
                out[known] = rows[i]
                known += 1
    if stance <= 5 or known <= 0.9 * stance:
        known = 0
    return out[:known]


@inlined
def _in_stance(stance: Records) -> _Stance:
    t, dorsiflexion, rotation = stance["time_s"], stance["dorsiflexion_deg"], stance["rotation_deg"]
    eversion = -stance["inversion_deg"]
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
    return _Stance(
        eversion[k],
        eversion[k] - eversion[0],
        t[k],
        steepest,
        rotation.max() - rotation.min(),
        until.max() - until.min(),
        dorsiflexion.max(),
    )


@inlined
def _pronation(stance: Records, mirror: float, axis: FloatArray) -> _Pronation:
    least, first, power = np.inf, 0.0, 0.0
    for i in range(len(stance)):
        inversion, rotation = stance[i]["inversion_deg"], stance[i]["rotation_deg"]
        angle, _, unexplained = about_axis(inversion, rotation, 0.0, 0.0, mirror, quat.vector_of(axis))
        first = angle if i == 0 else first
        least = min(least, angle)
        power += unexplained * unexplained
    return _Pronation(-least, first - least, np.sqrt(power / len(stance)))


@inlined
def _over_stride(rows: Records, shock_until_s: float, known: bool) -> _Whole:
    """The rows with angles count if they are ``known``, the force until an instant."""
    rotation = inversion = lost = worst = 0.0
    lowest, highest, count, shock = np.inf, -np.inf, 0, -np.inf
    for i in range(len(rows)):
        row = rows[i]
        if np.isfinite(row["inversion_deg"]):
            rotation += row["rotation_deg"]
            inversion += row["inversion_deg"]
            lowest, highest = min(lowest, row["dorsiflexion_deg"]), max(highest, row["dorsiflexion_deg"])
            count += 1
        if row["time_s"] <= shock_until_s and not np.isnan(shock):
            shock = row["shank_force_m_s2"] if not row["shank_force_m_s2"] <= shock else shock
        lost += row["real"] < 1
        quality = int(row["quality"])
        if _SEVERITY[quality] > _SEVERITY[int(worst)]:
            worst = row["quality"]
    if not np.isfinite(shock):
        shock = np.nan
    if not known:
        return _Whole(np.nan, np.nan, np.nan, shock, lost, worst)
    return _Whole(rotation / count, inversion / count, highest - lowest, shock, lost, worst)


def _quality(frame: StrideFrame, worst: Quality) -> str:
    if worst.severity >= Quality.CLIPPED.severity:
        return worst.label
    if abs(frame.turn_deg) > _TURN_DEG:
        return "turn"
    if frame.length_m < _SHUFFLE_M:
        return "shuffle"
    return worst.label
