"""All unknowns of one leg from all its strides: gravity, joint centre, headings, placement, in rounds as when
calibrating, and with every round linearised at the one before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from subtalar.estimation.joint.joint_centre import JointCentreEstimator
from subtalar.estimation.joint.joint_path import StrideHeading, stride_heading
from subtalar.estimation.leg.leg_calibration import Solution, turning_moment, vote_for_right
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.smoothing.centre_track import levers_and_offsets
from subtalar.estimation.smoothing.gravity_track import GravityStride, GravityTrack
from subtalar.estimation.smoothing.heading_track import HeadingTrack
from subtalar.estimation.smoothing.parts import part_of
from subtalar.estimation.stance.placement import Placement, principal_axis
from subtalar.estimation.stance.standing import Standing, place_standing
from subtalar.estimation.stance.strap_slip import StrapSlip
from subtalar.estimation.stance.zero_pose import ZeroPose, pose_of_strides
from subtalar.types import FloatArray

_ROUNDS = 3


class LegSmoother:
    """Made from the strides after standing; then it only answers.

    ``windows`` are raw strides in order, ``resumed_s`` (m,) the instants at which samples came again after a gap,
    ``live`` what the live pass knew, before ``slips`` that it noticed of straps.
    """

    def __init__(
        self,
        parameters: Parameters,
        standing: Standing,
        bends: FloatArray | None,
        live: Solution,
        windows: list[StrideWindow],
        resumed_s: FloatArray,
        slips: Sequence[StrapSlip] = (),
    ) -> None:
        self.resumed_s = resumed_s
        self.slips = slips
        self.from_bends = bends is not None
        self._p = parameters
        self._live = live
        self._standing = standing
        self._windows = windows
        self._middle_s = np.array([w.middle_s for w in windows])
        self._sound = self._middle_s < min((slip.since_s for slip in slips), default=np.inf)
        """Strides before a strap slipped; the others show nothing of lever arms and axes."""
        self._part: list[int] = part_of(self._middle_s, resumed_s).tolist()
        force = standing.shank.force_m_s2
        estimator = JointCentreEstimator(parameters.joint_centre, -force / np.linalg.norm(force))
        self.centre = live.centre.estimate
        self._offset_s = np.full(len(windows), self.centre.offset_s)
        guess_rad = live.heading.reference_rad
        self._settle(guess_rad)
        for _ in range(_ROUNDS):
            self.centre, offsets_s = levers_and_offsets(parameters.joint_centre, estimator, self._equations(estimator))
            self._offset_s = np.interp(self._middle_s, self._middle_s[self.heading.believed & self._sound], offsets_s)
            self._settle(guess_rad)
        self.zero = live.zero
        """As found live; where that was from the first strides, from all of them."""
        self.placement = self._placed(bends, live)
        believed = self.heading.believed
        self.strides = int(believed.sum())
        """How many strides were believed."""
        self.mismatch = float(np.mean(np.array([e.mismatch for e in self.evidence])[believed]))
        """Mean share of the ankle's velocity on which the two sensors do not agree in them."""
        self._ways = np.flatnonzero([abs(e.travel_m) >= parameters.placement.min_travel_m for e in self.evidence])

    @property
    def foot_placement(self) -> FloatArray | None:
        """Foot sensor to foot segment (4,)."""
        return self.placement.foot

    def travel_m(self, window: StrideWindow) -> complex:
        """Where the ankle went from rest to rest, in the foot's level world."""
        stride = self._nearest(window.middle_s)
        if self._windows[stride] is window:
            return self.evidence[stride].travel_m
        return self._compared(self._upright(stride, window), self._offset_s[stride]).travel_m

    def offset_s(self, time_s: float) -> float:
        """How much later the shank's clock shows this instant."""
        return float(np.interp(time_s, self._middle_s, self._offset_s))

    @property
    def middle_s(self) -> FloatArray:
        """The middle (n,) of every stride."""
        return self._middle_s

    def travel_near(self, time_s: float) -> complex | None:
        """The newest way that is long enough to have a direction; the first such one before that."""
        if len(self._ways) == 0:
            return None
        k = int(np.searchsorted(self._middle_s[self._ways], time_s, side="right")) - 1
        return self.evidence[int(self._ways[max(k, 0)])].travel_m

    def _settle(self, guess_rad: float) -> None:
        """Gravity, then every stride's heading, then the heading over time, with the present joint centre."""
        p, standing, centre = self._p, self._standing, self.centre
        self.foot = GravityTrack(p, standing, standing.foot, self._strides(shank=False), centre.foot_lever_m)
        self.shank = GravityTrack(p, standing, standing.shank, self._strides(shank=True), centre.shank_lever_m)
        self.evidence: list[StrideHeading] = [
            self._compared(self._upright(k, w), self._offset_s[k]) for k, w in enumerate(self._windows)
        ]
        first = self._windows[0]
        start_s, anchored = float(first.foot.time_s[first.start]), self._live.zero is not None
        self.heading = HeadingTrack(p.heading, self.evidence, self._part, start_s, guess_rad, anchored=anchored)

    def _strides(self, *, shank: bool) -> Iterator[GravityStride]:
        for k, w in enumerate(self._windows):
            samples: SegmentSamples = w.shank_at_foot_times(self._offset_s[k]) if shank else w.foot
            yield GravityStride(samples, w.start, w.stop, self._part[k], w.middle_s)

    def _upright(self, stride: int, window: StrideWindow) -> StrideWindow:
        foot, shank = self.foot.upright(stride, window.foot), self.shank.upright(stride, window.shank)
        return StrideWindow(foot, shank, window.start, window.stop, window.clipped, window.row)

    def _compared(self, upright: StrideWindow, offset_s: float) -> StrideHeading:
        return stride_heading(upright, self.centre.foot_lever_m, self.centre.shank_lever_m, float(offset_s))

    def _equations(self, estimator: JointCentreEstimator) -> Iterator[tuple[FloatArray, FloatArray]]:
        heading_rad, _ = self.heading.at(self._middle_s, self.resumed_s)
        for k, window in enumerate(self._windows):
            if self.heading.believed[k] and self._sound[k]:
                at = replace(self.centre, offset_s=float(self._offset_s[k]))
                yield estimator.equations(self._upright(k, window), float(heading_rad[k]), at)

    def _placed(self, bends: FloatArray | None, live: Solution) -> Placement:
        """Placement by the pose of quiet standing, the axis from knee bends or else from all strides."""
        sound = [(k, w) for k, w in enumerate(self._windows) if self._sound[k]]
        moment = np.sum([turning_moment(w) for _, w in sound], axis=0) if bends is None else bends
        axis = principal_axis(moment)
        least_m = self._p.placement.min_travel_m
        vote = sum(vote_for_right(axis, self._upright(k, w), self.evidence[k], least_m) for k, w in sound)
        if vote == 0.0:
            axis = live.axis
        elif vote < 0.0:
            axis = -axis
        biases = self.foot.bias_m_s2, self.shank.bias_m_s2
        if live.provisional:
            self.zero = self._zero_of_walk(axis)
        if self.zero is not None:
            return self.zero.placed(biases, axis)
        return place_standing(self._standing, *biases, axis, self.heading.reference_rad)

    def _zero_of_walk(self, axis: FloatArray) -> ZeroPose:
        p = self._p
        fit = [k for k, e in enumerate(self.evidence) if self._sound[k] and e.mismatch <= p.zero.walk_mismatch]
        upright = ((self._upright(k, self._windows[k]), self.evidence[k].heading_rad, self._offset_s[k]) for k in fit)
        return pose_of_strides(upright, axis, (self.foot.bias_m_s2, self.shank.bias_m_s2), p.zero)

    @property
    def zero_sd_deg(self) -> float:
        """Standard deviation of the zero of the ankle's angles."""
        return self._standing.zero_sd_deg if self.zero is None else self.zero.sd_deg

    @property
    def foot_zero_sd_deg(self) -> float:
        """The same of the foot's angles to the floor."""
        return self.zero_sd_deg if self.zero is None else self.zero.foot_sd_deg

    def _nearest(self, time_s: float) -> int:
        return int(np.argmin(np.abs(self._middle_s - time_s)))
