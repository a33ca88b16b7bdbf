"""From rests of the foot to steps: events and strides, also of steps taken before the leg was calibrated."""

import cmath
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from subtalar.estimation.gait.gait_events import swing_events
from subtalar.estimation.gait.stride_log import StrideLog
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.types import FloatArray, GaitEvent, Side, Stride

_KEPT = 30


@dataclass(frozen=True)
class Step:
    """One window from rest to rest; ``follows`` whether the rest before it was no pause."""

    window: StrideWindow
    follows: bool


class FootModel(Protocol):
    """What reporting steps needs to know of the leg."""

    @property
    def foot_placement(self) -> FloatArray | None:
        """Foot sensor to foot segment (4,); None before calibration."""
        ...

    def travel_m(self, window: StrideWindow) -> complex:
        """Where the foot went from rest to rest, in its sensor's level world."""
        ...


class StepReporter:
    """Collects steps until the leg is calibrated, then reports each as it comes."""

    def __init__(self, side: Side, foot: FootModel, log: StrideLog) -> None:
        self._side: Side = side
        self._foot = foot
        self._log = log
        self._waiting: list[Step | None] = []
        self._events: list[GaitEvent] = []
        self._strides: list[Stride] = []

    def take_found(self) -> tuple[list[GaitEvent], list[Stride]]:
        """Events and strides since the last call."""
        out = self._events, self._strides
        self._events, self._strides = [], []
        return out

    def take(self, step: Step | None, now_s: float) -> None:
        """The next step, or None where the foot's path was interrupted."""
        self._waiting.append(step)
        if self._foot.foot_placement is None:
            del self._waiting[:-_KEPT]
            return
        # Steps taken before calibration are reported now: late, but not lost.
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._report(each, now_s)

    def _report(self, step: Step | None, now_s: float) -> None:
        placement = self._foot.foot_placement
        assert placement is not None
        if step is None or not step.follows:
            self._log.interrupt()
        if step is None:
            return
        window = step.window
        swing = swing_events(window.foot.rows[window.start : window.stop + 1], placement)
        if swing is None:
            self._log.interrupt()
            return
        self._events.append(GaitEvent(self._side, "foot_off", swing.foot_off_s, now_s))
        self._events.append(GaitEvent(self._side, "initial_contact", swing.initial_contact_s, now_s))
        self._events.append(GaitEvent(self._side, "foot_flat", window.end_s, now_s))
        travel = self._foot.travel_m(window)
        toes_rad, turn_rad = _at_rest(window.foot.rows, window.start, window.stop, placement)
        to_the_left = math.degrees(math.remainder(toes_rad - cmath.phase(travel), math.tau))
        toe_out_deg = to_the_left if self._side == "left" else -to_the_left
        stride = self._log.swing(swing, travel, toe_out_deg, math.degrees(turn_rad))
        if stride is not None:
            self._strides.append(stride)


@compiled("(row[::1], i8, i8, f8[::1])", row=SENSOR_ROW)
def _at_rest(foot: Records, start: int, stop: int, placement: FloatArray) -> tuple[float, float]:
    """Direction of the toes in the second rest, and how far the foot turned about the vertical since the first."""
    before, after = quat.quaternion_of(foot[start]["q"]), quat.quaternion_of(foot[stop]["q"])
    to_foot = (placement[0], -placement[1], -placement[2], -placement[3])
    toes = quat.turned(quat.product(after, to_foot), (1.0, 0.0, 0.0))
    w, _, _, z = quat.product(after, quat.inverse(before))
    return np.arctan2(toes[1], toes[0]), np.arctan2(2 * w * z, w * w - z * z)
