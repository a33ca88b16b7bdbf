"""Keys pressed in a terminal, read without waiting."""

import contextlib
import os
import sys
from types import TracebackType
from typing import Any, Self

if sys.platform == "win32":
    import msvcrt
else:
    import select
    import termios
    import tty


ELSEWHERE_KEY = "e"
MARK_KEY = "m"


class Keys:
    """While entered, single keys can be read from standard input, and Ctrl-C still interrupts.

    Where standard input is no terminal, or belongs to another job of the shell, there are none.
    """

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if sys.platform != "win32" and _is_foreground():
            with contextlib.suppress(termios.error):
                self._before = termios.tcgetattr(sys.stdin)
                tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if sys.platform != "win32" and self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            self._before = None

    def pressed(self) -> str:
        """The next key, in lower case; empty where none was pressed."""
        if sys.platform == "win32":
            return msvcrt.getwch().lower() if sys.stdin.isatty() and msvcrt.kbhit() else ""
        if self._before is None or not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        return os.read(sys.stdin.fileno(), 1).decode(errors="replace").lower()


def _is_foreground() -> bool:
    """Changing the terminal of another job would stop this process."""
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # closed, or none at all
        return False
