"""Every codec, on what the simulated device of its kind sends, whole and damaged."""

import random

import pytest

from subtalar.errors import SubtalarError
from subtalar.protocol import MODELS, DeviceProtocol, Event
from subtalar_bench.codecs import Capture, codecs, damage
from subtalar_bench.simulated import simulated_captures


@pytest.fixture(scope="module")
def captures() -> list[Capture]:
    return simulated_captures(seconds=2.0)


def test_every_model_is_captured(captures: list[Capture]) -> None:
    assert {capture.model for capture in captures} == {model.name for model in MODELS}


def test_damage_gives_samples_or_nothing(captures: list[Capture]) -> None:
    results = codecs(lambda: captures, 300, least_frames=500)
    assert {r.name.split(",")[0] for r in results} == {c.model for c in captures}
    assert all(result.value > 0 for result in results)


def test_a_codec_that_raises_is_named(captures: list[Capture]) -> None:
    class Fragile(type(captures[0].protocol)):  # type: ignore[misc]
        def feed(self, data: bytes, source: str = "") -> list[Event]:
            if len(data) % 20:
                raise ValueError("no")
            return list(super().feed(data, source))

    broken = Fragile.__new__(Fragile)
    broken.__dict__.update(captures[0].protocol.__dict__)
    assert isinstance(broken, DeviceProtocol)
    capture = Capture("fragile", broken, captures[0].wire, captures[0].notified)
    with pytest.raises(SubtalarError, match="fragile codec raised"):
        codecs(lambda: [capture], 300, least_frames=1)


def test_damage_is_of_all_kinds_and_repeats() -> None:
    data = bytes(range(40))
    seen = [damage(data, random.Random(seed)) for seed in range(200)]
    assert seen == [damage(data, random.Random(seed)) for seed in range(200)]
    assert len(set(seen)) > 150
    assert min(map(len, seen)) == 0
    assert max(map(len, seen)) > 60
