"""Small scripted devices in memory, and a sink that keeps everything."""

import asyncio
import json
import struct
from collections.abc import Callable

import numpy as np
import pytest

from subtalar.errors import LinkError
from subtalar.transport import LoopbackTransport, OutOfReachError
from subtalar.types import BodySite, SampleBlock, SensorStatus


class KeepingSink:
    def __init__(self) -> None:
        self.blocks: list[SampleBlock] = []
        self.statuses: list[SensorStatus] = []
        self.raw: list[tuple[BodySite, float, bytes, str]] = []

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        self.raw.append((site, arrival_s, data, source))

    def on_block(self, block: SampleBlock) -> None:
        self.blocks.append(block)

    def on_status(self, status: SensorStatus) -> None:
        self.statuses.append(status)

    @property
    def links(self) -> list[str]:
        """Link states in order, without repetition."""
        out: list[str] = []
        for status in self.statuses:
            if not out or out[-1] != status.link:
                out.append(status.link)
        return out

    @property
    def n(self) -> int:
        return sum(len(b) for b in self.blocks)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.002)


class FakeDevice:
    """One end of a loopback. Each ``connect()`` is a new transport to the same device."""

    def __init__(self) -> None:
        self.send: Callable[[bytes], None] | None = None
        self.got: list[bytes] = []
        self.links: list[LoopbackTransport] = []
        self.refuse = 0
        self.out_of_reach = 0
        self.mute = False

    def connect(self, *_: object) -> LoopbackTransport:
        device = self

        class Link(LoopbackTransport):
            async def open(self, on_chunk, on_closed) -> None:
                if device.refuse > 0:
                    device.refuse -= 1
                    raise LinkError("Nobody is there.")
                if device.out_of_reach > 0:
                    device.out_of_reach -= 1
                    raise OutOfReachError("Nobody is near.")
                await super().open(on_chunk, on_closed)

        self.links.append(Link(self, f"fake {len(self.links)}"))
        return self.links[-1]

    def attach(self, send: Callable[[bytes], None]) -> None:
        self.send = send

    def detach(self) -> None:
        self.send = None

    def receive(self, data: bytes) -> None:
        self.got.append(data)
        answer = b"" if self.mute else self.answer(data)
        if answer and self.send is not None:
            self.send(answer)

    def answer(self, data: bytes) -> bytes:
        raise NotImplementedError

    def hang_up(self) -> None:
        self.links[-1].drop("The sensor disconnected.")


class FakeXimu3(FakeDevice):
    """Echoes commands; sends what it is told to send, on a clock of its own."""

    def __init__(self, period_us: int = 10_000) -> None:
        super().__init__()
        self.now_us = 50_000_000
        self.period_us = period_us

    def answer(self, data: bytes) -> bytes:
        (key,) = json.loads(data)
        return data if key != "blink" else b'{"blink":null}\n'

    def sample(self) -> bytes:
        self.now_us += self.period_us
        body = struct.pack("<BQ6f", 0xC9, self.now_us, 1, 2, 3, 0, 0, 1)
        return body.replace(b"\xdb", b"\xdb\xdd").replace(b"\n", b"\xdb\xdc") + b"\n"

    def stream(self, n: int) -> None:
        data = b"".join(self.sample() for _ in range(n))
        if self.send is not None:
            self.send(data)

    def lose(self, n: int) -> None:
        self.now_us += n * self.period_us

    def restart(self) -> None:
        self.now_us = 1000

    def battery(self, percent: float) -> None:
        assert self.send is not None
        self.send(struct.pack("<BQ3f", 0xC2, 77, percent, 4.0, 0) + b"\n")


class FakeWitMotion(FakeDevice):
    """Answers register reads; streams frames when told."""

    def __init__(self) -> None:
        super().__init__()
        self.registers: dict[int, int] = {0x64: 379}
        self.unlocked = False

    def answer(self, data: bytes) -> bytes:
        if data[2] == 0x27:
            value = self.registers.get(data[3], 0)
            return bytes((0x55, 0x71, data[3], 0)) + value.to_bytes(2, "little") + bytes(14)
        if data[2] == 0x69:
            self.unlocked = True
        elif self.unlocked:
            self.registers[data[2]] = data[3] | data[4] << 8
        return b""

    def stream(self, n: int) -> None:
        frame = b"\x55\x61" + np.array([0, 0, 2048, 0, 0, 0, 0, 0, 0], "<i2").tobytes()
        if self.send is not None:
            self.send(frame * n)


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


@pytest.fixture
def ximu3() -> FakeXimu3:
    return FakeXimu3()


@pytest.fixture
def witmotion() -> FakeWitMotion:
    return FakeWitMotion()


@pytest.fixture
def new_ximu3() -> type[FakeXimu3]:
    return FakeXimu3
