"""Commands to a session that another process started: small files in a folder of the user's own.

The pipe to the measuring process ends with the window that held it, and a signal carries no text. A file does, on
every system, and only its owner can put one there.
"""

import contextlib
import logging
import secrets
import time
from pathlib import Path

from subtalar.acquisition.commands.codec import LONGEST_TEXT, decode, encode
from subtalar.acquisition.commands.command import Command
from subtalar.acquisition.ring.live_folder import MAIL_SUFFIX, live_folder
from subtalar.errors import InputError

_log = logging.getLogger(__name__)
_LONGEST_BYTES = 4 * LONGEST_TEXT + 50


def post(session_name: str, command: Command) -> None:
    """Leave a command for a live session. Raises OSError where the folder is gone."""
    folder = live_folder()
    # No name of a session has a dot in it: what follows one cannot be taken for a part of another's.
    letter = folder / f"{session_name}.{time.time_ns():020}-{secrets.token_hex(4)}{MAIL_SUFFIX}"
    draft = letter.with_name(f"{letter.stem}.draft{MAIL_SUFFIX}")
    draft.touch(mode=0o600)
    draft.write_text(encode(command), encoding="utf-8", errors="replace")
    draft.rename(letter)  # appears whole or not at all


def collect(session_name: str) -> list[Command]:
    """What has come for the session since the last time, oldest first; what is no command is thrown away."""
    commands = []
    letters = (f for f in live_folder().glob(f"{session_name}.*{MAIL_SUFFIX}") if not f.stem.endswith(".draft"))
    for letter in sorted(letters):
        try:
            commands.append(decode(_read(letter)))
        except (OSError, ValueError, InputError) as error:
            _log.info("%s: %s", letter.name, error)
        with contextlib.suppress(OSError):
            letter.unlink()
    return commands


def _read(letter: Path) -> str:
    if letter.stat().st_size > _LONGEST_BYTES:
        raise ValueError("too long")
    return letter.read_text(encoding="utf-8")
