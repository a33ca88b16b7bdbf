"""Asking a session for something, from a view that outlives it."""

from subtalar.acquisition.commands import Command, CommandSender


def try_send(sender: CommandSender | None, command: Command) -> bool:
    """Whether somebody listens. Where nobody does any more, the session's state says so within a fifth of a second."""
    if sender is None:
        return False
    try:
        sender.send(command)
    except (OSError, EOFError):
        return False
    return True
