"""Rows between initial contacts, kept until their stride is complete."""

import numpy as np

from subtalar.estimation.gait_events import SwingEvents
from subtalar.estimation.history import History
from subtalar.estimation.leg_rows import first_at
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.estimation.stride_measures import StrideFrame, StrideSamples, measure
from subtalar.types import FloatArray, Side, Stride

_TIME, _ANGLES, _QUALITY, _SHOCK, _PITCH, _REAL, _WIDTH = 0, slice(1, 4), 4, 5, 6, 7, 8

_KEPT_ROWS = 20_000
"""Steps taken before calibration are measured when it is done; their rows must still be here (100 s at 200 Hz)."""


class StrideLog:
    """Collects rows; each swing closes the stride that its initial contact ends."""

    def __init__(self, side: Side, axis: SubtalarAxis, measured_by: str = "foot_and_shank") -> None:
        self._side: Side = side
        self._axis = axis
        self._measured_by = measured_by
        self._rows = History(_WIDTH)
        self._contact_s: float | None = None

    def add_rows(
        self,
        time_s: FloatArray,
        angles_deg: FloatArray,
        quality: FloatArray,
        shock_m_s2: FloatArray,
        foot_pitch_deg: FloatArray,
        real: FloatArray,
    ) -> None:
        """Rows (n,) in order; ``angles_deg`` (n, 3)."""
        rows = np.empty((len(time_s), _WIDTH))
        rows[:, _TIME], rows[:, _ANGLES], rows[:, _QUALITY] = time_s, angles_deg, quality
        rows[:, _SHOCK], rows[:, _PITCH], rows[:, _REAL] = shock_m_s2, foot_pitch_deg, real
        self._rows.append(rows)
        self._rows.forget_before(self._rows.end - _KEPT_ROWS)

    def interrupt(self) -> None:
        """What was under way was not a stride."""
        self._contact_s = None

    def swing(self, swing: SwingEvents, travel_m: complex, toe_out_deg: float, turn_deg: float) -> Stride | None:
        """A swing ended in an initial contact; the stride since the contact before, if there was one."""
        start, self._contact_s = self._contact_s, swing.initial_contact_s
        if start is None:
            return None
        rows = self._rows.view(self._rows.first, self._rows.end)
        a, b = first_at(rows, _TIME, start), first_at(rows, _TIME, swing.initial_contact_s)
        held = rows[a:b]
        self._rows.forget_before(self._rows.first + b - 1)
        if len(held) < 8 or not start < swing.foot_off_s < swing.initial_contact_s:
            return None
        samples = StrideSamples(held[:, _TIME], held[:, _ANGLES], held[:, _QUALITY], held[:, _SHOCK], held[:, _PITCH])
        frame = StrideFrame(
            self._side,
            start,
            swing.foot_off_s,
            swing.initial_contact_s,
            abs(travel_m),
            toe_out_deg,
            turn_deg,
            int(np.sum(held[:, _REAL] < 1)),
            self._axis,
            self._measured_by,
        )
        return measure(frame, samples)
