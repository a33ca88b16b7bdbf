"""What the estimator costs. Each function measures a raw session of simulated sensors in a process of its own."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from subtalar.bench.long_walk import prolonged
from subtalar.bench.own_process import Figures, peak_memory_mb
from subtalar.errors import SubtalarError
from subtalar.estimation import GaitEstimator
from subtalar.session import Session, open_session
from subtalar.session.estimates import estimate_live
from subtalar.session.interleave import by_site, cut
from subtalar.types import Estimates, SampleBlock

HOUR_S = 3600.0
_ROUND_S = 0.01
_FOUND_SHARE = 0.98
_LAST_STRIDES = 2
"""Of a leg: the one that the end cuts off, and the one before it, which is settled after its end."""


def speed(folder: Path) -> Figures:
    """Throughput in blocks of a second, in CPU time; and wall time of 10 ms of all sensors, two rows of each at 200 Hz.

    The estimator is compiled and loaded before the clock starts. ``calibrated``: the same over the rounds after every
    leg has given its first angles; those before do less.
    """
    session = open_session(folder)
    spent_s = _cost(GaitEstimator(session.sensors), session.blocks()).spent_s
    gait = GaitEstimator(session.sensors)
    missing = {site.side for site in session.sensors}
    all_ms: list[float] = []
    calibrated_ms: list[float] = []
    for blocks in _rounds(session):
        begin = time.perf_counter()
        found = [gait.push(block) for block in blocks]
        all_ms.append(1e3 * (time.perf_counter() - begin))
        if not missing:
            calibrated_ms.append(all_ms[-1])
        missing -= {a.side for f in found for a in f.angles if np.isfinite(a.ankle_deg).all(axis=1).any()}
    if not calibrated_ms:
        raise SubtalarError("No leg of the measured session was calibrated: ask for a longer session.")
    return {
        "samples_per_s": session.sample_count / spent_s,
        "times_real_time": session.duration_s / spent_s,
        **{f"p{p}_ms": float(np.percentile(all_ms, p)) for p in (50, 99)},
        **{f"calibrated_p{p}_ms": float(np.percentile(calibrated_ms, p)) for p in (50, 99)},
    }


def hour(folder: Path) -> Figures:
    """Peak memory of the process, and CPU time of its one thread in the estimator, over an hour in blocks of a second.

    So this is what one hour costs one core as it is analysed; a live session hands over smaller blocks and pays more.
    The memory holds the libraries and the short session, too.

    The hour is standing, knee bends and one walk to its end: the walk of the short session, lap after lap, each from an
    initial contact to another of the same foot. Nothing is lost between laps, nobody stands still and no clock starts
    anew; that it was so, and that the strides were found, is checked. Making the blocks is not part of the time.

    Raises SubtalarError where the estimator left some of the hour out.
    """
    session = open_session(folder)
    lap_s, stride_s = lap(session)
    gait = GaitEstimator(session.sensors)
    cost = _cost(gait, prolonged(session, lap_s, HOUR_S))
    expected = len({site.side for site in session.sensors}) * ((HOUR_S - lap_s[0]) / stride_s - _LAST_STRIDES)
    left_out = [c for c in gait.counts.values() if c.bridged or c.gaps or c.repeated or c.unusable or c.clock_restarts]
    if left_out or cost.strides < _FOUND_SHARE * expected:
        found = f"{cost.strides} of {expected:.0f} strides, {left_out or 'no losses'}"
        raise SubtalarError(f"The hour was not measured as a whole: {found}.")
    return {"peak_mb": peak_memory_mb(), "spent_s": cost.spent_s, "strides": float(cost.strides)}


class _Cost:
    """CPU time of a pass, and the strides with angles in it."""

    def __init__(self) -> None:
        self.spent_s = 0.0
        self.strides = 0

    def add(self, found: Estimates) -> None:
        self.strides += sum(s.quality == "ok" for s in found.strides)


def _cost(gait: GaitEstimator, blocks: Iterator[SampleBlock]) -> _Cost:
    cost = _Cost()
    for block in blocks:
        begin = time.process_time()
        found = gait.push(block)
        cost.spent_s += time.process_time() - begin
        cost.add(found)
    begin = time.process_time()
    found = gait.finish()
    cost.spent_s += time.process_time() - begin
    cost.add(found)
    return cost


def _rounds(session: Session) -> Iterator[list[SampleBlock]]:
    """10 ms of every sensor at a time."""
    tracks = [
        (block, round(_ROUND_S * session.sensors[site].rate_hz)) for site, block in by_site(session.blocks()).items()
    ]
    for k in range(min(len(block) // rows for block, rows in tracks)):
        yield [cut(block, k * rows, (k + 1) * rows) for block, rows in tracks]


def lap(session: Session) -> tuple[tuple[float, float], float]:
    """From the first stride with angles to the last of the same foot, and the mean stride time (s)."""
    strides = [s for s in estimate_live(session.sensors, session.blocks()).strides if s.quality == "ok"]
    contacts_s = [s.initial_contact_s for s in strides if s.side == strides[0].side]
    if len(contacts_s) < 2:
        raise SubtalarError("The measured session has too few strides to be made longer: ask for a longer session.")
    return (contacts_s[0], contacts_s[-1]), (contacts_s[-1] - contacts_s[0]) / (len(contacts_s) - 1)
