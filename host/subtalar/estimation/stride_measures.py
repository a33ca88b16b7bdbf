"""The measures of one stride (columns of ``strides.csv``) from the angles between two initial contacts.

Eversion is negative inversion. Peaks are sought in stance; velocity is the steepest rise of eversion over 50 ms between
contact and its peak; the coupling is the ratio of eversion excursion to tibial rotation excursion over the same part of
stance (McClay & Manal 1997, doi 10.1016/S0268-0033(97)00006-7).
"""

from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.compiled import compiled
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.estimation.subtalar_axis import about_axis, axis_in_foot
from subtalar.types import FloatArray, Quality, Side, Stride

_SHOCK_WINDOW_S = 0.15
_SLOPE_S = 0.05
_TURN_DEG = 25.0
_SHUFFLE_M = 0.2
"""Shorter steps are shuffles and adjustments of the stance, marked and not meant for averages."""


@dataclass(frozen=True)
class StrideSamples:
    """Rows (n,) from initial contact to the next: time, angles (n, 3), quality codes, specific force of the shank."""

    time_s: FloatArray
    angles_deg: FloatArray
    quality: FloatArray
    shock_m_s2: FloatArray
    foot_pitch_deg: FloatArray


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
    lost_samples: int
    subtalar_axis: SubtalarAxis
    measured_by: str


def measure(frame: StrideFrame, samples: StrideSamples) -> Stride:
    """All measures; NaN where the samples do not carry one."""
    duration = frame.next_contact_s - frame.initial_contact_s
    t = samples.time_s
    nan = float("nan")
    peak = excursion = peak_pct = velocity = rotation_excursion = coupling = peak_dorsiflexion = nan
    mean_rotation = mean_inversion = dorsiflexion_range = nan
    peak_pronation = pronation_excursion = residual = nan
    stance = _known_stance(t, samples.angles_deg, frame.initial_contact_s, frame.foot_off_s)
    if len(stance):
        peak, excursion, peak_s, velocity, rotation_excursion, turned, peak_dorsiflexion = _in_stance(stance)
        peak_pct = 100.0 * (peak_s - frame.initial_contact_s) / (frame.foot_off_s - frame.initial_contact_s)
        coupling = excursion / turned if turned > 1.0 else nan
        mean_rotation, mean_inversion, dorsiflexion_range = _over_stride(samples.angles_deg)
        mirror = 1.0 if frame.side == "right" else -1.0
        axis = axis_in_foot(frame.subtalar_axis, frame.side)
        peak_pronation, pronation_excursion, residual = _pronation(stance, mirror, axis)
    shock = _greatest(t, samples.shock_m_s2, frame.initial_contact_s, frame.initial_contact_s + _SHOCK_WINDOW_S)
    strike = samples.foot_pitch_deg[:1]
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
        foot_strike_angle_deg=float(strike[0]) if len(strike) else nan,
        foot_progression_deg=frame.progression_deg,
        lost_samples=frame.lost_samples,
        quality=_quality(frame, samples),
        mean_tibial_rotation_deg=mean_rotation,
        mean_inversion_deg=mean_inversion,
        dorsiflexion_range_deg=dorsiflexion_range,
        peak_subtalar_pronation_deg=peak_pronation,
        subtalar_pronation_excursion_deg=pronation_excursion,
        subtalar_unexplained_deg=residual,
        measured_by=frame.measured_by,
    )


@compiled("(f8[:], f8[:,:], f8, f8)")
def _known_stance(t: FloatArray, angles_deg: FloatArray, contact_s: float, foot_off_s: float) -> FloatArray:
    """Time, dorsiflexion, inversion and rotation (m, 4) of the rows of stance with angles; none where too few have."""
    out = np.empty((len(t), 4))
    stance = known = 0
    for i in range(len(t)):
        if contact_s <= t[i] <= foot_off_s:
            stance += 1
            if np.isfinite(angles_deg[i, 1]):
                out[known, 0], out[known, 1] = t[i], angles_deg[i, 0]
                out[known, 2], out[known, 3] = angles_deg[i, 1], angles_deg[i, 2]
                known += 1
    if stance <= 5 or known <= 0.9 * stance:
        known = 0
    return out[:known]


@compiled("(f8[:,::1],)")
def _in_stance(stance: FloatArray) -> tuple[float, float, float, float, float, float, float]:
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


@compiled("(f8[:,::1], f8, f8[::1])")
def _pronation(stance: FloatArray, mirror: float, axis: FloatArray) -> tuple[float, float, float]:
    """Peak and excursion of pronation about the subtalar axis, and root mean square of what it leaves unexplained."""
    least, first, power = np.inf, 0.0, 0.0
    for i in range(len(stance)):
        angle, _, unexplained = about_axis(stance[i, 2], stance[i, 3], 0.0, 0.0, mirror, (axis[0], axis[1], axis[2]))
        first = angle if i == 0 else first
        least = min(least, angle)
        power += unexplained * unexplained
    return -least, first - least, np.sqrt(power / len(stance))


@compiled("(f8[:], f8[:], f8, f8)")
def _greatest(t: FloatArray, values: FloatArray, begin_s: float, end_s: float) -> float:
    """The greatest value between two times; NaN where there is none, or one is unknown."""
    greatest, empty = np.nan, True
    for i in range(len(t)):
        if begin_s <= t[i] <= end_s:
            if empty or values[i] > greatest or np.isnan(values[i]):
                greatest = values[i]
            empty = False
            if np.isnan(greatest):
                break
    return float(greatest)


@compiled("(f8[:,:],)")
def _over_stride(angles_deg: FloatArray) -> tuple[float, float, float]:
    """Mean tibial rotation, mean inversion and range of dorsiflexion of the rows (n, 3) with angles."""
    rotation = inversion = 0.0
    lowest, highest, known = np.inf, -np.inf, 0
    for i in range(len(angles_deg)):
        if np.isfinite(angles_deg[i, 1]):
            rotation += angles_deg[i, 2]
            inversion += angles_deg[i, 1]
            lowest, highest = min(lowest, angles_deg[i, 0]), max(highest, angles_deg[i, 0])
            known += 1
    return rotation / known, inversion / known, highest - lowest


def _quality(frame: StrideFrame, samples: StrideSamples) -> str:
    worst = Quality(int(samples.quality.max()))
    if worst >= Quality.CLIPPED:
        return worst.label
    if abs(frame.turn_deg) > _TURN_DEG:
        return "turn"
    if frame.length_m < _SHUFFLE_M:
        return "shuffle"
    return worst.label
