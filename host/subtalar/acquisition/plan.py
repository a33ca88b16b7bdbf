"""What a live session is to do and how it ended, as frozen values that travel to the acquisition process and back."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from subtalar.types import FloatArray, Side

if TYPE_CHECKING:
    from subtalar.session.catalogue import Assignment
    from subtalar.transport import DeviceSpec


class Hardware(Protocol):
    """Sensors that somebody else provides for the session, with stand-ins for the radio; a simulator, for instance.

    ``truth`` gives the true angles (n, 3) in degrees at readings (n,) of the host's monotonic clock in seconds, NaN
    where they are not known.
    """

    @property
    def specs(self) -> tuple[str, ...]:
        """Device specs of the sensors."""
        ...

    @property
    def bleak_client_backend(self) -> type[Any] | None:
        """What goes to bleak's ``backend`` for clients."""
        ...

    @property
    def bleak_scanner_backend(self) -> type[Any] | None:
        """What goes to bleak's ``backend`` for scanners."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the sensors have nothing more to deliver: the session then ends by itself."""
        ...

    def truth(self, side: Side, monotonic_s: FloatArray) -> FloatArray:
        """True angles."""
        ...


HardwareOpener: TypeAlias = Callable[[], AbstractAsyncContextManager[Hardware]]
"""Must be picklable: a module-level function, or a ``functools.partial`` of one."""


@dataclass(frozen=True)
class DeviceSource:
    """Sensors on this machine's radio and ports."""

    specs: "tuple[DeviceSpec, ...]"


@dataclass(frozen=True)
class ProvidedSource:
    """Sensors that ``opener`` provides inside the acquisition process."""

    opener: HardwareOpener


@dataclass(frozen=True)
class ReplaySource:
    """A recording, ``speed`` times as fast as it was; 0 = as fast as possible."""

    path: Path
    speed: float = 1.0


Source: TypeAlias = DeviceSource | ProvidedSource | ReplaySource


@dataclass(frozen=True)
class Integrations:
    """What accompanies a session. ``lsl``: angles, strides, events and markers go out over the Lab Streaming Layer.

    Markers come in from ``lsl_markers``, the name of an LSL stream (empty: every stream of markers), and as UDP
    datagrams to the loopback's ``marker_port``.
    """

    lsl: bool = False
    lsl_markers: str | None = None
    marker_port: int | None = None


@dataclass(frozen=True)
class AcquisitionPlan:
    """One live session. ``record_path`` None: nothing is recorded. ``duration_s`` None: until stopped.

    ``subtalar_axis_deg``: inclination and deviation of the subtalar axis; None: the mean one. ``assignment``: to whom
    the session belongs, for the recording and the screen.
    """

    source: Source
    source_text: str
    record_path: Path | None = None
    duration_s: float | None = None
    truth_path: Path | None = None
    subtalar_axis_deg: tuple[float, float] | None = None
    assignment: "Assignment | None" = None
    integrations: Integrations = Integrations()


@dataclass(frozen=True)
class Outcome:
    """How a session ended: ``error`` is one sentence, empty when all went well."""

    error: str = ""
    recording_path: str = ""
    recording_error: str = ""
    strides: int = 0
    recording_note: str = ""
