"""The smoothed pass with the interface of the live one: push all blocks, then ``finish`` gives the angles."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from subtalar.anatomy import ANKLE
from subtalar.estimation.angles.row_angles import RowAngles
from subtalar.estimation.estimator import GaitEstimator
from subtalar.estimation.gait.step_reporter import StepReporter
from subtalar.estimation.gait.stride_log import StrideLog
from subtalar.estimation.leg.leg_trace import LegTrace
from subtalar.estimation.leg.two_sensors import TwoSensorLeg
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.leg_rows import aligned, any_gap
from subtalar.estimation.smoothing.leg_angles import smoothed_angles
from subtalar.estimation.smoothing.leg_smoother import LegSmoother
from subtalar.types import AngleBlock, BodySite, Estimates, Quality, SampleBlock, SensorInfo, Side


class SmoothingEstimator(GaitEstimator):
    """The live estimator first, then every leg with two sensors anew with all of the recording known.

    Angles, events and strides of such legs come from ``finish`` alone; ``detected_s`` of an event stays the instant at
    which the live pass knew. A leg with one sensor is as live, and so are all notices: what cannot be measured live
    (nobody stands, nobody walks) cannot be smoothed. Holds the whole recording: about 1 GB an hour and leg at 200 Hz.
    """

    def __init__(self, sensors: Mapping[BodySite, SensorInfo], parameters: Parameters | None = None) -> None:
        super().__init__(sensors, parameters)
        self._traces = [(leg, leg.keep_trace()) for leg in self._legs]

    def push(self, block: SampleBlock) -> Estimates:
        """Take one block; what the legs with one sensor gave, and notices."""
        return self._without_pairs(super().push(block))

    def advance(self, host_time_s: float) -> Estimates:
        """As live; what the legs with one sensor gave, and notices."""
        return self._without_pairs(super().advance(host_time_s))

    def again(self) -> None:
        """The smoothed pass uses the best zero of the recording as it is."""

    def finish(self) -> Estimates:
        """The end: angles, events and strides of the whole recording."""
        live = self._without_pairs(super().finish())
        found = [_smoothed(leg, trace, self._p) for leg, trace in self._traces]
        return Estimates(
            live.angles + tuple(block for each in found for block in each.angles),
            live.events + tuple(event for each in found for event in each.events),
            live.strides + tuple(stride for each in found for stride in each.strides),
            live.notices,
            live.calibrations,
        )

    def _without_pairs(self, live: Estimates) -> Estimates:
        pairs = {leg.side for leg in self._legs}
        return Estimates(
            tuple(a for a in live.angles if a.side not in pairs),
            tuple(e for e in live.events if e.side not in pairs),
            tuple(s for s in live.strides if s.side not in pairs),
            live.notices,
            tuple(c for c in live.calibrations if c.side not in pairs),
        )


def _smoothed(leg: TwoSensorLeg, trace: LegTrace, parameters: Parameters) -> Estimates:
    """One leg again from its trace; rows without values where the live pass could not calibrate it."""
    solution, bends = leg.tracker.solution, leg.tracker.bends
    if solution is None:
        return _SecondPass(leg.side, trace, None, np.inf, parameters).run()
    standing, slips = solution.standing, leg.tracker.slips
    windows = [reported.step.window for reported in trace.steps if reported.step is not None]
    windows = [w for w in windows if w.foot.time_s[w.start] >= standing.end_s]
    resumed_s = np.array([t for t in trace.resumed_s if t > standing.end_s])
    smoother = LegSmoother(parameters, standing, bends, leg.tracker.unslipped or solution, windows, resumed_s, slips)
    start_s = standing.start_s if leg.tracker.standing is not None else -np.inf
    return _SecondPass(leg.side, trace, smoother, start_s, parameters).run()


class _SecondPass:
    """All rows and steps of a leg once more, in order; values from ``start_s`` on."""

    def __init__(
        self, side: Side, trace: LegTrace, smoother: LegSmoother | None, start_s: float, parameters: Parameters
    ) -> None:
        self._side: Side = side
        self._trace = trace
        self._smoother = smoother
        self._start_s = start_s
        self._p = parameters
        middles_s = [] if smoother is None else smoother.middle_s.tolist()
        self._cuts_s = np.sort([start_s, *middles_s])
        self._log = StrideLog(side, parameters.subtalar_axis)
        self._angles: list[AngleBlock] = []

    def run(self) -> Estimates:
        """Rows up to the instant at which a step was known, then the step, and so on."""
        foot = self._trace.foot.whole()
        if self._smoother is None:
            self._rows(0, len(foot))
            return Estimates(tuple(self._angles))
        reporter = StepReporter(self._side, self._smoother, self._log)
        next_row = 0
        for reported in self._trace.steps:
            end = bisect_left(foot["time_s"], reported.now_s) + 1
            self._rows(next_row, end)
            next_row = max(next_row, end)
            reporter.take(reported.step, reported.now_s)
        self._rows(next_row, len(foot))
        events, strides = reporter.take_found()
        return Estimates(tuple(self._angles), tuple(events), tuple(strides))

    def _rows(self, start: int, stop: int) -> None:
        """Angles of rows ``start`` to ``stop`` and what the strides need of them."""
        for piece in self._pieces(start, stop):
            rows, found = self._found(piece)
            t, ankle_deg = np.ascontiguousarray(rows["time_s"]), found.angles_deg[:, ANKLE]
            self._log.add_rows(
                t, ankle_deg, found.quality, rows["shank_force_m_s2"], found.foot_pitch_deg, rows["real"]
            )
            real = rows["real"] > 0
            if real.any():
                self._angles.append(found.block(self._side, t, real))

    def _pieces(self, start: int, stop: int) -> Iterator[Records]:
        """The foot's rows, cut in the middle of each stride, where a new clock offset begins to count."""
        foot = self._trace.foot.whole()[start:stop]
        if len(foot) == 0:
            return
        t = foot["time_s"]
        cuts = np.searchsorted(t, self._cuts_s[(self._cuts_s > t[0]) & (self._cuts_s <= t[-1])])
        yield from (piece for piece in np.split(foot, cuts) if len(piece))

    def _found(self, foot: Records) -> tuple[Records, RowAngles]:
        leg, p = self._smoother, self._p
        offset_s = 0.0 if leg is None else leg.offset_s(float(foot["time_s"][len(foot) // 2]))
        rows = aligned(foot, self._trace.shank.whole(), offset_s, p.longest_bridge_s, p.partner_patience_s)
        known = leg is not None and float(foot["time_s"][0]) >= self._start_s
        found = smoothed_angles(rows, leg, self._side, p) if leg and known else RowAngles.unknown(len(rows))
        if any_gap(rows):
            found.withhold(rows["gap"] > 0, Quality.NO_DATA)
        return rows, found
