"""Sensors that do not sit where they were announced, found from strides: exchanged on one leg, or between the legs.

The path of the ankle does not distinguish the legs: between two rests of this foot the other ankle falls behind just as
this one goes ahead, and a relative heading of 180° makes the two look alike. When each segment turns does: foot
and shank of one leg swing together, while the other leg carries the body.
"""

from typing import Literal

import numpy as np

from subtalar.estimation.parameters import PlacementParameters
from subtalar.estimation.rows.stride_window import StrideWindow

Misplacement = Literal["foot_for_shank", "other_leg", "sign_reversed"]


class MisplacementDetector:
    """Collects strides since standing."""

    def __init__(self, parameters: PlacementParameters) -> None:
        self._p = parameters
        self._evidence: list[tuple[float, float]] = []

    def clear(self) -> None:
        """Standing again: begin anew."""
        self._evidence.clear()

    def add(self, window: StrideWindow, offset_s: float = 0.0) -> None:
        """One more stride; the shank's clock shows ``offset_s`` more."""
        self._evidence.append((rest_ratio(window), common_turning(window, offset_s)))
        del self._evidence[: -self._p.settle_strides]

    @property
    def found(self) -> Misplacement | None:
        """What most strides show, as soon as there are enough."""
        if len(self._evidence) < self._p.strides:
            return None
        rest, common = np.median(np.array(self._evidence), axis=0).tolist()
        if rest < self._p.least_rest_ratio:
            return "foot_for_shank"
        return "other_leg" if common < self._p.least_common_turning else None


def rest_ratio(window: StrideWindow) -> float:
    """How much less the foot turns than the shank while each turns least (15th percentile of the rate's magnitude).

    In stance the foot lies on the ground and the shank rolls over it: above 1, whatever the gait.
    """
    inside = slice(window.start, window.stop + 1)
    foot, shank = window.foot.gyr_rad_s[inside], window.shank.gyr_rad_s
    least = [float(np.percentile(np.sqrt(np.sum(gyr * gyr, axis=1)), 15)) for gyr in (foot, shank)]
    return least[1] / max(least[0], 1e-6)


def common_turning(window: StrideWindow, offset_s: float = 0.0) -> float:
    """Correlation of foot's and shank's magnitudes of angular rate from rest to rest; 1 where one never turns."""
    inside = slice(window.start, window.stop + 1)
    foot, shank = (np.sqrt(np.sum(s.gyr_rad_s**2, axis=1)) for s in (window.foot, window.shank))
    a = foot[inside] - np.mean(foot[inside])
    b = np.interp(window.foot.time_s[inside] + offset_s, window.shank.time_s, shank)
    b -= np.mean(b)
    size = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / size if size > 1e-9 else 1.0
