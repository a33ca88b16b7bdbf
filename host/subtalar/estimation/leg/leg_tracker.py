"""What is known of a leg: placement, joint centre, heading; renewed by each stride, applied to every row."""

import cmath
import math
from dataclasses import replace

import numpy as np

from subtalar.estimation.angles.leg_model import AVAILABLE, LEG_MODEL, NOT_CALIBRATED, WITHHELD, take_states
from subtalar.estimation.angles.row_angles import FEW
from subtalar.estimation.angles.subtalar_axis import axis_in_foot
from subtalar.estimation.joint.ankle_acceleration import FOOT, SHANK, UNKNOWNS
from subtalar.estimation.joint.joint_path import StrideHeading, stride_heading
from subtalar.estimation.leg.leg_calibration import LegCalibration, Solution
from subtalar.estimation.leg.stride_learning import learn_stride
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.records import Records, record
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.misplacement import Misplacement
from subtalar.estimation.stance.placement import segment_axes
from subtalar.estimation.stance.standing import Standing
from subtalar.estimation.stance.strap_slip import SlipDetector, StrapSlip
from subtalar.estimation.stance.stride_pose import STRIDE_POSE, write_pose
from subtalar.estimation.stance.zero_pose import ZeroPose, pose_of_stance, turned_in_sensor
from subtalar.types import FloatArray, Quality, Side

_NO_EQUATIONS = np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros(UNKNOWNS)


