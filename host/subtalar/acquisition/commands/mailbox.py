"""Commands to a session that another process started: small files in a folder of the user's own.

The pipe to the measuring process ends with the window that held it, and a signal carries no text. A file does, on
every system, and only its owner can put one there.
"""

import contextlib
import secrets
import time
from pathlib import Path

from subtalar.acquisition.ring.segment import MAIL_SUFFIX, live_folder

_COMMANDS = frozenset({"stop", "mark", "record", "about"})
_LONGEST_TEXT = 5000
_LONGEST_BYTES = 4 * _LONGEST_TEXT + 10


def put(name: str, command: str, text: str = "") -> None:
    """For the live session ``name``: ``stop``, ``mark``, ``record`` or ``about``.

    Raises OSError where the folder is gone.
    """
    folder = live_folder()
    # No name of a session has a dot in it: what follows one cannot be taken for a part of another's.
    letter = folder / f"{name}.{time.time_ns():020}-{secrets.token_hex(4)}{MAIL_SUFFIX}"
    draft = letter.with_name(f"{letter.stem}.draft{MAIL_SUFFIX}")
    draft.touch(mode=0o600)
    draft.write_text(f"{command}\n{text[:_LONGEST_TEXT]}", encoding="utf-8", errors="replace")
    draft.rename(letter)  # appears whole or not at all


def take(name: str) -> list[tuple[str, str]]:
    """What has come for the session since the last time, oldest first; what is no command is thrown away."""
    found = []
    letters = (f for f in live_folder().glob(f"{name}.*{MAIL_SUFFIX}") if not f.stem.endswith(".draft"))
    for letter in sorted(letters):
        with contextlib.suppress(OSError, ValueError):
            command, _, text = _read(letter).partition("\n")
            if command in _COMMANDS:
                found.append((command, text))
        with contextlib.suppress(OSError):
            letter.unlink()
    return found


def _read(letter: Path) -> str:
    if letter.stat().st_size > _LONGEST_BYTES:
        raise ValueError("too long")
    return letter.read_text(encoding="utf-8")
