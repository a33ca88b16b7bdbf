"""Ways of walking, running and standing: curves of the ankle angles over the gait cycle, and what goes with them.

The curves are the project's own smooth reading (knots, degrees) of the shapes published for healthy adults; all are
relative to quiet standing. Dorsiflexion and foot-to-ground angle: Winter 1991, *The Biomechanics and Motor Control of
Human Gait*; Perry & Burnfield 2010, *Gait Analysis*. Rear-foot inversion and tibial rotation: Reinschmidt et al. 1997
(bone pins, Gait & Posture 6:98-109), Leardini et al. 2007 (Gait & Posture 25:453-462), Nester et al. 2007 (J Biomech
40:3412-3423). Coupling of eversion and tibial rotation: Hamill et al. 1999 (Clin Biomech 14:297-308). Running on the
heel at 2.9 m/s: Novacheck 1998 (Gait & Posture 7:77-95) for times, dorsiflexion and foot; bone pins of Stacoff et al.
2000 (J Biomech 33:1387-1395) and Reinschmidt et al. 1997 for inversion and tibial rotation. No individual was
measured; amplitudes are round numbers inside the published bands.
"""

from dataclasses import dataclass, replace
from typing import Final

Knots = tuple[tuple[float, float], ...]
"""(fraction of the gait cycle from initial contact, degrees)."""

Rows = tuple[tuple[float, float, float], ...]
"""Value, slope and curvature at each knot."""


@dataclass(frozen=True)
class Landmarks:
    """Of the phase axis of a style's curves: from when to when the foot is flat, and where the toes leave the ground.

    A leg's own stance ratio is made by running time unevenly.
    """

    flat_from: float = 0.12
    flat_to: float = 0.38
    toe_off: float = 0.62

    def in_swing(self, share: float) -> float:
        """The phase at which this share of the swing is over."""
        return self.toe_off + share * (1.0 - self.toe_off)


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
_RUN_DORSIFLEXION: Knots = (
    (0.000, 6.0), (0.030, 4.6), (0.070, 8.0), (0.116, 15.0), (0.163, 20.5), (0.197, 21.8), (0.232, 18.5), (0.267, 9.5),
    (0.302, -4.0), (0.337, -16.5), (0.377, -21.0), (0.470, -18.0), (0.610, -8.0), (0.750, 1.5), (0.880, 6.0),
)  # fmt: skip
_RUN_INVERSION: Knots = (
    (0.000, 4.5), (0.023, 1.6), (0.058, -4.0), (0.105, -7.6), (0.157, -8.5), (0.215, -6.2), (0.273, -1.2),
    (0.319, 3.0), (0.360, 5.2), (0.450, 5.0), (0.620, 3.4), (0.800, 3.2), (0.930, 4.4),
)  # fmt: skip
_RUN_TIBIAL_ROTATION: Knots = (
    (0.000, -2.0), (0.030, 0.8), (0.065, 4.4), (0.116, 7.0), (0.168, 7.6), (0.226, 5.4), (0.285, 1.2), (0.325, -2.2),
    (0.360, -4.0), (0.470, -3.6), (0.650, -2.4), (0.830, -1.9), (0.930, -2.1),
)  # fmt: skip
# The heel swings up behind the thigh; the foot lands on the heel.
_RUN_FOOT_PITCH: Knots = (
    (0.225, 0.0), (0.255, -5.0), (0.290, -20.0), (0.325, -41.0), (0.360, -60.0), (0.400, -70.0), (0.450, -77.5),
    (0.510, -84.0), (0.570, -85.0), (0.630, -79.5), (0.690, -66.0), (0.750, -46.0), (0.810, -24.0), (0.870, -4.0),
    (0.930, 10.0), (0.965, 13.0), (1.000, 11.0), (1.035, 4.8), (1.075, 0.0),
)  # fmt: skip
_LIFT_AT = (0.0, 0.25, 0.50, 0.78, 0.95, 1.0)
# Up, down to a low sweep, then onto the heel.
_LIFT: Rows = ((0, 0, 0), (0.75, 1.6, 0.0), (1.0, 0.0, -12.0), (0.42, -1.2, 4.0), (0.11, -3.4, -6.0), (0, 0, 0))
# In one arc, as high as the knee needs that bends behind the body.
_RUN_LIFT_AT = (0.0, 0.16, 0.43, 0.64, 0.80, 1.0)
_RUN_LIFT: Rows = ((0, 0, 0), (0.38, 3.3, 0.0), (1.0, 0.0, -16.0), (0.48, -3.6, 0.0), (0.08, -1.1, 12.0), (0, 0, 0))


@dataclass(frozen=True)
class WalkingStyle:
    """One way of going about on two legs. Lengths in metres, times in seconds, amplitudes in degrees.

    ``*_scale`` multiply the curves; ``lift`` is how high the ankle swings above the rolling path, in units of the
    clearance, at shares ``lift_at`` of the swing. ``stance_ratio`` is (right, left): where it is below a half, the body
    runs. ``step_time_asymmetry`` is the share of a stride by which the step onto the right foot is shorter.
    ``shock_m`` is the size of the damped wobble of the ankle after initial contact, ``variability`` the
    stride-to-stride coefficient of variation. ``stays``: stands for the whole session.
    """

    name: str
    stays: bool = False
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
    lift_at: tuple[float, ...] = _LIFT_AT
    lift: Rows = _LIFT
    landmarks: Landmarks = Landmarks()
    dorsiflexion_scale: float = 1.0
    inversion_scale: float = 1.0
    tibial_rotation_scale: float = 1.0
    foot_pitch_scale: float = 1.0

    @property
    def activity(self) -> str:
        """In the vocabulary of session files."""
        return "standing" if self.stays else "running" if max(self.stance_ratio) < 0.5 else "walking"


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
    "running": WalkingStyle(
        "running",
        stride_time_s=0.72,
        stride_length_m=2.10,
        stance_ratio=(0.36, 0.36),
        step_width_m=0.05,
        toe_out_deg=5.0,
        swing_clearance_m=0.30,
        shock_m=0.0018,
        dorsiflexion=_RUN_DORSIFLEXION,
        inversion=_RUN_INVERSION,
        tibial_rotation=_RUN_TIBIAL_ROTATION,
        foot_pitch=_RUN_FOOT_PITCH,
        lift_at=_RUN_LIFT_AT,
        lift=_RUN_LIFT,
        landmarks=Landmarks(0.075, 0.225, 0.36),
    ),
    "standing": WalkingStyle("standing", stays=True),
}
