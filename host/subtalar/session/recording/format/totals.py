"""Running totals of a recording: its last message, and what a pass over a cut one comes to."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from subtalar.session.recording.format.messages import ArrivedBlock, encode_sensor_status
from subtalar.session.recording.format.schema import message_class
from subtalar.types import BodySite, SensorStatus


class Totals:
    """Running totals of a recording, written as its last message."""

    def __init__(self) -> None:
        self.first_arrival_s: float | None = None
        self.last_arrival_s: float | None = None
        self.samples: Counter[BodySite] = Counter()
        self.status: dict[BodySite, SensorStatus] = {}
        self.strides = 0

    def add_block(self, arrived: ArrivedBlock) -> None:
        """Count a block."""
        self.add_blocks((arrived,))

    def add_blocks(self, arrived: Sequence[ArrivedBlock]) -> None:
        """Count consecutive blocks of one sensor."""
        lengths = [len(a.block.acc_m_s2) for a in arrived]
        if 0 in lengths:
            arrived = [a for a, n in zip(arrived, lengths, strict=True) if n]
        if not arrived:
            return
        hosts = arrived[0].block.host_time_s, arrived[-1].block.host_time_s
        first = arrived[0].arrival_s if hosts[0] is None else float(hosts[0][0])
        last = arrived[-1].arrival_s if hosts[1] is None else float(hosts[1][-1])
        self.first_arrival_s = first if self.first_arrival_s is None else min(first, self.first_arrival_s)
        self.last_arrival_s = last if self.last_arrival_s is None else max(last, self.last_arrival_s)
        self.samples[arrived[0].block.site] += sum(lengths)

    @property
    def duration_s(self) -> float:
        """From the first to the last arrival; 0 for a recording without samples."""
        if self.first_arrival_s is None or self.last_arrival_s is None:
            return 0.0
        return self.last_arrival_s - self.first_arrival_s

    def encode(self) -> bytes:
        """A ``Totals`` message."""
        sites = {**dict.fromkeys(self.samples), **dict.fromkeys(self.status)}
        message = message_class("Totals")(
            first_arrival_s=self.first_arrival_s, last_arrival_s=self.last_arrival_s, strides=self.strides
        )
        for site in sites:
            entry = message.sites.add(site=site.value, samples=self.samples[site])
            if site in self.status:
                entry.status.CopyFrom(encode_sensor_status(self.status[site]))
        return cast(bytes, message.SerializeToString())
