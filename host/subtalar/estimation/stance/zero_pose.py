"""The pose in which all angles are zero, told in sensor axes alone: no world, no heading, so it holds for a recording.

Found at any calm stance, or where nobody stands still from the walk itself: the foot lies flat on the floor while the
shank passes over it, and over a whole stride the ankle's dorsiflexion is on average what it is in standing. In 83
children it was 0.8° at free speed, −1.3° when very fast and 3.2° when very slow, with a spread of 4–5° between people
(means over the cycle of the curves of Schwartz, Rozumalski & Trost 2008, doi 10.1016/j.jbiomech.2008.03.015).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import Stance
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import ZeroParameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.placement import Placement, place
from subtalar.estimation.stance.standing import Standing
from subtalar.types import FloatArray, Segment

ZeroSource: TypeAlias = Literal["standing", "walk"]
Biases: TypeAlias = tuple[FloatArray, FloatArray]
"""Of foot's and shank's accelerometers (3,), m/s²."""
_REST_ROWS = 2
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class ZeroPose:
    """``foot`` and ``shank`` (4,) turn sensor axes into one level world; ``foot_force_m_s2`` and ``shank_force_m_s2``
    (3,) are what the accelerometers feel in it, bias and all: the better that is known, the better is the vertical.
    ``sd_deg`` is that of each of the ankle's angles, ``foot_sd_deg`` that of the foot's to the floor.
    """

    foot: FloatArray
    foot_force_m_s2: FloatArray
    shank: FloatArray
    shank_force_m_s2: FloatArray
    sd_deg: float
    foot_sd_deg: float
    source: ZeroSource

    def placed(self, biases_m_s2: Biases, axis: FloatArray) -> Placement:
        """Sensors to segments; ``axis`` (3,) is the medio-lateral one in shank-sensor axes, to the right."""
        foot, shank = (
            force - bias for force, bias in zip((self.foot_force_m_s2, self.shank_force_m_s2), biases_m_s2, strict=True)
        )
        return place(self.foot, foot, self.shank, shank, axis, 0.0)

    def remounted(self, segment: Segment, placement: Placement, turn: FloatArray, sd_deg: float) -> "ZeroPose":
        """The same pose where the sensor of one segment sits otherwise since: turned by ``turn`` (4,) in the segment's
        axes from its ``placement``; ``sd_deg`` is how well that is known.
        """
        known = math.hypot(self.sd_deg, sd_deg)
        if segment == "foot":
            to_new = turned_in_sensor(placement.foot, turn)
            pose = quat.multiply(self.foot, quat.conjugate(to_new)), quat.rotate(to_new, self.foot_force_m_s2)
            foot_known = math.hypot(self.foot_sd_deg, sd_deg)
            return ZeroPose(*pose, self.shank, self.shank_force_m_s2, known, foot_known, "walk")
        to_new = turned_in_sensor(placement.shank, turn)
        pose = quat.multiply(self.shank, quat.conjugate(to_new)), quat.rotate(to_new, self.shank_force_m_s2)
        return ZeroPose(self.foot, self.foot_force_m_s2, *pose, known, self.foot_sd_deg, "walk")

    def apart_deg(self, other: "ZeroPose") -> float:
        """Angle between the two poses of the foot sensor in shank-sensor axes."""
        own, its = (quat.multiply(quat.conjugate(z.shank), z.foot) for z in (self, other))
        turn = quat.multiply(quat.conjugate(own), its)
        return float(np.degrees(2.0 * np.arccos(min(1.0, abs(float(turn[0]))))))


def turned_in_sensor(placement: FloatArray, turn: FloatArray) -> FloatArray:
    """Former sensor axes into the new ones (4,), of a sensor that turned by ``turn`` (4,) in its segment's axes."""
    return quat.multiply(quat.conjugate(placement), quat.multiply(quat.conjugate(turn), placement))


def upright(up: FloatArray, q: FloatArray | None = None) -> FloatArray:
    """An orientation (4,), sensor to a level world, in which ``up`` (3,) is vertical: the one nearest to ``q`` (4,)."""
    return _upright(np.array([1.0, 0.0, 0.0, 0.0]) if q is None else q, np.ascontiguousarray(up))


@compiled("(f8[::1], f8[::1])")
def _upright(q: FloatArray, up: FloatArray) -> FloatArray:
    out = np.empty(4)
    quat.write(quat.tilted_to(quat.quaternion_of(q), quat.vector_of(up)), out)
    return out


