"""What the writer and the readers of a live session have in common."""

import atexit
from typing import Self

from subtalar.acquisition.ring.layout import map_channels, map_header
from subtalar.acquisition.ring.segment import Segment


class RingEnd:
    """What writer and reader do: lay arrays over the memory, and let go of them before the memory goes."""

    def __init__(self, segment: Segment, buffer: memoryview, angle_rows: int) -> None:
        self._segment = segment
        self.name = segment.name
        self._header = map_header(buffer)
        self._channels = map_channels(buffer, angle_rows)
        self._open = True
        atexit.register(self.close)  # arrays must go before the memory does

    def close(self) -> None:
        """Let go of the shared memory."""
        if self._open:
            self._open = False
            atexit.unregister(self.close)
            del self._header
            self._channels.clear()
            self._segment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
