"""The measures of one stride (columns of ``strides.csv``) from the angles between two initial contacts.

Eversion is negative inversion. Peaks are sought in stance; velocity is the steepest rise of eversion over 50 ms between
contact and its peak; the coupling is the ratio of eversion excursion to tibial rotation excursion over the same part of
stance (McClay & Manal 1997, doi 10.1016/S0268-0033(97)00006-7).
"""

from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.estimation.subtalar_axis import subtalar_angles
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
    stance = (t >= frame.initial_contact_s) & (t <= frame.foot_off_s)
    dorsiflexion, inversion, rotation = samples.angles_deg.T
    known = np.isfinite(inversion)
    measured = bool(stance.sum() > 5 and known[stance].mean() > 0.9)
    nan = float("nan")
    peak = excursion = peak_pct = velocity = rotation_excursion = coupling = peak_dorsiflexion = nan
    peak_pronation = pronation_excursion = residual = nan
    if measured:
        ts, ev = t[stance & known], -inversion[stance & known]
        k = int(np.argmax(ev))
        peak, excursion = float(ev[k]), float(ev[k] - ev[0])
        peak_pct = 100.0 * float(ts[k] - frame.initial_contact_s) / (frame.foot_off_s - frame.initial_contact_s)
        velocity = _steepest_rise(ts[: k + 1], ev[: k + 1])
        rotation_stance = rotation[stance & known]
        rotation_excursion = float(rotation_stance.max() - rotation_stance.min())
        to_peak = rotation_stance[: k + 1]
        turned = float(to_peak.max() - to_peak.min())
        coupling = excursion / turned if turned > 1.0 else nan
        peak_dorsiflexion = float(dorsiflexion[stance & known].max())
        about_axis, _, unexplained = subtalar_angles(
            samples.angles_deg[stance & known], np.zeros((1, 3)), frame.subtalar_axis, frame.side
        )
        peak_pronation = float(-about_axis.min())
        pronation_excursion = float(about_axis[0] - about_axis.min())
        residual = float(np.sqrt(np.mean(unexplained * unexplained)))
    landing = (t >= frame.initial_contact_s) & (t <= frame.initial_contact_s + _SHOCK_WINDOW_S)
    shock = samples.shock_m_s2[landing]
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
        peak_tibial_acceleration_g=float(shock.max()) / GRAVITY_M_S2 if len(shock) else nan,
        foot_strike_angle_deg=float(strike[0]) if len(strike) else nan,
        foot_progression_deg=frame.progression_deg,
        lost_samples=frame.lost_samples,
        quality=_quality(frame, samples),
        mean_tibial_rotation_deg=float(rotation[known].mean()) if measured else nan,
        mean_inversion_deg=float(inversion[known].mean()) if measured else nan,
        dorsiflexion_range_deg=float(np.ptp(dorsiflexion[known])) if measured else nan,
        peak_subtalar_pronation_deg=peak_pronation,
        subtalar_pronation_excursion_deg=pronation_excursion,
        subtalar_unexplained_deg=residual,
        measured_by=frame.measured_by,
    )


def _steepest_rise(t: FloatArray, angle_deg: FloatArray) -> float:
    """Largest slope (°/s) between instants ``_SLOPE_S`` apart: skin and shoe ring after contact for less than that."""
    later = np.searchsorted(t, t + _SLOPE_S)
    inside = later < len(t)
    if not inside.any():
        return float("nan")
    rise = angle_deg[later[inside]] - angle_deg[inside]
    return float(np.max(rise / (t[later[inside]] - t[inside])))


def _quality(frame: StrideFrame, samples: StrideSamples) -> str:
    worst = Quality(int(samples.quality.max()))
    if worst >= Quality.CLIPPED:
        return worst.label
    if abs(frame.turn_deg) > _TURN_DEG:
        return "turn"
    if frame.length_m < _SHUFFLE_M:
        return "shuffle"
    return worst.label
