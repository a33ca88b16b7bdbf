"""What the wearer of two sensors on a leg should hear while the estimator works, each thing once."""

import numpy as np

from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.leg.leg_calibration import Solution
from subtalar.estimation.leg.leg_tracker import LegTracker
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.stance.strap_slip import StrapSlip
from subtalar.types import BodySite, Notice, NoticeLevel, Side

_STOOD_S = 2.0
ZERO = "zero_pose"
"""Code of what is said of the zero: advice while it comes from the walk, information once somebody stood."""

_MISPLACED = {
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
        self._notified: set[tuple[str, NoticeLevel]] = set()
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

    def uncalibrated(self, now_s: float, tracker: LegTracker) -> None:
        """A stride was taken in, and the leg is still not calibrated."""
        if tracker.misplacement is not None:
            code, text = _MISPLACED[tracker.misplacement]
            self._notify(now_s, "problem", code, text.format(side=self._side))
        elif tracker.strides_do_not_fit:
            text = "do not see the same steps: check that both sit on the same leg and do not slip."
            self._notify(now_s, "problem", "strides_do_not_fit", f"The two {self._side} sensors {text}")

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
        if ("no_samples", "problem") in self._notified or tracker.solution is not None:
            return
        if tracker.standing is None and ("standing_found", "info") not in self._notified:
            self._notify(
                end_s,
                "problem",
                "no_standing",
                f"Nobody stands still with the {self._side} leg anywhere in this recording (both its sensors at once): "
                "angles need two seconds of quiet standing before the walk.",
            )
        elif tracker.misplacement is None:
            self._notify(
                end_s,
                "problem",
                "no_walking",
                f"Too few steps of the {self._side} leg follow quiet standing: "
                f"angles need at least {self._p.placement.strides} strides.",
            )

    def _notify(self, time_s: float, level: NoticeLevel, code: str, text: str, site: BodySite | None = None) -> None:
        if (code, level) not in self._notified:
            self._notified.add((code, level))
            self._waiting.append(Notice(time_s, level, code, text, self._side, site))
