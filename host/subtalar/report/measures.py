"""Key measures of a stride, their mean and spread a side, and how the sides compare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subtalar.strides import Measure
from subtalar.types import FloatArray, Stride


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over ``n`` strides; NaN when not known (sd needs two)."""

    mean: float
    sd: float
    n: int

    @property
    def cv_pct(self) -> float:
        """Coefficient of variation, sd as a share of the mean."""
        return 100.0 * self.sd / abs(self.mean) if self.mean else float("nan")


def spread(values: Sequence[float] | FloatArray) -> Spread:
    """Over the values that are known."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    n = len(known)
    return Spread(float(known.mean()) if n else float("nan"), float(known.std(ddof=1)) if n > 1 else float("nan"), n)


def measure_spread(measure: Measure, strides: Sequence[Stride]) -> Spread:
    """Mean and sd of one measure over those strides."""
    return spread([measure.value(stride) for stride in strides])


@dataclass(frozen=True)
class Comparison:
    """Left minus right of the two means, and the symmetry index for measures with a true zero; NaN when not known."""

    difference: float
    symmetry_index_pct: float


def compare(measure: Measure, left: Spread, right: Spread) -> Comparison:
    """Symmetry index of Robinson et al. 1987: the difference as a share of the mean of both sides; 0 is symmetric."""
    difference = left.mean - right.mean
    middle = 0.5 * (left.mean + right.mean)
    index = 100.0 * difference / middle if measure.scale == "ratio" and middle > 0 else float("nan")
    return Comparison(difference, index)


@dataclass(frozen=True)
class Curves:
    """Mean and sd of the used strides over the gait cycle, each (101, 3); sd is NaN for a single stride."""

    mean_deg: FloatArray
    sd_deg: FloatArray
    n: int


def curves(waveforms_deg: FloatArray) -> Curves | None:
    """Of (m, 101, 3) waveforms; None without any."""
    n = len(waveforms_deg)
    if not n:
        return None
    sd = waveforms_deg.std(axis=0, ddof=1) if n > 1 else np.full(waveforms_deg.shape[1:], np.nan)
    return Curves(waveforms_deg.mean(axis=0), sd, n)


def waveform_rms_difference_deg(left: Curves, right: Curves) -> FloatArray:
    """Root mean square over the cycle of left minus right mean curve, an angle each (3,)."""
    return np.asarray(np.sqrt(np.mean((left.mean_deg - right.mean_deg) ** 2, axis=0)), np.float64)
