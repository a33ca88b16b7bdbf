"""Mend the order of samples by the sensor's own clock, and count what is missing or double.

Pure: arrays in, arrays out.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.errors import InputError
from subtalar.types import FloatArray, IntArray, Ledger

_RESTART_STEP_S = 1.0
"""A clock that falls back by more than this started anew; by less, packets changed places."""
_DUPLICATES_ALLOWED = 0.01


@dataclass(frozen=True)
class SortedSamples:
    """``order`` (m,) picks the samples to keep, in the order of measurement; ``period_s`` is the clock's usual step."""

    order: IntArray
    period_s: float
    ledger: Ledger
    restarts: int
    swapped: int


def sort_by_device_time(
    name: str, device_time_s: FloatArray, rate_hz: float, column: str = "device_time_s"
) -> SortedSamples:
    """Sort swapped samples, drop repeated ones, keep restarts, count gaps.

    A step back of more than a second is a restart of the device: the samples on both sides stay where they are, and
    what was lost meanwhile is not known to this clock. Raises InputError when so many samples share a time that the
    clock must be too coarse to order them.
    """
    t = device_time_s
    restart = np.flatnonzero(np.diff(t) < -_RESTART_STEP_S) + 1
    kept: list[IntArray] = []
    steps: list[FloatArray] = []
    swapped = duplicated = 0
    for part in np.split(np.arange(len(t), dtype=np.int64), restart):
        sorted_part = part[np.argsort(t[part], kind="stable")]
        swapped += int((np.diff(t[part]) < 0).sum())
        new = np.concatenate(([True], np.diff(t[sorted_part]) > 0))
        duplicated += int((~new).sum())
        kept.append(sorted_part[new])
        steps.append(np.diff(t[kept[-1]]))
    if duplicated > max(2, _DUPLICATES_ALLOWED * len(t)):
        raise InputError(
            f"{name}: {duplicated} of {len(t)} samples repeat the {column} of another: write it with more "
            "decimals, or remove the column if the file has host_time_s."
        )
    step = np.concatenate(steps)
    # A low percentile, so that many lost samples do not pass for a slower sensor.
    period_s = float(np.percentile(step, 20)) if len(step) else 1.0 / rate_hz
    lost = int(np.maximum(np.rint(step / period_s) - 1, 0).sum()) if len(step) else 0
    order = np.concatenate(kept)
    return SortedSamples(
        order,
        period_s,
        Ledger(received=len(order), lost=lost, duplicated=duplicated),
        restarts=len(restart),
        swapped=swapped,
    )


def ledger_from_arrivals(host_time_s: FloatArray, rate_hz: float) -> Ledger:
    """What arrival times alone let one say: the loss is an estimate from the nominal rate."""
    expected = round(float(host_time_s[-1] - host_time_s[0]) * rate_hz)
    return Ledger(received=len(host_time_s), lost=max(0, expected - len(host_time_s)), lost_is_estimated=True)


def running_time(device_time_s: FloatArray, period_s: float) -> FloatArray:
    """Time since the first sample by the device's clock, with each restart bridged by one period. Never decreases."""
    step = np.diff(device_time_s, prepend=device_time_s[:1])
    return np.cumsum(np.where(step < 0, period_s, step))


def unwrap(name: str, column: str, counts: FloatArray, modulus: int, most_lost: int) -> FloatArray:
    """A counter (n,) that begins anew at ``modulus``, going on instead.

    A fall that a forward step of at most ``most_lost`` across the end explains is the end of the counter; every other
    fall stays as it is: packets out of order, or a sensor that started anew. Raises InputError where the values are no
    counts below ``modulus``.
    """
    odd = counts[(counts < 0) | (counts >= modulus) | (counts != np.floor(counts))]
    if len(odd):
        raise InputError(
            f"{name}: {column} is {odd[0]:.12g} in a row, which is no count below {modulus}: export it again, and do "
            "not save it from a spreadsheet program, which rounds long numbers."
        )
    step = np.diff(counts)
    forward = (step < 0) & (step + modulus <= most_lost)
    back = (step > 0) & (modulus - step <= most_lost)  # out of order just where the counter begins anew
    turns = np.concatenate(([0.0], np.cumsum(forward.astype(np.float64) - back)))
    return np.asarray(counts + modulus * turns, dtype=np.float64)
