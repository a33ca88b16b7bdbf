"""Samples that a sensor loses before anything is sent."""

import numpy as np

from subtalar_sim.faults.plan import FaultPlan
from subtalar_sim.types import BoolArray, FloatArray


class GapDrawer:
    """Which samples a sensor loses. Sequential: the same samples are lost however the run is cut into calls."""

    def __init__(self, plan: FaultPlan, rate_hz: float, seed: int, site: str) -> None:
        self._chance = min(1.0, plan.gap_rate_per_s / rate_hz)
        if plan.loss:
            # A gap begins at a sample with chance p and takes L: L / (L + (1 - p) / p) of all are lost.
            share = 1.0 / (1.0 + plan.gap_samples * (1.0 - plan.loss) / plan.loss)
            self._chance = 1.0 - (1.0 - self._chance) * (1.0 - share)
        self._length = plan.gap_samples
        self._spans = plan.gaps
        self._rng = np.random.default_rng([seed, 15, *site.encode()])
        self._left = 0

    def kept(self, n: int, t_s: FloatArray | None = None) -> BoolArray:
        """Mask (n,) of the next n samples, True where a sample survives; ``t_s`` (n,) when they were measured."""
        keep = np.ones(n, dtype=np.bool_)
        if t_s is not None:
            for start, length in self._spans:
                keep &= (t_s < start) | (t_s >= start + length)
        if self._chance == 0.0:
            return keep
        for i in range(n):
            if self._left == 0 and self._rng.random() < self._chance:
                self._left = int(self._rng.geometric(1.0 / self._length))
            if self._left:
                self._left -= 1
                keep[i] = False
        return keep
