"""A leg with a sensor on the foot only: foot angles to the floor, events, strides.

The vertical comes from quiet standing, or from the foot flat on the floor in mid-stance where nobody stood still. The
medio-lateral axis is the level axis about which the foot turns most while it walks; its sign, and the foot's direction
of travel, come from the path between two rests (double integration from zero velocity to zero velocity: Skog et al.
2010, doi 10.1109/TBME.2010.2060723; for gait Rampp et al. 2015, doi 10.1109/TBME.2014.2368211).
"""

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.angles.all_angles import FOOT
from subtalar.estimation.angles.row_angles import RowAngles
from subtalar.estimation.angles.segment_angles import foot_to_floor_deg, to_floor_sd_deg
from subtalar.estimation.gait.step_reporter import Step, StepReporter
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.joint.joint_path import ankle_velocity
from subtalar.estimation.leg.one_sensor import HELD_S, OneSensorLeg, level_axis, placed, standing_up
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.estimation.stance.foot_flat import FootFlat, FootFlatDetector
from subtalar.types import FloatArray, Side

_LONG_REST_S = 1.0
_MARGIN_S = 0.12
_FLAT_HALF_S = 0.05
_NO_LEVER = np.zeros(3)


class FootTracker:
    """Placement of the foot sensor, from standing or flat feet, and from the first strides."""

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        self._standing_up: FloatArray | None = None
        self._flat_ups: list[FloatArray] = []
        self._moment = np.zeros((3, 3))
        self._ahead: list[FloatArray] = []
        self.foot_placement: FloatArray | None = None
        self.strides = 0

    @property
    def stood(self) -> bool:
        """Whether zero is quiet standing, and not the flat foot in mid-stance."""
        return self._standing_up is not None

    def stand(self, up: FloatArray) -> None:
        """The vertical (3,) in sensor axes in quiet standing before the walk."""
        if self.foot_placement is None:
            self._standing_up = up

    def travel_m(self, window: StrideWindow) -> complex:
        """Where the foot went from rest to rest, in its sensor's level world."""
        velocity = ankle_velocity(window.foot, _NO_LEVER, window.start, window.stop)
        step = np.diff(window.foot.time_s[window.start : window.stop + 1])[:, None]
        x, y = np.sum(0.5 * (velocity[1:, :2] + velocity[:-1, :2]) * step, axis=0)
        return complex(x, y)

    def learn(self, window: StrideWindow) -> None:
        """One more stride; the first dozen decide the placement."""
        self.strides += 1
        travel = self.travel_m(window)
        if self.strides_used >= self._p.placement.settle_strides or abs(travel) < self._p.placement.min_travel_m:
            return
        rest = window.foot.q[window.stop]
        ahead = np.array([travel.real, travel.imag, 0.0]) / abs(travel)
        self._ahead.append(quat.rotate(quat.conjugate(rest), ahead))
        # The resting foot feels gravity alone, better than a filter that has not settled yet knows it.
        resting = np.abs(window.foot.time_s - window.end_s) <= _FLAT_HALF_S
        self._flat_ups.append(window.foot.acc_m_s2[resting].mean(axis=0) / GRAVITY_M_S2)
        gyr = window.foot.gyr_rad_s[window.start : window.stop + 1]
        self._moment += gyr.T @ gyr
        if self.strides_used >= self._p.placement.strides:
            self._place()

    @property
    def strides_used(self) -> int:
        """Strides that had a direction of travel."""
        return len(self._ahead)

    def _place(self) -> None:
        up = np.mean(self._flat_ups, axis=0) if self._standing_up is None else self._standing_up
        up = up / np.sqrt(np.sum(up * up))
        right = level_axis(self._moment, up)
        if right is not None:
            to_the_right = np.cross(np.mean(self._ahead, axis=0), up)
            self.foot_placement = placed(up, right if float(right @ to_the_right) > 0 else -right)


