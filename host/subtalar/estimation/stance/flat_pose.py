"""Whether the foot is flat in a rest: in a slow gait it also stands still for a moment in mid-swing, or on its toes.

On the floor a foot leans as it did in the rests before. Where several rests in a row lean otherwise, and alike, the
floor or the strap is another.
"""

import math
from collections.abc import Sequence
from statistics import median

from subtalar.estimation.numerics.quaternions import Vector
from subtalar.estimation.parameters import FootFlatParameters

_KEPT = 7
_ENOUGH = 4


class FlatPose:
    """``is_flat`` takes the vertical in sensor axes of one rest after the other."""

    def __init__(self, parameters: FootFlatParameters) -> None:
        self._p = parameters
        self._flat: list[Vector] = []
        self._other: list[Vector] = []

    def is_flat(self, up: Vector) -> bool:
        """Whether this rest is one on the floor; all are until some were seen."""
        if len(self._flat) < _ENOUGH or _apart_rad(up, _middle(self._flat)) < self._p.most_tilt_rad:
            self._other.clear()
            self._take(up)
            return True
        self._other.append(up)
        if len(self._other) < self._p.agreeing_tilts:
            return False
        alike = max(_apart_rad(other, up) for other in self._other) < self._p.most_tilt_rad
        if not alike:
            del self._other[0]
            return False
        self._flat = self._other
        self._other = []
        return True

    def forget(self) -> None:
        """The sensor's world began anew, and with it its vertical."""
        self._flat.clear()
        self._other.clear()

    def _take(self, up: Vector) -> None:
        self._flat.append(up)
        del self._flat[:-_KEPT]


def _middle(ups: Sequence[Vector]) -> Vector:
    x, y, z = (median(components) for components in zip(*ups, strict=True))
    return x, y, z


def _apart_rad(one: Vector, other: Vector) -> float:
    a, b, c = one
    x, y, z = other
    across = math.hypot(b * z - c * y, c * x - a * z, a * y - b * x)
    return math.atan2(across, a * x + b * y + c * z)
