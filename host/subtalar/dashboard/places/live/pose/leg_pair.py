"""The pair of legs in space: shank by its orientation, foot by the ankle angles.

World: x forward, y up, z to the right, metres.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from subtalar.dashboard.places.live.pose.leg_mesh import FEET, HEEL_LINE, SHANK, SHANK_LINE, SHANK_M
from subtalar.dashboard.places.live.pose.rotations import foot_in_shank, rotation, rotation_of
from subtalar.types import SIDES, FloatArray, Side

_HALF_STANCE_M = 0.12
_HEADING_TAU_S = 1.5


@dataclass(frozen=True)
class Leg:
    """Vertices in the world. Known is what is posed by measured values, not just standing there."""

    shank: FloatArray
    foot: FloatArray
    shank_line: FloatArray
    heel_line: FloatArray
    ankle: FloatArray
    shank_known: bool
    foot_known: bool

    @property
    def known(self) -> bool:
        """Whether any part of the leg was measured."""
        return self.shank_known or self.foot_known


class LegPair:
    """Poses both legs. Follows the person's slow turns, so that "from behind" stays behind."""

    def __init__(self) -> None:
        self._forward: complex | None = None

    def pose(
        self,
        orientation: dict[Side, FloatArray],
        angles_deg: dict[Side, FloatArray],
        dt_s: float,
        foot_to_floor_deg: dict[Side, FloatArray] | None = None,
    ) -> dict[Side, Leg]:
        """Legs for shank quaternions (4,) and angles (3,); NaN where not known. ``dt_s`` since the last call.

        ``foot_to_floor_deg``: pitch and inversion (2,), which pose the foot of a leg without ankle angles.
        """
        shanks = {s: rotation_of(q) if np.isfinite(q).all() else None for s, q in orientation.items()}
        turn = self._facing_forward([r for r in shanks.values() if r is not None], dt_s)
        legs = {}
        for side in SIDES:
            measured = shanks[side]
            shank = np.eye(3) if measured is None else turn @ measured
            known = bool(np.isfinite(angles_deg[side]).all())
            to_floor = None if foot_to_floor_deg is None else foot_to_floor_deg[side]
            if known:
                legs[side] = _place(side, shank, shank @ foot_in_shank(side, angles_deg[side]), True, True)
            elif to_floor is not None and np.isfinite(to_floor).all():
                legs[side] = _place(side, np.eye(3), foot_in_shank(side, np.append(to_floor, 0.0)), False, True)
            else:
                # A shank alone tells nothing of its foot, which then stands flat.
                legs[side] = _place(side, shank, np.eye(3), measured is not None, False)
        floor = min(float(leg.foot[:, 1].min()) for leg in legs.values())
        return {side: _lift(leg, -floor) for side, leg in legs.items()}

    def _facing_forward(self, shanks: list[FloatArray], dt_s: float) -> FloatArray:
        forward = sum((complex(r[0, 0], -r[2, 0]) for r in shanks), 0j)
        if abs(forward) > 0.1:
            share = 1.0 if self._forward is None else 1 - math.exp(-max(dt_s, 0.0) / _HEADING_TAU_S)
            old = self._forward or 0j
            self._forward = old + share * (forward / abs(forward) - old)
        if self._forward is None or abs(self._forward) < 1e-6:
            return np.eye(3)
        return rotation("y", -math.atan2(self._forward.imag, self._forward.real))


def _place(side: Side, shank: FloatArray, foot: FloatArray, shank_known: bool, foot_known: bool) -> Leg:
    knee = np.array([0.0, 0.0, _HALF_STANCE_M if side == "right" else -_HALF_STANCE_M])
    ankle = knee - shank @ np.array([0.0, SHANK_M, 0.0])
    return Leg(
        SHANK @ shank.T + ankle,
        FEET[side] @ foot.T + ankle,
        SHANK_LINE @ shank.T + ankle,
        HEEL_LINE @ foot.T + ankle,
        ankle,
        shank_known,
        foot_known,
    )


def _lift(leg: Leg, up_m: float) -> Leg:
    up = np.array([0.0, up_m, 0.0])
    return replace(
        leg,
        shank=leg.shank + up,
        foot=leg.foot + up,
        shank_line=leg.shank_line + up,
        heel_line=leg.heel_line + up,
        ankle=leg.ankle + up,
    )
