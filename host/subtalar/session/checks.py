"""Checks that every imported sensor passes, whatever file it came from. One sentence for each way to be wrong."""

from collections.abc import Collection, Mapping
from itertools import combinations

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.session.model import MINIMUM_DURATION_S
from subtalar.types import BodySite, FloatArray, SampleBlock

_ACC_QUIET_M_S2 = (4.0, 20.0)
"""In its quietest moments a worn sensor reads about 1 g, even when the rest is running."""
_QUIET_WINDOW = 25
_GYR_LARGEST_RAD_S = 70.0
"""Twice the widest range that is sold (2000 deg/s): more than that is deg/s under a wrong name."""
_LONGEST_GAP_S = 86_400.0
"""Nobody is measured on two days in one session; a clock that says so has jumped."""
_ENOUGH = 100
_SLOWER_THAN_STATED = 1.6
"""Of sparse arrivals nearly every one is that late only if the sensor is slower, however many samples are lost."""


def check_units(name: str, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> None:
    """Raise InputError where (n, 3) accelerations or rates are all zero or cannot be in m/s² and rad/s."""
    if not acc_m_s2.any():
        raise InputError(
            f"{name}: every acceleration is zero; the sensor gave no data, so leave it out or record again."
        )
    if not gyr_rad_s.any():
        raise InputError(
            f"{name}: every angular velocity is zero; the gyroscope was off, so switch it on and record again."
        )
    typical = _quiet_norm(acc_m_s2)
    if not _ACC_QUIET_M_S2[0] <= typical <= _ACC_QUIET_M_S2[1]:
        if 0.4 <= typical <= 2.0:
            hint = f"is it in g? Then multiply it by {GRAVITY_M_S2}"
        elif 400.0 <= typical <= 2000.0:
            hint = f"is it in milli-g? Then multiply it by {GRAVITY_M_S2 / 1000:.8g}"
        elif typical > 2000.0:
            hint = "is it in raw counts? Then convert it with the sensor's scale"
        else:
            hint = "gravity is missing; was it removed? Then export the acceleration with gravity"
        raise InputError(f"{name}: the acceleration at rest is {typical:.3g} where m/s² would give 9.8: {hint}.")
    large = float(np.percentile(np.abs(gyr_rad_s).max(axis=1), 99.5))
    if large > _GYR_LARGEST_RAD_S:
        hint = "is it in deg/s? Then multiply it by π/180" if large < 4000.0 else "is it in raw counts?"
        raise InputError(
            f"{name}: the angular velocity reaches {large:.3g} rad/s, which no such sensor can measure: {hint}."
        )


def _quiet_norm(acc: FloatArray) -> float:
    """Median norm over the twentieth of the windows in which the acceleration changes least."""
    norm = np.linalg.norm(acc, axis=1)
    count = len(norm) // _QUIET_WINDOW
    if count == 0:
        return float(np.median(norm))
    windows = acc[: count * _QUIET_WINDOW].reshape(count, _QUIET_WINDOW, 3)
    change = windows.var(axis=1).sum(axis=1)
    quiet = np.argsort(change)[: max(1, count // 20)]
    return float(np.median(norm[: count * _QUIET_WINDOW].reshape(count, _QUIET_WINDOW)[quiet]))


def check_host_time(name: str, host_time_s: FloatArray) -> None:
    """Raise InputError where arrival times go backwards or stand still; equal ones are one notification."""
    if len(host_time_s) >= _ENOUGH and host_time_s[0] == host_time_s[-1]:
        raise InputError(
            f"{name}: host_time_s is {host_time_s[0]:.6g} s in every row: write when each sample arrived, or remove "
            "the column if the file has device_time_s."
        )
    back = np.flatnonzero(np.diff(host_time_s) < 0)
    if len(back):
        i = int(back[0])
        raise InputError(
            f"{name}: host_time_s goes backwards at sample {i + 2} ({host_time_s[i]:.6g} s, then "
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


def check_arrival_rate(name: str, host_time_s: FloatArray, rate_hz: float) -> None:
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
            f"{name}: the rate is given as {rate_hz:g} Hz but host_time_s advances like {measured_hz:.4g} Hz: "
            "correct the one that is wrong."
        )


def check_rate(name: str, period_s: float, rate_hz: float) -> None:
    """Raise InputError where a sensor's clock advances at another pace than its stated rate."""
    if not period_s > 0:
        return
    ratio = period_s * rate_hz
    if 800.0 <= ratio <= 1250.0:
        raise InputError(
            f"{name}: device_time_s advances by {period_s:.4g} a sample: is it in ms? Then divide it by 1000."
        )
    if not 0.8 <= ratio <= 1.25:
        raise InputError(
            f"{name}: the rate is given as {rate_hz:g} Hz but device_time_s advances like {1 / period_s:.4g} Hz: "
            "correct the one that is wrong."
        )


def check_twins(name: str, samples: Mapping[BodySite, SampleBlock]) -> None:
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


def pair_notes(sites: Collection[BodySite]) -> tuple[str, ...]:
    """A sentence for each leg that has only one of its two sensors."""
    notes = []
    for site in sites:
        other = BodySite.of(site.side, "shank" if site.segment == "foot" else "foot")
        if other not in sites:
            notes.append(
                f"There is a {site.side} {site.segment} but no {site.side} {other.segment} sensor: no ankle angle."
            )
    return tuple(notes)
