"""Put sensors that each carry a clock on one session clock, or say that they cannot be.

Foot and shank turn by hundreds of degrees a second: a hundredth of a second between them is degrees in the ankle.
Clocks that were not synchronised are therefore not lined up by guess; only the user may say that all sensors were
started at once.
"""

import json
from collections.abc import Mapping

import numpy as np

from subtalar.anatomy import measured_sides, only_segment
from subtalar.errors import InputError
from subtalar.session.importing.sites import CLOCKS_KEY, SPEC_NAME, Candidate
from subtalar.types import BodySite, FloatArray

STARTED_TOGETHER_NOTE = (
    "The sensors' clocks were not synchronised and have been lined up at their first samples: times between them, and "
    "so quick angles, are only as good as they started at the same moment."
)


def to_common_clock(
    name: str, times_s: Mapping[BodySite, FloatArray], *, shared: bool, wraps_s: float | None = None
) -> dict[BodySite, FloatArray]:
    """Times (n,) of all sensors since the first sample of any.

    ``shared``: the clocks are one (a difference of whole turns of ``wraps_s`` is taken out); otherwise each starts at
    its own first sample. Raises InputError where clocks that are one do not overlap.
    """
    first = {site: _start(t) for site, t in times_s.items()}
    if not shared:
        return {site: t - first[site] for site, t in times_s.items()}
    moved = dict(times_s)
    if wraps_s is not None:
        reference = next(iter(first.values()))
        moved = {site: t - wraps_s * round((first[site] - reference) / wraps_s) for site, t in times_s.items()}
    starts, ends = [_start(t) for t in moved.values()], [float(t.max()) for t in moved.values()]
    if max(starts) > min(ends):
        raise InputError(
            f"The sensors in {name} do not overlap in time: they are not of one recording, or their clocks were not "
            f'synchronised; put one recording in a folder, or add "{CLOCKS_KEY}": "started_together" to {SPEC_NAME}.'
        )
    return {site: t - min(starts) for site, t in moved.items()}


def refuse_unsynchronised_clocks(name: str, chosen: Mapping[BodySite, Candidate], why: str, remedy: str) -> None:
    """Raise InputError where foot and shank of a leg have clocks of their own."""
    if all(only_segment(chosen, side) for side in measured_sides(chosen)):
        return
    line = {site.value: candidate.name for site, candidate in chosen.items()} | {CLOCKS_KEY: "started_together"}
    raise InputError(
        f"{name}: {why}, so nobody can tell which samples of foot and shank belong together: {remedy}; or, if all were "
        f"started at the same moment, write into the folder a file {SPEC_NAME} with the line "
        f"{json.dumps(line, ensure_ascii=False)}."
    )


def _start(time_s: FloatArray) -> float:
    return float(np.min(time_s))
