"""Butterworth low-pass filters by the bilinear transform, first and second order.

Coefficients as SciPy's ``butter`` gives them (Oppenheim & Schafer, "Discrete-Time Signal Processing", 7.1), in closed
form: importing ``scipy.signal`` for them would double the time until a session is ready.
"""

from typing import NamedTuple

import numpy as np

from subtalar.estimation.numerics.compiled import compiled


class SecondOrder(NamedTuple):
    """Coefficients of numerator and denominator; a0 is 1."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


def first_order(cutoff_hz: float, rate_hz: float) -> tuple[float, float]:
    """b (b0 = b1 = b) and a1; a0 is 1."""
    w = float(np.tan(np.pi * cutoff_hz / rate_hz))
    return w / (1.0 + w), (w - 1.0) / (w + 1.0)


@compiled("(f8,)")
def second_order(cutoff: float) -> SecondOrder:
    """For a cut-off frequency given as a share of the sampling rate."""
    w = np.tan(np.pi * cutoff)
    scale = 1.0 / (1.0 + np.sqrt(2.0) * w + w * w)
    b = w * w * scale
    return SecondOrder(b, 2.0 * b, b, 2.0 * (w * w - 1.0) * scale, (1.0 - np.sqrt(2.0) * w + w * w) * scale)
