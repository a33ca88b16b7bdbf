"""What the wearer of two sensors on a leg should hear while the estimator works, each thing once."""

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.leg.clock_gap import ClockGap
from subtalar.estimation.leg.leg_calibration import Solution
from subtalar.estimation.leg.leg_tracker import LegTracker
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.stance.standing import Standing
from subtalar.estimation.stance.strap_slip import StrapSlip
from subtalar.types import BodySite, Notice, NoticeLevel, Segment, Side

_STOOD_S = 2.0
ZERO = "zero_pose"
"""Code of what is said of the zero: advice while it comes from the walk, information once somebody stood."""

_MISPLACED = {
    "sign_reversed": (
        "accelerometer_sign",
        "The accelerometer of the {side} foot or shank sensor has its sign turned against the other's: no angles. At "
        "rest a sensor must show +9.8 m/s² along the axis that points up; turn the sign of the one that does not.",
    ),
    "foot_for_shank": (
        "sensors_exchanged",
        "The two {side} sensors seem exchanged, foot for shank: no angles. Exchange them and begin anew.",
    ),
    "other_leg": (
        "sensors_exchanged_between_legs",
        "The {side} foot sensor swings while the {side} shank sensor stands: one of them sits on the other leg. "
        "No angles: exchange it with that of the other leg and begin anew.",
    ),
}


