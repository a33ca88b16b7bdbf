"""What every firmware is to the code that serves it, and the feed of encoded samples behind it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol, runtime_checkable

import numpy as np

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import GapDrawer, SentLedger
from subtalar_sim.sensor import ImuSamples, Measures
from subtalar_sim.types import Payload

__all__ = [
    "Encoder",
    "Firmware",
    "FrameFeed",
    "GattCharacteristic",
    "GattFirmware",
    "GattService",
    "Payload",
    "RefusedByDevice",
    "SampleSource",
    "Sampling",
    "Unit",
    "charge_left",
]


@dataclass(frozen=True)
class GattCharacteristic:
    """``can``: any of ``read``, ``write``, ``write_without_response``, ``notify``. The UUID in full, lower case."""

    uuid: str
    can: frozenset[str]


@dataclass(frozen=True)
class GattService:
    """A primary service of a simulated peripheral."""

    uuid: str
    characteristics: tuple[GattCharacteristic, ...]


class RefusedByDevice(Exception):  # noqa: N818 (a Bluetooth answer, not a failure of the simulator)
    """The device answers a GATT request with an error code of the attribute protocol (Bluetooth Core, 3.F.3.4.1.1)."""

    def __init__(self, att_error: int) -> None:
        super().__init__(f"ATT error 0x{att_error:02X}")
        self.att_error = att_error


SampleSource = Measures
"""What a firmware measures: ``subtalar_sim.sensor.Imu``, or a sensor of ``subtalar_sim.motion``."""


class Sampling(Protocol):
    """A device without its wire. All times are session seconds and never go back; nothing sleeps."""

    ledger: SentLedger

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        """Payloads that have become due, in order; nobody ``listening`` means samples are measured for nothing."""
        ...

    def power_cycle(self, now_s: float) -> None:
        """Off and on again: what was not saved is forgotten, the device's clock starts anew where it has one."""
        ...

    def next_deadline_s(self) -> float:
        """When ``poll`` has something to say next, as far as is known."""
        ...


class Firmware(Sampling, Protocol):
    """A device that is reached through a byte stream."""

    def on_bytes(self, data: bytes, now_s: float) -> None:
        """Bytes from the host, cut anywhere."""
        ...


@runtime_checkable
class NoticesLostLink(Protocol):
    """A device on a byte stream that is told, as over TCP, when its host has gone."""

    def on_link_lost(self, now_s: float) -> None:
        """Whoever comes next begins a new conversation."""
        ...


class GattFirmware(Sampling, Protocol):
    """A device that is reached over Bluetooth LE. ``max_payload`` is what fits into a notification (MTU minus 3)."""

    name: str
    services: tuple[GattService, ...]
    max_payload: int

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """The host writes a characteristic. Raises RefusedByDevice where the device would refuse."""
        ...

    def on_read(self, uuid: str, now_s: float) -> bytes:
        """The host reads a characteristic. Raises RefusedByDevice."""
        ...

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        """The host turns notifications of a characteristic on or off; a lost link turns all of them off."""
        ...


_RUNS_DOWN_S: Final = 120.0


def charge_left(now_s: float, empty_s: float) -> float:
    """1 while the battery lasts, falling to 0 in the last two minutes before ``empty_s``."""
    return min(1.0, max(0.0, (empty_s - now_s) / _RUNS_DOWN_S))


Encoder = Callable[[ImuSamples], list[bytes]]


