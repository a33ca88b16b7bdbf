"""Checks that every imported sensor passes, whatever file it came from. One sentence for each way to be wrong."""

from collections.abc import Collection, Mapping
from itertools import combinations

import numpy as np

from subtalar.anatomy import JOINTS
from subtalar.errors import InputError
from subtalar.session.model import MINIMUM_DURATION_S
from subtalar.types import BodySite, FloatArray, SampleBlock

_LONGEST_GAP_S = 86_400.0
"""Nobody is measured on two days in one session; a clock that says so has jumped."""
_ENOUGH = 100
_SLOWER_THAN_STATED = 1.6
"""Of sparse arrivals nearly every one is that late only if the sensor is slower, however many samples are lost."""


def check_host_time(name: str, host_time_s: FloatArray, column: str = "host_time_s") -> None:
    """Raise InputError where arrival times go backwards or stand still; equal ones are one notification."""
    if len(host_time_s) >= _ENOUGH and host_time_s[0] == host_time_s[-1]:
        raise InputError(
            f"{name}: {column} is {host_time_s[0]:.6g} s in every row: write when each sample arrived, or remove "
            "the column if the file has device_time_s."
        )
    back = np.flatnonzero(np.diff(host_time_s) < 0)
    if len(back):
        i = int(back[0])
        raise InputError(
            f"{name}: {column} goes backwards at sample {i + 2} ({host_time_s[i]:.6g} s, then "
            f"{host_time_s[i + 1]:.6g} s): the host's clock was set during the recording, or rows were mixed; "
            "sort the rows, or remove the column if the file has device_time_s."
        )


def check_gaps(name: str, column: str, time_s: FloatArray) -> None:
    """Raise InputError where a clock leaps ahead by more than a day."""
    far = np.flatnonzero(np.diff(time_s) > _LONGEST_GAP_S)
    if len(far):
        i = int(far[0])
        raise InputError(
            f"{name}: {column} leaps from {time_s[i]:.6g} s to {time_s[i + 1]:.6g} s at sample {i + 2}: the clock was "
            "set, or two recordings are in one file; make two sessions of it."
        )


def check_arrival_rate(name: str, host_time_s: FloatArray, rate_hz: float, column: str = "host_time_s") -> None:
    """Raise InputError where arrival times alone (n,) contradict the stated rate.

    More samples than were sent cannot arrive. Fewer may have been lost; but where they come one by one and nearly all
    of them late, the sensor is slower than stated.
    """
    span_s = float(host_time_s[-1] - host_time_s[0])
    if len(host_time_s) < _ENOUGH or span_s == 0:
        return
    measured_hz = (len(host_time_s) - 1) / span_s
    quick_s = float(np.percentile(np.diff(host_time_s), 20))
    if measured_hz > 1.25 * rate_hz or quick_s * rate_hz > _SLOWER_THAN_STATED:
        raise InputError(
            f"{name}: the rate is given as {rate_hz:g} Hz but {column} advances like {measured_hz:.4g} Hz: "
            "correct the one that is wrong."
        )


def check_rate(name: str, period_s: float, rate_hz: float, column: str = "device_time_s") -> None:
    """Raise InputError where a sensor's clock advances at another pace than its stated rate."""
    if not period_s > 0:
        return
    ratio = period_s * rate_hz
    if 800.0 <= ratio <= 1250.0:
        raise InputError(
            f"{name}: {column} advances by {period_s:.4g} s a sample where {rate_hz:g} Hz means {1 / rate_hz:.4g} s: "
            "is it in ms? Then divide it by 1000, or name its unit where the file is described."
        )
    if not 0.8 <= ratio <= 1.25:
        raise InputError(
            f"{name}: the rate is given as {rate_hz:g} Hz but {column} advances like {1 / period_s:.4g} Hz: "
            "correct the one that is wrong."
        )


def check_no_duplicates(name: str, samples: Mapping[BodySite, SampleBlock]) -> None:
    """Refuse two sensors that hold the same samples: a file was given twice, and angles between twins are always zero.

    Raises InputError.
    """
    for a, b in combinations(samples, 2):
        if np.array_equal(samples[a].gyr_rad_s, samples[b].gyr_rad_s):
            raise InputError(
                f"{name}: {a.value} and {b.value} hold the very same samples: one of the two files stands in for the "
                "other; put the right one in its place."
            )


def check_duration(name: str, duration_s: float, minimum_s: float = MINIMUM_DURATION_S) -> None:
    """Raise InputError for a session too short to hold a stance and a step."""
    if duration_s < minimum_s:
        shown_s = min(duration_s, minimum_s - 0.1)  # 4.995 s are not "5.0 s long"
        raise InputError(
            f"{name} is {shown_s:.1f} s long and at least {minimum_s:.0f} s are needed: record quiet standing "
            "followed by some steps."
        )


def check_sites(name: str, sites: Collection[BodySite]) -> None:
    """Raise InputError for a session without any foot or shank sensor."""
    if not sites:
        raise InputError(
            f"{name} has neither a foot nor a shank sensor: name at least one of {', '.join(BodySite)} "
            "(an ankle angle needs the foot and the shank of the same leg)."
        )


def one_sensor_notes(sites: Collection[BodySite]) -> tuple[str, ...]:
    """A sentence for each joint of which only one segment carries a sensor."""
    notes = []
    for site in sites:
        for name, joint in JOINTS.items():
            other = joint.other(site.segment)
            if other is not None and BodySite.of(site.side, other) not in sites:
                notes.append(
                    f"There is a {site.side} {site.segment} but no {site.side} {other} sensor: no {name} angle."
                )
    return tuple(notes)
