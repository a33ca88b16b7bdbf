"""Cutting, damage and garbage: the same events however the bytes arrive, and nothing that is not counted."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.protocol import DeviceProtocol, Event, InertialSamples, create_protocol
from subtalar.protocol.events import merge_samples
from subtalar.protocol.ximu3 import MESSAGE_LIMIT

quiet = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def comparable(events: list[Event]) -> list[object]:
    out: list[object] = []
    for event in merge_samples(events):
        if isinstance(event, InertialSamples):
            times = None if event.device_time_us is None else event.device_time_us.tolist()
            out.append((times, event.acc_m_s2.tolist(), event.gyr_rad_s.tolist()))
        else:
            out.append(event)
    return out


def feed_in_pieces(protocol: DeviceProtocol, stream: bytes, cuts: list[int]) -> list[Event]:
    edges = [0, *sorted(c % (len(stream) + 1) for c in cuts), len(stream)]
    return [e for a, b in pairwise(edges) for e in protocol.feed(stream[a:b])]


def n_samples(events: list[Event]) -> int:
    return sum(len(e) for e in events if isinstance(e, InertialSamples))


def test_byte_by_byte_equals_whole(model, frames, fresh):
    stream = b"".join(frames)
    whole, dripped = fresh(model), fresh(model)
    want = comparable(whole.feed(stream))
    got = comparable(feed_in_pieces(dripped, stream, list(range(len(stream)))))
    assert len(want) > 3
    assert got == want
    assert dripped.health == whole.health
    assert whole.health.corrupt_bytes == 0


@quiet
@given(
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
    damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
)
def test_any_cut_of_any_damage_equals_whole(model, frames, fresh, cuts, damage):
    stream = bytearray(b"".join(frames))
    for at, value in damage:
        stream[at % len(stream)] = value
    whole, cut = fresh(model), fresh(model)
    assert comparable(feed_in_pieces(cut, bytes(stream), cuts)) == comparable(whole.feed(bytes(stream)))
    assert cut.health == whole.health


@quiet
@given(pieces=st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_taken(model, fresh, pieces):
    whole, cut = fresh(model), fresh(model)
    events = [e for piece in pieces for e in cut.feed(piece)]
    assert comparable(events) == comparable(whole.feed(b"".join(pieces)))
    for event in events:
        if isinstance(event, InertialSamples):
            assert np.isfinite(event.acc_m_s2).all()
            assert np.isfinite(event.gyr_rad_s).all()


def test_endless_garbage_stays_small_and_counted(model, makers, fresh):
    rng = np.random.default_rng(5)
    protocol = fresh(model)
    total = 0
    for _ in range(200):
        garbage = rng.integers(0, 256, 3000, dtype=np.uint8).tobytes().replace(b"\n", b"\x0b").replace(b"\x55", b"\x56")
        total += len(garbage)
        assert protocol.feed(garbage) == []
    held = total - protocol.health.corrupt_bytes
    assert 0 <= held <= MESSAGE_LIMIT
    clean = {"ximu3": b"\n", "talus": b"\0"}.get(model, b"") + b"".join(makers[model](50))
    assert n_samples(protocol.feed(clean)) == 50


@pytest.mark.parametrize("seed", range(4))
def test_mutated_frames_give_samples_or_counted_corruption(model, makers, fresh, damage_some, seed):
    protocol = fresh(model)
    pieces = damage_some(makers[model](400, seed), np.random.default_rng(seed))
    damaged = sum(bad for _, bad in pieces)
    got = sum(n_samples(protocol.feed(data)) for data, _ in pieces)
    assert damaged > 20
    # A damaged frame may cost its neighbours, no more than that.
    assert 400 - 3 * damaged <= got <= 400 + damaged
    assert protocol.health.frames >= got
    assert protocol.health.corrupt_bytes > 0


def test_witmotion_needs_a_second_header_to_get_into_step(makers):
    frames = makers["witmotion"](6)
    protocol = create_protocol("witmotion")
    # Half a frame whose payload shows a false header, as after joining a split notification.
    decoy = b"\x00" * 7 + b"\x55\x61" + b"\x01" * 9
    events = protocol.feed(decoy + b"".join(frames))
    (batch,) = merge_samples(events)
    assert isinstance(batch, InertialSamples)
    assert len(batch) == 6
    assert protocol.health.corrupt_bytes == len(decoy)
    assert protocol.health.resyncs == 1


def test_witmotion_reset_forgets_half_a_frame(makers):
    first, second = makers["witmotion"](2)
    protocol = create_protocol("witmotion")
    assert protocol.feed(first[:12]) == []
    protocol.reset()
    assert n_samples(protocol.feed(second)) == 1
    assert protocol.health.corrupt_bytes == 12


def inertial(*values: float, time_us: int = 1000) -> bytes:
    body = struct.pack("<BQ6f", 0xC9, time_us, *values)
    return body.replace(b"\xdb", b"\xdb\xdd").replace(b"\n", b"\xdb\xdc") + b"\n"


@pytest.mark.parametrize(
    "message",
    [
        inertial(float("nan"), 0, 0, 0, 0, 1),
        inertial(0, 0, 0, 0, float("inf"), 1),
        inertial(0, 5000, 0, 0, 0, 1),
        inertial(0, 0, 0, 0, 0, 1e9),
        inertial(0, 0, 0, 0, 0, 1, time_us=1 << 60),
        inertial(0, 0, 0, 0, 0, 1)[:-2] + b"\n",
        inertial(0, 0, 0, 0, 0, 1)[:-1] + b"\x00\n",
        b"\xc9\xdb\x00" + b"\x00" * 31 + b"\n",
        b"I,12,nan,0,0,0,0,1\n",
        b"I,12,1e400,0,0,0,0,1\n",
        b"I,-1,0,0,0,0,0,1\n",
        b"I,1000,0,0,0,0,0\n",
        b"I,99999999999999999999999,0,0,0,0,0,1\n",
        b"I\n",
        b"{broken\n",
        b"[1]\n",
        b"{" * 4000 + b"\n",
        b'{"a":1,"b":2}\n',
        b"\n",
        b"\x01\x02\n",
        b"\xdb\xdc" + bytes(20) + b"\n",
    ],
)
def test_ximu3_damage_is_dropped_and_counted(message):
    protocol = create_protocol("ximu3")
    good = inertial(0, 0, 0, 0, 0, 1)
    events = protocol.feed(good + message + good)
    assert n_samples(events) == 2
    assert len(merge_samples(events)) == 1
    assert protocol.health.corrupt_bytes > 0


def test_ximu3_takes_a_signalling_number_without_a_word():
    message = b"\xc2" + bytes(8) + b"\x01\x00\x80\x7f" * 3 + b"\n"
    assert n_samples(create_protocol("ximu3").feed(message)) == 0


def test_ximu3_passes_over_a_device_behind_it():
    protocol = create_protocol("ximu3")
    assert protocol.feed(b"^A" + inertial(0, 0, 0, 0, 0, 1)) == []
    assert protocol.health.skipped_frames == 1
    assert protocol.health.corrupt_bytes == 0
