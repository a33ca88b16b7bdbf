"""The whole body: stands quietly, bends its knees, walks or runs; and the truth about its ankles."""

from dataclasses import dataclass

import numpy as np

from subtalar_sim.body.curves import bump, smootherstep
from subtalar_sim.body.leg import LegMotion, LegState
from subtalar_sim.body.plan import plan_steps
from subtalar_sim.body.style import STYLES
from subtalar_sim.types import SIDES, FloatArray, Side

_SWAY_FADE_S = 0.5
_BEND_S = 2.5
_SETTLE_S = 1.5
"""Pause between standing, knee bends and walking."""
_ANGLE_ORDER_SWAY = (1.0, 0.35, 0.2)
"""Sway of dorsiflexion, inversion and tibial rotation relative to each other."""

_STAYING_S = 8.0
"""A phase of standing of somebody who stays."""
_OTHER_SWAY = 2.4
"""By how much (rad) the slowest sway of one such phase differs from that of the next."""


@dataclass(frozen=True)
class BodyConfig:
    """What the body does and how. Times in seconds from the start of the session.

    ``stop_every_s`` breaks the walk into bouts with ``stop_s`` of standing between them; None walks through.
    ``sway_deg`` is the standard deviation of dorsiflexion while standing; zero makes standing exactly still.
    """

    seed: int = 0
    style: str = "normal"
    standing_s: float = 5.0
    knee_bends: int = 3
    knee_bend_deg: float = 25.0
    walking_s: float = 120.0
    stop_every_s: float | None = None
    stop_s: float = 6.0
    turn_rate_deg_s: float = 4.0
    first_side: Side = "right"
    sway_deg: float = 0.12

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"no style {self.style!r}; there are {', '.join(STYLES)}")
        if self.walking_s < 0 or self.standing_s < 0 or self.knee_bends < 0:
            raise ValueError("durations and the number of knee bends must not be negative")
        if self.stop_every_s is not None and self.stop_every_s < 5 * STYLES[self.style].stride_time_s:
            raise ValueError(f"stop_every_s={self.stop_every_s} leaves no room for five strides")


@dataclass(frozen=True)
class Stride:
    """Truth of one stride, initial contact to the next contact of the same foot; degrees over its stance."""

    side: Side
    initial_contact_s: float
    foot_off_s: float
    stride_time_s: float
    stride_length_m: float
    peak_eversion_deg: float
    inversion_range_deg: float
    tibial_rotation_range_deg: float
    peak_dorsiflexion_deg: float


