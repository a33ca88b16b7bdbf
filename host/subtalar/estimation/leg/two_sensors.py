"""One leg, streaming: rows in order, a decision at each rest of the foot, angles for every row.

Between two decisions nothing changes but time, so rows are computed in whole arrays; every decision is tied to a row,
so the result does not depend on how the input was cut. No row looks ahead: a decision acts on later rows only.
"""

from bisect import bisect_left

import numpy as np

from subtalar.estimation.angles.row_angles import REAL, TABLE_WIDTH, block_of
from subtalar.estimation.gait.step_reporter import Step, StepReporter
from subtalar.estimation.gait.stride_log import StrideLog
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.leg.calibration_record import describe
from subtalar.estimation.leg.clock_gap import clock_gap
from subtalar.estimation.leg.leg_estimates import LegEstimates
from subtalar.estimation.leg.leg_notices import LegNotices
from subtalar.estimation.leg.leg_trace import CompleteHistory, LegTrace, ReportedStep
from subtalar.estimation.leg.leg_tracker import LegTracker
from subtalar.estimation.leg.row_loop import DONE, GAP_EDGE, REST_GOES_ON, REST_LASTS, run_rows
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.quaternions import Vector
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.leg_rows import LEG_ROW
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow, cut_window
from subtalar.estimation.stance.calm_stance import calmest_stance
from subtalar.estimation.stance.flat_pose import FlatPose
from subtalar.estimation.stance.foot_flat import ENDED, LASTS, FootFlat, FootFlatDetector
from subtalar.estimation.stance.standing import StillnessDetector
from subtalar.estimation.stance.standing_search import bend_moment, brief_standing, longest_standing
from subtalar.estimation.stance.zero_pose import ZeroPose
from subtalar.types import AngleBlock, Calibration, Side

_HELD_S = 90.0
_RAW_HELD_S = 10.0
_SLACK_S = 5.0
"""Kept beyond what is read, so that nothing read depends on when the past was let go."""
_FORGET_S = 1.0
_MARGIN_S = 0.12
_LONG_REST_S = 1.0
_LOOK_AGAIN_S = 2.0
"""Whoever stands still hears within this time that it is enough."""
_REPORT_AFTER_S = 0.01