class LegNotices:
    """Collects notices until they are taken."""

    def __init__(self, side: Side, parameters: Parameters, rate_hz: float) -> None:
        self._side: Side = side
        self._p = parameters
        self._stood_rows = round(_STOOD_S * rate_hz)
        self._still_rows = 0
        self._notified: set[tuple[str, NoticeLevel, BodySite | None]] = set()
        self._waiting: list[Notice] = []

    def take(self) -> list[Notice]:
        """What came up since the last call."""
        out, self._waiting = self._waiting, []
        return out

    def standing(self, rows: Records) -> None:
        """The next rows (n,) of the leg before calibration: whoever stands hears when it is enough."""
        moving = np.flatnonzero(rows["still"] < 1)
        enough = self._stood_rows
        run = int(moving[0]) if len(moving) else len(rows)
        if self._still_rows < enough <= self._still_rows + run:
            now_s = float(rows["time_s"][enough - self._still_rows - 1])
            self._notify(now_s, "info", "standing_found", "Standing still: good. Bend the knees, then walk.")
        self._still_rows = len(rows) - 1 - int(moving[-1]) if len(moving) else self._still_rows + len(rows)

    def stood(self, now_s: float, standing: Standing) -> None:
        """Somebody stood still: what the accelerometers showed then is gravity."""
        segments: tuple[Segment, ...] = ("foot", "shank")
        for segment, stance in zip(segments, (standing.foot, standing.shank), strict=True):
            size_m_s2 = float(np.linalg.norm(stance.force_m_s2))
            off = size_m_s2 / GRAVITY_M_S2 - 1.0
            if abs(off) < self._p.gravity.least_scale_error:
                continue
            text = (
                f"The {self._side} {segment} sensor's accelerometer shows {size_m_s2:.1f} m/s² at rest, not 9.8: its "
                f"unit, range or calibration is off by {100 * abs(off):.0f} %. Lengths and angles suffer: calibrate it."
            )
            level: NoticeLevel = "problem" if abs(off) > self._p.gravity.bad_scale_error else "info"
            self._notify(now_s, level, "accelerometer_scale", text, BodySite.of(self._side, segment))

    def ranges(self, until_s: float, *sensors: SensorStream) -> None:
        """Rows up to a time are done: say which of the sensors reached the end of a scale that nobody declared."""
        for sensor in sensors:
            site = sensor.info.site
            for found_s, acc_m_s2, gyr_rad_s in sensor.ranges_found:
                if found_s > until_s:
                    continue
                what = (
                    f"gyroscope stops at {np.degrees(gyr_rad_s):.0f} °/s"
                    if gyr_rad_s is not None
                    else f"accelerometer stops at {acc_m_s2:.0f} m/s²"
                )
                name = site.value.replace("_", " ")
                text = (
                    f"The {name} sensor's {what}: this movement goes beyond its range. Rows near it are marked as "
                    "clipped; set the sensor to a wider range."
                )
                self._notify(found_s, "problem", f"range_reached_{'gyr' if acc_m_s2 is None else 'acc'}", text, site)

    def uncalibrated(self, now_s: float, tracker: LegTracker) -> None:
        """A stride was taken in, and the leg is still not calibrated."""
        if tracker.misplacement is not None:
            code, text = _MISPLACED[tracker.misplacement]
            self._notify(now_s, "problem", code, text.format(side=self._side))
        elif tracker.strides_do_not_fit:
            text = "do not see the same steps: check that both sit on the same leg and do not slip."
            self._notify(now_s, "problem", "strides_do_not_fit", f"The two {self._side} sensors {text}")

    def clocks_apart(self, now_s: float, gap: ClockGap, *, mended: bool) -> None:
        """The two sensors turn together, but not at the same time."""
        apart = f"The clocks of the two {self._side} sensors are {abs(gap.offset_s):.2f} s apart"
        if mended:
            self._notify(
                now_s, "advice", "clocks_apart", f"{apart}: the motion shows it, and it is taken into account."
            )
        elif gap.could_be_other_leg:
            text = (
                f"The two {self._side} sensors turn half a stride apart: either one of them sits on the other leg, or "
                "their clocks are apart. No angles: look where they sit, and start both together."
            )
            self._notify(now_s, "problem", "sensors_exchanged_between_legs", text)
        else:
            self._notify(now_s, "problem", "clocks_apart", f"{apart}: no angles. Set or start both together.")

    def calibrated(self, now_s: float, solution: Solution) -> None:
        """From now on there are angles."""
        if solution.provisional:
            text = (
                f"The {self._side} leg is calibrated from the walk alone: curves are as good as ever, but their zero "
                f"is known to ±{solution.zero_sd_deg:.1f}° only. Stand still for two seconds to make it exact."
            )
            self._notify(now_s, "advice", ZERO, text)
            return
        source = "knee bends" if solution.from_bends else "the walk itself"
        self._notify(now_s, "info", "calibrated", f"Calibrated from quiet standing and {source}.")

    def zero_found(self, now_s: float, sd_deg: float) -> None:
        """Somebody stood calmly after the first angles."""
        text = f"The {self._side} leg stood still: its angles count from this stance now (±{sd_deg:.1f}°)."
        self._notify(now_s, "info", ZERO, text)

    def slipped(self, now_s: float, slip: StrapSlip) -> None:
        """One sensor has turned on its segment."""
        turned = f"has turned on the {slip.segment} by about {np.degrees(slip.angle_rad):.0f}° in mid-walk"
        text = (
            f"The {self._side} {slip.segment} sensor {turned}. Its new seat is taken from the walk; "
            "fasten the strap and stand still for two seconds."
        )
        self._notify(now_s, "problem", "strap_slipped", text, BodySite.of(self._side, slip.segment))

    def turned(self, now_s: float, jump_rad: float) -> None:
        """The heading of one sensor against the other jumped."""
        turned = f"turned against each other by about {abs(np.degrees(jump_rad)):.0f}°"
        text = f"The {self._side} sensors have {turned}: a strap may have slipped. Check it and begin anew."
        self._notify(now_s, "problem", "sensors_turned", text)

    def ended(self, foot: SensorStream, shank: SensorStream, tracker: LegTracker) -> None:
        """The recording ended: what was missing."""
        end_s = max(foot.end_arrival_s, shank.end_arrival_s)
        for sensor in (foot, shank):
            if sensor.counts.received == 0:
                name = sensor.info.site.value.replace("_", " ")
                self._notify(end_s, "problem", "no_samples", f"The {name} sensor delivered nothing: check its link.")
        if any(code == "no_samples" for code, _, _ in self._notified) or tracker.solution is not None:
            return
        if tracker.misplacement is None and not tracker.strides_do_not_fit:
            self._notify(
                end_s,
                "problem",
                "no_walking",
                f"Too few steps of the {self._side} leg: angles need at least {self._p.placement.strides} strides.",
            )

    def _notify(self, time_s: float, level: NoticeLevel, code: str, text: str, site: BodySite | None = None) -> None:
        if (code, level, site) not in self._notified:
            self._notified.add((code, level, site))
            self._waiting.append(Notice(time_s, level, code, text, self._side, site))
