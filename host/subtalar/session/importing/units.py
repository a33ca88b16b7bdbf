"""Units that files may be in, and whether the numbers can be in the unit that they are said to be in.

What a worn sensor shows is known well enough: about 1 g in its quietest moments, a few rad/s in a step, next to
nothing at rest. Numbers that cannot be are refused with the unit that they look like.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.types import FloatArray

Quantity = Literal["acceleration", "angular velocity"]
Remedy = Callable[[Quantity, str, float], str]
"""What to do when the numbers look like another unit: the quantity, that unit, and the factor to the right one."""

ACC_UNITS: Mapping[str, float] = {"m/s²": 1.0, "g": GRAVITY_M_S2, "milli-g": GRAVITY_M_S2 / 1000.0}
"""Unit and what it is in m/s²."""
GYR_UNITS: Mapping[str, float] = {"rad/s": 1.0, "deg/s": np.pi / 180.0, "milli-deg/s": np.pi / 180.0e3}
"""Unit and what it is in rad/s."""

_ACC_QUIET_M_S2 = (4.0, 20.0)
"""In its quietest moments a worn sensor reads about 1 g, even when the rest is running."""
_STEADY = 0.1
_THOUSANDTH = (0.004, 0.02)
_QUIET_WINDOW = 25
_GYR_LARGEST_RAD_S = 70.0
"""Twice the widest range that is sold (2000 deg/s): more than that is deg/s under a wrong name."""
_FAST_STEP_RAD_S = 1.0
_STEPPING_M_S2 = 1.5
_SLOWEST_STEP_RAD_S = 0.25
"""Whoever shakes a leg so much that the acceleration varies by 1.5 m/s² turns it by more than 14 deg/s."""
_FASTEST_LEG_RAD_S = 40.0
_RESTING_ACC_M_S2 = 0.3
_RESTING_GYR_RAD_S = 0.5
"""Noise and tremor of a leg that stands are below 0.1 rad/s."""
_ENOUGH = 100


def multiply(quantity: Quantity, unit: str, factor: float) -> str:
    """The remedy where the unit is fixed by the format: convert the numbers."""
    return f"Then multiply it by {'π/180' if unit == 'deg/s' and factor == GYR_UNITS[unit] else f'{factor:.8g}'}"


def check_units(
    name: str,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    *,
    acc_unit: str = "m/s²",
    gyr_unit: str = "rad/s",
    remedy: Remedy = multiply,
) -> None:
    """Raise InputError where (n, 3) accelerations or rates are all zero or cannot have been in the stated units.

    The arrays are converted already; ``acc_unit`` and ``gyr_unit`` are what the file was said to be in.
    """
    if not acc_m_s2.any():
        raise InputError(
            f"{name}: every acceleration is zero; the sensor gave no data, so leave it out or record again."
        )
    if not gyr_rad_s.any():
        raise InputError(
            f"{name}: every angular velocity is zero; the gyroscope was off, so switch it on and record again."
        )
    _check_acceleration(name, acc_m_s2, acc_unit, remedy)
    _check_rate_of_turn(name, acc_m_s2, gyr_rad_s, gyr_unit, remedy)


def check_axes(name: str, acc_m_s2: FloatArray, gyr_rad_s: FloatArray, columns: Sequence[str]) -> None:
    """Refuse an axis that never changes while its neighbours do, and two columns that are the same.

    ``columns`` names the six columns, accelerations first. Raises InputError.
    """
    if len(acc_m_s2) < _ENOUGH:
        return
    values = np.column_stack((acc_m_s2, gyr_rad_s))
    still = values.min(axis=0) == values.max(axis=0)
    for k in range(6):
        triad = still[:3] if k < 3 else still[3:]
        if still[k] and not triad.all():
            raise InputError(
                f"{name}: {columns[k]} is {values[0, k]:.6g} in every row while the axes beside it change: it is not "
                "an axis of this sensor, or the axis is dead; name the right column or record again."
            )
    largest = values[np.abs(values).argmax(axis=0), np.arange(6)]
    alike = values / np.where(largest == 0.0, 1.0, largest)  # whatever the unit and the sign
    for a, b in combinations(range(6), 2):
        if not still[a] and np.array_equal(alike[:, a], alike[:, b]):
            raise InputError(
                f"{name}: {columns[a]} and {columns[b]} hold the same numbers: a column stands in for another; "
                "put the right one in its place."
            )


def _check_acceleration(name: str, acc: FloatArray, unit: str, remedy: Remedy) -> None:
    typical, steady = _quiet_norm(acc)
    if _ACC_QUIET_M_S2[0] <= typical <= _ACC_QUIET_M_S2[1]:
        return
    shown = typical / ACC_UNITS[unit]
    for other, factor in ACC_UNITS.items():
        if other != unit and _ACC_QUIET_M_S2[0] <= shown * factor <= _ACC_QUIET_M_S2[1]:
            hint = f"is it in {other}? {remedy('acceleration', other, factor / ACC_UNITS[unit])}"
            break
    else:
        if steady and unit == "g" and _THOUSANDTH[0] <= shown <= _THOUSANDTH[1]:
            hint = "was m/s² taken for milli-g and divided by 1000? Then use the numbers as they were, in m/s²"
        elif typical > _ACC_QUIET_M_S2[1]:
            hint = "is it in raw counts? Then convert it with the sensor's scale"
        else:
            hint = "gravity is missing; was it removed? Then export the acceleration with gravity"
    expected = GRAVITY_M_S2 / ACC_UNITS[unit]
    raise InputError(f"{name}: the acceleration at rest is {shown:.3g} where {unit} would give {expected:.2g}: {hint}.")


def _check_rate_of_turn(name: str, acc: FloatArray, gyr: FloatArray, unit: str, remedy: Remedy) -> None:
    factor = GYR_UNITS[unit]
    large = float(np.percentile(np.abs(gyr).max(axis=1), 99.5))
    if large > _GYR_LARGEST_RAD_S:
        smaller = [
            u
            for u, f in GYR_UNITS.items()
            if f < factor and _FAST_STEP_RAD_S < large / factor * f <= _GYR_LARGEST_RAD_S
        ]
        hint = "is it in raw counts? Then convert it with the sensor's scale"
        if smaller:
            hint = f"is it in {smaller[0]}? {remedy('angular velocity', smaller[0], GYR_UNITS[smaller[0]] / factor)}"
        raise InputError(
            f"{name}: the angular velocity reaches {large / factor:.3g} {unit}, which no such sensor can measure: "
            f"{hint}."
        )
    moving = float(np.linalg.norm(acc, axis=1).std()) > _STEPPING_M_S2
    if moving and large < _SLOWEST_STEP_RAD_S:
        for other, f in GYR_UNITS.items():
            if f > factor and _SLOWEST_STEP_RAD_S < large / factor * f < _FASTEST_LEG_RAD_S:
                raise InputError(
                    f"{name}: the sensor is shaken but turns by at most {large / factor:.3g} {unit}, as no leg does: "
                    f"is it in {other}? {remedy('angular velocity', other, f / factor)}."
                )
    resting = _quiet_unrest(acc, gyr)
    if resting is not None and resting > _RESTING_GYR_RAD_S:
        for other, f in GYR_UNITS.items():
            if f < factor:
                raise InputError(
                    f"{name}: the angular velocity wavers by {resting / factor:.3g} {unit} while the sensor is at "
                    f"rest: is it in {other}? {remedy('angular velocity', other, f / factor)}."
                )


def _quiet_windows(acc: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Windows (m, 25, 3) and how much the acceleration changes in each (m,); None where there is less than one."""
    count = len(acc) // _QUIET_WINDOW
    if count == 0:
        return None
    windows = acc[: count * _QUIET_WINDOW].reshape(count, _QUIET_WINDOW, 3)
    return windows, windows.var(axis=1).sum(axis=1)


def _quiet_norm(acc: FloatArray) -> tuple[float, bool]:
    """Median norm over the twentieth of the windows in which the acceleration changes least, and if it is steady."""
    found = _quiet_windows(acc)
    if found is None:
        return float(np.median(np.linalg.norm(acc, axis=1))), False
    windows, change = found
    quiet = np.argsort(change)[: max(1, len(change) // 20)]
    norm = np.linalg.norm(windows[quiet], axis=2)
    typical = float(np.median(norm))
    return typical, float(np.median(norm.std(axis=1))) < _STEADY * typical


def _quiet_unrest(acc: FloatArray, gyr: FloatArray) -> float | None:
    """How much the angular velocity wavers (rad/s) in those of the quietest windows in which nothing moves."""
    found = _quiet_windows(acc)
    if found is None:
        return None
    windows, change = found
    quiet = np.argsort(change)[: max(1, len(change) // 20)]
    quiet = quiet[change[quiet] < _RESTING_ACC_M_S2**2]
    if not len(quiet):
        return None
    turning = gyr[: len(windows) * _QUIET_WINDOW].reshape(windows.shape)[quiet]
    return float(np.median(np.sqrt(turning.var(axis=1).sum(axis=1))))
