"""A leg with a sensor on the shank only: inclination in two planes, and steps from its swings.

The vertical is that of quiet standing. The medio-lateral axis is the level axis about which the shank turns most in
knee bends, or without them in walking; its sign makes the shank lean further forward than it ever leans back. The
shank never rests at a known velocity, so stride length is not given.
"""

import numpy as np

from subtalar.estimation.angles.all_angles import SHANK
from subtalar.estimation.angles.row_angles import RowAngles
from subtalar.estimation.angles.segment_angles import shank_to_floor_deg, to_floor_sd_deg
from subtalar.estimation.gait.swing_detector import Swing, SwingDetector
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.leg.one_sensor import (
    HELD_S,
    OneSensorLeg,
    level_axis,
    placed,
    standing_up,
    up_in_sensor,
)
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.types import FloatArray, GaitEvent, Side

_UNKNOWN = complex(float("nan"), float("nan"))
_BEFORE_STEP_S = 1.0


def _right(gyr: FloatArray, q: FloatArray, up: FloatArray) -> FloatArray | None:
    """The level axis (3,) about which the shank turns most, pointing to the person's right.

    Knee bends and swings tilt the shank forward by up to 50°, more in running; no step tilts it as far back.
    """
    axis = level_axis(gyr.T @ gyr, up)
    if axis is None:
        return None
    now_up = up_in_sensor(q)
    forward = np.cross(up, axis)
    lean = -np.arctan2(now_up @ forward, now_up @ up)
    return axis if float(np.sum(lean**3)) > 0 else -axis