class WalkingBody:
    """Two legs in motion. Everything is a pure function of time: any chunk, any order, always the same numbers.

    Its own time, in which it is planned (``bends_start_s``, ``walk_start_s``…), begins at ``begin_s`` of the session.
    Until then, or while that is not known (None), it stands and sways. What it tells is in session time.
    """

    begins_at_rest = True

    def __init__(self, config: BodyConfig) -> None:
        self.config = config
        self.begin_s: float | None = 0.0
        style = self._style = STYLES[config.style]
        self.bends_start_s = config.standing_s
        self.bends_end_s = self.bends_start_s + _BEND_S * config.knee_bends
        self.walk_start_s = self.bends_end_s + _SETTLE_S
        self.walk_end_s = self.walk_start_s + config.walking_s
        self.bouts = self._bouts(6.0 * style.stride_time_s)
        plans = plan_steps(
            style, self.bouts, config.seed, turn_rate_deg_s=config.turn_rate_deg_s, first_side=config.first_side
        )
        self._legs = {side: LegMotion(plans[side], style) for side in SIDES}
        rng = np.random.default_rng([config.seed, 4])
        self._bend_size = np.radians(config.knee_bend_deg * rng.uniform(0.9, 1.1, max(config.knee_bends, 1)))
        self._sway = {side: rng.uniform(0.0, 2 * np.pi, (3, 5)) for side in SIDES}

    def _bouts(self, shortest_s: float) -> tuple[tuple[float, float], ...]:
        c = self.config
        if self._style.stays:
            return ()
        out, t = [], self.walk_start_s
        while self.walk_end_s - t >= shortest_s:
            length = c.stop_every_s if c.stop_every_s is not None else np.inf
            end = min(t + length, self.walk_end_s)
            out.append((t, end))
            t = end + c.stop_s
        return tuple(out)

    @property
    def annotations(self) -> list[tuple[str, float, float]]:
        """(label, start, end) in the vocabulary of session files, in session time; standing keeps clear of its edges.

        None before it is known when the body begins.
        """
        begin_s, own = self.begin_s, self._phases()
        if begin_s is None:
            return []
        return [(label, begin_s + start, begin_s + end) for label, start, end in own] if begin_s else own

    def _phases(self) -> list[tuple[str, float, float]]:
        """The annotations in the body's own time."""
        out = [("standing", 0.5, self.config.standing_s - 0.3)] if self.config.standing_s > 1.5 else []
        if self.config.knee_bends:
            out.append(("knee_bends", self.bends_start_s, self.bends_end_s))
        if self._style.stays and self.config.walking_s > 0:
            out.append(("standing", self.walk_start_s, self.walk_end_s))
        return out + [(self._style.activity, start, end) for start, end in self.bouts]

    def pose(self, side: Side, t_s: FloatArray) -> LegState:
        """Angles, ankle joint centre and segment orientations of one leg at session times ``t_s`` (n,)."""
        t = np.asarray(t_s, dtype=np.float64)
        if self.begin_s == 0.0:
            return self._legs[side].state(t, self._posture(side, t))
        own = np.zeros(len(t)) if self.begin_s is None else np.maximum(t - self.begin_s, 0.0)
        return self._legs[side].state(own, self._posture(side, own) + self._sway_waiting(side, t))

    def angles_deg(self, side: Side, t_s: FloatArray) -> FloatArray:
        """True dorsiflexion, inversion and tibial rotation (n, 3) in degrees at session times ``t_s`` (n,)."""
        return np.degrees(self.pose(side, t_s).angles_rad)

    def _posture(self, side: Side, t: FloatArray) -> FloatArray:
        """Sway and knee bends (n, 3) rad: what the ankle does while the foot stands."""
        out = np.zeros((len(t), 3))
        if self.config.knee_bends:
            u = (t - self.bends_start_s) / _BEND_S
            i = np.clip(np.floor(u), 0, self.config.knee_bends - 1).astype(np.int64)
            size = self._bend_size[i] * bump(u - i)
            # Loaded in flexion the foot pronates a little and takes the tibia along.
            out += size[:, None] * np.array([1.0, -0.03, 0.02])
        if self.config.sway_deg > 0:
            out += self._sway_at(side, t)
        return out

    def _sway_at(self, side: Side, t: FloatArray) -> FloatArray:
        """Postural sway in the first standing phase, of zero mean over it: sines with whole periods in it.

        Who stays goes on after the knee bends, in phases of which each sways in its own way.
        """
        out = self._swaying(side, t, 0.0, self.config.standing_s, 0.0)
        if self._style.stays:
            out += self._sway_from(side, t, self.bends_end_s)
        return out

    def _sway_waiting(self, side: Side, t: FloatArray) -> FloatArray:
        """Postural sway (n, 3) rad at session times before the body begins. It ends in the half second before: what was
        measured while nobody knew when that would be still holds.
        """
        end_s = np.inf if self.begin_s is None else self.begin_s
        before = t < end_s
        out = np.zeros((len(t), 3))
        if before.any() and self.config.sway_deg > 0:
            x = t[before]
            out[before] = self._sway_from(side, x, 0.0) * smootherstep((end_s - x) / _SWAY_FADE_S)[:, None]
        return out

    def _sway_from(self, side: Side, t: FloatArray, start_s: float) -> FloatArray:
        """Of somebody who stands from ``start_s`` on for good: phase by phase, of which each sways in its own way."""
        out = np.zeros((len(t), 3))
        for phase in np.unique((t - start_s) // _STAYING_S):
            if phase >= 0:
                begin_s = start_s + phase * _STAYING_S
                out += self._swaying(side, t, begin_s, _STAYING_S, _OTHER_SWAY * (1.0 + phase))
        return out

    def _swaying(self, side: Side, t: FloatArray, begin_s: float, length: float, turned: float) -> FloatArray:
        """One phase, zero outside; ``turned``: by how much (rad) the slowest sway differs from the first phase's."""
        out = np.zeros((len(t), 3))
        x = t - begin_s
        inside = (x > 0.0) & (x < length)
        if not inside.any():
            return out
        x = x[inside]
        fade = smootherstep(x / _SWAY_FADE_S) * smootherstep((length - x) / _SWAY_FADE_S)
        cycles = np.arange(2, 7) / length
        size = np.radians(self.config.sway_deg) * np.sqrt(2.0 / len(cycles))
        for axis, share in enumerate(_ANGLE_ORDER_SWAY):
            begin = self._sway[side][axis] + turned * np.arange(1, 6)
            waves = np.sin(2 * np.pi * x[:, None] * cycles + begin)
            out[inside, axis] = share * size * fade * waves.sum(axis=1)
        return out

    def initial_contacts_s(self, side: Side) -> FloatArray:
        """Session times of all initial contacts of one foot (n,); none before it is known when the body begins."""
        return self._told(self._legs[side].plan.contact_s)

    def foot_offs_s(self, side: Side) -> FloatArray:
        """Session times of all foot offs of one foot (n,), like ``initial_contacts_s``."""
        return self._told(self._legs[side].plan.foot_off_s)

    def _told(self, planned_s: FloatArray) -> FloatArray:
        known = planned_s[np.isfinite(planned_s)]
        return np.empty(0) if self.begin_s is None else np.asarray(self.begin_s + known)

    def strides(self, side: Side) -> list[Stride]:
        """Every complete stride of one foot, in order; none before it is known when the body begins."""
        plan, begin_s = self._legs[side].plan, self.begin_s
        if begin_s is None:
            return []
        out = []
        for k in range(len(plan.contact_s) - 1):
            start, off, end = plan.contact_s[k] + begin_s, plan.foot_off_s[k] + begin_s, plan.contact_s[k + 1] + begin_s
            if not np.isfinite([start, off, end]).all():
                continue
            angles = self.angles_deg(side, np.linspace(start, off, 200))
            out.append(
                Stride(
                    side=side,
                    initial_contact_s=float(start),
                    foot_off_s=float(off),
                    stride_time_s=float(end - start),
                    stride_length_m=float(np.hypot(*(plan.placement_m[k + 1] - plan.placement_m[k]))),
                    peak_eversion_deg=float(-angles[:, 1].min()),
                    inversion_range_deg=float(np.ptp(angles[:, 1])),
                    tibial_rotation_range_deg=float(np.ptp(angles[:, 2])),
                    peak_dorsiflexion_deg=float(angles[:, 0].max()),
                )
            )
        return out
