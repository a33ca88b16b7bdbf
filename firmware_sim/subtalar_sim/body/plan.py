"""Where and when each foot is on the ground: the steps of a whole session, drawn from one seed."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from subtalar_sim.body.rotations import side_sign
from subtalar_sim.body.style import Landmarks, WalkingStyle
from subtalar_sim.types import BoolArray, FloatArray, Side

N_SCALES = 4
"""Curves whose size varies from stride to stride: dorsiflexion, inversion, tibial rotation, foot pitch."""


def hold_start(at: Landmarks) -> float:
    """Phase at which a leg waits for its first heel-off: just flat, still before the shank leans forward."""
    return at.flat_from + 0.01


def hold_end(at: Landmarks) -> float:
    """Phase at which a leg comes to rest after its last contact."""
    return at.flat_to - 0.02


@dataclass(frozen=True)
class LegPlan:
    """One leg's stances. Stance k is phase k to k + 1; its foot stays on placement k until toe-off.

    ``knot_t_s``, ``knot_phase``, ``knot_slope`` (m,) describe the phase; a knot whose ``knot_held`` is true starts
    an interval of constant phase (standing). ``placement_m`` (n, 2) and ``heading_rad`` (n,) of each stance,
    ``contact_s`` (n,) its initial contact (NaN where the leg was already standing), ``scale`` (n, 4) and the phase
    window (n, 2) in which the scale of the stance before goes over to this one.
    """

    side: Side
    knot_t_s: FloatArray
    knot_phase: FloatArray
    knot_slope: FloatArray
    knot_held: BoolArray
    placement_m: FloatArray
    heading_rad: FloatArray
    contact_s: FloatArray
    foot_off_s: FloatArray
    shock_m: FloatArray
    scale: FloatArray
    window: FloatArray


@dataclass(frozen=True)
class _Steps:
    """Contacts of one foot in one bout: times (n,), places on the ground (n, 2), headings (n,)."""

    contact_s: FloatArray
    xy_m: FloatArray
    heading_rad: FloatArray


class _LegBuilder:
    """Collects one leg's stances, bout after bout."""

    def __init__(self, side: Side, style: WalkingStyle, rng: np.random.Generator, xy: FloatArray, heading: float):
        self._side, self._style, self._rng = side, style, rng
        self._from, self._to = hold_start(style.landmarks), hold_end(style.landmarks)
        self._knots: list[FloatArray] = [np.array([[-1e6, self._from, 0.0, 1.0]])]
        self._place: list[FloatArray] = []
        self._contact: list[FloatArray] = []
        self._off: list[FloatArray] = []
        self._shock: list[FloatArray] = []
        self._scale: list[FloatArray] = []
        self._window: list[FloatArray] = []
        self._n = 0
        self._stand(xy, heading, (0.01, 0.02))

    def _stand(self, xy: FloatArray, heading: float, window: tuple[float, float]) -> None:
        self._place.append(np.array([[*xy, heading]]))
        self._contact.append(np.array([np.nan]))
        self._shock.append(np.zeros(1))
        self._scale.append(np.array([[0.0, 0.0, 0.0, 1.0]]))
        self._window.append(np.array([window]))
        self._n += 1

    def walk(self, steps: _Steps) -> None:
        """One bout: this leg's contacts in order, from standing to standing."""
        at = self._style.landmarks
        stance = self._style.stance_ratio[0 if self._side == "right" else 1]
        period, contact = self._style.stride_time_s, steps.contact_s
        n, first = len(contact), self._n - 1
        k = first + np.arange(n)
        previous = np.concatenate([[contact[0] - period], contact[:-1]])
        off = previous + stance * (contact - previous)
        start, end = contact[0] - (1.0 - self._from) * period, contact[-1] + self._to * period
        t = np.concatenate([[start], np.column_stack([off, contact]).ravel(), [end]])
        phase = np.concatenate(
            [[first + self._from], np.column_stack([k + at.toe_off, k + 1.0]).ravel(), [first + n + self._to]]
        )
        secant = np.diff(phase) / np.diff(t)
        slope = np.concatenate([[secant[0]], 0.5 * (secant[1:] + secant[:-1]), [0.6 * secant[-1]]])
        self._knots.append(np.column_stack([t, phase, slope, np.zeros(len(t))]))
        self._off += [off, np.array([np.nan])]

        dice = self._rng.standard_normal((n, N_SCALES + 2))
        own, common = 1.4 * self._style.variability * dice[:, :N_SCALES], 1.4 * self._style.variability * dice[:, 4]
        # Eversion and tibial rotation belong to one mechanism: most of their variation is shared.
        self._scale.append(
            1.0 + np.column_stack([own[:, 0], common + 0.4 * own[:, 1], common + 0.4 * own[:, 2], 0.6 * own[:, 3]])
        )
        self._shock.append(self._style.shock_m * np.exp(0.2 * dice[:, 5]))
        window = np.column_stack([k + at.in_swing(0.21), k + at.in_swing(0.87)])
        window[0] = first + self._from, first + 0.5 * (at.flat_to + at.toe_off)  # the first swing grows out of standing
        self._window.append(window)
        self._place.append(np.column_stack([steps.xy_m, steps.heading_rad]))
        self._contact.append(contact)
        self._n += n
        # Standing again: a fresh stance on the same spot, into which the last one settles.
        last = self._n - 1
        self._stand(steps.xy_m[-1], float(steps.heading_rad[-1]), (float(last), last + self._to))
        self._knots.append(np.array([[end, last + 1 + self._from, 0.0, 1.0]]))

    def build(self) -> LegPlan:
        """Freeze what was collected."""
        knots = np.concatenate(self._knots)
        knots = np.concatenate([knots, [[1e9, knots[-1, 1], 0.0, 1.0]]])
        place = np.concatenate(self._place)
        return LegPlan(
            side=self._side,
            knot_t_s=knots[:, 0],
            knot_phase=knots[:, 1],
            knot_slope=knots[:, 2],
            knot_held=knots[:, 3] > 0,
            placement_m=place[:, :2],
            heading_rad=place[:, 2],
            contact_s=np.concatenate(self._contact),
            foot_off_s=np.concatenate([*self._off, [np.nan]]),
            shock_m=np.concatenate(self._shock),
            scale=np.concatenate(self._scale),
            window=np.concatenate(self._window),
        )


