"""Everything that can be asked of a live session, as one list of types."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True)
class Stop:
    """End the session in order and close the recording."""


@dataclass(frozen=True)
class Mark:
    """Put a marker into the recording, at a session time; at the present moment where ``time_s`` is None."""

    text: str
    time_s: float | None = None


@dataclass(frozen=True)
class RecordTo:
    """Go on recording in this folder or file, after the disk failed."""

    place: str


@dataclass(frozen=True)
class SetOwner:
    """Show in every view whose session it is, and keep it beside the recording. Texts that nobody gave are empty."""

    participant: str = ""
    visit: str = ""
    condition: str = ""


Command: TypeAlias = Stop | Mark | RecordTo | SetOwner


class CommandSender(Protocol):
    """How anything talks to a running session."""

    def send(self, command: Command) -> None:
        """Returns at once. OSError or EOFError means that nobody listens any more."""
        ...
