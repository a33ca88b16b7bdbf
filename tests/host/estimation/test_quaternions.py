"""Quaternion arithmetic against SciPy, and that a row does not depend on its neighbours."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from subtalar.estimation.numerics import quaternions as quat
from subtalar.types import FloatArray

RNG = np.random.default_rng(8)
P = Rotation.random(400, random_state=1)
Q = Rotation.random(400, random_state=2)
V = RNG.normal(size=(400, 3))


def wxyz(r: Rotation) -> FloatArray:
    return np.ascontiguousarray(r.as_quat(scalar_first=True))


def assert_same_rotation(mine: FloatArray, theirs: FloatArray, atol: float = 1e-12) -> None:
    np.testing.assert_allclose(np.abs(np.sum(mine * theirs, axis=-1)), 1.0, atol=atol)


def test_scalar_first() -> None:
    np.testing.assert_allclose(quat.about_vertical(np.pi / 2), [np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
    np.testing.assert_allclose(
        quat.rotate(quat.about_vertical(np.pi / 2), np.array([1.0, 0, 0])), [0, 1, 0], atol=1e-15
    )


def test_multiply_conjugate_rotate_matrix() -> None:
    assert_same_rotation(quat.multiply(wxyz(P), wxyz(Q)), wxyz(P * Q))
    assert_same_rotation(quat.conjugate(wxyz(P)), wxyz(P.inv()))
    np.testing.assert_allclose(quat.rotate(wxyz(P), V), P.apply(V), atol=1e-12)
    np.testing.assert_allclose(quat.matrix(wxyz(P)), P.as_matrix(), atol=1e-12)


def test_from_matrix_takes_every_pivot() -> None:
    halves = [Rotation.from_rotvec(np.pi * axis) for axis in np.eye(3)]  # trace −1: each of the other pivots
    for r in [*P[:100], *halves, Rotation.identity()]:
        q = quat.from_matrix(r.as_matrix())
        assert q[0] >= 0
        assert_same_rotation(q, wxyz(r))


def test_one_quaternion_broadcasts_over_many() -> None:
    one = wxyz(P[0])
    np.testing.assert_array_equal(quat.multiply(one, wxyz(Q)), quat.multiply(np.tile(one, (400, 1)), wxyz(Q)))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 33])
def test_a_row_does_not_depend_on_its_neighbours(size: int) -> None:
    """Vectorised loops must not round differently at the ends of an array."""
    p, q, f = wxyz(P), wxyz(Q), RNG.uniform(size=400)

    def cut(function: object, *arrays: FloatArray) -> FloatArray:
        assert callable(function)
        return np.concatenate([function(*(a[i : i + size] for a in arrays)) for i in range(0, 400, size)])

    for function, arrays in (
        (quat.multiply, (p, q)),
        (quat.rotate, (p, V)),
        (quat.normalized, (p * 1.3,)),
        (quat.interpolate, (p, q, f)),
        (quat.about_vertical, (f,)),
        (quat.matrix, (p,)),
    ):
        np.testing.assert_array_equal(cut(function, *arrays), function(*arrays))


def test_interpolation_between_neighbouring_samples() -> None:
    step = Rotation.from_rotvec(np.radians(5.0) * np.array([0.6, 0.0, 0.8]))  # 500 °/s at 100 Hz
    f = np.linspace(0.0, 1.0, 41)
    slerp = Slerp([0.0, 1.0], Rotation.concatenate([P[3], P[3] * step]))(f)
    q0, q1 = np.tile(wxyz(P[3]), (41, 1)), np.tile(wxyz(P[3] * step), (41, 1))
    for ends in (q1, -q1):  # the other sign is the same orientation: still the short way round
        mine = Rotation.from_quat(quat.interpolate(q0, ends, f), scalar_first=True)
        assert np.degrees((mine.inv() * slerp).magnitude()).max() < 0.0005


def test_mean_ignores_signs() -> None:
    near = P[7] * Rotation.from_rotvec(np.radians(2.0) * RNG.normal(size=(300, 3)))
    signs = RNG.choice([-1.0, 1.0], (300, 1))
    mine = quat.mean(wxyz(near) * signs)
    assert mine[0] >= 0
    error = Rotation.from_quat(mine, scalar_first=True).inv() * near.mean()
    assert np.degrees(error.magnitude()) < 1e-6
