"""Where and when each foot is on the ground: the steps of a whole session, drawn from one seed."""

from dataclasses import dataclass

import numpy as np

from subtalar_sim.body.style import TOE_OFF, WalkingStyle
from subtalar_sim.types import FloatArray, Side

HOLD_START = 0.13
"""Phase at which a leg waits for its first heel-off: just flat, still before the shank leans forward."""
HOLD_END = 0.36
"""Phase at which a leg comes to rest after its last contact."""
N_SCALES = 4
"""Curves whose size varies from stride to stride: dorsiflexion, inversion, tibial rotation, foot pitch."""


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
    knot_held: FloatArray
    placement_m: FloatArray
    heading_rad: FloatArray
    contact_s: FloatArray
    foot_off_s: FloatArray
    shock_m: FloatArray
    scale: FloatArray
    window: FloatArray


@dataclass(frozen=True)
class _Step:
    contact_s: float
    xy: tuple[float, float]
    heading: float


class _LegBuilder:
    """Collects one leg's stances, bout after bout."""

    def __init__(self, side: Side, style: WalkingStyle, rng: np.random.Generator, start: _Step) -> None:
        self.side, self.style, self.rng = side, style, rng
        self.knots: list[tuple[float, float, float, float]] = [(-1e6, HOLD_START, 0.0, 1.0)]
        self.place: list[tuple[float, float, float]] = []
        self.contact: list[float] = []
        self.off: list[float] = []
        self.shocks: list[float] = []
        self.scales: list[tuple[float, ...]] = []
        self.windows: list[tuple[float, float]] = []
        self._stand(start)

    def _stand(self, where: _Step) -> None:
        self.place.append((*where.xy, where.heading))
        self.contact.append(np.nan)
        self.shocks.append(0.0)
        self.scales.append((0.0, 0.0, 0.0, 1.0))
        k = len(self.place) - 1
        self.windows.append((k + 0.01, k + 0.02))

    def _draw_scale(self) -> tuple[float, ...]:
        common, *own = self.rng.normal(0.0, 1.4 * self.style.variability, N_SCALES + 1)
        # Eversion and tibial rotation belong to one mechanism: most of their variation is shared.
        return (1 + own[0], 1 + common + 0.4 * own[1], 1 + common + 0.4 * own[2], 1 + 0.6 * own[3])

    def walk(self, steps: list[_Step]) -> None:
        """One bout: this leg's contacts in order, from standing to standing."""
        stance = self.style.stance_ratio[0 if self.side == "right" else 1]
        period = self.style.stride_time_s
        first = len(self.place) - 1
        t0 = steps[0].contact_s - (1.0 - HOLD_START) * period
        t, phase = [t0], [first + HOLD_START]
        previous = steps[0].contact_s - period
        for j, step in enumerate(steps):
            k = first + j
            off = previous + stance * (step.contact_s - previous)
            self.off.append(off)
            t += [off, step.contact_s]
            phase += [k + TOE_OFF, k + 1.0]
            self.place.append((*step.xy, step.heading))
            self.contact.append(step.contact_s)
            self.shocks.append(self.style.shock_m * float(np.exp(self.rng.normal(0.0, 0.2))))
            last = j == len(steps) - 1
            # The first swing grows out of standing; the last stance settles into it.
            self.scales.append(self._draw_scale())
            self.windows.append((k + HOLD_START, k + 0.52) if j == 0 else (k + 0.70, k + 0.95))
            previous = step.contact_s
            if last:
                t.append(step.contact_s + HOLD_END * period)
                phase.append(k + 1.0 + HOLD_END)
        self.off.append(np.nan)
        secant = np.diff(phase) / np.diff(t)
        slope = np.concatenate([[secant[0]], 0.5 * (secant[1:] + secant[:-1]), [0.6 * secant[-1]]])
        self.knots += [(a, b, float(c), 0.0) for a, b, c in zip(t, phase, slope, strict=True)]
        # Standing again: a fresh stance on the same spot, entered with the curves at rest.
        k = len(self.place) - 1
        self._stand(steps[-1])
        self.windows[-1] = (float(k), k + HOLD_END)
        self.knots.append((t[-1], k + 1 + HOLD_START, 0.0, 1.0))

    def build(self) -> LegPlan:
        """Freeze what was collected."""
        knots = np.array([*self.knots, (1e9, self.knots[-1][1], 0.0, 1.0)])
        place = np.array(self.place)
        n = len(place)
        off = np.full(n, np.nan)
        off[: len(self.off)] = self.off[:n]
        return LegPlan(
            side=self.side,
            knot_t_s=knots[:, 0],
            knot_phase=knots[:, 1],
            knot_slope=knots[:, 2],
            knot_held=knots[:, 3],
            placement_m=place[:, :2],
            heading_rad=place[:, 2],
            contact_s=np.array(self.contact),
            foot_off_s=off,
            shock_m=np.array(self.shocks),
            scale=np.array(self.scales),
            window=np.array(self.windows),
        )


