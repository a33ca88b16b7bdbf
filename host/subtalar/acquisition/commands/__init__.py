"""What can be asked of a live session: one list of types, their text, and the way to what carries them out."""

from subtalar.acquisition.commands.codec import decode, encode
from subtalar.acquisition.commands.command import Command, CommandSender, Mark, RecordTo, SetOwner, Stop
from subtalar.acquisition.commands.dispatch import CommandHandler, dispatch

__all__ = [
    "Command",
    "CommandHandler",
    "CommandSender",
    "Mark",
    "RecordTo",
    "SetOwner",
    "Stop",
    "decode",
    "dispatch",
    "encode",
]