def pose_of_stance(foot: Records, shank: Records, heading_rad: float, biases_m_s2: Biases, sd_deg: float) -> ZeroPose:
    """Of a calm stance: rows (n,) of both segments (``leg_rows.SEGMENT``), and the heading that turns the shank's world
    into the foot's.
    """
    forces = [np.ascontiguousarray(rows["acc_m_s2"].mean(axis=0)) for rows in (foot, shank)]
    q_foot, q_shank = (
        upright(force - bias, quat.mean(rows["q"]))
        for force, bias, rows in zip(forces, biases_m_s2, (foot, shank), strict=True)
    )
    return ZeroPose(q_foot, forces[0], _turned(q_shank, heading_rad), forces[1], sd_deg, sd_deg, "standing")


def pose_of_standing(standing: Standing, heading_rad: float, biases_m_s2: Biases, sd_deg: float) -> ZeroPose:
    """Of quiet standing, with the heading then; as ``standing.place_standing`` has it."""
    foot, shank = standing.foot, standing.shank
    q_foot, q_shank = (upright(s.force_m_s2 - b, s.q) for s, b in zip((foot, shank), biases_m_s2, strict=True))
    return ZeroPose(
        q_foot, foot.force_m_s2, _turned(q_shank, heading_rad), shank.force_m_s2, sd_deg, sd_deg, "standing"
    )


def pose_of_strides(
    strides: Iterable[tuple[StrideWindow, float, float]], axis: FloatArray, biases_m_s2: Biases, p: ZeroParameters
) -> ZeroPose:
    """Of the walk: upright strides from rest to rest, each with its heading (rad) and the shank clock's offset (s), and
    the medio-lateral axis (3,) in shank-sensor axes.

    Zero is the mean pose of foot against shank over the strides. Up is, seen from the side, where the foot in its rests
    has it; seen from the front half-way to where the shank on average has it, since a foot rolls inward under load, and
    a shank leans towards the standing leg.
    """
    in_shank, ups, shank_ups = [], [], []
    for window, heading_rad, offset_s in strides:
        inside = slice(window.start, window.stop + 1)
        shank = window.shank_at_foot_times(offset_s).q[inside]
        shank_ups.append(_mean_up(shank))
        in_shank.append(quat.mean(quat.multiply(quat.conjugate(_turned(shank, heading_rad)), window.foot.q[inside])))
        ups.append(_mean_up(window.foot.q[max(0, window.stop - _REST_ROWS) : window.stop + _REST_ROWS + 1]))
    # The middle one of strides: of few, one that is none must not count.
    foot_up, shank_up = _unit(np.median(ups, axis=0)), _unit(np.median(shank_ups, axis=0))
    pose = quat.mean(np.array(in_shank))
    in_foot = quat.conjugate(pose)
    right, of_shank = quat.rotate(in_foot, axis), quat.rotate(in_foot, shank_up)
    right = _unit(right - float(right @ foot_up) * foot_up)
    leant = p.walk_frontal_share * float(right @ of_shank)
    up = _unit(foot_up + leant * right)
    foot = upright(up)
    forces = [GRAVITY_M_S2 * u + b for u, b in zip((up, quat.rotate(pose, up)), biases_m_s2, strict=True)]
    shank = quat.multiply(foot, in_foot)
    return ZeroPose(foot, forces[0], shank, forces[1], p.walk_sd_deg, p.walk_foot_sd_deg, "walk")


def _mean_up(q: FloatArray) -> FloatArray:
    """The mean vertical (3,) in the axes of a sensor with these orientations (n, 4)."""
    return np.asarray(quat.rotate(quat.conjugate(q), np.broadcast_to(_UP, (len(q), 3))).mean(axis=0))


def walking_start(window: StrideWindow, uncertain_m_s2: float) -> Standing:
    """What quiet standing would have told of gravity, from the first rest of a walk: roughly, by VQF's own vertical."""
    begin_s = float(window.foot.time_s[window.start])
    k = min(int(np.searchsorted(window.shank.time_s, begin_s)), len(window.shank.time_s) - 1)
    foot, shank = _stance(window.foot.rows[window.start]), _stance(window.shank.rows[k])
    along = Stance(GRAVITY_M_S2 * _unit(_mean_up(window.shank.q)), shank.q, shank.force_turned_m_s2, shank.turn)
    return Standing(0, 0, begin_s, begin_s, foot, along, 0.0, gravity_sd_m_s2=uncertain_m_s2)


def _stance(row: Records) -> Stance:
    q, strapdown = np.asarray(row["q"]), np.asarray(row["q_strapdown"])
    force = GRAVITY_M_S2 * quat.rotate(quat.conjugate(q), _UP)
    return Stance(force, q.copy(), quat.rotate(strapdown, force), quat.matrix(strapdown))


def _turned(q: FloatArray, heading_rad: float) -> FloatArray:
    return quat.multiply(quat.about_vertical(heading_rad), q)


def _unit(v: FloatArray) -> FloatArray:
    return np.ascontiguousarray(v / np.sqrt(np.sum(v * v)))