def plan_steps(
    style: WalkingStyle,
    bouts: tuple[tuple[float, float], ...],
    seed: int,
    *,
    turn_rate_deg_s: float,
    first_side: Side,
) -> dict[Side, LegPlan]:
    """Draw all steps of a session, for both legs.

    ``bouts`` are (start, end) of each walk in seconds. The heading wanders smoothly by about ``turn_rate_deg_s``.
    Equal arguments give equal plans; a longer session begins with the same steps.
    """
    rng = np.random.default_rng([seed, 1])
    heading = float(rng.uniform(-np.pi, np.pi))
    xy = np.zeros(2)
    other: Side = "left" if first_side == "right" else "right"
    sides: tuple[Side, Side] = (first_side, other)
    builders: dict[Side, _LegBuilder] = {}
    for side in sides:
        place, facing = _foot(style, side, xy[None], np.array([heading]))
        own_rng = np.random.default_rng([seed, 2 if side == "right" else 3])
        builders[side] = _LegBuilder(side, style, own_rng, place[0], float(facing[0]))
    for start, end in bouts:
        t, path, headings = _bout(style, rng, start, end, xy, heading, turn_rate_deg_s, first_side)
        xy, heading = path[-1], float(headings[-1])
        for i, side in enumerate(sides):
            own = slice(i, None, 2)
            place, facing = _foot(style, side, path[own], headings[own])
            builders[side].walk(_Steps(t[own], place, facing))
    return {side: builder.build() for side, builder in builders.items()}


def _foot(style: WalkingStyle, side: Side, xy: FloatArray, heading: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the foot of ``side`` lands, and its heading, with the body's path at ``xy`` (n, 2) facing ``heading``."""
    sign = side_sign(side)
    lateral = 0.5 * sign * style.step_width_m * np.column_stack([np.sin(heading), -np.cos(heading)])
    return xy + lateral, heading - sign * np.radians(style.toe_out_deg)


def _bout(
    style: WalkingStyle,
    rng: np.random.Generator,
    start: float,
    end: float,
    xy: FloatArray,
    heading: float,
    turn_rate_deg_s: float,
    first_side: Side,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Contacts of both feet in turn: times (n,), the body's path (n, 2) and heading (n,). The last step closes up."""
    period = style.stride_time_s
    dice = rng.standard_normal((int((end - start) / (0.3 * period)) + 8, 3))
    sign = np.where(np.arange(len(dice)) % 2 == 0, 1.0, -1.0) * side_sign(first_side)
    # The step after the right contact leads to the left one.
    step_s = period * 0.5 * (1.0 + style.step_time_asymmetry * sign) * (1.0 + style.variability * dice[:, 2])
    t = start + (1.0 - hold_start(style.landmarks)) * period + np.concatenate([[0.0], np.cumsum(step_s)])
    n = max(3, int(np.searchsorted(t, end - (0.5 + hold_end(style.landmarks)) * period)) + 1)
    # Turning is a slow random walk with a restoring pull: gentle curves, now and then a real bend.
    turn = lfilter([1.0], [1.0, -0.9], 0.25 * turn_rate_deg_s * dice[:, 0])
    headings = heading + np.cumsum(np.radians(turn) * 0.5 * period)
    length = 0.5 * style.stride_length_m * (1.0 + style.variability * dice[:, 1])
    length[0] *= 0.6
    length[n - 1] *= 0.55
    path = xy + np.cumsum(length[:, None] * np.column_stack([np.cos(headings), np.sin(headings)]), axis=0)
    again = np.concatenate([np.arange(n), [n - 1]])
    return t[: n + 1], path[again], headings[again]