class FrameFeed:
    """Measures ahead in chunks, encodes them at once and hands the frames out when their time has come.

    ``group`` samples make one frame, which the encoder gets as ``group * m`` consecutive samples and whose time is
    that of the newest. A frame of which the sensor loses a sample is lost.
    """

    def __init__(
        self,
        source: SampleSource,
        clock: SensorClock,
        encode: Encoder,
        gaps: GapDrawer,
        ledger: SentLedger,
        *,
        rate_hz: float,
        group: int = 1,
        start_s: float = 0.0,
        ahead_s: float = 0.4,
    ) -> None:
        self._source, self._encode, self._gaps, self._ledger = source, encode, gaps, ledger
        self._clock, self._own_rate = clock, rate_hz
        self._rate, self._group = clock.true_rate(rate_hz), group
        self._ahead = max(1, round(ahead_s * rate_hz / group))
        self._start_s, self._index = start_s, 0
        self._queue: deque[tuple[float, bytes | None]] = deque()

    @property
    def frame_rate(self) -> float:
        """Frames a true second."""
        return self._rate / self._group

    @property
    def next_s(self) -> float:
        """When the next frame is complete."""
        if self._queue:
            return self._queue[0][0]
        newest = np.array([self._index + self._group - 1])
        return float(self._clock.sample_times(self._start_s, newest, self._own_rate)[0])

    def due(self, now_s: float, *, listening: bool) -> list[bytes]:
        """Frames complete by ``now_s``, in order; none if nobody listens. Counts the samples that went nowhere."""
        out: list[bytes] = []
        while self.next_s <= now_s:
            if not self._queue:
                if not listening and self._skip(now_s):
                    continue
                self._generate()
            frame = self._queue.popleft()[1]
            if not listening:
                self._ledger.unsent += 1
            elif frame is None:
                self._ledger.lost += 1
            else:
                out.append(frame)
        return out

    def _generate(self) -> None:
        n = self._ahead * self._group
        t = self._clock.sample_times(self._start_s, np.arange(self._index, self._index + n), self._own_rate)
        self._index += n
        samples = self._source.measure(t, self._rate)
        frames = self._encode(samples)
        newest = t[self._group - 1 :: self._group]
        keep = self._gaps.kept(self._ahead, newest)
        if samples.measured is not None:
            keep = keep & samples.measured.reshape(-1, self._group).all(axis=1)
        self._queue.extend((float(a), f if k else None) for a, f, k in zip(newest, frames, keep, strict=True))

    def _skip(self, now_s: float) -> bool:
        """Pass over whole chunks that nobody will ever see; True if any was."""
        n = self._ahead * self._group
        chunks = int(((now_s - self._start_s) * self._rate - self._index) // n)
        if chunks < 1:
            return False
        self._index += chunks * n
        self._ledger.unsent += chunks * self._ahead
        return True


@dataclass(frozen=True)
class Unit:
    """What one unit of a device is made from.

    ``source`` is what it measures, ``clock`` its own, ``gaps`` say which samples it loses. ``rate_hz`` is what it was
    set to before; ``serial_number`` 64 bits, for the device to show in its own way; ``address`` the Bluetooth address,
    empty on other routes; ``interface`` one of the device's transports. ``start_s``: when it was switched on, in
    session seconds; ``empty_s``: when its battery will be empty.
    """

    source: SampleSource
    clock: SensorClock
    gaps: GapDrawer
    rate_hz: float
    serial_number: int = 0x0123_4567_89AB_CDEF
    address: str = ""
    interface: str = ""
    start_s: float = 0.0
    empty_s: float = inf

    def feed(
        self,
        encode: Encoder,
        ledger: SentLedger,
        *,
        rate_hz: float,
        start_s: float,
        group: int = 1,
        ahead_s: float = 0.4,
    ) -> FrameFeed:
        """What it measures from ``start_s`` on, as frames; see ``FrameFeed``."""
        return FrameFeed(
            *(self.source, self.clock, encode, self.gaps, ledger),
            rate_hz=rate_hz,
            group=group,
            start_s=start_s,
            ahead_s=ahead_s,
        )

    def clock_s(self, t_s: float) -> float:
        """What its clock shows at a session time."""
        return float(self.clock.reading(np.array([t_s]))[0])

    def charge_left(self, now_s: float) -> float:
        """Of its battery; see ``charge_left``."""
        return charge_left(now_s, self.empty_s)
