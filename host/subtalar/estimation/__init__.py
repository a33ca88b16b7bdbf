"""From two streams of inertial samples to the ankle: clocks, inclination, placement, heading, angles, strides."""

from subtalar.estimation.estimator import GaitEstimator
from subtalar.estimation.numerics.compiled import warm_up, warmed
from subtalar.estimation.parameters import Parameters

__all__ = ["GaitEstimator", "Parameters", "warm_up", "warmed"]
