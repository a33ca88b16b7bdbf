"""A recording in parts: between two interruptions a sensor's world stays one."""

import numpy as np
import numpy.typing as npt

from subtalar.types import FloatArray


class Knots:
    """Values at some instants of one part, with straight lines between and the nearest value beyond them."""

    def __init__(self, time_s: FloatArray, values: FloatArray) -> None:
        """``time_s`` (n,) ascending, ``values`` (n, d)."""
        self.time_s, self.values = time_s, values

    def at(self, time_s: FloatArray) -> FloatArray:
        """Values (m, d)."""
        return np.stack([np.interp(time_s, self.time_s, column) for column in self.values.T], axis=1)

    def bridge_s(self, time_s: FloatArray) -> FloatArray:
        """By how many seconds of random walk a value (m,) is uncertain: d₁ d₂ / (d₁ + d₂) between two knots at the
        distances d₁ and d₂ (Brownian bridge), the distance itself beyond the last.
        """
        knots = self.time_s
        after = np.searchsorted(knots, time_s)
        before_s = time_s - knots[np.maximum(after - 1, 0)]
        until_s = knots[np.minimum(after, len(knots) - 1)] - time_s
        inside = (after > 0) & (after < len(knots))
        with np.errstate(divide="ignore", invalid="ignore"):
            between = before_s * until_s / (before_s + until_s)
        outside = np.maximum(np.where(after == 0, until_s, before_s), 0.0)
        return np.asarray(np.where(inside, between, outside))


def part_of(time_s: FloatArray, resumed_s: FloatArray) -> npt.NDArray[np.intp]:
    """The part (n,) in which each instant lies; a part begins where samples came again."""
    return np.searchsorted(resumed_s, time_s, side="right")
