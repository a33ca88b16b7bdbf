"""Fixed-interval smoothing against the least-squares problem that it solves in steps."""

from collections.abc import Sequence

import numpy as np
import pytest

from subtalar.estimation.numerics.kalman_smoother import FilterStep, smooth, start_of
from subtalar.types import FloatArray

_H = np.array([[1.0, 0.0]])
_R = 0.5**2
_PRIOR = np.diag([4.0, 1.0])


def _transition(dt: float) -> tuple[FloatArray, FloatArray]:
    return np.array([[1.0, dt], [0.0, 1.0]]), np.diag([0.1 * dt, 0.02 * dt])


def _filtered(z: FloatArray, models: Sequence[tuple[FloatArray, FloatArray]]) -> list[FilterStep]:
    steps = [start_of(0.0, np.zeros(2), _PRIOR)]
    for k, (f, q) in enumerate(models):
        x, p = f @ steps[-1].mean, f @ steps[-1].covariance @ f.T + q
        gain = p @ _H.T / (_H @ p @ _H.T + _R)
        after = x + gain[:, 0] * (z[k] - _H[0] @ x)
        steps.append(FilterStep(k + 1.0, f, x, p, after, p - gain @ _H @ p))
    return steps


def _dense(z: FloatArray, models: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """All states at once from prior, transitions and measurements, as one weighted least-squares problem."""
    n = len(models) + 1
    information, vector = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)
    information[:2, :2] += np.linalg.inv(_PRIOR)
    for k, (f, q) in enumerate(models):
        row = np.zeros((2, 2 * n))
        row[:, 2 * k : 2 * k + 2], row[:, 2 * k + 2 : 2 * k + 4] = -f, np.eye(2)
        information += row.T @ np.linalg.inv(q) @ row
        seen = np.zeros(2 * n)
        seen[2 * k + 2 : 2 * k + 4] = _H[0]
        information += np.outer(seen, seen) / _R
        vector += seen * z[k] / _R
    covariance = np.linalg.inv(information)
    blocks = np.array([covariance[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] for k in range(n)])
    return (covariance @ vector).reshape(n, 2), blocks


@pytest.mark.parametrize("forgets", [False, True])
def test_means_and_covariances_are_those_of_least_squares(forgets: bool) -> None:
    rng = np.random.default_rng(1)
    models = [_transition(dt) for dt in rng.uniform(0.3, 2.0, 12)]
    if forgets:
        models[6] = np.diag([0.0, 1.0]), np.diag([9.0, 0.03])
    z = np.cumsum(rng.normal(0.3, 0.6, 12))
    steps = _filtered(z, models)
    mean, covariance = smooth(steps)
    expected, blocks = _dense(z, models)
    np.testing.assert_allclose(mean, expected, atol=1e-9)
    np.testing.assert_allclose(covariance, blocks, atol=1e-9)
    filtered = np.array([s.covariance[0, 0] for s in steps])
    assert (covariance[:-1, 0, 0] < filtered[:-1]).all()
