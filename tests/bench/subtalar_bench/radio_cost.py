"""Simulated sensors to which nobody listens: what they and their radio cost by themselves."""

import asyncio
import math
import time
from functools import partial

from subtalar.acquisition.plan import Hardware, HardwareOpener
from subtalar.device import LinkPolicy, open_group
from subtalar.protocol import DeviceProtocol
from subtalar.transport import Chunk, DeviceSpec, OnChunk, OnClosed, make_transport, parse_spec
from subtalar.types import BodySite, SampleBlock, SensorStatus


async def share_without_listener(opener: HardwareOpener, duration_s: float) -> float:
    """The share of a core that sensors and both ends of their radio take while what arrives is dropped unseen."""
    async with opener() as hardware:
        ears: list[_Mutable] = []
        policy = LinkPolicy(silent_after_s=math.inf, first_attempts=2)
        maker = partial(_Mutable, hardware, ears)
        specs = [parse_spec(text) for text in hardware.specs]
        async with open_group(specs, _NullSink(), policy=policy, transports=maker) as group:
            await group.wait_streaming()
            for each in ears:
                each.closed = True
            began = time.process_time(), time.monotonic()
            await asyncio.sleep(duration_s)
            return (time.process_time() - began[0]) / (time.monotonic() - began[1])


class _Mutable:
    """A transport that can be closed to what arrives."""

    def __init__(self, hardware: Hardware, ears: "list[_Mutable]", spec: DeviceSpec, protocol: DeviceProtocol) -> None:
        self.closed = False
        ears.append(self)
        self._inner = make_transport(
            spec,
            protocol,
            scanner_backend=hardware.bleak_scanner_backend,
            client_backend=hardware.bleak_client_backend,
        )
        self.address = self._inner.address
        self.write, self.read, self.close = self._inner.write, self._inner.read, self._inner.close

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`."""

        def heard(chunk: Chunk) -> None:
            if not self.closed:
                on_chunk(chunk)

        await self._inner.open(heard, on_closed)


class _NullSink:
    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None: ...

    def on_block(self, block: SampleBlock) -> None: ...

    def on_status(self, status: SensorStatus) -> None: ...
