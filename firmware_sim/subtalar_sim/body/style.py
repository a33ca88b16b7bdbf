"""Ways of walking: curves of the ankle angles over the gait cycle, and what goes with them.

The curves are the project's own smooth reading (knots, degrees) of the shapes published for healthy adults; all are
relative to quiet standing. Dorsiflexion and foot-to-ground angle: Winter 1991, *The Biomechanics and Motor Control of
Human Gait*; Perry & Burnfield 2010, *Gait Analysis*. Rear-foot inversion and tibial rotation: Reinschmidt et al. 1997
(bone pins, Gait & Posture 6:98-109), Leardini et al. 2007 (Gait & Posture 25:453-462), Nester et al. 2007 (J Biomech
40:3412-3423). Coupling of eversion and tibial rotation: Hamill et al. 1999 (Clin Biomech 14:297-308). No individual
was measured; amplitudes are round numbers inside the published bands.
"""

from dataclasses import dataclass, replace
from typing import Final

Knots = tuple[tuple[float, float], ...]
"""(fraction of the gait cycle from initial contact, degrees)."""

FOOT_FLAT_FROM: Final = 0.12
FOOT_FLAT_TO: Final = 0.38
TOE_OFF: Final = 0.62
"""Landmarks on the phase axis of every curve; a style's own stance ratio is made by running time unevenly."""

_DORSIFLEXION: Knots = (
    (0.00, 0.0), (0.06, -4.6), (0.13, -2.6), (0.20, 2.2), (0.30, 6.4), (0.40, 9.4), (0.46, 9.6), (0.51, 5.5),
    (0.56, -5.0), (0.61, -15.0), (0.65, -17.0), (0.71, -9.5), (0.79, -0.6), (0.86, 2.0), (0.93, 1.8),
)  # fmt: skip
_INVERSION: Knots = (
    (0.00, 2.2), (0.05, -0.8), (0.11, -3.4), (0.20, -5.0), (0.29, -5.5), (0.39, -4.6), (0.49, -1.2), (0.56, 2.8),
    (0.62, 5.2), (0.68, 4.3), (0.78, 1.8), (0.88, 1.4), (0.95, 2.2),
)  # fmt: skip
_TIBIAL_ROTATION: Knots = (
    (0.00, -1.0), (0.05, 1.2), (0.11, 3.6), (0.20, 5.5), (0.29, 6.0), (0.39, 4.9), (0.49, 1.2), (0.56, -2.4),
    (0.62, -4.4), (0.70, -3.2), (0.80, -1.3), (0.90, -1.0), (0.95, -1.2),
)  # fmt: skip
_LATE_PRONATION: Knots = (
    (0.00, 1.5), (0.05, -2.8), (0.11, -6.8), (0.20, -9.2), (0.30, -10.0), (0.40, -9.0), (0.49, -5.0), (0.56, -0.4),
    (0.62, 2.6), (0.68, 2.4), (0.78, 0.6), (0.88, 0.2), (0.95, 1.2),
)  # fmt: skip
_LATE_TIBIAL: Knots = (
    (0.00, -0.8), (0.05, 2.4), (0.11, 6.0), (0.20, 8.7), (0.30, 9.6), (0.40, 8.4), (0.49, 4.2), (0.56, 0.0),
    (0.62, -2.4), (0.70, -2.0), (0.80, -0.6), (0.90, -0.4), (0.95, -0.8),
)  # fmt: skip
# Pitch of the foot to the ground, toes up positive; exactly zero while the foot is flat. Runs past 1 to the next flat.
_FOOT_PITCH: Knots = (
    (0.38, 0.0), (0.44, -3.6), (0.50, -15.5), (0.56, -37.0), (0.62, -59.0), (0.66, -65.0), (0.71, -57.0),
    (0.78, -30.0), (0.85, -3.0), (0.91, 14.5), (0.96, 21.0), (1.00, 18.0), (1.06, 5.2), (1.12, 0.0),
)  # fmt: skip


@dataclass(frozen=True)
class WalkingStyle:
    """One way of walking. Lengths in metres, times in seconds, amplitudes in degrees.

    ``*_scale`` multiply the curves. ``stance_ratio`` is (right, left); ``step_time_asymmetry`` is the share of a
    stride by which the step onto the right foot is shorter. ``shock_m`` is the size of the damped wobble of the
    ankle after initial contact, ``variability`` the stride-to-stride coefficient of variation.
    """

    name: str
    stride_time_s: float = 1.09
    stride_length_m: float = 1.36
    stance_ratio: tuple[float, float] = (0.62, 0.62)
    step_time_asymmetry: float = 0.0
    step_width_m: float = 0.10
    toe_out_deg: float = 6.0
    swing_clearance_m: float = 0.040
    shock_m: float = 0.0011
    variability: float = 0.025
    dorsiflexion: Knots = _DORSIFLEXION
    inversion: Knots = _INVERSION
    tibial_rotation: Knots = _TIBIAL_ROTATION
    foot_pitch: Knots = _FOOT_PITCH
    dorsiflexion_scale: float = 1.0
    inversion_scale: float = 1.0
    tibial_rotation_scale: float = 1.0
    foot_pitch_scale: float = 1.0


_NORMAL: Final = WalkingStyle("normal")

STYLES: Final[dict[str, WalkingStyle]] = {
    "normal": _NORMAL,
    "overpronated": replace(
        _NORMAL, name="overpronated", inversion=_LATE_PRONATION, tibial_rotation=_LATE_TIBIAL, toe_out_deg=10.0
    ),
    # Slow, short steps, less time on the painful (right) leg: Perry & Burnfield 2010.
    "antalgic": replace(
        _NORMAL,
        name="antalgic",
        stride_time_s=1.52,
        stride_length_m=0.84,
        stance_ratio=(0.60, 0.69),
        step_time_asymmetry=0.06,
        step_width_m=0.13,
        swing_clearance_m=0.03,
        shock_m=0.0004,
        variability=0.04,
        dorsiflexion_scale=0.68,
        inversion_scale=0.8,
        tibial_rotation_scale=0.75,
        foot_pitch_scale=0.62,
    ),
}
