"""Where a sensor's data go."""

from typing import Protocol

from subtalar.types import BodySite, SampleBlock, SensorStatus


class Sink(Protocol):
    """Where a sensor's data go. Called in the event loop, in order; must be quick. What it raises ends the stream."""

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        """Raw bytes as they arrived, for a recording that can be decoded again. ``source``: see ``Chunk``."""
        ...

    def on_block(self, block: SampleBlock) -> None:
        """Samples. Both times are raw: the device clock is not fitted to the session clock here."""
        ...

    def on_status(self, status: SensorStatus) -> None:
        """The link changed. What else there is to know changes all the time: ask ``SensorStream.status``."""
        ...
