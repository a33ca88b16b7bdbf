"""From rests of the foot to steps: events and strides, also of steps taken before the leg was calibrated."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation.gait_events import swing_events
from subtalar.estimation.stride_log import StrideLog
from subtalar.estimation.stride_window import StrideWindow
from subtalar.types import FloatArray, GaitEvent, Side, Stride

_KEPT = 30


@dataclass(frozen=True)
class Step:
    """One window from rest to rest; ``follows`` whether the rest before it was no pause."""

    window: StrideWindow
    follows: bool


class FootKnowledge(Protocol):
    """What telling steps needs to know of the leg."""

    @property
    def foot_placement(self) -> FloatArray | None:
        """Foot sensor to foot segment (4,); None before calibration."""
        ...

    def travel_m(self, window: StrideWindow) -> complex:
        """Where the foot went from rest to rest, in its sensor's level world."""
        ...


class StepTeller:
    """Collects steps until the leg is calibrated, then tells each as it comes."""

    def __init__(self, side: Side, tracker: FootKnowledge, log: StrideLog) -> None:
        self._side: Side = side
        self._tracker = tracker
        self._log = log
        self._waiting: list[Step | None] = []
        self.events: list[GaitEvent] = []
        self.strides: list[Stride] = []

    def take(self, step: Step | None, now_s: float) -> None:
        """The next step, or None where the foot's path was interrupted."""
        self._waiting.append(step)
        if self._tracker.foot_placement is None:
            del self._waiting[:-_KEPT]
            return
        # Steps taken before calibration are told now: late, but not lost.
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._tell(each, now_s)

    def _tell(self, step: Step | None, now_s: float) -> None:
        placement = self._tracker.foot_placement
        assert placement is not None
        if step is None or not step.follows:
            self._log.interrupt()
        if step is None:
            return
        window = step.window
        inside = slice(window.start, window.stop + 1)
        right = quat.rotate(quat.conjugate(placement), np.array([0.0, 0.0, 1.0]))
        gyr = window.foot.gyr_rad_s[inside]
        pitch_rate = gyr[:, 0] * right[0] + gyr[:, 1] * right[1] + gyr[:, 2] * right[2]
        swing = swing_events(window.foot.time_s[inside], pitch_rate, window.foot.acc_m_s2[inside])
        if swing is None:
            self._log.interrupt()
            return
        self.events.append(GaitEvent(self._side, "foot_off", swing.foot_off_s, now_s))
        self.events.append(GaitEvent(self._side, "initial_contact", swing.initial_contact_s, now_s))
        self.events.append(GaitEvent(self._side, "foot_flat", window.end_s, now_s))
        travel = self._tracker.travel_m(window)
        toe_out_deg = self._toe_out_deg(window, travel, placement)
        stride = self._log.swing(swing, travel, toe_out_deg, _turn_deg(window))
        if stride is not None:
            self.strides.append(stride)

    def _toe_out_deg(self, window: StrideWindow, travel: complex, placement: FloatArray) -> float:
        """Angle of the resting foot to its direction of travel, + toes out."""
        q = quat.multiply(window.foot.q[window.stop], quat.conjugate(placement))
        toes = quat.rotate(q, np.array([1.0, 0.0, 0.0]))
        to_the_left = float(np.degrees(np.angle(complex(toes[0], toes[1]) * np.conj(travel))))
        return to_the_left if self._side == "left" else -to_the_left


def _turn_deg(window: StrideWindow) -> float:
    """How far the foot turned about the vertical from rest to rest."""
    turn = quat.multiply(window.foot.q[window.stop], quat.conjugate(window.foot.q[window.start]))
    angle_deg = float(np.degrees(2 * np.arctan2(turn[3], turn[0])))
    return (angle_deg + 180.0) % 360.0 - 180.0