class FootLeg(OneSensorLeg):
    """The foot sensor of one side."""

    def __init__(self, side: Side, foot: SensorStream, parameters: Parameters) -> None:
        super().__init__(side, foot, parameters)
        self.tracker = FootTracker(parameters)
        self._flats = FootFlatDetector(parameters.foot_flat, self._rate_hz)
        self._steps = StepReporter(side, self.tracker, self._log)
        self._last_flat: FootFlat | None = None
        self._flat: FootFlat | None = None
        self._fed = 0

    @property
    def _placement(self) -> FloatArray | None:
        return self.tracker.foot_placement

    def _decision_before(self, fresh: Records) -> int:
        end = self._next + len(fresh)
        if self._fed < end:
            new = fresh[self._fed - self._next :]
            self._flats.push(new)
            self._fed = end
        self._flat = self._flats.next_before(end)
        return len(fresh) if self._flat is None else self._flat.detected + 1 - self._next

    def _decide(self) -> None:
        flat, self._flat = self._flat, None
        if flat is None:
            return
        before, self._last_flat = self._last_flat, flat
        now_s = self._time(flat.detected)
        if before is None or before.begin != flat.begin:
            window = self._window(before.last, flat.first) if before is not None and flat.is_next else None
            if window is not None:
                self._learn(window, now_s)
            paused = before is not None and before.last - before.first > _LONG_REST_S * self._rate_hz
            self._steps.take(None if window is None else Step(window, follows=not paused), now_s)
            events, strides = self._steps.take_found()
            self._found.events += events
            self._found.strides += strides
        if flat.ended and flat.detected - flat.begin > _LONG_REST_S * self._rate_hz:
            begin = max(flat.begin, flat.detected - round(HELD_S * self._rate_hz))
            rows, marks = self._rows.view(begin, flat.detected), self._marks.view(begin, flat.detected)
            standing = standing_up(rows["q"], marks["still"], self._p, self._rate_hz)
            if standing is not None:
                self.tracker.stand(standing[0])

    def _learn(self, window: StrideWindow, now_s: float) -> None:
        first = self.tracker.foot_placement is None
        self.tracker.learn(window)
        self._strides_seen = self.tracker.strides
        if first and self.tracker.foot_placement is not None:
            zero = "quiet standing" if self.tracker.stood else "the foot flat on the floor in mid-stance"
            self._notify(now_s, "info", "calibrated", f"Foot calibrated from the walk; zero is {zero}.")

    def _fill(self, out: RowAngles, q: FloatArray, tilt_variance: FloatArray) -> None:
        p = self._p.segments
        to_floor = foot_to_floor_deg(q, self.side)
        zero = 0.0 if self.tracker.stood else p.flat_foot_sd_deg**2
        out.angles_deg[:, FOOT] = to_floor
        out.sd_deg[:, FOOT] = to_floor_sd_deg(to_floor[:, 0], tilt_variance + zero, p.lone_foot_axis_sd_deg, p)

    def _gap(self) -> None:
        """Windows that hold the row are refused."""

    def _why_nothing(self) -> tuple[str, str]:
        return "no_walking", (
            f"Too few steps of the {self.side} foot: its angles need at least {self._p.placement.strides} strides."
        )

    def _window(self, start: int, stop: int) -> StrideWindow | None:
        """The foot's samples from rest to rest; None where that is no stride or samples are missing."""
        duration = (stop - start) / self._rate_hz
        if not self._p.foot_flat.min_stride_s <= duration <= self._p.foot_flat.max_stride_s:
            return None
        if np.any(self._marks.view(start, stop)["gap"]):
            return None
        margin = round(_MARGIN_S * self._rate_hz)
        lo, hi = max(start - margin, self._rows.first), min(stop + margin, self._next)
        rows = self._rows.view(lo, hi)
        foot = SegmentSamples(rows)
        clipped = np.ascontiguousarray(rows["clipped"])
        return StrideWindow(foot, foot, start - lo, stop - lo, clipped, stop)
