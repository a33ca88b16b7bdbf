"""What several measurements do with values over time: read them at other times, turn them to fit others."""

import numpy as np

from subtalar.types import FloatArray


def at(t: FloatArray, time_s: FloatArray, values: FloatArray) -> FloatArray:
    """Values (n, k) that were known at ascending times (n,), at other times (m,), along straight lines: (m, k)."""
    return np.stack([np.interp(t, time_s, column) for column in values.T], axis=1)


def rotation_to(expected: FloatArray, measured: FloatArray) -> FloatArray:
    """The rotation (3, 3) that takes measured vectors (n, 3) nearest to the expected (Kabsch 1976, doi
    10.1107/S0567739476001873).
    """
    u, _, vt = np.linalg.svd(expected.T @ measured)
    return np.asarray(u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)
