"""What the last strides of a side were like."""

from dataclasses import dataclass

import numpy as np

from subtalar.dashboard.wording import STRIDE_COLUMNS
from subtalar.types import SIDES, Side, Stride

MEAN_OF_STRIDES = 10


@dataclass(frozen=True)
class StrideMean:
    """Mean and standard deviation, in the order of ``STRIDE_COLUMNS``, over the last good strides of a side."""

    side: Side
    n: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]


def stride_means(strides: tuple[Stride, ...]) -> tuple[StrideMean, ...]:
    """Mean ± sd of each side's last good strides; a side without any is left out."""
    means = []
    for side in SIDES:
        good = [s for s in strides if s.side == side and s.quality in ("ok", "")][-MEAN_OF_STRIDES:]
        if good:
            table = np.array([[column.value(s) for column in STRIDE_COLUMNS] for s in good])
            known = [column[np.isfinite(column)] for column in table.T]
            mean = tuple(float(c.mean()) if len(c) else float("nan") for c in known)
            sd = tuple(float(c.std(ddof=1)) if len(c) > 1 else float("nan") for c in known)
            means.append(StrideMean(side, len(good), mean, sd))
    return tuple(means)
