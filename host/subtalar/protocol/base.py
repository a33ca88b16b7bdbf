"""The shape of a codec: a decoder, and scripts that say what to send, without sending it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError

from .events import Event


@dataclass(frozen=True)
class GattProfile:
    """Which GATT characteristics carry the device's bytes. UUIDs in full, lower case.

    ``notify`` are subscribed in this order as soon as the link is up, so that nothing sent by a script is
    missed. ``write`` is where a ``Send`` without a target goes; None if every ``Send`` names its own.
    """

    service: str
    notify: tuple[str, ...]
    write: str | None = None
    name_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Send:
    """Write ``data``. ``to`` is a characteristic UUID where the device has several; ignored by byte streams."""

    data: bytes
    to: str = ""
    with_response: bool = False


@dataclass(frozen=True)
class Pause:
    """Wait before the next step, because the device needs the time."""

    duration_s: float


@dataclass(frozen=True)
class Expect:
    """Go on as soon as ``until()`` is true after a feed, or when the time is over.

    The script is resumed with True or False and decides what a silence means.
    """

    until: Callable[[], bool]
    timeout_s: float


@dataclass(frozen=True)
class Read:
    """Read a GATT characteristic; what it holds is fed to the decoder with the UUID as its source."""

    source: str


Step: TypeAlias = Send | Pause | Expect | Read
Script: TypeAlias = Generator[Step, bool, None]
"""Steps for a driver to take in order; an ``Expect`` is answered through ``send(bool)``, any other with True."""


def ask(send: Send, until: Callable[[], bool], timeout_s: float, tries: int) -> Generator[Step, bool, bool]:
    """Send, wait for the answer, and send again up to ``tries`` times. True if it was answered."""
    for _ in range(tries):
        yield send
        if (yield Expect(until, timeout_s)):
            return True
    return False


@dataclass
class DecoderHealth:
    """Counters since the codec was made; they only grow.

    ``frames`` well-formed frames of a known kind, ``skipped_frames`` well-formed but of no use here,
    ``corrupt_bytes`` bytes that belong to no frame, ``resyncs`` how often the frame boundary was lost,
    ``lost_samples`` what the device's own numbering shows as missing within connections (0 where it numbers nothing).
    """

    frames: int = 0
    skipped_frames: int = 0
    corrupt_bytes: int = 0
    resyncs: int = 0
    lost_samples: int = 0


class DeviceProtocol(ABC):
    """One device's side of the conversation, without any I/O.

    The class attributes describe the family. An instance belongs to one device and one sampling rate.
    """

    model: str
    gatt: GattProfile | None = None
    default_rate_hz: float
    acc_range_m_s2: float | None = None
    gyr_range_rad_s: float | None = None
    acc_ranges_g: tuple[float, ...] = ()
    gyr_ranges_deg_s: tuple[float, ...] = ()
    """Ranges that ``configure`` can set, nominal, as data sheets have them; none where they are fixed."""
    has_device_time: bool
    streams_unasked: bool = False
    """It streams as soon as it is switched on, with the settings that it has saved."""
    battery_poll_interval_s: float | None = None
    """How often ``poll_battery`` is worth its disturbance; None where the device reports by itself."""
    baud_rate: int = 115200

    def __init__(self, rate_hz: float | None = None) -> None:
        self.rate_hz = self._checked_rate(self.default_rate_hz if rate_hz is None else rate_hz)
        self.health = DecoderHealth()

    def _checked_rate(self, wanted_hz: float) -> float:
        """The offered rate that is meant. Raises InputError where there is none."""
        offered = self.offered_rates_hz()
        if not any(abs(wanted_hz - rate) <= 0.005 * rate for rate in offered):
            listed = ", ".join(f"{rate:g}" for rate in offered)
            raise InputError(f"The {self.model} cannot sample at {wanted_hz:g} Hz: choose one of {listed}.")
        return min(offered, key=lambda rate: abs(rate - wanted_hz))

    def choose_ranges(self, acc_range_g: float | None = None, gyr_range_deg_s: float | None = None) -> None:
        """Ranges for ``configure`` to set; None leaves one as it is. Raises InputError where it is not offered."""
        if acc_range_g is not None:
            self._check_range("accelerometer", "g", acc_range_g, self.acc_ranges_g)
            self.acc_range_m_s2 = acc_range_g * GRAVITY_M_S2
        if gyr_range_deg_s is not None:
            self._check_range("gyroscope", "°/s", gyr_range_deg_s, self.gyr_ranges_deg_s)
            self.gyr_range_rad_s = math.radians(gyr_range_deg_s)

    def _check_range(self, sensor: str, unit: str, wanted: float, offered: tuple[float, ...]) -> None:
        if not offered:
            raise InputError(f"The {sensor} range of the {self.model} cannot be set.")
        if wanted not in offered:
            listed = ", ".join(f"{value:g}" for value in offered)
            raise InputError(f"The {self.model} has no {sensor} range {wanted:g} {unit}: choose one of {listed}.")

    @classmethod
    @abstractmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """Sampling rates that ``configure`` can set; none where the device itself says which it takes."""

    @abstractmethod
    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """Take bytes as they arrived, in any cut, and give the events they complete, in order.

        ``source`` is the characteristic UUID, for devices that have several. Never raises on any bytes;
        keeps no more than one frame of memory between calls.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget a half-received frame, as after a reconnect. What was held counts as corrupt."""

    @abstractmethod
    def configure(self) -> Script:
        """Set the rate and the ranges and start streaming.

        The script raises LinkError where the device does not answer a question that must be answered.
        """

    def stop(self) -> Script:
        """Stop streaming, as far as the device can. Default: nothing to do."""
        yield from ()

    def poll_battery(self) -> Script:
        """Ask for the battery. Default: the device reports by itself."""
        yield from ()

    def identify(self) -> Script:
        """Ask for serial number and versions; the answers come as ``DeviceReply`` events. Default: none."""
        yield from ()

    def save(self) -> Script:
        """Keep the present settings over power-off. Default: it cannot, which raises InputError."""
        raise InputError(f"The {self.model} cannot store its settings.")
        yield

    def rename(self, name: str) -> Script:
        """Give the device a name, until power-off unless ``save`` follows. Default: it cannot: InputError."""
        raise InputError(f"The {self.model} cannot be given a name from here.")
        yield

    def blink(self) -> Script:
        """Let the device show itself. Default: it cannot, which raises InputError."""
        raise InputError(f"The {self.model} has no command that makes it blink.")
        yield
