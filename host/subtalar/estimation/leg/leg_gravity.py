"""Gravity and accelerometer biases of both sensors of a leg, and the placement that follows from them."""

import math
from dataclasses import replace

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import GravityFilter
from subtalar.estimation.joint.joint_centre import JointCentre
from subtalar.estimation.parameters import GravityParameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.placement import Placement
from subtalar.estimation.stance.standing import Standing, place_standing
from subtalar.types import FloatArray


class LegGravity:
    """Both sensors of a leg, from quiet standing on."""

    def __init__(self, parameters: GravityParameters, standing: Standing) -> None:
        self._standing = standing
        self.foot = GravityFilter(parameters, standing.foot, standing.end_s, standing.gravity_sd_m_s2)
        self.shank = GravityFilter(parameters, standing.shank, standing.end_s, standing.gravity_sd_m_s2)

    def placed(self, heading_rad: float, axis: FloatArray) -> Placement:
        """Sensors to segments by quiet standing, the heading then, and the medio-lateral axis (3,) in the shank."""
        return place_standing(self._standing, self.foot.bias_m_s2, self.shank.bias_m_s2, axis, heading_rad)

    @property
    def biases_m_s2(self) -> tuple[FloatArray, FloatArray]:
        """Of foot's and shank's accelerometer (3,)."""
        return self.foot.bias_m_s2, self.shank.bias_m_s2

    @property
    def tilt_sd_rad(self) -> float:
        """How far the biases, as angles, are still unknown: both sensors together."""
        return math.hypot(self.foot.bias_sd_m_s2, self.shank.bias_sd_m_s2) / GRAVITY_M_S2

    @property
    def excess(self) -> float:
        """By what share gravity seems larger than it is, at the worse of the two sensors."""
        sizes = (math.hypot(*f.gravity_m_s2.tolist()) for f in (self.foot, self.shank))
        return max(abs(size / GRAVITY_M_S2 - 1.0) for size in sizes)

    def restart(self) -> None:
        """One of the sensors began anew."""
        self.foot.restart()
        self.shank.restart()

    def add(self, window: StrideWindow, centre: JointCentre) -> None:
        """Learn from one stride."""
        self.foot.add(window.foot, window.start, window.stop, centre.foot_lever_m)
        shank = window.shank_at_foot_times(centre.offset_s)
        self.shank.add(shank, window.start, window.stop, centre.shank_lever_m)

    def upright(self, window: StrideWindow) -> StrideWindow:
        """The window as this gravity sees it."""
        return replace(window, foot=self.foot.upright(window.foot), shank=self.shank.upright(window.shank))
