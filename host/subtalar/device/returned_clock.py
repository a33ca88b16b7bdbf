"""A sensor is back, with a clock ahead of where it was: has that gone on, or did it begin anew and overtake?

A sensor that went off soon after it was switched on, and then stayed away for longer, comes back with a clock that
seems to have gone on, but behind: as if its samples had been under way for seconds. So seems what waited in a buffer
while the computer stood still; only that catches up.
"""

from collections.abc import Callable
from typing import Final

from subtalar.protocol import InertialSamples

from .timed_samples import joined, part_of, times_of

_LATE_S: Final = 1.0
_DRIFT: Final = 2e-4
_WAITS_S: Final = 1.0
_CATCHES_UP: Final = 1.5
_AT_MOST_S: Final = 3.0


class ReturnedClock:
    """Holds samples back, for a second or at most three, until that is decided."""

    def __init__(self) -> None:
        self._waiting: list[tuple[InertialSamples, float]] = []

    @property
    def waits(self) -> bool:
        """Whether it holds any."""
        return bool(self._waiting)

    def decide(
        self, batch: InertialSamples, arrival_s: float, last_s: float, late_s: Callable[[int, float], float]
    ) -> tuple[InertialSamples, bool]:
        """Samples to go on with, none while they wait; and whether their clock began anew.

        ``late_s(device_us, arrival_s)`` is by how much later than ever before a sample arrived; ``last_s`` when the
        last one did before the sensor went.
        """
        newest_us = int(times_of(batch)[-1])
        is_late = late_s(newest_us, arrival_s) > _LATE_S + _DRIFT * (arrival_s - last_s)
        self._waiting.append((batch, arrival_s))
        (first, first_s), held = self._waiting[0], [samples for samples, _ in self._waiting]
        waited_s, told_s = arrival_s - first_s, 1e-6 * (newest_us - int(times_of(first)[-1]))
        catches_up = told_s > _CATCHES_UP * waited_s and waited_s < _AT_MOST_S
        if is_late and (waited_s < _WAITS_S or catches_up):
            return part_of(batch, []), False
        self._waiting.clear()
        return joined(held), is_late
