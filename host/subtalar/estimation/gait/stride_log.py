"""Rows between initial contacts, kept until their stride is complete."""

from subtalar.estimation.angles.row_angles import ANGLES, FOOT_PITCH, QUALITY
from subtalar.estimation.angles.subtalar_axis import axis_in_foot
from subtalar.estimation.gait import stride_measures as m
from subtalar.estimation.gait.gait_events import SwingEvents
from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.history import History, first_at
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.estimation.rows import leg_rows as col
from subtalar.types import FloatArray, Side, Stride

_ANGLES_AT, _ANGLES_FROM = m.ANGLES.start, ANGLES.start

_KEPT_ROWS = 20_000
"""Steps taken before calibration are measured when it is done; their rows must still be here (100 s at 200 Hz)."""


class StrideLog:
    """Collects rows; each swing closes the stride that its initial contact ends."""

    def __init__(self, side: Side, axis: SubtalarAxis, measured_by: str = "foot_and_shank") -> None:
        self._side: Side = side
        self._mirror = 1.0 if side == "right" else -1.0
        self._axis = axis_in_foot(axis, side)
        self._measured_by = measured_by
        self.rows = History(m.WIDTH)
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
        rows = self.rows.room(len(time_s))
        rows[:, m.TIME], rows[:, m.ANGLES], rows[:, m.QUALITY] = time_s, angles_deg, quality
        rows[:, m.SHOCK], rows[:, m.PITCH], rows[:, m.REAL] = shock_m_s2, foot_pitch_deg, real
        self.added(len(rows))

    def added(self, n: int) -> None:
        """``note_at`` wrote the next ``n`` rows."""
        self.rows.end += n
        self.rows.forget_before(self.rows.end - _KEPT_ROWS)

    def interrupt(self) -> None:
        """What was under way was not a stride."""
        self._contact_s = None

    def swing(self, swing: SwingEvents, travel_m: complex, toe_out_deg: float, turn_deg: float) -> Stride | None:
        """A swing ended in an initial contact; the stride since the contact before, if there was one."""
        start, self._contact_s = self._contact_s, swing.initial_contact_s
        if start is None:
            return None
        rows = self.rows.view(self.rows.first, self.rows.end)
        a, b = first_at(rows, m.TIME, start), first_at(rows, m.TIME, swing.initial_contact_s)
        held = rows[a:b]
        self.rows.forget_before(self.rows.first + b - 1)
        if len(held) < 8 or not start < swing.foot_off_s < swing.initial_contact_s:
            return None
        frame = m.StrideFrame(
            self._side,
            start,
            swing.foot_off_s,
            swing.initial_contact_s,
            abs(travel_m),
            toe_out_deg,
            turn_deg,
            self._measured_by,
        )
        return m.measure(frame, held, self._mirror, self._axis)


@inlined
def note_at(rows: FloatArray, i: int, angles: FloatArray, out: FloatArray) -> None:
    """Row ``i`` of a leg and of its table of angles into row ``i`` of ``StrideLog.rows.room``."""
    out[i, m.TIME], out[i, m.QUALITY], out[i, m.REAL] = rows[i, col.TIME], angles[i, QUALITY], rows[i, col.REAL]
    for k in range(3):
        out[i, _ANGLES_AT + k] = angles[i, _ANGLES_FROM + k]
    out[i, m.SHOCK], out[i, m.PITCH] = rows[i, col.SHOCK], angles[i, FOOT_PITCH]
