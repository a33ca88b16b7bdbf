"""One leg, streaming: rows in order, a decision at each rest of the foot, angles for every row.

Between two decisions nothing changes but time, so rows are computed in whole arrays; every decision is tied to a row,
so the result does not depend on how the input was cut. No row looks ahead: a decision acts on later rows only.
"""

from collections.abc import Sequence

import numpy as np

from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation import sensor_stream as stream
from subtalar.estimation.ankle_path import StrideHeading, stride_heading
from subtalar.estimation.calibration import LegCalibration, Solution
from subtalar.estimation.foot_flat import FootFlat, FootFlatDetector
from subtalar.estimation.gait_events import swing_events
from subtalar.estimation.history import History
from subtalar.estimation.joint_angles import ankle_angles_deg
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.placement import place, segment_axes
from subtalar.estimation.sensor_stream import SensorStream
from subtalar.estimation.standing import StillnessDetector
from subtalar.estimation.standing_search import bend_moment, longest_standing
from subtalar.estimation.stride_log import StrideLog
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import AngleBlock, FloatArray, GaitEvent, Notice, NoticeLevel, Quality, Side, Stride

_HELD_S = 90.0
_MARGIN_S = 0.12
_RAW_HELD_S = 10.0
_LONG_REST_S = 1.0
_GAP_HEADING_SD_RAD = np.radians(20.0)
_STALE_S = 15.0
_STEPS_KEPT = 30
_SHARE = np.array([0.12, 0.4, 1.0])
"""How much of a heading error (about the vertical) shows in each angle while the shank leans by up to 25°."""


