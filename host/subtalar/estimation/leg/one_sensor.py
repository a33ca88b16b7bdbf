"""A leg with one sensor, streaming: what foot-only and shank-only legs share.

As with two sensors, every decision is tied to a row and acts on later rows only, so that the result does not depend on
how the input was cut. There is no partner to wait for: every row of the sensor is given at once.
"""

from abc import ABC, abstractmethod

import numpy as np

from subtalar.anatomy import ANKLE
from subtalar.estimation.angles.row_angles import RowAngles
from subtalar.estimation.gait.stride_log import StrideLog
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.leg.calibration_record import describe_one
from subtalar.estimation.leg.leg_estimates import LegEstimates
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.stance.standing import StillnessDetector
from subtalar.types import FloatArray, Notice, NoticeLevel, Quality, Side

_MARK = np.dtype([("still", "f8"), ("gap", "b1")])
"""Of each row: whether the sensor is still (1.0 or 0.0), and whether samples were lost just before."""
HELD_S = 90.0
_SLACK_S = 5.0
_STOOD_S = 2.0
_LATE_S = 0.4
"""The stillness filter notices a movement this much after it began, and of its end as much later."""
_LONGEST_S = 10.0
_FEW = 6
_UP = np.array([0.0, 0.0, 1.0])


class OneSensorLeg(ABC):
    """The frame: rows, gaps, quiet standing, notices. Subclasses calibrate, find steps and fill in angles."""

    def __init__(self, side: Side, sensor: SensorStream, parameters: Parameters) -> None:
        self.side: Side = side
        self._p = parameters
        self._sensor = sensor
        self._rate_hz = sensor.info.rate_hz
        self._still = StillnessDetector(parameters.stillness, self._rate_hz)
        self._rows = History(SENSOR_ROW)
        self._marks = History(_MARK)
        self._log = StrideLog(side, parameters.subtalar_axis, sensor.info.site.segment)
        self._next = 0
        self._still_rows = 0
        self._settled_s = -np.inf
        self._strides_seen = 0
        self._from_bends = False
        self._found = LegEstimates()
        self._described: FloatArray | None = None
        self._notified: set[str] = set()

    # What subclasses know -------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def _placement(self) -> FloatArray | None:
        """Sensor to segment (4,); None before calibration."""

    @abstractmethod
    def _decision_before(self, fresh: Records) -> int:
        """How many of the fresh rows to finish before ``_decide`` is due, or all of them."""

    @abstractmethod
    def _decide(self) -> None:
        """Learn and report, once the rows up to a decision are finished."""

    @abstractmethod
    def _fill(self, out: RowAngles, q: FloatArray, tilt_variance: FloatArray) -> None:
        """Angles to the floor from segment orientations (n, 4)."""

    @abstractmethod
    def _gap(self) -> None:
        """Samples were lost: no step spans this row."""

    @abstractmethod
    def _why_nothing(self) -> tuple[str, str] | None:
        """Code and sentence when the recording ended without calibration."""

    # What every leg does --------------------------------------------------------------------------------------------

    def advance(self, horizon_s: float, *, final: bool = False) -> None:
        """Compute every row that came; there is no other sensor to wait for."""
        while self._sensor.rows.end > self._next:
            self._run(self._sensor.rows.end)
        for history in (self._rows, self._marks):
            history.forget_before(self._next - round((HELD_S + _SLACK_S) * self._rate_hz))
        self._sensor.rows.forget_before(self._next)

    def take(self) -> LegEstimates:
        """Everything found since the last call."""
        out, self._found = self._found, LegEstimates()
        return out

    def close(self) -> None:
        """The recording ended: whoever waits for angles hears what was missing."""
        end_s = self._sensor.end_arrival_s
        if self._sensor.counts.received == 0:
            name = self._sensor.info.site.value.replace("_", " ")
            self._notify(0.0, "problem", "no_samples", f"The {name} sensor delivered nothing: check its link.")
        elif self._placement is None and (why := self._why_nothing()) is not None:
            self._notify(end_s, "problem", *why)

    def _run(self, end: int) -> None:
        fresh = self._sensor.rows.view(self._next, end)
        lost = np.flatnonzero(fresh["step_s"] > self._p.longest_bridge_s)
        starts_with_gap = len(lost) > 0 and lost[0] == 0
        later = lost[1:] if starts_with_gap else lost
        if len(later):
            fresh = fresh[: int(later[0])]
        if starts_with_gap or self._next == 0:
            self._settled_s = float(fresh["time_s"][0])
        if starts_with_gap:
            self._gap()
        fresh = fresh[: self._decision_before(fresh)]
        self._finish(fresh, gap=starts_with_gap)
        self._next += len(fresh)
        self._decide()
        placement = self._placement
        if placement is not None and placement is not self._described:
            self._described = placement
            self._found.calibrations.append(
                describe_one(
                    self.side,
                    self._time(self._next - 1),
                    self._sensor.info.site.segment,
                    placement,
                    self._strides_seen,
                    from_bends=self._from_bends,
                )
            )

    def _finish(self, rows: Records, *, gap: bool) -> None:
        marks = self._marks.room(len(rows))
        marks["still"], marks["gap"] = self._still.push(rows), False
        marks["gap"][0] = gap
        self._marks.end += len(rows)
        self._rows.append(rows)
        if self._placement is None:
            self._notice_standing(rows, marks["still"])
        found = self._row_angles(rows)
        t, acc, measured = np.ascontiguousarray(rows["time_s"]), rows["acc_m_s2"], rows["real"]
        shank_force = np.sqrt(acc[:, 0] ** 2 + acc[:, 1] ** 2 + acc[:, 2] ** 2)
        if self._sensor.info.site.segment == "foot":
            shank_force = np.full(len(rows), np.nan)
        self._log.add_rows(t, found.angles_deg[:, ANKLE], found.quality, shank_force, found.foot_pitch_deg, measured)
        real = measured > 0
        if real.any():
            self._found.angles.append(found.block(self.side, t, real))

    def _row_angles(self, rows: Records) -> RowAngles:
        out = RowAngles.unknown(len(rows))
        placement = self._placement
        if placement is None:
            return out
        since = rows["time_s"] - self._settled_s
        fresh = self._p.tilt_after_reset_deg * np.exp(-np.maximum(since, 0.0) / self._p.segments.tilt_settling_s)
        self._fill(out, quat.multiply(rows["q"], quat.conjugate(placement)), fresh**2)
        out.quality[:] = Quality.OK if self._strides_seen >= _FEW else Quality.FEW_STRIDES
        out.quality[rows["clipped"] > 0] = Quality.CLIPPED
        # Gravity has to be found anew first.
        out.withhold(since < self._p.tilt_settling_s, Quality.NO_DATA)
        return out

    def _notice_standing(self, rows: Records, still: FloatArray) -> None:
        """Tell the person who stands that it is enough."""
        moving = np.flatnonzero(still < 1)
        enough = round(_STOOD_S * self._rate_hz)
        run = int(moving[0]) if len(moving) else len(rows)
        if self._still_rows < enough <= self._still_rows + run:
            now_s = float(rows["time_s"][enough - self._still_rows - 1])
            self._notify(now_s, "info", "standing_found", "Standing still: good. Now walk.")
        self._still_rows = len(rows) - 1 - int(moving[-1]) if len(moving) else self._still_rows + len(rows)

    def _time(self, row: int) -> float:
        return float(self._rows.view(row, row + 1)["time_s"][0])

    def _notify(self, time_s: float, level: NoticeLevel, code: str, text: str) -> None:
        if code not in self._notified:
            self._notified.add(code)
            self._found.notices.append(Notice(time_s, level, code, text, self.side, self._sensor.info.site))


