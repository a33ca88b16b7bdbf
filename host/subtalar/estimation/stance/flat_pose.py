"""Whether the foot is flat in a rest: in a slow gait it also stands still for a moment in mid-swing, or on its toes.

On the floor a foot leans as it did in the rests before. Where several rests in a row lean otherwise, and alike, the
floor or the strap is another.
"""

import numpy as np

from subtalar.estimation.parameters import FootFlatParameters
from subtalar.types import FloatArray

_KEPT = 7
_ENOUGH = 4


class FlatPose:
    """``is_flat`` takes the vertical in sensor axes (3,) of one rest after the other."""

    def __init__(self, parameters: FootFlatParameters) -> None:
        self._p = parameters
        self._flat: list[FloatArray] = []
        self._other: list[FloatArray] = []

    def is_flat(self, up: FloatArray) -> bool:
        """Whether this rest is one on the floor; all are until some were seen."""
        if len(self._flat) < _ENOUGH or _apart_rad(up, np.median(self._flat, axis=0)) < self._p.most_tilt_rad:
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

    def _take(self, up: FloatArray) -> None:
        self._flat.append(up)
        del self._flat[:-_KEPT]


def _apart_rad(one: FloatArray, other: FloatArray) -> float:
    cross = float(np.linalg.norm(np.cross(one, other)))
    return float(np.arctan2(cross, float(one @ other)))