@dataclass(frozen=True)
class StepPlan:
    """Both legs' plans and the first heading of the body."""

    legs: dict[Side, LegPlan]
    heading_rad: float


def plan_steps(
    style: WalkingStyle,
    bouts: tuple[tuple[float, float], ...],
    seed: int,
    *,
    turn_rate_deg_s: float,
    first_side: Side,
) -> StepPlan:
    """Draw all steps of a session.

    ``bouts`` are (start, end) of each walk in seconds. The heading wanders smoothly by about ``turn_rate_deg_s``.
    Equal arguments give equal plans; a longer session begins with the same steps.
    """
    rng = np.random.default_rng([seed, 1])
    leg_rng: dict[Side, np.random.Generator] = {
        "right": np.random.default_rng([seed, 2]),
        "left": np.random.default_rng([seed, 3]),
    }
    heading = float(rng.uniform(-np.pi, np.pi))
    first_heading = heading
    xy = np.zeros(2)

    def foot(side: Side, t: float) -> _Step:
        sign = 1.0 if side == "right" else -1.0
        lateral = sign * 0.5 * style.step_width_m
        return _Step(
            t,
            (float(xy[0] + lateral * np.sin(heading)), float(xy[1] - lateral * np.cos(heading))),
            heading - sign * np.radians(style.toe_out_deg),
        )

    sides: tuple[Side, Side] = ("right", "left")
    builders = {s: _LegBuilder(s, style, leg_rng[s], foot(s, 0.0)) for s in sides}
    for start, end in bouts:
        steps: dict[Side, list[_Step]] = {"right": [], "left": []}
        side: Side = first_side
        t = start + (1.0 - HOLD_START) * style.stride_time_s
        turn = 0.0
        first = True
        while True:
            last = t + 0.5 * style.stride_time_s > end - HOLD_END * style.stride_time_s
            # Turning is a slow random walk with a restoring pull: gentle curves, now and then a real bend.
            turn = 0.9 * turn + rng.normal(0.0, 0.25 * turn_rate_deg_s)
            heading += np.radians(turn) * 0.5 * style.stride_time_s
            length = 0.5 * style.stride_length_m * (1.0 + rng.normal(0.0, style.variability))
            length *= 0.6 if first else 0.55 if last else 1.0
            xy += length * np.array([np.cos(heading), np.sin(heading)])
            steps[side].append(foot(side, t))
            jitter = 1.0 + rng.normal(0.0, style.variability)
            asymmetry = style.step_time_asymmetry * (1.0 if side == "right" else -1.0)
            t += style.stride_time_s * (0.5 + 0.5 * asymmetry) * jitter
            side = "left" if side == "right" else "right"
            first = False
            if last:
                break
        steps[side].append(foot(side, t))
        for s in sides:
            if steps[s]:
                builders[s].walk(steps[s])
    return StepPlan({s: builders[s].build() for s in sides}, first_heading)
