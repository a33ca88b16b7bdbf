"""Byte streams with all kinds of frames in them, and visits of a codec to simulated firmware without any wire."""

import importlib.util
import json
import struct
from binascii import crc_hqx
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from subtalar.protocol import DeviceProtocol, create_protocol
from subtalar_bench import codec_dialogue
from subtalar_sim.firmware.base import RefusedByDevice


def _load_talus_encoder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("talus_encoder", Path(__file__).with_name("talus_encoder.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


talus_encoder = _load_talus_encoder()
VECTORS = Path(__file__).parents[2] / "vectors"


def vector_bytes(model: str) -> list[bytes]:
    lines = (VECTORS / f"{model.replace('-', '_')}.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [bytes.fromhex(json.loads(line)["hex"]) for line in lines]
    assert frames
    return frames


def witmotion_frames(n: int, seed: int = 1) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [b"\x55\x61" + rng.integers(-32768, 32768, 9).astype("<i2").tobytes() for _ in range(n)]


def wit_serial_frame(kind: int, words: bytes) -> bytes:
    body = bytes((0x55, kind)) + words
    return body + bytes((sum(body) & 0xFF,))


def witmotion_serial_frames(n: int, seed: int = 1, period_ms: int = 10) -> list[bytes]:
    """Sets of time, acceleration and angular velocity."""
    rng = np.random.default_rng(seed)
    sets = []
    for i in range(n):
        seconds, ms = divmod(i * period_ms, 1000)
        when = struct.pack("<6BH", 26, 2, 28, 23, seconds // 60, seconds % 60, ms)
        values = [rng.integers(-32768, 32768, 4).astype("<i2").tobytes() for _ in range(2)]
        sets.append(b"".join(map(wit_serial_frame, (0x50, 0x51, 0x52), (when, *values))))
    return sets


def ximu3_frames(n: int, seed: int = 1, period_us: int = 10_000) -> list[bytes]:
    rng = np.random.default_rng(seed)
    frames = []
    for i in range(n):
        body = struct.pack("<BQ6f", 0xC9, 5_000_000 + i * period_us, *rng.normal(0, 200, 3), *rng.normal(0, 2, 3))
        frames.append(body.replace(b"\xdb", b"\xdb\xdd").replace(b"\n", b"\xdb\xdc") + b"\n")
    return frames


def talus_frames(n: int, seed: int = 1, period_us: int = 5_000) -> list[bytes]:
    """Each with a STREAM before it, so that the loss of one does not cost the rest."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 3000, (n, 1, 6)).astype(int).tolist()
    at_us = 5_000_000
    return [
        talus_encoder.stream(i - 1, at_us + (i - 1) * period_us)
        + talus_encoder.samples(i, at_us + i * period_us, rows[i])
        for i in range(n)
    ]


def with_crc(frame: bytes) -> bytes:
    return frame + crc_hqx(frame + b"\0" * (len(frame) % 2), 0xB0CA).to_bytes(2, "little")


def shimmer3_frames(n: int, seed: int = 1) -> list[bytes]:
    rng = np.random.default_rng(seed)
    words = rng.integers(-32768, 32768, (n, 6)).astype("<i2")
    stamps = [(16_770_000 + 164 * i) % (1 << 24) for i in range(n)]
    return [with_crc(b"\0" + t.to_bytes(3, "little") + w.tobytes()) for t, w in zip(stamps, words, strict=True)]


MAKERS: dict[str, Callable[..., list[bytes]]] = {
    "shimmer3": shimmer3_frames,
    "talus": talus_frames,
    "witmotion": witmotion_frames,
    "witmotion-serial": witmotion_serial_frames,
    "ximu3": ximu3_frames,
}
# What must have been said before frames mean anything: here the CRC's ack, and the inquiry about gyroscope and
# wide-range accelerometer.
PREAMBLES = {"shimmer3": with_crc(b"\xff") + with_crc(bytes.fromhex("ff02a4006d07030806010a0b0c040506"))}
# Vectors that are conversations of their own, with settings of their own, cannot be strewn into a stream.
STREWN = {
    "shimmer3": [
        with_crc(bytes.fromhex(frame)) for frame in ("ff", "8a7112", "ff8a94300b80", "fe", "ff2f030000001009", "ff2503")
    ]
}


@pytest.fixture(params=sorted(MAKERS))
def model(request) -> str:
    return str(request.param)


@pytest.fixture
def frames(model: str) -> list[bytes]:
    """Forty data frames with every vector strewn in."""
    out = MAKERS[model](40)
    for i, frame in enumerate(STREWN.get(model) or vector_bytes(model)):
        out.insert(3 * i + 2, frame)
    return out


@pytest.fixture
def fresh() -> Callable[[str], DeviceProtocol]:
    """A codec to which frames of ``makers`` mean something."""

    def make(model: str) -> DeviceProtocol:
        protocol = create_protocol(model)
        protocol.feed(PREAMBLES.get(model, b""))
        return protocol

    return make


@pytest.fixture
def makers() -> dict[str, Callable[..., list[bytes]]]:
    return MAKERS


class Dialogue(codec_dialogue.CodecDialogue):
    """With the simulator's way to refuse."""

    refusal = RefusedByDevice


@pytest.fixture
def dialogue() -> type[Dialogue]:
    return Dialogue


@pytest.fixture(scope="session")
def page() -> ModuleType:
    """Talus as its document describes it, in an encoder of its own."""
    return talus_encoder


@pytest.fixture
def damage_some() -> Callable[[list[bytes], np.random.Generator], list[tuple[bytes, bool]]]:
    """Frames as they may come over a bad line, each with whether it was damaged: one in ten has a bit flipped, a byte
    lost, three put in, or its end cut off.
    """

    def piece(frame: bytes, rng: np.random.Generator) -> tuple[bytes, bool]:
        if rng.random() >= 0.1:
            return frame, False
        out = bytearray(frame)
        action, at = rng.integers(4), int(rng.integers(len(out)))
        if action == 0:
            out[at] ^= 1 << int(rng.integers(8))
        elif action == 1:
            del out[at]
        elif action == 2:
            out[at:at] = bytes(rng.integers(0, 256, 3, dtype=np.uint8))
        else:
            del out[at:]
        return bytes(out), True

    return lambda frames, rng: [piece(frame, rng) for frame in frames]
