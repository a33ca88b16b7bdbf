"""What a recorder whose disk failed leaves to the one that goes on elsewhere."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from subtalar.session.recording.write.message_batch import Item


@dataclass(frozen=True)
class Continuation:
    """Items that the disk never confirmed, oldest first, and where the count of the session stands.

    ``dropped``: older items that memory had no room for. Items that had reached the first file may come again.
    """

    items: tuple[Item, ...]
    sequence: int
    now_s: float
    part: int
    file_name: str
    recording_id: str
    dropped: int

    def origin(self) -> dict[str, Any]:
        """What the continuation says of itself."""
        return {
            "kind": "continuation",
            "of": self.file_name,
            "of_id": self.recording_id,
            "part": self.part + 1,
            "from_s": self.items[0][0] if self.items else self.now_s,
        }


class HeldItems:
    """A queue that forgets the oldest rather than grow beyond its limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: deque[tuple[int, Item]] = deque()
        self._bytes = 0
        self.dropped = 0

    def add(self, item: Item, size: int) -> None:
        """Hold one more item of about so many bytes."""
        self._held.append((size, item))
        self._bytes += size
        while self._bytes > self._limit_bytes:
            self._bytes -= self._held.popleft()[0]
            self.dropped += 1

    @property
    def items(self) -> tuple[Item, ...]:
        """What is held."""
        return tuple(item for _, item in self._held)
