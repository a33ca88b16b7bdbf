"""What a person can ask of the session from here: markers, the end, another folder, whose it is."""

from subtalar.acquisition.commands import Command, CommandSender, Mark, RecordTo, SetOwner, Stop
from subtalar.dashboard.commands import try_send
from subtalar.dashboard.places.live.session_owner import SessionOwner, checked_owner, keep_owner
from subtalar.dashboard.stream import SessionStream


class LiveActions:
    """``marked``: markers put so far. ``sender`` None: nothing can be asked."""

    def __init__(self, stream: SessionStream, sender: CommandSender | None) -> None:
        self._stream, self._sender = stream, sender
        self.marked = 0

    @property
    def available(self) -> bool:
        """Whether anything can be asked."""
        return self._sender is not None

    def mark(self, label: str = "") -> bool:
        """Put a marker, numbered where no label is given; whether somebody took it."""
        taken = self._send(Mark(label or f"marker {self.marked + 1}"))
        self.marked += taken
        return taken

    def stop(self) -> None:
        """End the session in order; its state tells when it has."""
        self._send(Stop())

    def record_to(self, place: str) -> None:
        """Go on recording there; the measurement runs on meanwhile."""
        self._send(RecordTo(place))

    def set_owner(self, participant: str, visit: str, condition: str) -> SessionOwner:
        """Say whose session it is or was, as typed; the owner as kept. Raises InputError where it cannot be.

        The session that runs keeps it beside its other files; here it can be said if it fails.
        """
        owner = checked_owner(participant, visit, condition)
        if self._stream.running:
            self._send(SetOwner(*owner))
        keep_owner(self._stream.recordings, owner)
        return owner

    def _send(self, command: Command) -> bool:
        return try_send(self._sender, command)