class TwoSensorLeg:
    """Foot and shank sensor of one side."""

    def __init__(
        self,
        side: Side,
        foot: SensorStream,
        shank: SensorStream,
        parameters: Parameters,
        zero: ZeroPose | None = None,
    ) -> None:
        """``zero``: the pose that counts as zero from the start, where it is known from elsewhere."""
        self.side: Side = side
        self.tracker = LegTracker(side, parameters, zero)
        self._angles: list[AngleBlock] = []
        self._calibrations: list[Calibration] = []
        self._p = parameters
        self._foot, self._shank = foot, shank
        rate = foot.info.rate_hz
        self._rate_hz = rate
        self._flats = FootFlatDetector(parameters.foot_flat, rate, _LOOK_AGAIN_S)
        self._still_foot = StillnessDetector(parameters.stillness, rate)
        self._still_shank = StillnessDetector(parameters.stillness, rate)
        self._rows = History(LEG_ROW)
        self._log = StrideLog(side, parameters.subtalar_axis)
        self._steps = StepReporter(side, self.tracker, self._log)
        self._next = 0
        self._unreported: list[ReportedStep] = []
        self._report_from = 0
        self._forgot_at = 0
        self._forgot_until_s = -np.inf
        self._last_flat: FootFlat | None = None
        self._flat_pose = FlatPose(parameters.foot_flat)
        self._judged_begin = -1
        self._clocks_apart: bool | None = None
        self._is_flat = True
        self._in_gap = False
        self._notices = LegNotices(side, parameters, rate)
        self._trace: LegTrace | None = None

    def keep_trace(self) -> LegTrace:
        """Before the first sample: remember the whole recording for a pass that looks ahead. Changes no value."""
        foot, shank = CompleteHistory(SENSOR_ROW), CompleteHistory(SENSOR_ROW)
        self._foot.rows, self._shank.rows = foot, shank
        self._trace = LegTrace(foot, shank)
        return self._trace

    def advance(self, horizon_s: float, *, final: bool = False) -> None:
        """Compute every row that is decided, given that all that arrived before ``horizon_s`` was pushed."""
        # What the shank's clock still holds back at its start did arrive.
        overdue_s = -np.inf if self._shank.holding else horizon_s - self._p.partner_patience_s
        if final:
            overdue_s = np.inf
        while self._next < self._foot.rows.end and self._run(overdue_s):
            pass
        if final or self._next >= self._report_from:
            self._report()
        # Letting go of the past costs as much as a few rows.
        held = self._foot.rows.end + self._shank.rows.end
        if held - self._forgot_at > 2 * _FORGET_S * self._rate_hz or horizon_s > self._forgot_until_s + 1.0:
            self._forgot_at, self._forgot_until_s = held, horizon_s
            self._forget(horizon_s)

    def take(self) -> LegEstimates:
        """Everything found since the last call."""
        events, strides = self._steps.take_found()
        out = LegEstimates(self._angles, events, strides, self._notices.take(), self._calibrations)
        self._angles, self._calibrations = [], []
        return out

    def close(self) -> None:
        """The recording ended: whoever waits for angles hears what was missing, and who stands still gives the zero."""
        self._present_rest()
        self._notices.ended(self._foot, self._shank, self.tracker)

    def _run(self, overdue_s: float) -> bool:
        """Rows up to the first decision; False where no further one can be done now."""
        foot = self._foot.rows.view(self._next, self._foot.rows.end)
        n = len(foot)
        rows, angles = self._rows.room(n), np.empty((n, TABLE_WIDTH))
        done, measured, ended = run_rows(
            foot,
            self._shank.rows.view(self._shank.rows.first, self._shank.rows.end),
            self._next,
            self.tracker.offset_s,
            self._p.longest_bridge_s,
            self._p.partner_patience_s,
            self._shank.end_time_s,
            overdue_s,
            self._in_gap,
            self._flats.filter,
            self._still_foot.filter,
            self._still_shank.filter,
            self.tracker.model,
            rows,
            self._flats.power.room(n),
            angles,
            self._log.rows.room(n),
        )
        if done:
            self._next += done
            self._rows.end = self._flats.power.end = self._next
            self._log.added(done)
            if self.tracker.solution is None:
                self._notices.standing(rows[:done])
            # What was bridged is part of the strides, but does not leave the estimator.
            given = angles[:done] if measured == done else angles[:done][angles[:done, REAL] > 0]
            if measured:
                self._angles.append(block_of(given, self.side))
        if ended == GAP_EDGE:
            self._gap_edge(float(rows["time_s"][done]))
        elif ended == REST_GOES_ON:
            if self.tracker.wants_zero:
                self._present_rest()
        elif ended != DONE:
            flat = self._flats.report(self._next - 1, LASTS if ended == REST_LASTS else ENDED)
            if flat is not None:
                self._decide(flat)
        else:
            self._flats.forget(self._next)
        return ended != DONE

    def _gap_edge(self, time_s: float) -> None:
        """A gap begins or ends at the next row."""
        self._in_gap = not self._in_gap
        if not self._in_gap:
            self._flat_pose.forget()
            self.tracker.gap(time_s)
            if self._trace is not None:
                self._trace.resumed_s.append(time_s)

    def _decide(self, flat: FootFlat) -> None:
        """The foot came to rest or left it: learn from the step before the rest, then from the rest itself."""
        self._report()
        if flat.begin != self._judged_begin:
            self._judged_begin = flat.begin
            self._is_flat = self._flat_pose.is_flat(self._foot_up(flat.first))
        if not self._is_flat:
            return
        before, self._last_flat = self._last_flat, flat
        now_s = self._time(flat.detected)
        if before is None or before.begin != flat.begin:
            window = self._window(before.last, flat.first) if before is not None and flat.is_next else None
            if window is not None:
                self._learn(window, now_s)
            paused = before is not None and before.last - before.first > _LONG_REST_S * self._rate_hz
            step = None if window is None else Step(window, follows=not paused)
            # Learning and reporting in one go would hold up a live block; what is reported does not depend on when.
            self._unreported.append(ReportedStep(step, now_s + _REPORT_AFTER_S))
            self._report_from = self._next + round(_REPORT_AFTER_S * self._rate_hz)
            if self._trace is not None:
                self._trace.steps.append(ReportedStep(step, now_s))
        if flat.ended and flat.detected - flat.begin > self._p.zero.shortest_stance_s * self._rate_hz:
            self._rest(flat.begin, flat.last, flat.detected)

    def _report(self) -> None:
        """Events and measures of the newest step."""
        for reported in self._unreported:
            self._steps.take(reported.step, reported.now_s)
        self._unreported.clear()

    def _learn(self, window: StrideWindow, now_s: float) -> None:
        tracker = self.tracker
        self._notices.ranges(now_s, self._foot, self._shank)
        first = tracker.solution is None
        believed = tracker.learn(window, now_s)
        solution = tracker.solution
        if solution is None:
            if (tracker.misplacement == "other_leg" or tracker.hardly_fits) and self._mended_clocks(now_s):
                return
            self._notices.uncalibrated(now_s, tracker)
            return
        if first:
            self._notices.calibrated(now_s, solution)
        if believed:
            self._calibrations.append(describe(self.side, now_s, solution))
        slip = tracker.slip(window)
        if slip is not None:
            self._notices.slipped(now_s, slip)
        jump_rad = solution.heading.jump_rad
        if believed and jump_rad is not None and tracker.settled:
            self._notices.turned(now_s, jump_rad)

    def _mended_clocks(self, now_s: float) -> bool:
        """Whether it is the clocks that are apart, and no sensor that sits on the other leg; looked at once."""
        if self._clocks_apart is not None:
            return self._clocks_apart
        self._clocks_apart = False
        rows = (s.rows.view(s.rows.first, s.rows.end) for s in (self._foot, self._shank))
        until_s = now_s - self._p.placement.longest_clock_gap_s
        foot, shank = (r[: int(np.searchsorted(r["time_s"], now_s))] for r in rows)
        gap = clock_gap(foot, shank, self._p.placement) if len(foot) and until_s > foot["time_s"][0] else None
        # What arrives with a time of the computer's own is not that late.
        if gap is None or abs(gap.offset_s) < self._p.placement.least_clock_gap_s:
            return False
        if gap.could_be_other_leg and self._shank.has_arrivals and self._foot.has_arrivals:
            return False
        mendable = not gap.could_be_other_leg and abs(gap.offset_s) < self._p.placement.mendable_clock_gap_s
        self._notices.clocks_apart(now_s, gap, mended=mendable)
        if mendable:
            self.tracker.mend_clocks(gap.offset_s)
        self._clocks_apart = not mendable
        return True

    def _present_rest(self) -> None:
        """The foot is still at rest; what was seen before belongs to the zero before."""
        self._report()
        begin = self._flats.resting_since
        if begin is not None and self._next - begin > self._p.zero.shortest_stance_s * self._rate_hz:
            self._rest(max(begin, self._rows.first), self._next - 1, self._next)

    def _rest(self, begin: int, last: int, end: int) -> None:
        """Rows from ``begin`` to ``end``, calm until ``last``: a long rest may hold quiet standing and knee bends."""
        tracker = self.tracker
        if tracker.solution is None:
            begin = max(begin, end - round(_HELD_S * self._rate_hz))
            rows = self._rows.view(begin, end)
            standing = longest_standing(rows, begin, self._p.stillness, self._rate_hz)
            # Between the first steps the foot rests, too.
            if standing is None and tracker.standing is None and not tracker.walked:
                standing = brief_standing(rows, begin, self._p, self._rate_hz)
            if standing is not None:
                # Heel rise ends the rest and is no knee bend.
                self._notices.stood(self._time(end - 1), standing)
                tracker.stand(standing, bend_moment(rows[: last - begin], self._p.placement))
        elif tracker.wants_zero:
            rows = self._rows.view(max(begin, end - round(_RAW_HELD_S * self._rate_hz)), end)
            calm = calmest_stance(rows, self._p.zero, self._rate_hz)
            if calm is not None and tracker.stand_again(rows[calm.start : calm.stop], calm.sd_deg):
                self._notices.zero_found(self._time(end - 1), calm.sd_deg)

    def _window(self, start: int, stop: int) -> StrideWindow | None:
        """Both sensors' samples from rest to rest; None where that is no stride or samples are missing."""
        duration = (stop - start) / self._rate_hz
        if not self._p.foot_flat.min_stride_s <= duration <= self._p.foot_flat.max_stride_s:
            return None
        margin = round(_MARGIN_S * self._rate_hz)
        lo, hi = max(start - margin, self._foot.rows.first), min(stop + margin, self._next)
        foot = self._foot.rows.view(lo, hi)
        shank = self._shank.rows.view(self._shank.rows.first, self._shank.rows.end)
        return cut_window(foot, shank, self._rows.view(start, stop), start - lo, stop, self.tracker.offset_s, _MARGIN_S)

    def _foot_up(self, row: int) -> Vector:
        """The vertical in the foot sensor's axes at a row."""
        w, x, y, z = self._rows.view(row, row + 1)["foot"]["q"][0].tolist()
        return 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)

    def _time(self, row: int) -> float:
        return float(self._rows.view(row, row + 1)["time_s"][0])

    def _forget(self, horizon_s: float) -> None:
        # Only the search for standing looks far back.
        held_s = _HELD_S if self.tracker.solution is None else _RAW_HELD_S
        self._rows.forget_before(self._next - round((held_s + _SLACK_S) * self._rate_hz))
        self._foot.rows.forget_before(self._next - round(_RAW_HELD_S * self._rate_hz))
        shank = self._shank.rows.view(self._shank.rows.first, self._shank.rows.end)
        # By how far the leg has got; the shank may have been delivered far ahead of the foot. A foot that stays silent
        # while the session goes on will not come back to what arrived long ago.
        past_s = self._time(self._rows.end - 1) - _RAW_HELD_S if self._rows.end else -np.inf
        old = bisect_left(shank["time_s"], past_s)
        long_ago = bisect_left(shank["arrival_s"], horizon_s - _HELD_S) if np.isfinite(horizon_s) else 0
        self._shank.rows.forget_before(self._shank.rows.first + max(old, long_ago))
