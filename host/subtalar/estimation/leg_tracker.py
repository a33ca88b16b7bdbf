"""What a leg knows: placement, joint centre, heading; renewed by each stride, applied to every row."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.ankle_path import StrideHeading, stride_heading
from subtalar.estimation.calibration import LegCalibration, Solution
from subtalar.estimation.compiled import compiled
from subtalar.estimation.further_angles import WIDTH, further_angles
from subtalar.estimation.joint_angles import ankle_angles_deg
from subtalar.estimation.misplacement import Misplacement
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.placement import place, right_azimuth_rad, segment_axes
from subtalar.estimation.standing import Standing
from subtalar.estimation.strap_slip import SlipDetector, StrapSlip
from subtalar.estimation.stride_window import StrideWindow
from subtalar.types import AngleBlock, FloatArray, Quality, Side

STALE_S = 15.0
UNCERTAIN_DEG = 4.0
FEW = 6
_SHARE = np.array([0.12, 0.4, 1.0])
"""How much of a heading error (about the vertical) shows in each angle while the shank leans by up to 25°."""
_OK, _FEW_STRIDES, _HEADING_STALE = float(Quality.OK), float(Quality.FEW_STRIDES), float(Quality.HEADING_STALE)
_CLIPPED, _BRIDGED_GAP = float(Quality.CLIPPED), float(Quality.BRIDGED_GAP)


@dataclass
class RowAngles:
    """Angles and sd (n, 3) in degrees, quality codes, shank in the view (n, 4), further angles and their sd (n, 5)."""

    angles_deg: FloatArray
    sd_deg: FloatArray
    quality: FloatArray
    shank_view: FloatArray
    further_deg: FloatArray
    further_sd_deg: FloatArray

    @property
    def foot_pitch_deg(self) -> FloatArray:
        """Foot to the floor (n,), + toes up."""
        return self.further_deg[:, 1]

    @classmethod
    def unknown(cls, n: int) -> "RowAngles":
        """Rows of a leg that is not calibrated."""
        return cls(
            np.full((n, 3), np.nan),
            np.full((n, 3), np.nan),
            np.full(n, float(Quality.NOT_CALIBRATED)),
            np.full((n, 4), np.nan),
            np.full((n, WIDTH), np.nan),
            np.full((n, WIDTH), np.nan),
        )

    def block(self, side: Side, time_s: FloatArray, real: npt.NDArray[np.bool_]) -> AngleBlock:
        """What leaves the estimator: the rows at ``time_s`` (n,) that were measured, ``real`` (n,)."""
        which: slice | npt.NDArray[np.bool_] = slice(None) if real.all() else real
        return AngleBlock(
            side,
            time_s[which],
            self.angles_deg[which],
            self.sd_deg[which],
            self.quality.astype(np.uint8)[which],
            self.shank_view[which],
            self.further_deg[which],
            self.further_sd_deg[which],
        )

    def withhold(self, rows: npt.NDArray[np.bool_], reason: Quality) -> None:
        """No values in these rows (n,), for this reason."""
        self.quality[rows] = reason
        for values in (self.angles_deg, self.sd_deg, self.shank_view, self.further_deg, self.further_sd_deg):
            values[rows] = np.nan


class LegTracker:
    """``learn`` takes strides in order; ``angles`` applies what is known to rows that come after them."""

    def __init__(self, side: Side, parameters: Parameters) -> None:
        self._side: Side = side
        self._p = parameters
        self._calibration = LegCalibration(parameters)
        self._floor_sd_deg = np.array(parameters.angle_floor_sd_deg)
        self._soft_tissue_sd_deg = np.array(parameters.soft_tissue_sd_deg)
        self._frozen = False
        self._view = np.array([1.0, 0.0, 0.0, 0.0])
        self._heading_at_s = -np.inf
        self._reset_at_s = -np.inf
        self._newest: StrideWindow | None = None
        self._slips = SlipDetector(parameters.strap)
        self.slips: list[StrapSlip] = []
        self._slipped_rad = 0.0
        self.solution: Solution | None = None
        self.offset_s = 0.0

    @property
    def standing(self) -> Standing | None:
        """The quiet stance that counts as zero."""
        return self._calibration.standing

    @property
    def bends(self) -> FloatArray | None:
        """Second moment (3, 3) of the shank's turning in the knee bends; None where there were none."""
        return self._calibration.bends

    @property
    def strides_do_not_fit(self) -> bool:
        """Many strides since standing, and still the two sensors do not agree on where the ankle goes."""
        return self._calibration.misfits >= self._p.placement.settle_strides

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

    def stand(self, standing: Standing, bends: FloatArray | None) -> None:
        """A quiet stance before calibration; later ones change nothing."""
        if self.solution is None:
            self._calibration.stand(standing, bends)

    def gap(self, time_s: float) -> None:
        """One sensor's world began anew: its heading is unknown, its inclination rough."""
        self._reset_at_s = time_s
        if self.solution is None:
            self._calibration = LegCalibration(self._p)
        else:
            self._frozen = True
            self.solution.heading.restart()
            self.solution.gravity.restart()

    def learn(self, window: StrideWindow, now_s: float) -> bool:
        """Take a stride; whether it was believed."""
        if window.end_s < self._reset_at_s:
            return False  # its end was decided after a gap, and it belongs to the world before
        if self.solution is not None and (self._frozen or self._calibration.settled):
            return self._refine(self.solution, window, now_s)
        if self.standing is None:
            return False
        self._calibration.add(window)
        solution = self._calibration.solve()
        if solution is None:
            return False
        self._newest = window
        self._accept(solution, now_s)
        return True

    def slip(self, window: StrideWindow) -> StrapSlip | None:
        """Whether this stride, which was learnt, shows that a strap has slipped; angles are in doubt from then on."""
        settled_s = self._reset_at_s + self._p.strap.settling_s
        if self.solution is None or window.foot.time_s[window.start] < settled_s:
            return None
        slip = self._slips.add(window)
        if slip is not None:
            self.slips.append(slip)
            self._slipped_rad = float(np.hypot(self._slipped_rad, slip.angle_rad))
        return slip

    def evidence(self, window: StrideWindow) -> StrideHeading:
        """What one stride says with the present joint centre; needs a solution."""
        assert self.solution is not None
        if window is self._newest:
            return self.solution.last
        return self._compared(self.solution.gravity.upright(window))

    def _compared(self, window: StrideWindow) -> StrideHeading:
        assert self.solution is not None
        c = self.solution.centre.state
        return stride_heading(window, c.foot_lever_m, c.shank_lever_m, c.offset_s)

    def angles(self, rows: FloatArray) -> RowAngles:
        """Angles of rows (n, leg_rows.WIDTH)."""
        out = RowAngles.unknown(len(rows)) if self.solution is None else self._found(rows, self.solution)
        if col.any_gap(rows):
            out.withhold(rows[:, col.GAP] > 0, Quality.NO_DATA)
        return out

    def _refine(self, solution: Solution, window: StrideWindow, now_s: float) -> bool:
        predicted = float(solution.heading.heading_rad(np.array([window.middle_s]))[0])
        solution.gravity.add(window, solution.centre.state)
        upright = solution.gravity.upright(window)
        known = solution.heading.strides_since_restart > 0
        if known:
            solution.centre.add(upright, predicted)
        evidence = self._compared(upright)
        self._newest = window
        believed = solution.heading.add(evidence)
        reference = solution.heading.reference_rad
        q_foot, q_shank = solution.gravity.neutral
        right = right_azimuth_rad(solution.axis, q_shank) + reference
        placement = place(q_foot, q_shank, reference, right + 0.5 * np.pi)
        renewed = replace(solution, placement=placement, last=evidence)
        if believed:
            self._accept(renewed, now_s)
        else:
            self.solution = renewed
            self.offset_s = solution.centre.state.offset_s
        return believed

    def _accept(self, solution: Solution, now_s: float) -> None:
        self.solution = solution
        self.offset_s = solution.centre.state.offset_s
        self._heading_at_s = now_s
        # Let the picture of the leg face the way it travels.
        forward = solution.placement.forward_rad
        if abs(solution.last.travel_m) > self._p.placement.min_travel_m:
            forward = float(np.angle(solution.last.travel_m))
        self._view = quat.conjugate(segment_axes(forward))

    def _found(self, rows: FloatArray, solution: Solution) -> RowAngles:
        heading, placement, p = solution.heading, solution.placement, self._p
        t = np.ascontiguousarray(rows[:, col.TIME])
        q_foot, q_shank, q_shank_foot, shank_view = segment_orientations(
            *solution.gravity.upright_rows(rows), heading.heading_rad(t), placement.foot, placement.shank, self._view
        )
        spread_deg = np.degrees(heading.sd_rad(t))
        gravity = solution.gravity
        unknown = np.hypot(p.tilt_per_bias * gravity.tilt_sd_rad, p.tilt_per_excess * gravity.excess)
        tilt_sd_deg = float(np.degrees(np.hypot(unknown, self._slipped_rad)))
        tilt = _tilt_variance(t - self._reset_at_s, tilt_sd_deg, p.tilt_after_reset_deg, p.tilt_settling_s)
        angles_deg = ankle_angles_deg(q_shank_foot, self._side)
        beyond = np.sqrt(max(0.0, heading.mismatch**2 - p.sensor_mismatch**2))
        floor_sd_deg = np.sqrt(self._floor_sd_deg**2 + (beyond * self._soft_tissue_sd_deg) ** 2)
        sd_deg = angle_sd_deg(spread_deg, tilt, floor_sd_deg)
        fewest = _OK if heading.strides >= FEW else _FEW_STRIDES
        quality = _quality(rows, spread_deg, self._heading_at_s, _HEADING_STALE if self._slipped_rad else fewest)
        bent = solution.from_bends
        further = further_angles(q_foot, q_shank, angles_deg, sd_deg, tilt, p, self._side, from_bends=bent)
        out = RowAngles(angles_deg, sd_deg, quality, shank_view, *further)
        if heading.strides_since_restart < min(p.heading.strides_after_restart, heading.strides):
            out.withhold(np.ones(len(rows), dtype=bool), Quality.NO_DATA)
        return out


