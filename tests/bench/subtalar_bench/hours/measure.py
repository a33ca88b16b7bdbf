"""A day of every kind of clock, and one of walking, as figures."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from subtalar.anatomy import ANKLE_NAMES
from subtalar.bench.result import Result, SessionMaker
from subtalar_bench.hours.footprint import Footprint
from subtalar_bench.hours.leg import LegDay, LegDayResult, run_leg
from subtalar_bench.hours.walk import WalkDayResult, walk_for
from subtalar_bench.parallel import side_by_side

DEVICES = ("shimmer3", "movella-dot", "talus", "witmotion")
"""A clock of 24 bits that wraps every 512 s, two of 32 bits that wrap every 72 min, and no clock at all."""
WALK = "walk"
MOST_APART_MS = 2.0
_SESSION_S = 120.0
_GROWTH_MB = 8.0

DayMaker: TypeAlias = Callable[[str, str, Callable[[], float]], LegDay]
"""Makes a leg of a device with a fault script on a clock in seconds."""


@dataclass(frozen=True)
class Job:
    """What one process measures."""

    name: str
    hours: float
    make_leg: DayMaker
    make_session: SessionMaker


def day_script(duration_s: float) -> str:
    """Late and in bunches, a few losses, short lost links of either sensor and a long one."""
    at = [f"{share * duration_s:.0f}s" for share in (0.25, 0.6, 0.75)]
    long_s = min(300.0, 0.05 * duration_s)
    return (
        f"jitter=4ms, gap_samples=2, loss=0.0001, right_foot: drop_link@{at[0]}+5s, "
        f"right_shank: drop_link@{at[1]}+5s, right_foot: drop_link@{at[2]}+{long_s:.0f}s"
    )


def run_job(job: Job) -> LegDayResult | WalkDayResult:
    """In this process."""
    duration_s = 3600.0 * job.hours
    every_s = duration_s / max(round(job.hours), 1)
    if job.name == WALK:
        with tempfile.TemporaryDirectory() as folder:
            return walk_for(job.make_session(Path(folder) / "session", _SESSION_S), duration_s, every_s)
    return run_leg(partial(job.make_leg, job.name, day_script(duration_s)), duration_s, every_s)


def measure(
    make_leg: DayMaker, make_session: SessionMaker, names: Sequence[str], hours: float
) -> tuple[list[Result], list[str]]:
    """Figures of ``names`` (devices, or ``WALK``), and in words what is not as it must be.

    The sync error is what the host's times of a foot's samples are late beyond those of the shank's at the same
    instant. Clocks with a time of their own must keep it within 2 ms after the first minute.
    """
    results: list[Result] = []
    problems: list[str] = []
    for name, found in zip(
        names, side_by_side(run_job, [Job(n, hours, make_leg, make_session) for n in names]), strict=True
    ):
        new, wrong = of_walk(found, hours) if isinstance(found, WalkDayResult) else of_leg(found, hours)
        results += new
        problems += [f"{name}: {text}" for text in wrong]
    return results, problems


def of_leg(found: LegDayResult, hours: float) -> tuple[list[Result], list[str]]:
    """Figures and complaints of one device."""
    on = f"{found.device}, {hours:g} h"
    worst_ms, minute = found.settled_ms
    over = int((found.worst_ms > MOST_APART_MS).sum())
    lost = sum(t.ledger.lost for t in found.sensors.values())
    unaccounted = sum(t.unaccounted for t in found.sensors.values())
    results = [
        Result("sync error, largest", worst_ms, "ms", f"{on}, in minute {minute + 1}"),
        Result("sync error, p99", found.p99_ms, "ms", on),
        Result("sync error, first minute", found.first_ms, "ms", on),
        Result("minutes with more than 2 ms", over, "minutes", on),
        Result("common delay", found.late_ms, "ms", on),
        Result("samples received", sum(t.ledger.received for t in found.sensors.values()), "samples", on),
        Result("samples lost", lost, "samples", f"{on}{'' if found.has_device_time else ', estimated'}"),
        Result("samples unaccounted for", unaccounted, "samples", on),
        Result("links made again", sum(t.ledger.reconnects for t in found.sensors.values()), "links", on),
        *_memory(found.footprints, on),
        Result("times real time", 3600.0 * hours / found.took_s, "x", on),
    ]
    wrong = []
    if found.has_device_time:
        if worst_ms > MOST_APART_MS:
            wrong.append(f"{worst_ms:.1f} ms apart in minute {minute + 1}")
        for site, tally in found.sensors.items():
            # A device that is started anew begins in mid-period.
            if abs(tally.unaccounted) > tally.ledger.reconnects:
                wrong.append(f"{site} has {tally.unaccounted} samples unaccounted for")
    return results, wrong + _growth(found.footprints)


def of_walk(found: WalkDayResult, hours: float) -> tuple[list[Result], list[str]]:
    """Figures and complaints of the walk."""
    on = f"walk of {hours:g} h, clocks 100 ppm apart"
    results = [Result("strides with angles", found.strides, "strides", on)]
    for which, errors in (("second minute", found.first_deg), ("last minute", found.last_deg)):
        for side, error in errors.items():
            results += [
                Result(f"{name.replace('_', ' ')}, {which}", float(e), "°", f"{side}, {on}")
                for name, e in zip(ANKLE_NAMES, error, strict=True)
            ]
    wrong = [
        f"the {side} leg's angles were off by {np.round(found.first_deg[side], 2)}°, and are by {np.round(last, 2)}°"
        for side, last in found.last_deg.items()
        if not (last < found.first_deg[side] + 0.3).all()
    ]
    return [*results, *_memory(found.footprints, on)], wrong + _growth(found.footprints)


def _memory(footprints: Sequence[Footprint], on: str) -> list[Result]:
    first, last = footprints[0], footprints[-1]
    return [
        Result(f"memory at {first.at_s / 3600.0:g} h", first.resident_mb, "MB", on),
        Result(f"memory at {last.at_s / 3600.0:g} h", last.resident_mb, "MB", on),
        Result("blocks of memory more", last.blocks - first.blocks, "blocks", on),
    ]


def _growth(footprints: Sequence[Footprint]) -> list[str]:
    grown_mb = footprints[-1].resident_mb - footprints[0].resident_mb
    return [f"memory grew by {grown_mb:.1f} MB"] if grown_mb > _GROWTH_MB else []
