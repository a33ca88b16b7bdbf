"""From quiet standing and a few strides to everything a leg needs: placement, joint centre, first headings.

The unknowns hang together (a heading needs lever arms, lever arms need a heading), so they are found in rounds over the
first strides; each further stride up to ``settle_strides`` adds one round over all strides so far.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.joint.heading import HeadingFilter
from subtalar.estimation.joint.joint_centre import JointCentreEstimator
from subtalar.estimation.joint.joint_path import StrideHeading, stride_heading
from subtalar.estimation.leg.leg_gravity import LegGravity
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.misplacement import Misplacement, MisplacementDetector
from subtalar.estimation.stance.placement import Placement, principal_axis
from subtalar.estimation.stance.standing import Standing
from subtalar.types import FloatArray

_FIRST_ROUNDS = 4
_LATER_ROUNDS = 1


@dataclass(frozen=True)
class Solution:
    """What calibration found; ``from_bends``: the medio-lateral axis comes from knee bends, not from walking."""

    placement: Placement
    centre: JointCentreEstimator
    heading: HeadingFilter
    gravity: LegGravity
    axis: FloatArray
    from_bends: bool
    last: StrideHeading


class LegCalibration:
    """Collects evidence; ``solve`` gives a solution as soon as there is enough."""

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        self.standing: Standing | None = None
        self.misfits = 0
        self.bends: FloatArray | None = None
        self._windows: list[StrideWindow] = []
        self._centre: JointCentreEstimator | None = None
        self._misplacement = MisplacementDetector(parameters.placement)

    @property
    def strides(self) -> int:
        """Strides collected since standing."""
        return len(self._windows)

    @property
    def misplacement(self) -> Misplacement | None:
        """Whether the sensors seem to sit elsewhere than announced."""
        return self._misplacement.found

    @property
    def settled(self) -> bool:
        """No further round over all strides will follow."""
        return len(self._windows) >= self._p.placement.settle_strides

    def stand(self, standing: Standing, bends: FloatArray | None) -> None:
        """A quiet stance, and the second moment (3, 3) of the shank's turning in the knee bends around it, if any."""
        self.standing = standing
        if bends is not None:
            self.bends = bends
        self._windows.clear()
        self._misplacement.clear()
        self._centre = None

    def add(self, window: StrideWindow) -> None:
        """One more stride after standing."""
        self._windows.append(window)
        self._misplacement.add(window)
        # Whoever marches on the spot for minutes shows no direction of travel; the newest strides are enough.
        del self._windows[: -self._p.placement.settle_strides]

    def solve(self) -> Solution | None:
        """All unknowns from all strides so far, or None while strides are too few or do not fit together."""
        if self.standing is None or len(self._windows) < self._p.placement.strides:
            return None
        if self.misplacement is not None:
            return None
        rounds = _LATER_ROUNDS
        if self._centre is None:
            force = self.standing.shank.force_m_s2
            down = -force / np.sqrt(np.sum(force**2))
            self._centre = JointCentreEstimator(self._p.joint_centre, down)
            rounds = _FIRST_ROUNDS
        centre = self._centre
        gravity, windows = self._upright(self.standing, centre)
        headings = _headings(windows, centre)
        for _ in range(rounds):
            centre.relearn(windows, [h.heading_rad for h in headings])
            gravity, windows = self._upright(self.standing, centre)
            headings = _headings(windows, centre)
        good = [h for h in headings if h.mismatch <= self._p.heading.max_velocity_mismatch]
        if len(good) < self._p.placement.strides:
            self.misfits += 1
            self._windows.pop(int(np.argmax([h.mismatch for h in headings])))
            return None
        start_s = float(self._windows[0].foot.time_s[self._windows[0].start])
        guess = float(np.angle(sum(np.exp(1j * h.heading_rad) for h in good)))
        heading = HeadingFilter(self._p.heading, start_s, guess)
        for h in headings:
            heading.add(h)
        axis = self._axis(windows, headings)
        if axis is None:
            return None
        placement = gravity.placed(heading.reference_rad, axis)
        return Solution(placement, centre, heading, gravity, axis, self.bends is not None, headings[-1])

    def _upright(self, standing: Standing, centre: JointCentreEstimator) -> tuple[LegGravity, list[StrideWindow]]:
        """Gravity from standing and all strides in order, and each stride as gravity was known when it ended."""
        gravity = LegGravity(self._p.gravity, standing)
        upright = []
        for window in self._windows:
            gravity.add(window, centre.estimate)
            upright.append(gravity.upright(window))
        return gravity, upright

    def _axis(self, windows: list[StrideWindow], headings: list[StrideHeading]) -> FloatArray | None:
        """Medio-lateral axis (3,) in shank-sensor axes, pointing to the right; None while nobody travels."""
        moment = self.bends
        if moment is None:
            moment = np.sum([turning_moment(w) for w in windows], axis=0)
        axis = principal_axis(moment)
        least_m = self._p.placement.min_travel_m
        vote = sum(vote_for_right(axis, w, h, least_m) for w, h in zip(windows, headings, strict=True))
        if vote == 0.0:
            return None
        return axis if vote > 0 else -axis


def vote_for_right(axis: FloatArray, window: StrideWindow, heading: StrideHeading, least_travel_m: float) -> float:
    """Cosine between an axis (3,) of the upright shank sensor and the right of the way travelled; 0 for no way."""
    travel_m = heading.travel_m
    if abs(travel_m) < least_travel_m:
        return 0.0
    in_shank_world = quat.rotate(window.shank.q[len(window.shank.q) // 2], axis)
    right = -1j * travel_m / abs(travel_m) * np.exp(-1j * heading.heading_rad)
    return float(np.real(complex(in_shank_world[0], in_shank_world[1]) * np.conj(right)))


def _headings(windows: list[StrideWindow], centre: JointCentreEstimator) -> list[StrideHeading]:
    c = centre.estimate
    return [stride_heading(w, c.foot_lever_m, c.shank_lever_m, c.offset_s) for w in windows]


def turning_moment(window: StrideWindow) -> FloatArray:
    """Second moment (3, 3) of the shank's angular rate over one stride, in sensor axes."""
    gyr = window.shank.gyr_rad_s
    return np.asarray(gyr.T @ gyr)
