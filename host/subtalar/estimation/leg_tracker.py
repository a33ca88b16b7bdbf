"""What a leg knows: placement, joint centre, heading; renewed by each stride, applied to every row."""

import numpy as np

from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.ankle_path import StrideHeading, stride_heading
from subtalar.estimation.calibration import LegCalibration, Solution
from subtalar.estimation.further_angles import WIDTH, further_angles
from subtalar.estimation.joint_angles import ankle_angles_deg
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.placement import place, right_azimuth_rad, segment_axes
from subtalar.estimation.standing import Standing
from subtalar.estimation.stride_window import StrideWindow
from subtalar.types import FloatArray, Quality, Side

_STALE_S = 15.0
_UNCERTAIN_DEG = 4.0
_FEW = 6
_SHARE = np.array([0.12, 0.4, 1.0])
"""How much of a heading error (about the vertical) shows in each angle while the shank leans by up to 25°."""


class RowAngles:
    """Angles and sd (n, 3) in degrees, quality codes, shank in the view (n, 4), further angles and their sd (n, 5)."""

    def __init__(self, n: int) -> None:
        self.angles_deg = np.full((n, 3), np.nan)
        self.sd_deg = np.full((n, 3), np.nan)
        self.quality = np.full(n, float(Quality.NOT_CALIBRATED))
        self.shank_view = np.full((n, 4), np.nan)
        self.further_deg = np.full((n, WIDTH), np.nan)
        self.further_sd_deg = np.full((n, WIDTH), np.nan)

    @property
    def foot_pitch_deg(self) -> FloatArray:
        """Foot to the floor (n,), + toes up."""
        return self.further_deg[:, 1]

    def withhold(self, rows: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", reason: Quality) -> None:
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
        self._frozen = False
        self._view = np.array([1.0, 0.0, 0.0, 0.0])
        self._heading_at_s = -np.inf
        self._reset_at_s = -np.inf
        self.solution: Solution | None = None
        self.offset_s = 0.0

    @property
    def standing(self) -> Standing | None:
        """The quiet stance that counts as zero."""
        return self._calibration.standing

    @property
    def strides_do_not_fit(self) -> bool:
        """Many strides since standing, and still the two sensors do not agree on where the ankle goes."""
        return self._calibration.misfits >= self._p.placement.settle_strides

    @property
    def exchanged(self) -> bool:
        """Foot and shank sensor seem to sit in each other's place."""
        return self._calibration.exchanged

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

    def learn(self, window: StrideWindow, now_s: float) -> bool:
        """Take a stride; whether it was believed."""
        if self.solution is not None and (self._frozen or self._calibration.settled):
            return self._refine(self.solution, window, now_s)
        if self.standing is None:
            return False
        self._calibration.add(window)
        solution = self._calibration.solve()
        if solution is None:
            return False
        self._accept(solution, now_s)
        return True

    def evidence(self, window: StrideWindow) -> StrideHeading:
        """What one stride says with the present joint centre; needs a solution."""
        assert self.solution is not None
        c = self.solution.centre.state
        return stride_heading(window, c.foot_lever_m, c.shank_lever_m, c.offset_s)

    def angles(self, rows: FloatArray) -> RowAngles:
        """Angles of rows (n, leg_rows.WIDTH)."""
        out = RowAngles(len(rows))
        if self.solution is not None:
            self._fill(out, rows, self.solution)
        out.withhold(rows[:, col.GAP] > 0, Quality.NO_DATA)
        return out

    def _refine(self, solution: Solution, window: StrideWindow, now_s: float) -> bool:
        predicted = float(solution.heading.heading_rad(np.array([window.middle_s]))[0])
        known = solution.heading.strides_since_restart > 0
        if known:
            solution.centre.add(window, predicted)
        evidence = self.evidence(window)
        believed = solution.heading.add(evidence)
        assert self.standing is not None
        reference = solution.heading.reference_rad
        right = right_azimuth_rad(solution.axis, self.standing.q_shank) + reference
        placement = place(self.standing, reference, right + 0.5 * np.pi)
        renewed = Solution(placement, solution.centre, solution.heading, solution.axis, solution.from_bends, evidence)
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

    def _fill(self, out: RowAngles, rows: FloatArray, solution: Solution) -> None:
        t = np.ascontiguousarray(rows[:, col.TIME])
        heading, placement = solution.heading, solution.placement
        turn = quat.about_vertical(heading.heading_rad(t))
        q_shank = quat.multiply(turn, quat.multiply(rows[:, col.Q_SHANK], quat.conjugate(placement.shank)))
        q_foot = quat.multiply(rows[:, col.Q_FOOT], quat.conjugate(placement.foot))
        out.angles_deg = ankle_angles_deg(quat.multiply(quat.conjugate(q_shank), q_foot), self._side)
        out.shank_view = quat.multiply(self._view, q_shank)
        spread = np.degrees(heading.sd_rad(t))
        floor = np.square(self._p.angle_floor_sd_deg)
        tilt = self._tilt_variance(t)
        out.sd_deg = np.sqrt((spread[:, None] * _SHARE) ** 2 + tilt[:, None] + floor)
        out.further_deg, out.further_sd_deg = further_angles(
            q_foot, q_shank, out.angles_deg, out.sd_deg, tilt, self._p, self._side
        )
        quality = out.quality
        quality[:] = Quality.OK if heading.strides >= _FEW else Quality.FEW_STRIDES
        quality[(t - self._heading_at_s > _STALE_S) | (spread > _UNCERTAIN_DEG)] = Quality.HEADING_STALE
        quality[rows[:, col.CLIPPED] > 0] = Quality.CLIPPED
        quality[rows[:, col.BRIDGED] > 0] = Quality.BRIDGED_GAP
        if heading.strides_since_restart < min(self._p.heading.strides_after_restart, heading.strides):
            out.withhold(np.ones(len(rows), dtype=bool), Quality.NO_DATA)

    def _tilt_variance(self, t: FloatArray) -> FloatArray:
        """Variance (n,) in square degrees of the inclination, beside the floor of each angle."""
        assert self.standing is not None
        p = self._p
        measured = p.tilt_per_gravity_error * np.degrees(self.standing.gravity_error)
        since = np.maximum(0.0, t - self._reset_at_s)
        fresh = p.tilt_after_reset_deg * np.exp(-since / p.tilt_settling_s)
        return np.asarray(fresh**2 + measured**2)