class ShankLeg(OneSensorLeg):
    """The shank sensor of one side. Until it is calibrated, it looks once a second whether it can be."""

    def __init__(self, side: Side, shank: SensorStream, parameters: Parameters) -> None:
        super().__init__(side, shank, parameters)
        self._quaternion: FloatArray | None = None
        self._stood = False
        self._swings = SwingDetector(self._rate_hz)
        self._right = np.zeros(3)
        self._base = 0
        """Stream row of the first row that the swing detector was given."""
        self._fed = 0
        self._swing: Swing | None = None
        self._last_contact_s = -np.inf

    @property
    def _placement(self) -> FloatArray | None:
        return self._quaternion

    def _decision_before(self, fresh: Records) -> int:
        end = self._next + len(fresh)
        if self._quaternion is None:
            second = round(self._rate_hz)
            return min(len(fresh), second - self._next % second)
        if self._fed < end:
            self._feed(fresh[self._fed - self._next :])
            self._fed = end
        self._swing = self._swings.next_before(end - self._base)
        return len(fresh) if self._swing is None else self._base + self._swing.detected + 1 - self._next

    def _feed(self, rows: Records) -> None:
        gyr, right = rows["gyr_rad_s"], self._right
        rate = gyr[:, 0] * right[0] + gyr[:, 1] * right[1] + gyr[:, 2] * right[2]
        self._swings.push(rows["time_s"], rate, rows["acc_m_s2"])

    def _decide(self) -> None:
        if self._quaternion is None:
            if self._next % round(self._rate_hz) == 0:
                self._calibrate()
            return
        swing, self._swing = self._swing, None
        if swing is not None:
            self._report(swing, self._time(self._base + swing.detected))

    def _calibrate(self) -> None:
        first = max(self._rows.first, self._next - round(HELD_S * self._rate_hz))
        rows = self._rows.view(first, self._next)
        still = self._marks.view(first, self._next)["still"]
        standing = standing_up(rows["q"], still, self._p, self._rate_hz)
        if standing is None:
            return
        self._stood = True
        up, end = standing
        walk = rows[end:]
        right = _right(walk["gyr_rad_s"], walk["q"], up) if len(walk) else None
        if right is None:
            return
        found = self._swings_in(walk, right, first + end)
        if len(found) < self._p.placement.strides:
            return
        before_s = found[0].events.foot_off_s - _BEFORE_STEP_S
        bends = self._bends(walk[(walk["time_s"] < before_s) & (still[end:] < 1)], up)
        if bends is not None:
            right = bends if float(bends @ right) > 0 else -bends
            found = self._swings_in(walk, right, first + end)
        self._from_bends = bends is not None
        self._fed = self._next
        self._quaternion = placed(up, right)
        now_s = self._time(self._next - 1)
        for swing in found:  # steps taken before calibration are reported now: late, but not lost
            self._report(swing, now_s)
        source = "knee bends" if self._from_bends else "the walk itself"
        text = f"Shank calibrated from quiet standing and {source}. Steps are told from its swings."
        self._notify(now_s, "info", "calibrated", text)

    def _swings_in(self, rows: Records, right: FloatArray, first: int) -> list[Swing]:
        """All swings in the rows, of which the first is stream row ``first``; the detector goes on from there."""
        self._swings, self._right, self._base = SwingDetector(self._rate_hz), right, first
        self._feed(rows)
        found: list[Swing] = []
        while (swing := self._swings.next_before(len(rows))) is not None:
            found.append(swing)
        return found

    def _bends(self, rows: Records, up: FloatArray) -> FloatArray | None:
        """The level axis (3,) of the knee bends in what moved between standing and the first step; None where there
        were none.
        """
        gyr = rows["gyr_rad_s"]
        if len(gyr) < 2:
            return None
        moment = gyr.T @ gyr
        values, vectors = np.linalg.eigh(moment)
        swept = float(np.sum(np.abs(gyr @ vectors[:, -1]))) / self._rate_hz
        if swept < 2 * self._p.placement.min_bend_rad or values[-1] < 5.0 * values[-2]:
            return None
        return level_axis(moment, up)

    def _report(self, swing: Swing, now_s: float) -> None:
        events = swing.events
        if events.initial_contact_s - self._last_contact_s > self._p.foot_flat.max_stride_s:
            self._log.interrupt()
        self._last_contact_s = events.initial_contact_s
        self._strides_seen += 1
        self._found.events.append(GaitEvent(self.side, "foot_off", events.foot_off_s, now_s))
        self._found.events.append(GaitEvent(self.side, "initial_contact", events.initial_contact_s, now_s))
        stride = self._log.swing(events, _UNKNOWN, float("nan"), float("nan"))
        if stride is not None and stride.stride_time_s >= self._p.foot_flat.min_stride_s:
            self._found.strides.append(stride)

    def _fill(self, out: RowAngles, q: FloatArray, tilt_variance: FloatArray) -> None:
        p = self._p.segments
        axis_sd_deg = p.lone_shank_axis_sd_deg if self._from_bends else p.axis_from_walk_sd_deg
        to_floor = shank_to_floor_deg(q, self.side)
        out.angles_deg[:, SHANK] = to_floor
        out.sd_deg[:, SHANK] = to_floor_sd_deg(to_floor[:, 0], tilt_variance, axis_sd_deg, p)
        # The picture of the leg needs no heading: it looks along the direction the shank faces.
        mirror = 1.0 if self.side == "right" else -1.0
        half = np.radians(0.5 * to_floor)
        about_x, about_z = np.zeros((len(q), 4)), np.zeros((len(q), 4))
        about_x[:, 0], about_x[:, 1] = np.cos(half[:, 1]), -mirror * np.sin(half[:, 1])
        about_z[:, 0], about_z[:, 3] = np.cos(half[:, 0]), -np.sin(half[:, 0])
        out.shank_view = quat.multiply(about_x, about_z)

    def _gap(self) -> None:
        self._log.interrupt()

    def _why_nothing(self) -> tuple[str, str]:
        if not self._stood:
            return "no_standing", (
                f"Nobody stands still with the {self.side} leg anywhere in this recording: shank angles need "
                "two seconds of quiet standing before the walk."
            )
        return "no_walking", (
            f"Too few steps of the {self.side} leg follow quiet standing: "
            f"its angles need at least {self._p.placement.strides} strides."
        )
