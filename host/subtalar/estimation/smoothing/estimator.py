"""The smoothed pass with the interface of the live one: push all blocks, then ``finish`` gives the angles."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from subtalar.estimation import leg_rows as col
from subtalar.estimation import sensor_stream as stream
from subtalar.estimation.estimator import GaitEstimator
from subtalar.estimation.leg import Leg
from subtalar.estimation.leg_diary import LegDiary
from subtalar.estimation.leg_steps import StepTeller
from subtalar.estimation.leg_tracker import RowAngles
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.smoothing.leg_angles import smoothed_angles
from subtalar.estimation.smoothing.leg_smoother import LegSmoother
from subtalar.estimation.standing import Standing
from subtalar.estimation.strap_slip import StrapSlip
from subtalar.estimation.stride_log import StrideLog
from subtalar.types import AngleBlock, BodySite, Estimates, FloatArray, GaitEvent, SampleBlock, SensorInfo, Side, Stride


class SmoothingEstimator(GaitEstimator):
    """The live estimator first, then every leg with two sensors anew with all of the recording known.

    Angles, events and strides of such legs come from ``finish`` alone; ``detected_s`` of an event stays the instant at
    which the live pass knew. A leg with one sensor is as live, and so are all notices: what cannot be measured live
    (nobody stands, nobody walks) cannot be smoothed. Holds the whole recording: about 0.5 GB an hour and leg at 200 Hz.
    """

    def __init__(self, sensors: Mapping[BodySite, SensorInfo], parameters: Parameters | None = None) -> None:
        super().__init__(sensors, parameters)
        self._diaries = [(leg, leg.keep_diary()) for leg in self._legs]

    def push(self, block: SampleBlock) -> Estimates:
        """Take one block; what the legs with one sensor gave, and notices."""
        return self._without_pairs(super().push(block))

    def advance(self, host_time_s: float) -> Estimates:
        """As live; what the legs with one sensor gave, and notices."""
        return self._without_pairs(super().advance(host_time_s))

    def finish(self) -> Estimates:
        """The end: angles, events and strides of the whole recording."""
        live = self._without_pairs(super().finish())
        found = [smoothed for leg, diary in self._diaries if (smoothed := _smoothed(leg, diary, self._p)) is not None]
        return Estimates(
            live.angles + tuple(block for each in found for block in each.angles),
            live.events + tuple(event for each in found for event in each.events),
            live.strides + tuple(stride for each in found for stride in each.strides),
            live.notices,
        )

    def _without_pairs(self, live: Estimates) -> Estimates:
        pairs = {leg.side for leg in self._legs}
        return Estimates(
            tuple(a for a in live.angles if a.side not in pairs),
            tuple(e for e in live.events if e.side not in pairs),
            tuple(s for s in live.strides if s.side not in pairs),
            live.notices,
        )


def _smoothed(leg: Leg, diary: LegDiary, parameters: Parameters) -> Estimates | None:
    """One leg again from its diary; None where the live pass could not calibrate it."""
    tracker = leg.tracker
    standing, solution = tracker.standing, tracker.solution
    if standing is None or solution is None:
        return None
    windows = [told.step.window for told in diary.steps if told.step is not None]
    windows = [w for w in windows if w.foot.time_s[w.start] >= standing.end_s]
    resumed_s = np.array([t for t in diary.resumed_s if t > standing.end_s])
    smoother = LegSmoother(parameters, standing, tracker.bends, solution, windows, resumed_s)
    bent = tracker.bends is not None
    return _Retelling(leg.side, diary, smoother, standing, parameters, tracker.slips, from_bends=bent).run()


class _Retelling:
    """All rows and steps of a leg once more, in order."""

    def __init__(
        self,
        side: Side,
        diary: LegDiary,
        smoother: LegSmoother,
        standing: Standing,
        parameters: Parameters,
        slips: Sequence[StrapSlip],
        *,
        from_bends: bool,
    ) -> None:
        self._slips = slips
        self._side: Side = side
        self._diary = diary
        self._smoother = smoother
        self._standing = standing
        self._p = parameters
        self._from_bends = from_bends
        self._log = StrideLog(side, parameters.subtalar_axis)
        self._angles: list[AngleBlock] = []

    def run(self) -> Estimates:
        """Rows up to the instant at which a step was known, then the step, and so on."""
        teller = StepTeller(self._side, self._smoother, self._log)
        events: list[GaitEvent] = []
        strides: list[Stride] = []
        foot = self._diary.foot.whole()
        next_row = 0
        for told in self._diary.steps:
            end = col.first_at(foot, stream.TIME, told.now_s) + 1
            self._rows(next_row, end)
            next_row = max(next_row, end)
            teller.take(told.step, told.now_s)
        self._rows(next_row, len(foot))
        events, strides = teller.events, teller.strides
        return Estimates(tuple(self._angles), tuple(events), tuple(strides))

    def _rows(self, start: int, stop: int) -> None:
        """Angles of rows ``start`` to ``stop`` and what the strides need of them."""
        for piece in self._pieces(start, stop):
            rows, found = self._found(piece)
            t = np.ascontiguousarray(rows[:, col.TIME])
            shock = np.ascontiguousarray(rows[:, col.SHOCK])
            self._log.add_rows(t, found.angles_deg, found.quality, shock, found.foot_pitch_deg, rows[:, col.REAL])
            real = rows[:, col.REAL] > 0
            if real.any():
                self._angles.append(found.block(self._side, t, real))

    def _pieces(self, start: int, stop: int) -> Iterator[FloatArray]:
        """The foot's rows, cut in the middle of each stride, where a new clock offset begins to count."""
        foot = self._diary.foot.whole()[start:stop]
        if len(foot) == 0:
            return
        t = foot[:, stream.TIME]
        inner = [*self._smoother.middle_s.tolist(), self._standing.start_s]
        cuts = np.searchsorted(t, sorted(s for s in inner if t[0] < s <= t[-1]))
        yield from (piece for piece in np.split(foot, cuts) if len(piece))

    def _found(self, foot: FloatArray) -> tuple[FloatArray, RowAngles]:
        t_s = float(foot[len(foot) // 2, stream.TIME])
        p, offset_s = self._p, self._smoother.offset_s(t_s)
        rows = col.aligned(foot, self._diary.shank.whole(), offset_s, p.longest_bridge_s, p.partner_patience_s)
        if foot[0, stream.TIME] < self._standing.start_s:
            return rows, RowAngles.unknown(len(rows))
        found = smoothed_angles(rows, self._smoother, self._side, p, from_bends=self._from_bends, slips=self._slips)
        return rows, found
