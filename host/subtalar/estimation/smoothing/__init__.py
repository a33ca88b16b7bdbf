"""The smoothed pass: angles that look ahead over the whole recording, for research. Live angles never do."""

from subtalar.estimation.smoothing.estimator import SmoothingEstimator

__all__ = ["SmoothingEstimator"]