@compiled("(f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1])")
def segment_orientations(
    foot_sensor: FloatArray,
    shank_sensor: FloatArray,
    heading_rad: FloatArray,
    foot: FloatArray,
    shank: FloatArray,
    view: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Foot and shank in the foot's level world, foot in shank, shank in the view, (n, 4) each.

    ``foot_sensor`` and ``shank_sensor`` (n, 4) are the sensors in their own level worlds. ``foot`` and ``shank`` (4,)
    turn sensor axes into segment axes, ``view`` (4,) the foot's level world into the view; the heading (n,) turns the
    shank's level world into the foot's.
    """
    n = len(foot_sensor)
    feet, shanks, feet_in_shank, shanks_in_view = (
        np.empty((n, 4)),
        np.empty((n, 4)),
        np.empty((n, 4)),
        np.empty((n, 4)),
    )
    to_foot = quat.inverse((foot[0], foot[1], foot[2], foot[3]))
    to_shank = quat.inverse((shank[0], shank[1], shank[2], shank[3]))
    to_view = (view[0], view[1], view[2], view[3])
    for i in range(n):
        turn = (np.cos(0.5 * heading_rad[i]), 0.0, 0.0, np.sin(0.5 * heading_rad[i]))
        q_shank = quat.product(turn, quat.product(quat.quaternion_at(shank_sensor, i, 0), to_shank))
        q_foot = quat.product(quat.quaternion_at(foot_sensor, i, 0), to_foot)
        between = quat.product(quat.inverse(q_shank), q_foot)
        seen = quat.product(to_view, q_shank)
        for k in range(4):
            feet[i, k] = q_foot[k]
            shanks[i, k] = q_shank[k]
            feet_in_shank[i, k] = between[k]
            shanks_in_view[i, k] = seen[k]
    return feet, shanks, feet_in_shank, shanks_in_view


@compiled("(f8[::1], f8, f8, f8)")
def _tilt_variance(since_reset_s: FloatArray, sd_deg: float, after_reset_deg: float, settling_s: float) -> FloatArray:
    """Variance (n,) in square degrees of the inclination, beside the floor of each angle."""
    out = np.empty(len(since_reset_s))
    for i in range(len(out)):
        fresh = after_reset_deg * np.exp(-max(0.0, since_reset_s[i]) / settling_s)
        out[i] = fresh * fresh + sd_deg * sd_deg
    return out


@compiled("(f8[::1], f8[::1], f8[::1])")
def angle_sd_deg(spread_deg: FloatArray, tilt_variance: FloatArray, floor_sd_deg: FloatArray) -> FloatArray:
    """Standard deviations (n, 3) from the heading's (n,), the inclination's and the floor of each angle (3,)."""
    out = np.empty((len(spread_deg), 3))
    for i in range(len(spread_deg)):
        for k in range(3):
            turned = spread_deg[i] * _SHARE[k]
            out[i, k] = np.sqrt(turned * turned + tilt_variance[i] + floor_sd_deg[k] * floor_sd_deg[k])
    return out


@compiled("(f8[:,::1], f8[::1], f8, f8)")
def _quality(rows: FloatArray, spread_deg: FloatArray, heading_at_s: float, fewest: float) -> FloatArray:
    """Quality codes (n,) of rows with angles; ``fewest`` says whether there are enough strides."""
    out = np.empty(len(rows))
    for i in range(len(rows)):
        out[i] = fewest
        if rows[i, col.TIME] - heading_at_s > STALE_S or spread_deg[i] > UNCERTAIN_DEG:
            out[i] = _HEADING_STALE
        if rows[i, col.CLIPPED] > 0:
            out[i] = _CLIPPED
        if rows[i, col.BRIDGED] > 0:
            out[i] = _BRIDGED_GAP
    return out
