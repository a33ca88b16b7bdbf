"""The clocks of all sensors of a session, mended together before anything is counted from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from subtalar.session.importing.clock_repair import mend_strays, step_note, stray_note, take_out_steps, usual_step
from subtalar.types import BodySite, FloatArray

_LONGEST_COUNT_S = 1.0
_UNKNOWN_S = 1e9
"""A counter that begins anew every few minutes does not tell how long a longer gap was, only that there was one."""


@dataclass(frozen=True)
class SensorClocks:
    """Times (n,) of a sensor's samples by its own clock and at their arrival, either of them None.

    ``counter`` (n,) counts the samples that were sent, where a column does.
    """

    name: str
    device_time_s: FloatArray | None
    host_time_s: FloatArray | None
    columns: tuple[str, str] = ("device_time_s", "host_time_s")
    notes: tuple[str, ...] = ()
    counter: FloatArray | None = None


def mend_clocks(clocks: Mapping[BodySite, SensorClocks], *, shared: bool) -> dict[BodySite, SensorClocks]:
    """Without single stray stamps and without what a clock was set by, each told in ``notes``.

    The host's clock is one for all sensors; ``shared``: so are sensors' own where there are no arrivals beside them.
    """
    mended = {site: _without_strays(c) for site, c in clocks.items()}
    device = {site: c.device_time_s for site, c in mended.items() if c.device_time_s is not None}
    host = {site: c.host_time_s for site, c in mended.items() if c.host_time_s is not None}
    alone = {site: t for site, t in device.items() if site not in host}
    counted = {
        site: _counted(c.counter, alone[site]) for site, c in mended.items() if c.counter is not None and site in alone
    }
    groups = [alone] if shared else [{site: t} for site, t in alone.items()]
    for group in groups:
        for site, (time_s, note) in _stepless(mended, group, counted, 0, backwards=shared).items():
            mended[site] = replace(mended[site], device_time_s=time_s, notes=(*mended[site].notes, note))
    for site in device.keys() & host.keys():  # a sensor's clock that falls back began anew
        for time_s, note in _stepless(mended, {site: device[site]}, host, 0, backwards=False).values():
            mended[site] = replace(mended[site], device_time_s=time_s, notes=(*mended[site].notes, note))
    for site, (time_s, note) in _stepless(mended, host, device, 1, backwards=True).items():
        mended[site] = replace(mended[site], host_time_s=time_s, notes=(*mended[site].notes, note))
    return mended


def _counted(counter: FloatArray, time_s: FloatArray) -> FloatArray:
    """What time the count of samples tells (n,), in s."""
    step_s = np.diff(counter, prepend=counter[:1]) * usual_step(time_s)
    return np.asarray(np.cumsum(np.where(np.abs(step_s) > _LONGEST_COUNT_S, _UNKNOWN_S, step_s)), dtype=np.float64)


def _stepless(
    clocks: Mapping[BodySite, SensorClocks],
    times_s: Mapping[BodySite, FloatArray],
    beside_s: Mapping[BodySite, FloatArray],
    which: int,
    *,
    backwards: bool,
) -> dict[BodySite, tuple[FloatArray, str]]:
    moved, steps = take_out_steps(times_s, beside_s, backwards=backwards)
    return {
        site: (moved[site], step_note(clocks[site].name, clocks[site].columns[which], step, certain=site in beside_s))
        for site, step in steps.items()
    }


def _without_strays(clocks: SensorClocks) -> SensorClocks:
    notes = list(clocks.notes)
    times = [clocks.device_time_s, clocks.host_time_s]
    for which, time_s in enumerate(times):
        if time_s is None:
            continue
        times[which], count = mend_strays(time_s, arrivals=which == 1)
        if count:
            notes.append(stray_note(clocks.name, clocks.columns[which], count))
    return replace(clocks, device_time_s=times[0], host_time_s=times[1], notes=tuple(notes))
