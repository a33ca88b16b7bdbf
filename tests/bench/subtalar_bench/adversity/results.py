"""What a session shows of how it got over a case; pure."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from subtalar.types import BodySite, FloatArray, Quality, SampleBlock, Side
from subtalar_bench.adversity.session import LivedSession

_ON_ITS_WAY_S = 0.15
"""The first sample that arrives again was measured no longer before that."""
_COMPARED_S = 10.0


@dataclass(frozen=True)
class CaseResult:
    """The worst of the sensors and legs concerned. None: it did not happen.

    ``noticed_s`` after the beginning, ``streaming_s`` after the end. ``strides``: how many complete ones the leg took
    between the stream's return and the first angle of quality ``ok``; ``angles_s`` the same in seconds. ``is_marked``:
    the hole shows as rows that say ``no_data``. ``invented``: rows with an angle inside it. ``unaccounted``: received +
    lost less what the sensors measured from the first sample received to the last. ``error_deg``: RMSE against the
    truth of rows that are ``ok``, in the last seconds before (three angles) and in the first after.
    """

    noticed_s: float | None
    streaming_s: float | None
    strides: int | None
    angles_s: float | None
    is_marked: bool
    invented: int
    received: int
    lost: int
    sent: int
    unaccounted: int
    reconnects: int
    error_before_deg: tuple[float, ...]
    error_after_deg: tuple[float, ...]


def judge(lived: LivedSession) -> CaseResult:
    """Measure the session."""
    sites = lived.case.sites
    noticed = [_change(lived, site, lived.began_s, streaming=False) for site in sites]
    noticed_s = None if None in noticed else max(t for t in noticed if t is not None)
    back_s = None
    if noticed_s is not None:
        returned = [_change(lived, site, max(noticed_s, lived.began_s), streaming=True) for site in sites]
        back_s = None if None in returned else max(t for t in returned if t is not None)
    legs = [_leg(lived, side, lived.ended_s if back_s is None else back_s) for side in lived.case.sides]
    ledgers = lived.ledgers
    never = any(leg.ok_at_s is None for leg in legs)
    return CaseResult(
        None if noticed_s is None else noticed_s - lived.began_s,
        None if back_s is None else back_s - lived.ended_s,
        None if never or back_s is None else max(leg.strides for leg in legs),
        None if never or back_s is None else max((leg.ok_at_s or 0.0) - back_s for leg in legs),
        all(leg.is_marked for leg in legs),
        sum(leg.invented for leg in legs),
        sum(ledger.received for ledger in ledgers.values()),
        sum(ledger.lost for ledger in ledgers.values()),
        sum(lived.sent.values()),
        sum(
            ledger.received + ledger.lost - _measured(lived.blocks[site], lived.case.rate_hz)
            for site, ledger in ledgers.items()
        ),
        sum(ledger.reconnects for ledger in ledgers.values()),
        tuple(np.max([leg.error_before_deg for leg in legs], axis=0).tolist()),
        tuple(np.max([leg.error_after_deg for leg in legs], axis=0).tolist()),
    )


def _change(lived: LivedSession, site: BodySite, after_s: float, *, streaming: bool) -> float | None:
    changes = (t for t, who, link in lived.links if who == site and t > after_s and (link == "streaming") is streaming)
    return next(changes, None)


@dataclass(frozen=True)
class _Leg:
    ok_at_s: float | None
    strides: int
    is_marked: bool
    invented: int
    error_before_deg: FloatArray
    error_after_deg: FloatArray


def _leg(lived: LivedSession, side: Side, back_s: float) -> _Leg:
    rows = lived.angles.get(side, ())
    time_s = np.concatenate([b.time_s for b in rows]) if rows else np.empty(0)
    angles_deg = np.concatenate([b.ankle_deg for b in rows]) if rows else np.empty((0, 3))
    quality = np.concatenate([b.quality for b in rows]) if rows else np.empty(0, np.uint8)
    known = np.isfinite(angles_deg).any(axis=1)
    last_s, first_s = _hole(lived, side)
    last_s += 0.5 / lived.case.rate_hz  # the sensor's clock is estimated: its last row may lie behind its own arrival
    inside = (time_s > last_s) & (time_s < first_s - _ON_ITS_WAY_S)
    is_ok = quality == Quality.OK
    ok_at = time_s[is_ok & (time_s >= first_s - _ON_ITS_WAY_S)]
    ok_at_s = float(ok_at[0]) if len(ok_at) else None
    again = time_s[known & (time_s > last_s)]
    until_s = float(again[0]) if len(again) else np.inf
    unmarked = (time_s > last_s) & (time_s < until_s) & (quality != Quality.NO_DATA)
    marks = (time_s > last_s) & (time_s < until_s) & (quality == Quality.NO_DATA)
    contacts_s = lived.sensors.contacts(side) - lived.start_s
    steps = contacts_s[(contacts_s > back_s) & (contacts_s <= (np.inf if ok_at_s is None else ok_at_s))]
    before = is_ok & (time_s > lived.began_s - _COMPARED_S) & (time_s < lived.began_s)
    after = np.zeros_like(is_ok)
    if ok_at_s is not None:
        after = is_ok & (time_s >= ok_at_s) & (time_s < ok_at_s + _COMPARED_S)
    return _Leg(
        ok_at_s,
        max(len(steps) - 1, 0),
        bool(marks.any() and not unmarked.any()),
        int((inside & known).sum()),
        _error(lived, side, time_s, angles_deg, before),
        _error(lived, side, time_s, angles_deg, after),
    )


def _hole(lived: LivedSession, side: Side) -> tuple[float, float]:
    """Session times between which the leg lacked a sensor: last arrival before, first after."""
    last, first = [], []
    for site in (s for s in lived.case.sites if s.side == side):
        arrivals = np.concatenate([b.host_time_s for b in lived.blocks[site] if b.host_time_s is not None])
        begin = int(np.argmax(np.diff(arrivals)))
        last.append(float(arrivals[begin]))
        first.append(float(arrivals[begin + 1]))
    return min(last), max(first)


def _error(
    lived: LivedSession, side: Side, time_s: FloatArray, angles_deg: FloatArray, chosen: npt.NDArray[np.bool_]
) -> FloatArray:
    if not chosen.any():
        return np.full(3, np.nan)
    truth = lived.sensors.truth(side, time_s[chosen] + lived.start_s)
    return np.asarray(np.sqrt(np.nanmean((angles_deg[chosen] - truth) ** 2, axis=0)), dtype=np.float64)


def _measured(blocks: tuple[SampleBlock, ...], rate_hz: float) -> int:
    """Samples of the sensor from the first to the last received: by its own time, and by arrivals over a restart."""
    device_s = np.concatenate([b.device_time_s for b in blocks if b.device_time_s is not None])
    host_s = np.concatenate([b.host_time_s for b in blocks if b.host_time_s is not None])
    begins = [0, *(np.flatnonzero(np.diff(device_s) < 0) + 1).tolist(), len(device_s)]
    n = 0
    for begin, end in pairwise(begins):
        n += round((device_s[end - 1] - device_s[begin]) * rate_hz) + 1
        if begin:
            together = int((host_s[begin:end] == host_s[begin]).sum())
            n += max(round((host_s[begin] - host_s[begin - 1]) * rate_hz) - together, 0)
    return n
