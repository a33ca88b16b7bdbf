"""What became of one sensor's samples over all its connections, and how its clock runs against the computer's."""

import logging

from subtalar.protocol import DeviceProtocol, InertialSamples
from subtalar.types import BodySite, Ledger

from .arrival_clock import ArrivalClock
from .arrival_ledger import ArrivalLedger
from .device_time_ledger import DeviceTimeLedger

_log = logging.getLogger(__name__)


class SensorLedger:
    """Keeps the ledger of a sensor: by its own clock where it has one, else by arrivals."""

    def __init__(self, site: BodySite, protocol: DeviceProtocol) -> None:
        self._site, self._protocol = site, protocol
        self._by_device = DeviceTimeLedger(protocol.rate_hz) if protocol.has_device_time else None
        self._by_arrival = ArrivalLedger(protocol.rate_hz)
        self._clock = ArrivalClock()
        self._connected_again = False
        self._reconnects = 0
        self._newest_s: float | None = None

    @property
    def ever_received(self) -> bool:
        """Whether there ever was a sample."""
        return self._newest_s is not None

    @property
    def received(self) -> int:
        """Samples so far."""
        return (self._by_device or self._by_arrival).counts().received

    @property
    def clock_restarts(self) -> int:
        """How often the device's own clock began anew."""
        return self._by_device.counts().clock_restarts if self._by_device else 0

    @property
    def restarts_unannounced(self) -> int:
        """How often the device began anew, and was off for it, while the link stood."""
        return self._by_device.restarts_unannounced if self._by_device else 0

    def silent_s(self, now_s: float) -> float:
        """How long no sample has come, in session seconds; 0 where none ever did."""
        return 0.0 if self._newest_s is None else now_s - self._newest_s

    def begin_connection(self) -> None:
        """Another connection is being made."""
        self._connected_again = self.ever_received
        (self._by_device or self._by_arrival).reconnected()

    def take(self, batch: InertialSamples, arrival_s: float) -> list[InertialSamples]:
        """Samples as they came -> those to pass on, each part with times that increase."""
        self._reconnects += self._connected_again
        self._connected_again = False
        self._newest_s = arrival_s
        if self._by_device is None:
            self._by_arrival.take(len(batch), arrival_s)
            return [batch]
        before = self._by_device.counts()
        parts = self._by_device.take(batch, arrival_s)
        counts = self._by_device.counts()
        if counts.clock_restarts > before.clock_restarts:
            self._clock.restart()
        if counts.clock_jumps > before.clock_jumps:
            _log.warning("%s: the sensor's own clock jumped; its times are carried on", self._site)
        for part in parts:
            if part.device_time_us is not None:
                self._clock.take(int(part.device_time_us[-1]), arrival_s)
        return parts

    def ledger(self, missing_until_s: float | None = None) -> Ledger:
        """The counts so far; with about what is missing since the newest sample of a sensor that is not heard any more.

        ``missing_until_s`` is in session seconds. Once the sensor is back, its exact count takes the estimate's place.
        """
        counts = (self._by_device or self._by_arrival).counts()
        missing = 0
        if missing_until_s is not None:
            missing = max(round(self.silent_s(missing_until_s) * self._protocol.rate_hz), 0)
        return Ledger(
            received=counts.received,
            lost=counts.lost + missing,
            lost_is_estimated=self._by_device is None or counts.lost_over_restarts > 0 or missing > 0,
            duplicated=counts.duplicated,
            corrupt_bytes=self._protocol.health.corrupt_bytes,
            reconnects=self._reconnects,
            clock_drift_ppm=self._clock.drift_ppm,
            delay_ms=self._clock.delay_ms,
            clock_jumps=counts.clock_jumps + counts.clock_restarts,
        )
