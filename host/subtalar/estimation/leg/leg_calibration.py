"""From a few strides to everything a leg needs: placement, joint centre, first headings; the zero from quiet standing
before them, or where nobody stood from the strides themselves.

The unknowns hang together (a heading needs lever arms, lever arms need a heading), so they are found in rounds over the
first strides; each further stride up to ``settle_strides`` adds one round over all strides so far.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.joint.heading import HeadingFilter
from subtalar.estimation.joint.joint_centre import JointCentreEstimator
from subtalar.estimation.joint.joint_path import StrideHeading, stride_heading
from subtalar.estimation.leg.leg_gravity import LegGravity
from subtalar.estimation.leg.reversed_sign import sign_reversed
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.misplacement import Misplacement, MisplacementDetector
from subtalar.estimation.stance.placement import Placement, principal_axis
from subtalar.estimation.stance.standing import Standing
from subtalar.estimation.stance.zero_pose import ZeroPose, pose_of_standing, pose_of_strides, walking_start
from subtalar.types import FloatArray

_FIRST_ROUNDS = 4
_LATER_ROUNDS = 1
_CHECK_SIGN_AT = (9, 12)
"""Strides at which the accelerometers' signs are looked at."""


@dataclass(frozen=True)
class Solution:
    """What calibration found; ``from_bends``: the medio-lateral axis comes from knee bends, not from walking; ``zero``:
    the pose in which all angles are zero, None where it is the quiet standing that ``gravity`` began with.
    """

    placement: Placement
    centre: JointCentreEstimator
    heading: HeadingFilter
    gravity: LegGravity
    axis: FloatArray
    from_bends: bool
    last: StrideHeading
    zero: ZeroPose | None
    standing: Standing

    @property
    def zero_sd_deg(self) -> float:
        """Standard deviation of the zero of the ankle's angles."""
        return self.standing.zero_sd_deg if self.zero is None else self.zero.sd_deg

    @property
    def provisional(self) -> bool:
        """Nobody was seen standing: zero is what the walk shows."""
        return self.zero is not None and self.zero.source == "walk"

    def zero_pose(self) -> ZeroPose:
        """The same zero in sensor axes alone, also where it is quiet standing."""
        if self.zero is not None:
            return self.zero
        sd_deg = self.standing.zero_sd_deg
        return pose_of_standing(self.standing, self.heading.reference_rad, self.gravity.biases_m_s2, sd_deg)

    def placed(self) -> Placement:
        """Sensors to segments, by what is known now."""
        return _placed(self.zero, self.gravity, self.heading, self.axis)


def _placed(zero: ZeroPose | None, gravity: LegGravity, heading: HeadingFilter, axis: FloatArray) -> Placement:
    return gravity.placed(heading.reference_rad, axis) if zero is None else zero.placed(gravity.biases_m_s2, axis)


class LegCalibration:
    """Collects evidence; ``solve`` gives a solution as soon as there is enough."""

    def __init__(
        self,
        parameters: Parameters,
        zero: ZeroPose | None = None,
        before: "LegCalibration | None" = None,
        offset_s: float = 0.0,
    ) -> None:
        """``before``: one whose stance counts, but none of its strides. ``offset_s``: that of the shank's clock, to
        some milliseconds.
        """
        self._p = parameters
        self._offset_s = offset_s
        self.standing: Standing | None = None
        self.zero = zero
        """A zero from elsewhere in the recording, which counts instead of the standing's and the walk's."""
        self.misfits = 0
        self.bends: FloatArray | None = None
        if before is not None:
            self.standing, self.bends = before.standing, before.bends
        self._windows: list[StrideWindow] = []
        self._centre: JointCentreEstimator | None = None
        self._misplacement = MisplacementDetector(parameters.placement)
        self._sign_reversed = False

    @property
    def strides(self) -> int:
        """Strides collected since standing."""
        return len(self._windows)

    @property
    def misplacement(self) -> Misplacement | None:
        """Whether the sensors seem to sit elsewhere than announced, or read another sign than they should."""
        return self._misplacement.found or ("sign_reversed" if self._sign_reversed else None)

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
        self._misplacement.add(window, self._offset_s)
        # Whoever marches on the spot for minutes shows no direction of travel; the newest strides are enough.
        del self._windows[: -self._p.placement.settle_strides]
        if not self._sign_reversed and len(self._windows) in _CHECK_SIGN_AT:
            offset_s = 0.0 if self._centre is None else self._centre.offset_s
            self._sign_reversed = sign_reversed(self._windows, offset_s, self._p.placement)

    def solve(self) -> Solution | None:
        """All unknowns from all strides so far, or None while strides are too few or do not fit together."""
        if len(self._windows) < self._p.placement.strides or self.misplacement is not None:
            return None
        standing = self.standing or walking_start(self._windows[0], self._p.zero.walk_gravity_sd_m_s2)
        rounds = _LATER_ROUNDS
        if self._centre is None:
            force = standing.shank.force_m_s2
            down = -force / np.sqrt(np.sum(force**2))
            self._centre = JointCentreEstimator(self._p.joint_centre, down, self._offset_s)
            rounds = _FIRST_ROUNDS
        centre = self._centre
        gravity, windows = self._upright(standing, centre)
        headings = _headings(windows, centre)
        for _ in range(rounds):
            centre.relearn(windows, [h.heading_rad for h in headings])
            gravity, windows = self._upright(standing, centre)
            headings = _headings(windows, centre)
        most = self._p.heading.max_velocity_mismatch if self.standing is not None else self._p.zero.walk_mismatch
        good = [h for h in headings if h.mismatch <= most]
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
        zero = self._zero(windows, headings, centre, gravity, axis)
        if zero is not None:
            heading.anchor()
        placement = _placed(zero, gravity, heading, axis)
        from_bends = self.bends is not None
        return Solution(placement, centre, heading, gravity, axis, from_bends, headings[-1], zero, standing)

    def _zero(
        self,
        windows: list[StrideWindow],
        headings: list[StrideHeading],
        centre: JointCentreEstimator,
        gravity: LegGravity,
        axis: FloatArray,
    ) -> ZeroPose | None:
        """The zero that counts instead of the standing's."""
        if self.zero is not None:
            return self.zero
        if self.standing is not None:
            return None
        p = self._p.zero
        fit = [
            (window, heading.heading_rad, centre.offset_s)
            for window, heading in zip(windows, headings, strict=True)
            if heading.mismatch <= p.walk_mismatch
        ]
        return pose_of_strides(fit, axis, gravity.biases_m_s2, p)

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
