"""The commands to a running session, carried out; and the ears for them."""

import asyncio
import contextlib
import logging
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from subtalar.acquisition.commands import Command, decode, dispatch, mailbox
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.measuring.stop_request import StopRequest
from subtalar.errors import SubtalarError
from subtalar.session.catalogue.assignment import checked_assignment

_log = logging.getLogger(__name__)
_PIPE_EVERY_S: Final = 0.05
_ROUNDS_PER_MAILBOX: Final = 4


class SessionCommands:
    """Carries out commands: a stop at any time, all else once there is an ``engine``. Lives on the event loop."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self.engine: Engine | None = None

    def carry_out(self, command: Command) -> None:
        """Do what was asked; what cannot be done costs nothing."""
        try:
            dispatch(command, self)
        except (OSError, SubtalarError) as error:
            _log.info("%s was refused: %s", type(command).__name__, error)

    def stop(self) -> None:
        """End the session in order."""
        self._stop.set()

    def mark(self, text: str, time_s: float | None) -> None:
        """Put a marker into the session."""
        if self.engine is not None:
            self.engine.mark(text, time_s)

    def record_to(self, place: str) -> None:
        """Go on recording there, after the disk failed."""
        if self.engine is not None:
            self.engine.record_to(Path(place))

    def set_owner(self, participant: str, visit: str, condition: str) -> None:
        """Say whose session it is. Raises InputError for what must not be kept, such as a name."""
        if self.engine is not None:
            self.engine.set_owner(checked_assignment(participant, visit, condition))


async def listen(pipe: "Connection[Any, Any]", session_name: str, commands: SessionCommands) -> None:
    """Hear the process that started the session, as long as it lives, and windows that found it. Until cancelled."""
    while True:
        for _ in range(_ROUNDS_PER_MAILBOX):
            await asyncio.sleep(_PIPE_EVERY_S)
            for command in _received(pipe):
                commands.carry_out(command)
        with contextlib.suppress(OSError, SubtalarError):
            for command in mailbox.collect(session_name):
                commands.carry_out(command)


def _received(pipe: "Connection[Any, Any]") -> list[Command]:
    """What has come through the pipe; nothing once its other end is gone, for the session goes on."""
    commands = []
    with contextlib.suppress(EOFError, OSError):
        while pipe.poll():
            text = pipe.recv()
            try:
                commands.append(decode(text))
            except SubtalarError as error:
                _log.info("%s", error)
    return commands
