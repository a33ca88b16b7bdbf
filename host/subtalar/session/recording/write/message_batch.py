"""What gathered between two flushes, sorted into as few messages as keep everything."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from subtalar.session.model import Annotation
from subtalar.session.recording.format import messages as msg
from subtalar.session.recording.format.counts import Steps
from subtalar.session.recording.format.schema import CALIBRATION_TOPIC
from subtalar.session.recording.format.totals import Totals
from subtalar.session.recording.write.mcap_writer import RecordingWriter
from subtalar.types import AngleBlock, BodySite, Calibration, GaitEvent, Notice, Stride

Item = tuple[float, Any]
"""Session time at which it was handed over, and the frozen value."""

_LARGEST_BATCH_BLOCKS = 4000
_T = TypeVar("_T")


class Batch:
    """Items in the order in which they were handed over. Sequence numbers keep the order of blocks across sensors.

    ``steps``: what a count of each sensor stands for.
    """

    def __init__(self, items: Sequence[Item], steps: Mapping[BodySite, Steps]) -> None:
        self._items = items
        self._steps = steps

    def write(self, writer: RecordingWriter, totals: Totals, group: int) -> None:
        """Encode into messages and count. ``group`` marks messages whose blocks are to be merged by sequence."""
        blocks: dict[tuple[BodySite, bool, bool], list[msg.ArrivedBlock]] = {}
        chunks: dict[BodySite, list[msg.RawChunk]] = {}
        angles: dict[str, list[AngleBlock]] = {}
        latest_s = self._items[-1][0] if self._items else 0.0
        for time_s, item in self._items:
            kind = type(item)  # hundreds a second: asked in the order of how often
            if kind is msg.ArrivedBlock:
                b = item.block
                # May share a message: one sensor, the same time columns.
                blocks.setdefault((b.site, b.device_time_s is None, b.host_time_s is None), []).append(item)
            elif kind is msg.RawChunk:
                chunks.setdefault(item.site, []).append(item)
            elif kind is AngleBlock:
                angles.setdefault(item.side, []).append(item)
            else:
                self._write_single(writer, totals, time_s, item)
        for arrived in blocks.values():
            totals.add_blocks(arrived)
            site = arrived[0].block.site
            for block_part in _parts(arrived):
                data = msg.encode_blocks(group, block_part, self._steps[site])
                writer.add(f"/samples/{site.value}", block_part[-1].arrival_s, data)
        for site, raw in chunks.items():
            for raw_part in _parts(raw):
                writer.add(f"/raw/{site.value}", raw_part[-1].arrival_s, msg.encode_raw(raw_part))
        for side, angle_blocks in angles.items():
            for angle_part in _parts(angle_blocks):
                writer.add(f"/angles/{side}", latest_s, msg.encode_angles(angle_part))

    @staticmethod
    def _write_single(writer: RecordingWriter, totals: Totals, time_s: float, item: object) -> None:
        match item:
            case GaitEvent():
                writer.add("/events", time_s, msg.encode_event(item))
            case Stride():
                totals.strides += 1
                writer.add("/strides", time_s, msg.encode_stride(item))
            case Calibration():
                writer.add(CALIBRATION_TOPIC, time_s, msg.encode_calibration(item))
            case Notice():
                writer.add("/notices", time_s, msg.encode_notice(item))
            case msg.StatusSnapshot():
                totals.status.update({s.info.site: s for s in item.sensors})
                writer.add("/status", item.time_s, msg.encode_status(item))
            case Annotation():
                writer.add("/markers", time_s, msg.encode_marker(item))
            case _:
                raise TypeError(f"a recording has no place for {type(item).__name__}")


def _parts(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    """Parts small enough that no message grows without bound."""
    return (items[i : i + _LARGEST_BATCH_BLOCKS] for i in range(0, len(items), _LARGEST_BATCH_BLOCKS))
