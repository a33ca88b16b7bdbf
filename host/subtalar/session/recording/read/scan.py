"""One pass over a recording: what is in it, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError

from subtalar.session.durable_file import is_being_written
from subtalar.session.model import Annotation
from subtalar.session.recording.format.messages import ArrivedBlock, StatusSnapshot
from subtalar.session.recording.format.schema import TOTALS_TOPIC, message_class
from subtalar.session.recording.format.totals import Totals
from subtalar.session.recording.read.container import Damage, Scanner
from subtalar.session.recording.read.item_stream import (
    RecordingHeader,
    TopicMessage,
    decode_items,
    open_file,
    read_header,
    scan_messages,
)
from subtalar.types import BodySite, SensorStatus, Stride


@dataclass(frozen=True)
class RecordingScan:
    """What can be read from a recording, counted anew.

    ``written_samples`` is what the writer says it wrote; None where it never came to say so. ``data_end_offset``
    is where the data section ends in a closed file. ``from_newer``: there are messages that this version does not know.
    ``begun``: the first status of each sensor.
    """

    header: RecordingHeader
    totals: Totals
    markers: tuple[Annotation, ...]
    chunks: int
    damages: tuple[Damage, ...]
    closed: bool
    being_written: bool
    written_samples: int | None
    data_end_offset: int | None
    analysed: bool
    from_newer: bool = False
    begun: Mapping[BodySite, SensorStatus] = field(default_factory=dict)

    @property
    def strides(self) -> int | None:
        """Strides in the recording; None where no estimator ran beside the recorder."""
        return self.totals.strides if self.analysed else None

    @property
    def damaged(self) -> bool:
        """Bytes in the middle are bad, or samples are missing from a closed file. A cut end alone is not damage."""
        missing = self.written_samples is not None and self.written_samples != self.totals.samples.total()
        return missing or any(self.closed or not d.at_end for d in self.damages)


def scan_recording(path: Path) -> RecordingScan:
    """Read all of it once, in bounded memory. Raises InputError where it is not a recording."""
    header = read_header(path)
    being_written = is_being_written(path)
    totals = Totals()
    begun: dict[BodySite, SensorStatus] = {}
    markers: list[Annotation] = []
    written: int | None = None
    analysed = from_newer = False
    with open_file(path) as file:
        scanner = Scanner(file)
        for message in scan_messages(scanner, header):
            if not isinstance(message, TopicMessage):
                continue
            if message.topic not in header.topics:
                from_newer = True
            elif message.topic == TOTALS_TOPIC:
                written = _written_samples(message.data)
            elif message.topic.startswith("/angles/"):
                analysed = True
            elif not message.topic.startswith("/raw/"):
                for item in decode_items(header, message):
                    match item:
                        case ArrivedBlock():
                            totals.add_block(item)
                        case Stride():
                            totals.strides += 1
                        case StatusSnapshot():
                            totals.status.update({s.info.site: s for s in item.sensors})
                            begun = {**totals.status, **begun}
                        case Annotation():
                            markers.append(item)
                        case _:
                            pass
    return RecordingScan(
        header,
        totals,
        tuple(markers),
        scanner.chunks,
        tuple(scanner.damages),
        scanner.closed,
        being_written,
        written,
        scanner.data_end_offset,
        analysed or totals.strides > 0,
        from_newer,
        begun,
    )


def _written_samples(data: bytes) -> int | None:
    try:
        return int(sum(s.samples for s in message_class("Totals").FromString(data).sites))
    except DecodeError:
        return None


def places(n: int) -> str:
    """``1 place``, ``2 places``."""
    return f"{n} place{'' if n == 1 else 's'}"
