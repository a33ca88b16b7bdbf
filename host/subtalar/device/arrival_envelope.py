"""How early a sample can arrive, by what arrived before: tells a clock that jumped from samples that were lost.

Nothing arrives before it was measured. So ``arrival − device time`` keeps above a floor (its drift, some 50 µs a
second, is far below the jitter), whatever is lost, late or held up. A clock that jumps forward by more than the sample
is late breaks through that floor, which nothing else does.
"""

from collections import deque
from typing import Final

import numpy as np

_BIN_S: Final = 1.0
_BINS: Final = 10
_SETTLED_BINS: Final = 3
_RECENT: Final = 64
_BURST_S: Final = 0.002
_ENOUGH: Final = 16
_USUALLY: Final = 0.95


class ArrivalEnvelope:
    """Feed the newest device time of each batch with its arrival; bounded memory."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._bins: deque[float] = deque(maxlen=_BINS)
        self._bin_s = self._burst_s = -np.inf

    def restart(self) -> None:
        """The device's clock began anew."""
        self._recent.clear()
        self._bins.clear()
        self._bin_s = self._burst_s = -np.inf

    def take(self, device_us: int, arrival_s: float) -> None:
        """A batch whose newest sample has this time arrived."""
        offset_s = arrival_s - 1e-6 * device_us
        if self._recent and arrival_s < self._burst_s + _BURST_S:  # a burst is one arrival
            self._recent[-1] = min(self._recent[-1], offset_s)
        else:
            self._recent.append(offset_s)
            self._burst_s = arrival_s
        if arrival_s >= self._bin_s + _BIN_S:
            self._bin_s = arrival_s
            self._bins.append(offset_s)
        elif offset_s < self._bins[-1]:
            self._bins[-1] = offset_s

    @property
    def is_catalogued(self) -> bool:
        """Whether enough has arrived to judge by."""
        return len(self._recent) >= _ENOUGH

    @property
    def is_settled(self) -> bool:
        """Whether so much has arrived that nothing will be earlier by more than the arrivals scatter: delays go on for
        a while, and a few dozen samples may share one of them.
        """
        return self.is_catalogued and len(self._bins) >= _SETTLED_BINS

    def late_s(self, device_us: int, arrival_s: float) -> float:
        """By how much a sample is later than the least delayed one; negative if it came before it could."""
        return arrival_s - 1e-6 * device_us - min(self._bins)

    @property
    def usual_late_s(self) -> tuple[float, float]:
        """The median of that over recent batches, and what few exceed."""
        late = np.array(self._recent) - min(self._bins)
        return float(np.median(late)), float(np.quantile(late, _USUALLY))

    @property
    def latest_s(self) -> float:
        """The longest delay among recent batches."""
        return max(self._recent) - min(self._bins)
