"""Lever arms from all strides of a recording at once, and the clock offset as it changes.

The normal equations of every stride (``joint_centre.py``) add up to the lever arms. With these fixed, the offset near a
stride is the least-squares one of the strides around it, weighted down by their distance as the live pass weighs down
the past: the sensors' clocks are known better and better as a recording goes on, and crystals drift.
"""

from collections.abc import Iterable

import numpy as np

from subtalar.estimation.joint.joint_centre import JointCentre, JointCentreEstimator
from subtalar.estimation.parameters import JointCentreParameters
from subtalar.types import FloatArray

_LEVERS, _OFFSET = slice(0, 6), 6


def levers_and_offsets(
    parameters: JointCentreParameters,
    estimator: JointCentreEstimator,
    equations: Iterable[tuple[FloatArray, FloatArray]],
) -> tuple[JointCentre, FloatArray]:
    """The joint centre of all strides, and the clock offset (n,) in seconds at each; ``estimator`` holds the prior."""
    each = list(equations)
    estimator.settle(each)
    centre = estimator.estimate
    levers = np.concatenate((centre.foot_lever_m, centre.shank_lever_m))
    weight = np.array([a[_OFFSET, _OFFSET] for a, _ in each])
    pull = np.array([b[_OFFSET] - a[_OFFSET, _LEVERS] @ levers for a, b in each])
    prior = 1.0 / parameters.offset_prior_sd_s**2
    keep = 1.0 - 1.0 / parameters.memory_strides
    return centre, _both_ways(pull, keep) / (_both_ways(weight, keep) + prior)


def _both_ways(values: FloatArray, keep: float) -> FloatArray:
    """Σⱼ keep^|k−j| valuesⱼ for every k."""
    past, future = values.copy(), values.copy()
    for k in range(1, len(values)):
        past[k] += keep * past[k - 1]
        future[-1 - k] += keep * future[-k]
    return past + future - values
