"""How patient we are with a link, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkPolicy:
    """Times in seconds.

    ``silent_after_s`` without a sample counts as a dead link, whatever the link says of itself.
    ``first_sample_s`` is what a fresh link gets before its first. Waits between attempts to reconnect grow from
    ``retry_first_s`` by ``retry_factor`` up to ``retry_max_s``, but not while nobody is in reach. A sensor that never
    delivered a sample is given up after ``first_attempts``; one that has is never given up. None = never give up
    either.
    """

    silent_after_s: float = 1.8
    first_sample_s: float = 2.5
    retry_first_s: float = 0.5
    retry_factor: float = 2.0
    retry_max_s: float = 8.0
    first_attempts: int | None = 1
    stop_timeout_s: float = 1.0

    def retry_wait_s(self, failures: int) -> float:
        """Wait after that many failures in a row (from 1)."""
        return min(self.retry_first_s * self.retry_factor ** min(failures - 1, 30), self.retry_max_s)
