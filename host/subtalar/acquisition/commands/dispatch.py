"""From a command to what carries it out: the one place that knows them all."""

from typing import Protocol, assert_never

from subtalar.acquisition.commands.command import Command, Mark, RecordTo, SetOwner, Stop


class CommandHandler(Protocol):
    """One method a command. Each may raise InputError for what cannot be done."""

    def stop(self) -> None:
        """``Stop``."""
        ...

    def mark(self, text: str, time_s: float | None) -> None:
        """``Mark``."""
        ...

    def record_to(self, place: str) -> None:
        """``RecordTo``."""
        ...

    def set_owner(self, participant: str, visit: str, condition: str) -> None:
        """``SetOwner``."""
        ...


def dispatch(command: Command, handler: CommandHandler) -> None:
    """Call the handler's method for the command."""
    match command:
        case Stop():
            handler.stop()
        case Mark(text, time_s):
            handler.mark(text, time_s)
        case RecordTo(place):
            handler.record_to(place)
        case SetOwner(participant, visit, condition):
            handler.set_owner(participant, visit, condition)
        case _:
            assert_never(command)