class Leg:
    """Foot and shank sensor of one side."""

    def __init__(self, side: Side, foot: SensorStream, shank: SensorStream, parameters: Parameters) -> None:
        self.side: Side = side
        self.angles: list[AngleBlock] = []
        self.events: list[GaitEvent] = []
        self.strides: list[Stride] = []
        self.notices: list[Notice] = []
        self._p = parameters
        self._foot, self._shank = foot, shank
        rate = foot.info.rate_hz
        self._rate_hz = rate
        self._flats = FootFlatDetector(parameters.foot_flat, rate)
        self._still_foot = StillnessDetector(parameters.stillness, rate)
        self._still_shank = StillnessDetector(parameters.stillness, rate)
        self._rows = History(col.WIDTH)
        self._log = StrideLog(side)
        self._calibration = LegCalibration(parameters)
        self._solution: Solution | None = None
        self._offset_s = 0.0
        self._next = 0
        self._flats_fed = 0
        self._last_flat: FootFlat | None = None
        self._steps: list[tuple[StrideWindow, bool] | None] = []
        self._in_gap = False
        self._gap_since_flat = False
        self._view = np.array([1.0, 0.0, 0.0, 0.0])
        self._heading_at_s = -np.inf
        self._said: set[str] = set()

    @property
    def calibrated(self) -> bool:
        """Whether angles are being given."""
        return self._solution is not None

    @property
    def stood(self) -> bool:
        """Whether a quiet stance was ever found."""
        return self._calibration.standing is not None

    def advance(self, horizon_s: float, *, final: bool = False) -> None:
        """Compute every row that is decided, given that all that arrived before ``horizon_s`` was pushed."""
        patience = self._p.partner_patience_s
        while True:
            end = (
                self._foot.rows.end
                if final
                else col.resolvable(self._foot, self._shank, self._next, self._offset_s, horizon_s, patience)
            )
            if end <= self._next:
                break
            self._run(end)
        self._forget()

    def _run(self, end: int) -> None:
        """Rows up to ``end``, or up to the first decision."""
        foot_rows = self._foot.rows.view(self._next, end)
        rows = col.align(foot_rows, self._shank, self._offset_s, self._p.longest_bridge_s, self._p.partner_patience_s)
        stop = self._gap_edge(rows)
        if self._flats_fed < self._next + stop:
            fresh = foot_rows[self._flats_fed - self._next : stop]
            self._flats.push(fresh[:, stream.GYR], fresh[:, stream.ACC])
            self._flats_fed += len(fresh)
        flat = self._flats.next_before(self._next + stop)
        if flat is not None:
            stop = flat.detected + 1 - self._next
        rows = rows[:stop]
        self._finish_rows(rows)
        self._next += stop
        if flat is not None:
            self._decide(flat)

    def _gap_edge(self, rows: FloatArray) -> int:
        """How many rows to take so that a gap begins or ends exactly at the end of what was taken."""
        gap = rows[:, col.GAP] > 0
        if bool(gap[0]) != self._in_gap:
            self._in_gap = bool(gap[0])
            self._gap_since_flat = True
            if not self._in_gap and self._solution is not None:
                self._solution.heading.loosen(_GAP_HEADING_SD_RAD)
        change = np.flatnonzero(gap != self._in_gap)
        return int(change[0]) if len(change) else len(rows)

    def _finish_rows(self, rows: FloatArray) -> None:
        """Stillness, angles and the log of these rows."""
        shank_gyr = np.where(rows[:, col.GAP, None] > 0, 0.0, rows[:, col.GYR_SHANK])
        still = self._still_foot.push(np.ascontiguousarray(rows[:, col.GYR_FOOT])) * self._still_shank.push(shank_gyr)
        rows[:, col.STILL] = still * (1.0 - rows[:, col.GAP])
        self._rows.append(rows)
        self._give_angles(rows)

    def _give_angles(self, rows: FloatArray) -> None:
        n = len(rows)
        angles = np.full((n, 3), np.nan)
        sd = np.full((n, 3), np.nan)
        shank_view = np.full((n, 4), np.nan)
        pitch = np.full(n, np.nan)
        t = np.ascontiguousarray(rows[:, col.TIME])
        quality = np.full(n, float(Quality.NOT_CALIBRATED))
        if self._solution is not None:
            heading = self._solution.heading
            placement = self._solution.placement
            turn = quat.about_vertical(heading.heading_rad(t))
            q_shank = quat.multiply(turn, quat.multiply(rows[:, col.Q_SHANK], quat.conjugate(placement.shank)))
            q_foot = quat.multiply(rows[:, col.Q_FOOT], quat.conjugate(placement.foot))
            angles = ankle_angles_deg(quat.multiply(quat.conjugate(q_shank), q_foot), self.side)
            spread = np.degrees(heading.sd_rad(t))
            sd = np.sqrt((spread[:, None] * _SHARE) ** 2 + np.square(self._p.angle_floor_sd_deg))
            shank_view = quat.multiply(self._view, q_shank)
            forward_up = quat.rotate(q_foot, np.broadcast_to(np.array([1.0, 0.0, 0.0]), (n, 3)))[:, 2]
            pitch = np.degrees(np.arcsin(np.clip(forward_up, -1.0, 1.0)))
            quality[:] = Quality.OK
            if heading.strides < 6:
                quality[:] = Quality.FEW_STRIDES
            quality[t - self._heading_at_s > _STALE_S] = Quality.HEADING_STALE
            quality[spread > 4.0] = Quality.HEADING_STALE
            quality[rows[:, col.CLIPPED] > 0] = Quality.CLIPPED
            quality[rows[:, col.BRIDGED] > 0] = Quality.BRIDGED_GAP
        gap = rows[:, col.GAP] > 0
        quality[gap] = Quality.NO_DATA
        for values in (angles, sd, shank_view):
            values[gap] = np.nan
        self._log.add_rows(t, angles, quality, np.ascontiguousarray(rows[:, col.SHOCK]), pitch, rows[:, col.REAL])
        real = rows[:, col.REAL] > 0
        if real.any():
            self.angles.append(
                AngleBlock(self.side, t[real], angles[real], sd[real], quality[real].astype(np.uint8), shank_view[real])
            )

    def _decide(self, flat: FootFlat) -> None:
        """The foot left a rest: learn from the stride that ended with it, and from the rest itself."""
        before, self._last_flat = self._last_flat, flat
        gap, self._gap_since_flat = self._gap_since_flat, False
        window = None if before is None or gap else self._window(before.last, flat.first)
        now_s = self._time(flat.detected)
        if window is not None:
            self._learn(window, now_s)
            paused = before is not None and before.last - before.first > _LONG_REST_S * self._rate_hz
            self._steps.append((window, paused))
        else:
            self._steps.append(None)
        if self._solution is not None:
            # Steps taken before calibration are told now: late, but not lost.
            steps, self._steps = self._steps, []
            for step in steps:
                self._events(step, now_s)
        else:
            self._steps = self._steps[-_STEPS_KEPT:]
        if flat.detected - flat.begin > _LONG_REST_S * self._rate_hz:
            self._rest(flat, now_s)

    def _learn(self, window: StrideWindow, now_s: float) -> None:
        if self._solution is None or not self._calibration.settled:
            if self._calibration.standing is None:
                return
            self._calibration.add(window)
            solution = self._calibration.solve()
            if solution is None:
                if self._calibration.strides >= 8:
                    self._say(
                        now_s,
                        "problem",
                        "strides_do_not_fit",
                        "The two sensors do not see the same steps: "
                        "check that both sit on the same leg and do not slip.",
                    )
                return
            if self._solution is None:
                bends = "knee bends" if solution.from_bends else "the walk itself"
                self._say(now_s, "info", "calibrated", f"Calibrated from quiet standing and {bends}.")
            self._solution = solution
            self._offset_s = solution.centre.state.offset_s
            self._heading_at_s = now_s
            self._turn_view(solution.last)
            return
        solution = self._solution
        predicted = float(solution.heading.heading_rad(np.array([window.middle_s]))[0])
        solution.centre.add(window, predicted)
        c = solution.centre.state
        evidence = stride_heading(window, c.foot_lever_m, c.shank_lever_m, c.offset_s)
        self._offset_s = c.offset_s
        if solution.heading.add(evidence):
            self._heading_at_s = now_s
            self._turn_view(evidence)
        assert self._calibration.standing is not None
        reference = solution.heading.reference_rad
        standing = self._calibration.standing
        right = _azimuth(quat.rotate(standing.q_shank, solution.axis)) + reference
        placement = place(standing, reference, right + 0.5 * np.pi)
        self._solution = Solution(
            placement, solution.centre, solution.heading, solution.axis, solution.from_bends, evidence
        )

    def _turn_view(self, evidence: StrideHeading) -> None:
        """Let the picture of the leg face the way it travels."""
        if abs(evidence.travel_m) > self._p.placement.min_travel_m:
            self._view = quat.conjugate(segment_axes(float(np.angle(evidence.travel_m))))
        elif self._solution is not None and self._view[0] == 1.0:
            self._view = quat.conjugate(segment_axes(self._solution.placement.forward_rad))

    def _rest(self, flat: FootFlat, now_s: float) -> None:
        """A long rest may hold quiet standing and knee bends."""
        if self._solution is not None:
            return
        begin = max(flat.begin, self._rows.first)
        rows = self._rows.view(begin, flat.detected)
        standing = longest_standing(rows, begin, self._p.stillness, self._rate_hz)
        if standing is not None:
            # Heel rise ends the rest and is no knee bend.
            resting = rows[: flat.last - begin]
            self._calibration.stand(standing, bend_moment(resting, self._p.placement))
            self._say(now_s, "info", "standing_found", f"Quiet standing of {standing.duration_s:.1f} s found.")

    def _events(self, step: tuple[StrideWindow, bool] | None, now_s: float) -> None:
        """Foot off and initial contact of one step, and the stride that the contact ends."""
        assert self._solution is not None
        if step is None:
            self._log.interrupt()
            return
        window, paused = step
        if paused:
            self._log.interrupt()
        inside = slice(window.start, window.stop + 1)
        right = quat.rotate(quat.conjugate(self._solution.placement.foot), np.array([0.0, 0.0, 1.0]))
        gyr = window.foot.gyr_rad_s[inside]
        pitch_rate = gyr[:, 0] * right[0] + gyr[:, 1] * right[1] + gyr[:, 2] * right[2]
        swing = swing_events(window.foot.time_s[inside], pitch_rate, window.foot.acc_m_s2[inside])
        if swing is None:
            self._log.interrupt()
            return
        self.events.append(GaitEvent(self.side, "foot_off", swing.foot_off_s, now_s))
        self.events.append(GaitEvent(self.side, "initial_contact", swing.initial_contact_s, now_s))
        self.events.append(GaitEvent(self.side, "foot_flat", window.end_s, now_s))
        turn = quat.multiply(window.foot.q[window.stop], quat.conjugate(window.foot.q[window.start]))
        turn_deg = float(np.degrees(2 * np.arctan2(turn[3], turn[0])))
        turn_deg = (turn_deg + 180.0) % 360.0 - 180.0
        c = self._solution.centre.state
        travel = stride_heading(window, c.foot_lever_m, c.shank_lever_m, c.offset_s).travel_m
        stride = self._log.swing(swing, travel, self._toe_out_deg(window, travel), turn_deg)
        if stride is not None:
            self.strides.append(stride)

    def _toe_out_deg(self, window: StrideWindow, travel: complex) -> float:
        """Angle of the resting foot to its direction of travel, + toes out."""
        assert self._solution is not None
        q = quat.multiply(window.foot.q[window.stop], quat.conjugate(self._solution.placement.foot))
        toes = _azimuth(quat.rotate(q, np.array([1.0, 0.0, 0.0])))
        left_of_travel = float(np.degrees(np.angle(np.exp(1j * toes) * np.conj(travel))))
        return left_of_travel if self.side == "left" else -left_of_travel

    def _window(self, start: int, stop: int) -> StrideWindow | None:
        duration = (stop - start) / self._rate_hz
        if not self._p.foot_flat.min_stride_s <= duration <= self._p.foot_flat.max_stride_s:
            return None
        margin = round(_MARGIN_S * self._rate_hz)
        lo, hi = max(start - margin, self._foot.rows.first), min(stop + margin, self._next)
        foot = self._foot.rows.view(lo, hi)
        s = self._shank.rows.view(self._shank.rows.first, self._shank.rows.end)
        # A little more of the shank than its present offset asks for, so that the offset can still move.
        a, b = np.searchsorted(
            s[:, stream.TIME],
            (foot[0, stream.TIME] + self._offset_s - _MARGIN_S, foot[-1, stream.TIME] + self._offset_s),
        )
        shank = s[max(0, a - 1) : b + 1]
        if len(shank) < 8 or np.any(foot[1:, stream.STEP] > self._p.longest_bridge_s):
            return None
        near = np.convolve(foot[:, stream.CLIPPED], np.ones(5), "same")
        near += np.interp(foot[:, stream.TIME], shank[:, stream.TIME], shank[:, stream.CLIPPED])
        return StrideWindow(_samples(foot), _samples(shank), start - lo, stop - lo, np.where(near > 0, 1.0, 0.0), stop)

    def _time(self, row: int) -> float:
        return float(self._rows.view(row, row + 1)[0, col.TIME])

    def _forget(self) -> None:
        keep = self._next - round(_HELD_S * self._rate_hz)
        self._rows.forget_before(keep)
        self._foot.rows.forget_before(self._next - round(_RAW_HELD_S * self._rate_hz))
        if self._rows.end > 0:
            # Not by what the shank has delivered: it may be far ahead of the foot.
            shank = self._shank.rows.view(self._shank.rows.first, self._shank.rows.end)
            past_s = self._time(self._rows.end - 1) - _RAW_HELD_S
            old = int(np.searchsorted(shank[:, stream.TIME], past_s))
            self._shank.rows.forget_before(self._shank.rows.first + old)

    def _say(self, time_s: float, level: NoticeLevel, code: str, text: str) -> None:
        if code not in self._said:
            self._said.add(code)
            self.notices.append(Notice(time_s, level, code, text, self.side))

    def close(self) -> None:
        """The recording ended: say what was missing."""
        end_s = self._foot.end_time_s
        if not self.stood:
            self._say(
                end_s,
                "problem",
                "no_standing",
                f"Nobody stands still with the {self.side} leg anywhere in "
                "this recording: angles need two seconds of quiet standing before the walk.",
            )
        elif not self.calibrated:
            self._say(
                end_s,
                "problem",
                "no_walking",
                f"Too few steps of the {self.side} leg follow quiet standing: "
                f"angles need at least {self._p.placement.strides} strides.",
            )

    def take(self) -> tuple[Sequence[AngleBlock], Sequence[GaitEvent], Sequence[Stride], Sequence[Notice]]:
        """Everything found since the last call."""
        out = self.angles, self.events, self.strides, self.notices
        self.angles, self.events, self.strides, self.notices = [], [], [], []
        return out


def _samples(rows: FloatArray) -> SegmentSamples:
    return SegmentSamples(
        np.ascontiguousarray(rows[:, stream.TIME]),
        np.ascontiguousarray(rows[:, stream.Q]),
        np.ascontiguousarray(rows[:, stream.GYR]),
        np.ascontiguousarray(rows[:, stream.ACC]),
    )


def _azimuth(v: FloatArray) -> float:
    return float(np.arctan2(v[1], v[0]))
