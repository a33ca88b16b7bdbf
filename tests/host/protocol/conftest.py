"""Byte streams of both families with all kinds of frames in them."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


def vector_bytes(model: str) -> list[bytes]:
    lines = (VECTORS / f"{model}.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [bytes.fromhex(json.loads(line)["hex"]) for line in lines]
    assert frames
    return frames


def witmotion_frames(n: int, seed: int = 1) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [b"\x55\x61" + rng.integers(-32768, 32768, 9).astype("<i2").tobytes() for _ in range(n)]


def ximu3_frames(n: int, seed: int = 1, period_us: int = 10_000) -> list[bytes]:
    rng = np.random.default_rng(seed)
    frames = []
    for i in range(n):
        body = struct.pack("<BQ6f", 0xC9, 5_000_000 + i * period_us, *rng.normal(0, 200, 3), *rng.normal(0, 2, 3))
        frames.append(body.replace(b"\xdb", b"\xdb\xdd").replace(b"\n", b"\xdb\xdc") + b"\n")
    return frames


MAKERS: dict[str, Callable[..., list[bytes]]] = {"witmotion": witmotion_frames, "ximu3": ximu3_frames}


@pytest.fixture(params=sorted(MAKERS))
def model(request) -> str:
    return str(request.param)


@pytest.fixture
def frames(model: str) -> list[bytes]:
    """Forty data frames with every vector strewn in."""
    out = MAKERS[model](40)
    for i, frame in enumerate(vector_bytes(model)):
        out.insert(3 * i + 2, frame)
    return out


@pytest.fixture
def makers() -> dict[str, Callable[..., list[bytes]]]:
    return MAKERS
