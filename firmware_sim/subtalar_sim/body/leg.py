"""One leg in motion: pose of foot and shank at any time, from the step plan and the style's curves.

The foot is a rigid body that rolls without slipping: about the heel after contact, about the ball of the foot at
push-off, and rests flat in between. The shank hangs on the ankle joint centre, a point fixed in both segments, turned
by the three ankle angles. Toes are not modelled.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PPoly

from subtalar_sim.body.curves import (
    flat_ended_curve,
    hermite,
    periodic_curve,
    quintic_pieces,
    smootherstep,
)
from subtalar_sim.body.plan import LegPlan
from subtalar_sim.body.rotations import about_x, about_z, joint_rotation, side_sign, upright
from subtalar_sim.body.style import Knots, Landmarks, WalkingStyle
from subtalar_sim.types import FloatArray, IntArray

ANKLE_HEIGHT_M = 0.085
HEEL_M = (-0.050, -ANKLE_HEIGHT_M, 0.0)
BALL_M = (0.125, -ANKLE_HEIGHT_M, 0.0)
"""Points of the sole in the foot frame, from the ankle joint centre (sizes of an adult foot, Winter 1991)."""

SHOCK_S = 0.070
SHOCK_HZ = 24.0
_GIVES_WAY = 0.015
"""So long before toe-off the ball gives way a few millimetres, while the toes, which are not modelled, still push."""
_SWING_ROLL: Knots = ((0.1, 0.0), (0.475, 1.5), (0.87, 4.0), (1.0, 3.4))
"""World roll of the foot, at shares of the swing: lands on the outer edge of the heel, exactly flat in stance."""
_SWING_WHIP: Knots = ((0.1, 0.0), (0.32, 3.0), (0.58, 0.0), (0.76, -1.5), (0.92, 0.0))
"""Medial whip of the heel in swing, degrees of heading."""


@dataclass(frozen=True)
class LegState:
    """What a leg does at n instants: ankle angles (n, 3) rad, ankle joint centre (n, 3) m, orientations (n, 3, 3)."""

    angles_rad: FloatArray
    ankle_m: FloatArray
    foot: FloatArray
    shank: FloatArray


def _swing_progress() -> PPoly:
    """Share of the swing path done: fast in the middle, still moving until the last few hundredths of the swing."""
    speed = CubicHermiteSpline([0.0, 0.3, 0.64, 0.93, 1.0], [0.0, 0.95, 0.9, 0.12, 0.0], [0.0, 1.0, -1.6, -1.6, 0.0])
    path = speed.antiderivative()
    return PPoly(path.c / float(path(1.0)), path.x)


def _roll(at: Landmarks) -> PPoly:
    swing = tuple((at.in_swing(share), deg) for share, deg in _SWING_ROLL)
    return flat_ended_curve((*swing, (1.0 + 0.5 * at.flat_from, 1.0), (1.0 + at.flat_from, 0.0)))


class LegMotion:
    """Evaluates a ``LegPlan``. Pure: any times, in any order, as many as wanted."""

    def __init__(self, plan: LegPlan, style: WalkingStyle) -> None:
        self.plan, self.style = plan, style
        self._angle_curves = [
            periodic_curve(tuple((p, scale * v) for p, v in knots))
            for knots, scale in (
                (style.dorsiflexion, style.dorsiflexion_scale),
                (style.inversion, style.inversion_scale),
                (style.tibial_rotation, style.tibial_rotation_scale),
            )
        ]
        self._pitch = flat_ended_curve(style.foot_pitch, style.foot_pitch_scale)
        at = style.landmarks
        self._roll = _roll(at)
        self._whip = flat_ended_curve(tuple((at.in_swing(share), deg) for share, deg in _SWING_WHIP))
        self._lift = hermite(list(style.lift_at), list(style.lift))
        self._lift_off = at.toe_off - _GIVES_WAY
        self._progress = _swing_progress()
        self._phase_c = quintic_pieces(plan.knot_t_s, plan.knot_phase, plan.knot_slope)
        self._contact = np.nan_to_num(plan.contact_s, nan=-1e9)

    def phase(self, t_s: FloatArray) -> FloatArray:
        """Stance number plus phase in the gait cycle (n,); constant while the leg stands."""
        p = self.plan
        i = np.clip(np.searchsorted(p.knot_t_s, t_s, side="right") - 1, 0, len(p.knot_t_s) - 2)
        held = p.knot_held[i]
        x = np.where(held, 0.0, t_s - p.knot_t_s[i])
        c = self._phase_c[:, i]
        value = ((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]
        return np.where(held, p.knot_phase[i], value)

    def state(self, t_s: FloatArray, offset_rad: FloatArray) -> LegState:
        """Pose at times ``t_s`` (n,); ``offset_rad`` (n, 3) is added to the ankle angles (sway, knee bends)."""
        p = self.plan
        phi = self.phase(t_s)
        k = np.floor(phi).astype(np.int64)
        frac = phi - k
        following = np.minimum(k + 1, len(p.heading_rad) - 1)

        # Sizes of the curves: the newest window that has begun decides.
        w = np.clip(np.searchsorted(p.window[:, 0], phi, side="right") - 1, 0, len(p.window) - 1)
        share = smootherstep((phi - p.window[w, 0]) / (p.window[w, 1] - p.window[w, 0]))[:, None]
        scale = p.scale[np.maximum(w - 1, 0)] * (1.0 - share) + p.scale[w] * share
        angles = np.stack([curve(frac) for curve in self._angle_curves], axis=-1) * scale[:, :3] + offset_rad

        def per_cycle(curve: PPoly) -> FloatArray:
            """Curves that start at push-off and end after the next contact; zero outside."""
            late = np.where(frac >= curve.x[0], frac, frac + 1.0)
            return np.where(late <= curve.x[-1], np.nan_to_num(curve(late)), 0.0)

        swing = np.clip((frac - self._lift_off) / (1.0 - self._lift_off), 0.0, 1.0)
        pitch = per_cycle(self._pitch) * scale[:, 3]
        s = side_sign(p.side)
        turn = p.heading_rad[following] - p.heading_rad[k]
        heading = p.heading_rad[k] + smootherstep(swing) * turn + s * per_cycle(self._whip)
        level = upright(heading)
        foot = level @ about_z(pitch) @ about_x(s * per_cycle(self._roll))

        move = p.placement_m[following] - p.placement_m[k]
        ankle = np.empty((len(t_s), 3))
        ankle[:, :2] = p.placement_m[k] + self._progress(swing)[:, None] * move
        ankle[:, 2] = self.style.swing_clearance_m * self._lift(swing)
        pivot = self._pivot(frac)
        ankle += np.einsum("nij,nj->ni", level - foot, pivot)
        # The pivot's height belongs to the sole, the ankle stands above it.
        ankle[:, 2] += ANKLE_HEIGHT_M
        ankle += self._shock(t_s, k, level)
        shank = foot @ np.swapaxes(joint_rotation(angles, p.side), -1, -2)
        return LegState(angles, ankle, foot, shank)

    def _pivot(self, frac: FloatArray) -> FloatArray:
        """Point of the sole about which the foot turns, in its frame (n, 3): heel, ball, and over in swing."""
        heel, ball = np.array(HEEL_M), np.array(BALL_M)
        at = self.style.landmarks
        forward = smootherstep((frac - at.flat_from - 0.01) / (at.flat_to - at.flat_from - 0.02))
        back = smootherstep((frac - at.in_swing(0.05)) / (at.in_swing(0.87) - at.in_swing(0.05)))
        return np.asarray(heel + (forward - back)[:, None] * (ball - heel), dtype=np.float64)

    def _shock(self, t_s: FloatArray, k: IntArray, level: FloatArray) -> FloatArray:
        """Damped wobble of the ankle after contact (n, 3) m: what an accelerometer feels as the impact."""
        u = (t_s - self._contact[k]) / SHOCK_S
        inside = (u > 0.0) & (u < 1.0)
        v = np.where(inside, u, 0.0)
        # Rises within a few milliseconds, dies out smoothly (C² at both ends).
        envelope = 20.0 * v**3 * (1.0 - v) ** 5 / (0.375**3 * 0.625**5 * 20.0)
        wobble = self.plan.shock_m[k] * envelope * np.sin(2 * np.pi * SHOCK_HZ * v * SHOCK_S)
        along = np.array([-0.45, 1.0, 0.12 * side_sign(self.plan.side)])
        return np.asarray(wobble[:, None] * np.einsum("nij,j->ni", level, along), dtype=np.float64)
