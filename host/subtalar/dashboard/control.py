"""How a view talks back to the acquisition process."""

from typing import Protocol


class SessionControl(Protocol):
    """Commands to a running session. All return at once; OSError or EOFError means nobody listens any more."""

    def stop(self) -> None:
        """End the session in order and close the recording."""

    def record_to(self, place: str) -> None:
        """Go on recording in this folder or file, after the disk failed."""

    def mark(self, text: str) -> None:
        """Put a marker with this text into the recording, at the present moment."""

    def say_about(self, participant: str, visit: str, condition: str) -> None:
        """Show in every view whose session it is, and keep it beside the recording."""
