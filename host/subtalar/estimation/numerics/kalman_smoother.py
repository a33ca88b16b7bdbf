"""Fixed-interval smoothing: what a Kalman filter would have estimated at each step, had it known all that came later.

Rauch, Tung & Striebel 1965, "Maximum likelihood estimates of linear dynamic systems" (doi 10.2514/3.3166).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray


@dataclass(frozen=True)
class FilterStep:
    """One step of a filter with d states: ``transition`` (d, d) from the step before, ``mean`` (d,) and ``covariance``
    (d, d) predicted by it and after the step's measurement.
    """

    time_s: float
    transition: FloatArray
    predicted_mean: FloatArray
    predicted_covariance: FloatArray
    mean: FloatArray
    covariance: FloatArray


def start_of(time_s: float, mean: FloatArray, covariance: FloatArray) -> FilterStep:
    """The first step: nothing came before it."""
    return FilterStep(time_s, np.eye(len(mean)), mean, covariance, mean, covariance)


def smooth(steps: Sequence[FilterStep]) -> tuple[FloatArray, FloatArray]:
    """Means (n, d) and covariances (n, d, d) given all steps; ``steps`` holds at least one.

    A row of zeros in a transition forgets that state: nothing flows back through it.
    """
    mean = np.array([step.mean for step in steps])
    covariance = np.array([step.covariance for step in steps])
    for k in range(len(steps) - 2, -1, -1):
        after = steps[k + 1]
        gain = np.linalg.solve(after.predicted_covariance, after.transition @ steps[k].covariance).T
        mean[k] += gain @ (mean[k + 1] - after.predicted_mean)
        covariance[k] += gain @ (covariance[k + 1] - after.predicted_covariance) @ gain.T
    return mean, covariance
