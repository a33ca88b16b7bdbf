"""Devices that speak in GATT notifications, each whole by itself: any bytes from any characteristic are taken."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.protocol import InertialSamples, create_protocol

VECTORS = Path(__file__).parents[2] / "vectors"
quiet = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def dot_payloads(n: int, rng: np.random.Generator) -> list[bytes]:
    values = np.column_stack([rng.normal(0, 10, (n, 3)), rng.normal(0, 200, (n, 3))])
    return [struct.pack("<I6f", 5_000_000 + i * 16_667, *row) + bytes(12) for i, row in enumerate(values.tolist())]


def thingy_payloads(n: int, rng: np.random.Generator) -> list[bytes]:
    return [row.tobytes() for row in rng.integers(-32768, 32768, (n, 9)).astype("<i2")]


# What the data characteristic notifies, one sample each; the characteristics are those of the vectors.
PAYLOADS: dict[str, Callable[[int, np.random.Generator], list[bytes]]] = {
    "movella-dot": dot_payloads,
    "thingy52": thingy_payloads,
}


@pytest.fixture(params=sorted(PAYLOADS))
def model(request) -> str:
    return str(request.param)


def characteristics(model: str) -> list[str]:
    lines = (VECTORS / f"{model.replace('-', '_')}.jsonl").read_text(encoding="utf-8").splitlines()
    found = sorted({json.loads(line)["characteristic"] for line in lines})
    assert found
    return found


@quiet
@given(notified=st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=80)), max_size=20))
def test_any_bytes_from_any_characteristic_are_taken(model, notified):
    protocol = create_protocol(model)
    sources = ["", *characteristics(model), "00002a00-0000-1000-8000-00805f9b34fb"]
    for number, data in notified:
        counted = protocol.health.corrupt_bytes + protocol.health.frames + protocol.health.skipped_frames
        for event in protocol.feed(data, sources[number % len(sources)]):
            if isinstance(event, InertialSamples):
                assert np.isfinite(event.acc_m_s2).all()
                assert np.isfinite(event.gyr_rad_s).all()
        after = protocol.health.corrupt_bytes + protocol.health.frames + protocol.health.skipped_frames
        assert after > counted or not data


@pytest.mark.parametrize("seed", range(4))
def test_mutated_notifications_give_samples_or_counted_corruption(model, damage_some, seed):
    rng = np.random.default_rng(seed)
    protocol = create_protocol(model)
    pieces = damage_some(PAYLOADS[model](400, rng), rng)
    damaged = sum(bad for _, bad in pieces)
    got = sum(len(e) for data, _ in pieces for e in protocol.feed(data) if isinstance(e, InertialSamples))
    assert damaged > 20
    # No notification touches its neighbour.
    assert 400 - damaged <= got <= 400
    assert protocol.health.frames == got
    assert protocol.health.corrupt_bytes > 0


def test_notifications_give_the_same_samples_whatever_else_comes_between(model):
    rng = np.random.default_rng(3)
    payloads = PAYLOADS[model](50, rng)
    alone, mixed = create_protocol(model), create_protocol(model)
    want = [e.acc_m_s2.tolist() for data in payloads for e in alone.feed(data) if isinstance(e, InertialSamples)]
    sources = characteristics(model)
    got = []
    for i, data in enumerate(payloads):
        mixed.feed(b"\xff" * 7, sources[i % len(sources)])
        got += [e.acc_m_s2.tolist() for e in mixed.feed(data) if isinstance(e, InertialSamples)]
    assert len(want) == 50
    assert got == want
