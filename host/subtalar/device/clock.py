"""The session clock: seconds since the session began, on the monotonic clock of the host."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class SessionClock:
    """Monotonic nanoseconds to session seconds; remembers what the wall clock said at zero.

    The wall clock is read once: it may be set back during a session, this clock may not.
    """

    start_ns: int = field(default_factory=time.monotonic_ns)
    wall_start: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now_ns(self) -> int:
        """The monotonic reading that arrivals are stamped with."""
        return time.monotonic_ns()

    def now_s(self) -> float:
        """Session seconds now."""
        return self.to_session_s(self.now_ns())

    def to_session_s(self, t_ns: int) -> float:
        """Session seconds of a ``time.monotonic_ns()`` reading."""
        return (t_ns - self.start_ns) * 1e-9
