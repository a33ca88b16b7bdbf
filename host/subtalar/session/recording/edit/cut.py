"""Cut the messages of a recording to a stretch of the session clock.

Works on the messages as they stand, so that a field which this version does not know stays in. Rows are kept as they
are, to the bit; a message of which nothing remains is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from subtalar.session.recording.edit.cut_ledger import CutLedger
from subtalar.session.recording.format.schema import ANGLE_FIELDS, ANGLE_SD_FIELDS, message_class

_ROWS_OF_ANGLES: Final = {
    "time_s": 1,
    "shank_orientation": 4,
    "zero_sd_deg": 1,
    **{name: len(angles) for name, angles in (ANGLE_FIELDS | ANGLE_SD_FIELDS).items()},
}


@dataclass
class Cut:
    """``from_s`` to ``to_s`` (exclusive) on the session clock. ``rates_hz`` are the sensors' nominal ones, by site; for
    ``of_later_part`` see ``RecordingHeader.is_later_part``;
    ``kept`` counts samples, ``first_s`` and ``last_s`` are their arrivals.
    """

    from_s: float
    to_s: float
    rates_hz: Mapping[str, float] = field(default_factory=dict)
    of_later_part: bool = False
    kept: dict[str, int] = field(default_factory=dict)
    strides: int = 0
    first_s: float | None = None
    last_s: float | None = None

    def __post_init__(self) -> None:
        self.ledger = CutLedger(self.from_s, self.to_s, self.rates_hz, self.of_later_part)

    def message(self, name: str, data: bytes) -> bytes:
        """What remains of a message; empty where nothing does. Raises DecodeError for a broken one."""
        cut = _CUTS.get(name)
        if cut is None:
            return data
        message = message_class(name).FromString(data)
        return bytes(message.SerializeToString()) if cut(self, message) else b""

    def holds(self, time_s: float) -> bool:
        """Whether an instant lies in it."""
        return self.from_s <= time_s < self.to_s

    def samples(self, m: Any) -> bool:
        """By arrival, sample by sample: the clock that every sensor has in common."""
        keep: list[int] = []
        lengths, sequences, arrivals = [], [], []
        start = 0
        blocks = zip(list(m.block_length), list(m.block_sequence), list(m.block_arrival_s), strict=True)
        for length, sequence, arrival_s in blocks:
            times = m.host_time_s[start : start + length] if m.has_host_time else [arrival_s] * length
            self.ledger.samples(m.site, times)
            rows = [start + k for k, t in enumerate(times) if self.holds(t)]
            if rows or (not length and self.holds(arrival_s)):
                keep += rows
                lengths.append(len(rows))
                sequences.append(sequence)
                arrivals.append(arrival_s)
            if rows:
                self._count(m.site, len(rows), times[rows[0] - start], times[rows[-1] - start])
            start += length
        _set(m.block_length, lengths)
        _set(m.block_sequence, sequences)
        _set(m.block_arrival_s, arrivals)
        for name, width in (("device_time_s", 1), ("host_time_s", 1), ("acc_m_s2", 3), ("gyr_rad_s", 3)):
            _keep_rows(getattr(m, name), keep, width)
        m.acc_counts, m.gyr_counts = _rows_of(m.acc_counts, keep), _rows_of(m.gyr_counts, keep)
        return bool(lengths)

    def raw(self, m: Any) -> bool:
        """By arrival, chunk by chunk."""
        keep = [k for k, t in enumerate(m.arrival_s) if self.holds(t)]
        for column in (m.sequence, m.arrival_s, m.data):
            _keep_rows(column, keep, 1)
        return bool(keep)

    def angles(self, m: Any) -> bool:
        """By the instant they belong to."""
        keep = [k for k, t in enumerate(m.time_s) if self.holds(t)]
        m.quality = bytes(m.quality[k] for k in keep)
        for name, width in _ROWS_OF_ANGLES.items():
            _keep_rows(getattr(m, name), keep, width)
        return bool(keep)

    def stride(self, m: Any) -> bool:
        """Whole strides only."""
        begin = m.initial_contact_s
        end = begin + (m.stride_time_s if m.HasField("stride_time_s") and m.stride_time_s > 0 else 0.0)
        inside = bool(self.from_s <= begin and end <= self.to_s)
        self.strides += inside
        return inside

    def marker(self, m: Any) -> bool:
        """What of a stretch lies inside."""
        if m.end_s < self.from_s or m.start_s >= self.to_s:
            return False
        m.start_s, m.end_s = max(m.start_s, self.from_s), min(m.end_s, self.to_s)
        return True

    def _count(self, site: str, n: int, first_s: float, last_s: float) -> None:
        self.kept[site] = self.kept.get(site, 0) + n
        self.first_s = first_s if self.first_s is None else min(self.first_s, first_s)
        self.last_s = last_s if self.last_s is None else max(self.last_s, last_s)


def _by_time(cut: Cut, m: Any) -> bool:
    return cut.holds(m.time_s)


_CUTS: Final[dict[str, Callable[[Cut, Any], bool]]] = {
    "Samples": Cut.samples,
    "RawBytes": Cut.raw,
    "Angles": Cut.angles,
    "Event": _by_time,
    "Stride": Cut.stride,
    "Notice": _by_time,
    "Calibration": _by_time,
    "StatusSnapshot": lambda cut, m: cut.ledger.status(m),
    "Marker": Cut.marker,
}


def _rows_of(counts: bytes, rows: list[int]) -> bytes:
    """Rows of three int16."""
    return b"".join(counts[6 * k : 6 * k + 6] for k in rows)


def _set(column: Any, values: list[Any]) -> None:
    del column[:]
    column.extend(values)


def _keep_rows(column: Any, rows: list[int], width: int) -> None:
    """Rows of a flat column; one that is empty stays so."""
    if len(column):
        values = list(column)
        _set(column, [v for k in rows for v in values[k * width : (k + 1) * width]])
