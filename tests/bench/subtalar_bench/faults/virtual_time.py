"""An event loop whose time jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from dataclasses import dataclass, field

from subtalar.device import SessionClock

_NEVER_S = 3600.0


class _Impatient(selectors.DefaultSelector):
    """A selector that never waits: where it would, it moves ``now_s`` on."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See selectors. Nothing ready and no timer at all is a program that would hang: RuntimeError."""
        ready = super().select(0)
        if not ready:
            if timeout is None or timeout > _NEVER_S:
                raise RuntimeError("everything waits and nothing would ever wake it")
            self.now_s += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For what lives in this process alone: no thread and no other process is waited for."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._impatient.now_s


@dataclass(frozen=True)
class VirtualClock(SessionClock):
    """The session clock of such a loop."""

    start_ns: int = 0
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def now_ns(self) -> int:
        """The loop's time."""
        return round(self.loop.time() * 1e9)
