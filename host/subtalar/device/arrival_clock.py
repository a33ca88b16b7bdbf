"""What the arrivals say of a device's clock: how fast it runs, and how late samples come.

A sample arrives late by a delay that is never negative, so the smallest ``arrival − device time`` of each second lies
close to a line whose slope is the drift of the two clocks; what lies above the line is delay beyond the least one.
"""

from collections import deque
from typing import Final

import numpy as np

_BIN_S: Final = 1.0
_BINS: Final = 300
_LEAST_BINS: Final = 20
_RECENT: Final = 256


class ArrivalClock:
    """Feed the newest device time of each batch with its arrival; bounded memory."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._bins: deque[tuple[float, float]] = deque(maxlen=_BINS)
        self._bin_s = -np.inf

    def restart(self) -> None:
        """The device's clock began anew; its drift is that of its crystal and stays known."""
        self._recent.clear()
        self._bins.clear()
        self._bin_s = -np.inf

    def take(self, device_us: int, arrival_s: float) -> None:
        """A batch whose newest sample the device stamped ``device_us`` arrived (session clock)."""
        offset_s = arrival_s - 1e-6 * device_us
        self._recent.append((arrival_s, offset_s))
        if arrival_s >= self._bin_s + _BIN_S:
            self._bin_s = arrival_s
            self._bins.append((arrival_s, offset_s))
        elif offset_s < self._bins[-1][1]:
            self._bins[-1] = arrival_s, offset_s

    @property
    def drift_ppm(self) -> float | None:
        """By how much the device's clock runs faster than the host's; None until twenty seconds were seen."""
        # The open second may yet see a sample that was delayed less.
        if len(self._bins) <= _LEAST_BINS:
            return None
        t, offset = np.array(self._bins)[:-1].T
        t = t - t.mean()
        return -1e6 * float(t @ (offset - offset.mean()) / (t @ t))

    @property
    def delay_ms(self) -> float | None:
        """By how much the newest batches came later than the least delayed one, in the median; None before any."""
        if not self._recent:
            return None
        drift = 1e-6 * (self.drift_ppm or 0.0)
        least = min(offset + drift * t for t, offset in self._bins)
        late = [offset + drift * t - least for t, offset in self._recent]
        return 1e3 * float(np.median(late))
