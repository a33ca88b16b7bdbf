"""How fast codecs decode, and what they make of damage: each on what a simulated device of its kind really sent."""

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from subtalar.bench.result import Result
from subtalar.errors import SubtalarError
from subtalar.protocol import DecoderHealth, DeviceProtocol, InertialSamples

Wire = list[tuple[bytes, str]]
"""Bytes as a transport hands them on, with the characteristic that they came from."""
_CHUNK_BYTES: Final = 4096
_LONGEST_FEED_S: Final = 0.25


@dataclass(frozen=True)
class Capture:
    """What a device sent after ``protocol`` had configured it. ``notified``: each piece is a notification, not a cut of
    a stream.
    """

    model: str
    protocol: DeviceProtocol
    wire: Wire
    notified: bool

    def fresh(self) -> DeviceProtocol:
        """A codec that knows its device, and has heard nothing of the wire yet."""
        protocol = copy.deepcopy(self.protocol)
        protocol.health = DecoderHealth()
        return protocol


CaptureMaker = Callable[[], Sequence[Capture]]


def codecs(make_captures: CaptureMaker, mutations: int, least_frames: int = 200_000) -> list[Result]:
    """Frames decoded a second, over ``least_frames``, and damaged; SubtalarError where a codec raises or hangs."""
    results = []
    for capture in make_captures():
        ways = {f"{_CHUNK_BYTES} bytes at a time": _joined(capture.wire)}
        if capture.notified:
            ways["a notification at a time"] = capture.wire
        for how, wire in ways.items():
            per_s = _decoded_per_s(capture, wire, least_frames)
            results.append(Result(f"{capture.model}, decoded", per_s, "frames/s", how))
        per_s, longest_s, samples = _damaged(capture, mutations)
        on = f"{mutations:,} damaged frames, {samples:,} samples came of them, longest feed {1e3 * longest_s:.1f} ms"
        results.append(Result(f"{capture.model}, damaged", per_s, "frames/s", on))
    return results


def _joined(wire: Wire) -> Wire:
    """Neighbours of one characteristic joined, as a codec may take them too."""
    out: Wire = []
    for data, source in wire:
        if out and out[-1][1] == source and len(out[-1][0]) + len(data) <= _CHUNK_BYTES:
            out[-1] = out[-1][0] + data, source
        else:
            out.append((data, source))
    return out


def _decoded_per_s(capture: Capture, wire: Wire, least_frames: int) -> float:
    frames, spent_s = 0, 0.0
    while frames < least_frames:
        protocol = capture.fresh()
        begin = time.perf_counter()
        for data, source in wire:
            protocol.feed(data, source)
        spent_s += time.perf_counter() - begin
        if not protocol.health.frames:
            raise SubtalarError(f"The {capture.model} codec found no frame in what its simulated device sent.")
        frames += protocol.health.frames
    return frames / spent_s


def _damaged(capture: Capture, mutations: int) -> tuple[float, float, int]:
    """Frames a second, the longest single feed, and how many samples came of them all."""
    rng = random.Random(0)
    protocol = capture.fresh()
    longest_s = spent_s = 0.0
    samples = 0
    for _ in range(mutations):
        data, source = rng.choice(capture.wire)
        damaged = damage(data, rng)
        begin = time.perf_counter()
        try:
            events = protocol.feed(damaged, source)
        except Exception as error:
            raise SubtalarError(f"The {capture.model} codec raised {error!r} on {damaged.hex()}.") from error
        took_s = time.perf_counter() - begin
        spent_s += took_s
        longest_s = max(longest_s, took_s)
        samples += sum(len(event) for event in events if isinstance(event, InertialSamples))
    if longest_s > _LONGEST_FEED_S:
        raise SubtalarError(f"The {capture.model} codec took {longest_s:.1f} s for one damaged frame.")
    return mutations / spent_s, longest_s, samples


def damage(data: bytes, rng: random.Random) -> bytes:
    """One or more of: bits flipped, bytes lost, bytes put in, cut short, begun late, sent twice, nothing but noise."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        kind, at = rng.randrange(7), rng.randrange(len(out) + 1)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + rng.randint(1, 4)]
        elif kind == 2:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            del out[:at]
        elif kind == 5:
            out += out[:256]
        else:
            out[:] = rng.randbytes(rng.randint(0, 64))
    return bytes(out)
