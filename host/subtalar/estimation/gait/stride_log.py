"""Rows between initial contacts, kept until their stride is complete."""

from bisect import bisect_left

from subtalar.estimation.angles.row_angles import ANGLES, FOOT_PITCH, QUALITY
from subtalar.estimation.angles.subtalar_axis import axis_in_foot
from subtalar.estimation.gait.gait_events import SwingEvents
from subtalar.estimation.gait.stride_measures import STRIDE_ROW, StrideFrame, measure
from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.records import Record
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.types import FloatArray, Side, Stride

_DORSIFLEXION, _INVERSION, _ROTATION = ANGLES.start, ANGLES.start + 1, ANGLES.start + 2

_KEPT_ROWS = 20_000
"""Steps taken before calibration are measured when it is done; their rows must still be here (100 s at 200 Hz)."""


class StrideLog:
    """Collects rows; each swing closes the stride that its initial contact ends."""

    def __init__(self, side: Side, axis: SubtalarAxis, measured_by: str = "foot_and_shank") -> None:
        self._side: Side = side
        self._mirror = 1.0 if side == "right" else -1.0
        self._axis = axis_in_foot(axis, side)
        self._measured_by = measured_by
        self.rows = History(STRIDE_ROW)
        self._contact_s: float | None = None

    def add_rows(
        self,
        time_s: FloatArray,
        angles_deg: FloatArray,
        quality: FloatArray,
        shank_force_m_s2: FloatArray,
        foot_pitch_deg: FloatArray,
        real: FloatArray,
    ) -> None:
        """Rows (n,) in order; ``angles_deg`` (n, 3)."""
        rows = self.rows.room(len(time_s))
        rows["time_s"], rows["quality"], rows["real"] = time_s, quality, real
        rows["dorsiflexion_deg"], rows["inversion_deg"], rows["rotation_deg"] = angles_deg.T
        rows["shank_force_m_s2"], rows["foot_pitch_deg"] = shank_force_m_s2, foot_pitch_deg
        self.added(len(rows))

    def added(self, n: int) -> None:
        """``note`` wrote the next ``n`` rows."""
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
        a, b = bisect_left(rows["time_s"], start), bisect_left(rows["time_s"], swing.initial_contact_s)
        held = rows[a:b]
        self.rows.forget_before(self.rows.first + b - 1)
        if len(held) < 8 or not start < swing.foot_off_s < swing.initial_contact_s:
            return None
        frame = StrideFrame(
            self._side,
            start,
            swing.foot_off_s,
            swing.initial_contact_s,
            abs(travel_m),
            toe_out_deg,
            turn_deg,
            self._measured_by,
        )
        return measure(frame, held, self._mirror, self._axis)


@inlined
def note(row: Record, angles: FloatArray, i: int, out: Record) -> None:
    """A row of a leg, and row ``i`` of its table of angles, into one of ``StrideLog.rows.room``."""
    out["time_s"], out["quality"], out["real"] = row["time_s"], angles[i, QUALITY], row["real"]
    out["dorsiflexion_deg"], out["inversion_deg"] = angles[i, _DORSIFLEXION], angles[i, _INVERSION]
    out["rotation_deg"] = angles[i, _ROTATION]
    out["shank_force_m_s2"], out["foot_pitch_deg"] = row["shank_force_m_s2"], angles[i, FOOT_PITCH]
