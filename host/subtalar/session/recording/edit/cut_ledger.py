"""The ledgers of a cut: what became of each sensor's samples between two instants of a session."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from subtalar.session.recording.format.messages import LEDGER_COUNTS

_GONE: Final = ("silent", "reconnecting")
_HOLE_S: Final = 0.3
"""Batches come closer together."""
_RECENT: Final = 16


class _StatusAt(NamedTuple):
    time_s: float
    status: Any

    @property
    def gone(self) -> bool:
        return self.status.link in _GONE


@dataclass
class _Edge:
    """What was told of each sensor around an instant, and when its samples before and after it came.

    ``before``: the last status; ``gone``: the first by which the sensor was known to be gone, which takes a while in
    which it is told to stream; ``back``: the first after its next sample. ``recent`` are the newest so far: a recording
    may hold a status before samples that came earlier.
    """

    at_s: float
    before: dict[str, _StatusAt] = field(default_factory=dict)
    gone: dict[str, _StatusAt] = field(default_factory=dict)
    back: dict[str, _StatusAt] = field(default_factory=dict)
    last_sample_s: dict[str, float] = field(default_factory=dict)
    next_sample_s: dict[str, float] = field(default_factory=dict)
    recent: dict[str, deque[_StatusAt]] = field(default_factory=dict)

    def take_status(self, site: str, status: _StatusAt) -> None:
        if status.time_s < self.at_s:
            self.before[site] = status
            return
        if status.gone:
            self.gone.setdefault(site, status)
        if site not in self.back:
            self.recent.setdefault(site, deque(maxlen=_RECENT)).append(status)
            self._look_whether_back(site)

    def take_samples(self, site: str, arrivals_s: Sequence[float]) -> None:
        if site in self.next_sample_s or not arrivals_s:
            return
        after = next((k for k, t in enumerate(arrivals_s) if t >= self.at_s), len(arrivals_s))
        if after:
            self.last_sample_s[site] = arrivals_s[after - 1]
        if after < len(arrivals_s):
            self.next_sample_s[site] = arrivals_s[after]
            self._look_whether_back(site)

    def _look_whether_back(self, site: str) -> None:
        next_s = self.next_sample_s.get(site, math.inf)
        back = next((status for status in self.recent.get(site, ()) if status.time_s >= next_s), None)
        if back is not None:
            self.back[site] = back

    def lost(self, site: str, rate_hz: float) -> tuple[int, bool]:
        """Lost until then, and whether that is an estimate, as the instant lies in a hole.

        A sensor's status tells with ``lost`` what is missing until its time (``SensorStream.status``); a hole that
        ended before anybody said that the sensor was gone is shared out by time.
        """
        before, gone, back = self.before.get(site), self.gone.get(site), self.back.get(site)
        if math.isinf(self.at_s):  # the recording's own beginning or end
            return (before.status.lost if before else 0), False
        next_s = self.next_sample_s.get(site, math.inf)
        if gone and next_s > gone.time_s:
            return max(gone.status.lost - round((gone.time_s - self.at_s) * rate_hz), 0), True
        if before is None:
            return 0, False
        last_s, lost = self.last_sample_s.get(site, math.inf), int(before.status.lost)
        if before.gone:
            lost += round((self.at_s - before.time_s) * rate_hz)
            return (min(lost, back.status.lost) if back else lost), True
        if back is None or next_s - last_s < _HOLE_S or back.status.lost <= lost:
            return lost, False
        return lost + round((back.status.lost - lost) * (self.at_s - last_s) / (next_s - last_s)), True


class CutLedger:
    """From ``from_s`` to ``to_s`` (exclusive), in session seconds. ``rates_hz`` are the sensors' nominal ones.

    The ledgers of a ``later_part`` of a session began before it: they count from its first status on.
    """

    def __init__(self, from_s: float, to_s: float, rates_hz: Mapping[str, float], later_part: bool) -> None:
        self._rates_hz = rates_hz
        self._first: dict[str, _StatusAt] | None = {} if later_part else None
        self._from, self._to = _Edge(from_s), _Edge(to_s)
        self._last: dict[str, Any] = {}

    def samples(self, site: str, arrivals_s: Sequence[float]) -> None:
        """Samples of the whole recording arrived, then; a sensor's arrivals never decrease."""
        for edge in (self._from, self._to):
            edge.take_samples(site, arrivals_s)

    def status(self, m: Any) -> bool:
        """Make a snapshot count from the beginning of the cut; whether it lies inside."""
        inside = bool(self._from.at_s <= m.time_s < self._to.at_s)
        for sensor in m.sensors:
            status = _StatusAt(m.time_s, type(sensor).FromString(sensor.SerializeToString()))
            if self._first is not None and self._first.setdefault(sensor.site, status) is status:
                self._from.before[sensor.site] = status
            for edge in (self._from, self._to):
                edge.take_status(sensor.site, status)
            if inside:
                self._count_anew(sensor)
                self._last[sensor.site] = sensor
        return inside

    def settle(self, received: Mapping[str, int]) -> dict[str, Any]:
        """The last status of each sensor: as received counts what the file holds, as lost what is missing in it."""
        for site, status in self._last.items():
            rate_hz = self._rates_hz.get(site, 0.0)
            (until, gone_then), (earlier, gone_before) = (e.lost(site, rate_hz) for e in (self._to, self._from))
            status.received, status.lost = received.get(site, 0), max(until - earlier, 0)
            status.lost_is_estimated |= gone_then or gone_before
        return self._last

    def _count_anew(self, sensor: Any) -> None:
        before = self._from.before.get(sensor.site)
        if before is None:
            return
        for name in LEDGER_COUNTS:
            setattr(sensor, name, max(0, getattr(sensor, name) - getattr(before.status, name)))
        sensor.lost_is_estimated |= before.gone