class LegTracker:
    """``learn`` takes strides in order; ``model`` is what rows that come after them are computed by."""

    def __init__(self, side: Side, parameters: Parameters, zero: ZeroPose | None = None) -> None:
        self._side: Side = side
        self._p = parameters
        self._calibration = LegCalibration(parameters, zero)
        self._frozen = False
        self._view = np.array([1.0, 0.0, 0.0, 0.0])
        self._heading_at_s = -np.inf
        self._reset_at_s = -np.inf
        self._newest: StrideWindow | None = None
        self._model = record(
            LEG_MODEL,
            availability=NOT_CALIBRATED,
            mirror=1.0 if side == "right" else -1.0,
            subtalar_axis=axis_in_foot(parameters.subtalar_axis, side),
            reset_sd_deg=parameters.tilt_after_reset_deg,
            settling_s=parameters.tilt_settling_s,
            segment_floor_sd_deg=parameters.segments.floor_sd_deg,
        )
        self._model_is_current = False
        self._slips = SlipDetector(parameters.strap)
        self.slips: list[StrapSlip] = []
        self.unslipped: Solution | None = None
        """As it was when the first strap slipped."""
        self._equations = _NO_EQUATIONS
        """What the newest stride shows of the joint centre."""
        self.solution: Solution | None = None
        self.offset_s = 0.0
        self.zero_moved = False
        """Whether zero moved after the first angles, before any strap slipped."""

    @property
    def standing(self) -> Standing | None:
        """The quiet stance that counts as zero."""
        return self._calibration.standing

    @property
    def walked(self) -> bool:
        """Whether there were strides since standing, or since the beginning."""
        return self._calibration.strides > 0

    @property
    def zero(self) -> ZeroPose | None:
        """The pose that counts as zero, while no strap had slipped; None where it is quiet standing before the walk, or
        nothing yet.
        """
        known = self.unslipped or self.solution
        return self._calibration.zero if known is None else known.zero

    @property
    def bends(self) -> FloatArray | None:
        """Second moment (3, 3) of the shank's turning in the knee bends; None where there were none."""
        return self._calibration.bends

    @property
    def strides_do_not_fit(self) -> bool:
        """Many strides since standing, and still the two sensors do not agree on where the ankle goes."""
        return self._calibration.misfits >= self._p.placement.settle_strides

    @property
    def hardly_fits(self) -> bool:
        """Some strides since standing, and no solution yet."""
        return self._calibration.misfits >= self._p.placement.strides

    @property
    def settled(self) -> bool:
        """Placement is not solved anew with each stride any more."""
        return self._frozen or self._calibration.settled

    @property
    def misplacement(self) -> Misplacement | None:
        """Whether the sensors seem to sit elsewhere than announced; there are no angles then."""
        return self._calibration.misplacement if self.solution is None else None

    @property
    def foot_placement(self) -> FloatArray | None:
        """Foot sensor to foot segment (4,); None before calibration."""
        return None if self.solution is None else self.solution.placement.foot

    def travel_m(self, window: StrideWindow) -> complex:
        """Where the ankle went from rest to rest, in the foot's level world; needs a solution."""
        return self.evidence(window).travel_m

    @property
    def wants_zero(self) -> bool:
        """Whether a stance could make the zero better."""
        return self.solution is not None and self.solution.zero_sd_deg > self._p.zero.good_sd_deg

    def stand(self, standing: Standing, bends: FloatArray | None) -> None:
        """A quiet stance before calibration; later ones change nothing."""
        if self.solution is None:
            self._calibration.stand(standing, bends)

    def stand_again(self, rows: Records, sd_deg: float) -> bool:
        """A calm stance of rows (n,) of the leg after calibration; whether zero moved to it.

        A pose too far from what the walk shows is none in which somebody stands.
        """
        solution, p = self.solution, self._p.zero
        if solution is None or sd_deg > p.better * solution.zero_sd_deg or rows["time_s"][0] < self._reset_at_s:
            return False
        heading_rad = solution.heading.ahead_rad(float(np.mean(rows["time_s"])))
        pose = pose_of_stance(rows["foot"], rows["shank"], heading_rad, solution.gravity.biases_m_s2, sd_deg)
        old = solution.zero
        if old is not None and pose.apart_deg(old) > p.most_apart * float(np.hypot(old.sd_deg, sd_deg)):
            return False
        self.take_zero(solution, pose)
        # After a slip the pose is that of another mounting, and no zero for what was before.
        self.zero_moved = self.zero_moved or not self.slips
        return True

    def take_zero(self, solution: Solution, zero: ZeroPose) -> None:
        """From now on this is zero."""
        self._calibration.zero = zero
        solution.heading.anchor()
        renewed = replace(solution, zero=zero)
        self.solution = replace(renewed, placement=renewed.placed())
        self._model_is_current = False

    def mend_clocks(self, offset_s: float) -> None:
        """Before calibration: the shank's clock is found to show so much more. What was seen with the old one goes."""
        self._calibration = LegCalibration(self._p, self._calibration.zero, self._calibration, offset_s)
        self.offset_s = offset_s

    def gap(self, time_s: float) -> None:
        """One sensor's world began anew: its heading is unknown, its inclination rough."""
        self._reset_at_s = time_s
        self._model_is_current = False
        if self.solution is None:
            self._calibration = LegCalibration(self._p, self._calibration.zero, offset_s=self.offset_s)
        else:
            self._frozen = True
            self.solution.heading.restart()
            self.solution.gravity.restart()

    def learn(self, window: StrideWindow, now_s: float) -> bool:
        """Take a stride; whether it was believed."""
        if window.end_s < self._reset_at_s:
            return False  # its end was decided after a gap, and it belongs to the world before
        self._model_is_current = False
        if self.solution is not None and self.settled:
            return self._refine(self.solution, window, now_s)
        self._calibration.add(window)
        solution = self._calibration.solve()
        if solution is None:
            if self._calibration.misplacement == "sign_reversed" and self.solution is not None:
                # What the first strides seemed to show does not hold.
                self.solution = None
                self._model["availability"] = NOT_CALIBRATED
            return False
        self._newest = window
        self._model["gravity_rule"], self._model["heading_rule"] = solution.gravity.foot.rule, solution.heading.rule
        self._accept(solution, now_s)
        return True

    def slip(self, window: StrideWindow) -> StrapSlip | None:
        """Whether this stride, which was learnt, shows that a strap has slipped; angles go on with the new mounting.

        What may be a slip makes them uncertain from the first stride on.
        """
        solution, p = self.solution, self._p.strap
        settled_s = self._reset_at_s + p.settling_s
        if solution is None or window.foot.time_s[window.start] < settled_s:
            return None
        last = solution.last
        turn_rad = math.remainder(last.yaw_rad[1] - last.yaw_rad[0], math.tau)
        long_enough = abs(last.travel_m) > self._p.placement.min_travel_m
        if not long_enough or abs(turn_rad) > p.most_turn_rad or last.mismatch > p.most_mismatch:
            return None
        pose, centre, gravity = record(STRIDE_POSE), solution.centre, solution.gravity
        pose["information"], pose["vector"] = self._equations
        way = last.travel_m
        write_pose(
            window.foot.rows,
            window.shank.rows,
            window.start,
            window.stop,
            gravity.foot.state,
            gravity.shank.state,
            centre.offset_s,
            last.heading_rad,
            way.real,
            way.imag,
            pose,
        )
        doubted = self._slips.doubt_rad
        placement = solution.placement
        slip = self._slips.add(pose, placement.foot, placement.shank, centre.state["mean"][0])
        if slip is not None:
            self.slips.append(slip)
            self._remount(solution, slip)
        if self._slips.doubt_rad != doubted:
            self._model_is_current = False
        return slip

    def _remount(self, solution: Solution, slip: StrapSlip) -> None:
        """One sensor sits otherwise since some strides: zero, axis and joint centre are elsewhere in its axes."""
        self.unslipped = self.unslipped or solution
        zero = solution.zero_pose().remounted(slip.segment, solution.placement, slip.turn, self._p.strap.renewed_sd_deg)
        of_foot = slip.segment == "foot"
        to_new = turned_in_sensor(solution.placement.foot if of_foot else solution.placement.shank, slip.turn)
        axis = solution.axis if of_foot else np.ascontiguousarray(quat.rotate(to_new, solution.axis))
        solution.centre.turn(FOOT if of_foot else SHANK, to_new)
        self.take_zero(replace(solution, axis=axis), zero)
        self._slips.remounted(slip.segment, to_new)

    def evidence(self, window: StrideWindow) -> StrideHeading:
        """What one stride shows with the present joint centre; needs a solution."""
        assert self.solution is not None
        if window is self._newest:
            return self.solution.last
        return self._compared(self.solution.gravity.upright(window))

    def _compared(self, window: StrideWindow) -> StrideHeading:
        assert self.solution is not None
        c = self.solution.centre.estimate
        return stride_heading(window, c.foot_lever_m, c.shank_lever_m, c.offset_s)

    @property
    def model(self) -> Records:
        """One ``LEG_MODEL``, by which ``run_rows`` computes angles until something more is learnt."""
        if self.solution is not None and not self._model_is_current:
            self._renew_model(self.solution)
            self._model_is_current = True
        return self._model

    def _refine(self, solution: Solution, window: StrideWindow, now_s: float) -> bool:
        heading, gravity = solution.heading, solution.gravity
        expected, known = heading.ahead_rad(window.middle_s), heading.strides_since_restart > 0
        before = solution.centre.remembered()
        evidence = learn_stride(window, gravity, solution.centre, expected, known=known)
        # Where the heading is unknown the joint centre learns nothing.
        self._equations = solution.centre.learnt_since(before) if known else _NO_EQUATIONS
        self._newest = window
        believed = heading.add(evidence)
        renewed = replace(solution, placement=solution.placed(), last=evidence)
        if believed:
            self._accept(renewed, now_s)
        else:
            self.solution = renewed
            self.offset_s = solution.centre.offset_s
        return believed

    def _accept(self, solution: Solution, now_s: float) -> None:
        self.solution = solution
        self.offset_s = solution.centre.offset_s
        self._heading_at_s = now_s
        # Let the picture of the leg face the way it travels.
        forward = solution.placement.forward_rad
        if abs(solution.last.travel_m) > self._p.placement.min_travel_m:
            forward = cmath.phase(solution.last.travel_m)
        self._view = quat.conjugate(segment_axes(forward))

    def _renew_model(self, solution: Solution) -> None:
        heading, gravity, placement, p = solution.heading, solution.gravity, solution.placement, self._p
        unknown = math.hypot(
            p.tilt_per_bias * gravity.tilt_sd_rad, p.tilt_per_excess * gravity.excess, self._slips.doubt_rad
        )
        beyond = math.sqrt(max(0.0, heading.mismatch**2 - p.sensor_mismatch**2))
        floors = zip(p.angle_floor_sd_deg, p.soft_tissue_sd_deg, strict=True)
        settled = Quality.PROVISIONAL_ZERO if solution.provisional else Quality.OK
        quality = settled if heading.strides >= FEW else Quality.FEW_STRIDES
        if self._slips.doubt_rad > p.strap.stale_rad:
            quality = Quality.HEADING_STALE
        withheld = heading.strides_since_restart < min(p.heading.strides_after_restart, heading.strides)
        model = self._model
        model["availability"] = WITHHELD if withheld else AVAILABLE
        take_states(model, gravity.foot.state, gravity.shank.state, heading.state)
        model["foot_placement"], model["shank_placement"] = placement.foot, placement.shank
        model["view"] = self._view
        model["reset_s"], model["tilt_sd_deg"] = self._reset_at_s, math.degrees(unknown)
        model["ankle_floor_sd_deg"] = [math.hypot(floor, beyond * soft) for floor, soft in floors]
        zero = solution.zero
        model["zero_sd_deg"] = solution.zero_sd_deg
        model["stated_zero_sd_deg"] = max(p.zero.least_sd_deg, solution.zero_sd_deg)
        model["foot_zero_sd_deg"] = solution.zero_sd_deg if zero is None else zero.foot_sd_deg
        model["axis_sd_deg"] = p.segments.axis_sd_deg if solution.from_bends else p.segments.axis_from_walk_sd_deg
        model["confirmed_s"], model["quality"] = self._heading_at_s, float(quality)