def standing_up(
    q: FloatArray, still: FloatArray, parameters: Parameters, rate_hz: float
) -> tuple[FloatArray, int] | None:
    """The vertical in sensor axes (3,) over the longest stillness, and the row index after it; or None.

    Of rows with these orientations (n, 4), of which some are ``still`` (n,).
    """
    still = np.concatenate(([0.0], still, [0.0]))
    starts, ends = np.flatnonzero(np.diff(still) > 0), np.flatnonzero(np.diff(still) < 0)
    if len(starts) == 0:
        return None
    k = int(np.argmax(ends - starts))
    stop = int(ends[k]) - round(_LATE_S * rate_hz)
    start = max(int(starts[k]), stop - round(_LONGEST_S * rate_hz))
    if stop - start < parameters.stillness.min_duration_s * rate_hz:
        return None
    up = up_in_sensor(q[start:stop]).mean(axis=0)
    return up / np.sqrt(np.sum(up * up)), int(ends[k])


def up_in_sensor(q: FloatArray) -> FloatArray:
    """The vertical (n, 3) in the axes of a sensor with these orientations (n, 4)."""
    return quat.rotate(quat.conjugate(q), np.broadcast_to(_UP, (len(q), 3)))


def level_axis(moment: FloatArray, up: FloatArray) -> FloatArray | None:
    """The horizontal direction (3,) about which a sensor turned most, of the second moment (3, 3) of its angular rate.

    Of either sign; None where it hardly turned about one axis more than about the other.
    """
    project = np.eye(3) - np.outer(up, up)
    values, vectors = np.linalg.eigh(project @ moment @ project)
    if values[-1] < 2.0 * values[-2]:
        return None
    return np.asarray(vectors[:, -1])


def placed(up: FloatArray, right: FloatArray) -> FloatArray:
    """Sensor to segment (4,) for the vertical and a level axis to the person's right (3,), both in sensor axes."""
    return quat.from_matrix(np.stack([np.cross(up, right), up, right]))
