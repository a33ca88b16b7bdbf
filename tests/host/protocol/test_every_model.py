"""What holds for every device: its scripts and samples against its simulated firmware, cuts and damage. By registry."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from subtalar.errors import InputError, LinkError
from subtalar.protocol import DeviceReply, InertialSamples, create_protocol, device_models, model_for_name
from subtalar.protocol.events import merge_samples
from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.registry import simulated_devices
from subtalar_sim.sensor import ImuSamples

SIMULATED = simulated_devices()  # with those of installed plug-ins, whose makers may run this, too
NAMES = [model.name for model in device_models()]
ROUTES = [(name, "ble" if "ble" in SIMULATED[name].transports else "pty") for name in NAMES if name in SIMULATED]
ROUTES += [(name, "pty") for name, route in ROUTES if route == "ble" and "pty" in SIMULATED[name].transports]
STREAMS = [name for name, route in ROUTES if route == "pty"]


class Turning:
    """One g on z, three slow turns that differ."""

    def measure(self, t_s: Any, rate_hz: float) -> ImuSamples:
        n = len(t_s)
        acc, gyr = np.tile([0.0, 0.0, 9.80665], (n, 1)), np.tile(np.radians([10.0, -20.0, 30.0]), (n, 1))
        return ImuSamples(t_s, acc, gyr, self.orientation(t_s))

    def orientation(self, t_s: Any) -> Any:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def make(name: str, route: str, faults: FaultPlan = NO_FAULTS) -> Any:
    rate_hz = SIMULATED[name].default_rate_hz
    gaps = GapDrawer(faults, rate_hz, 1, "right_foot")
    address = "C6:51:00:01:00:01" if route == "ble" else ""
    return SIMULATED[name].make(
        Unit(Turning(), SensorClock(10.0, 20.0), gaps, rate_hz, interface=route, address=address)
    )


class Wire:
    """The byte stream of firmware that knows more."""

    def __init__(self, firmware: Any) -> None:
        self.on_bytes, self.poll = firmware.on_bytes, firmware.poll


def met(dialogue: Any, name: str, route: str, firmware: Any) -> tuple[Any, Any]:
    protocol = create_protocol(name, SIMULATED[name].default_rate_hz)
    there = dialogue(protocol, firmware if route == "ble" else Wire(firmware))
    there.run(protocol.configure())
    return protocol, there


def test_every_device_can_be_simulated():
    assert set(NAMES) == set(SIMULATED)


@pytest.mark.parametrize("name", [name for name, route in ROUTES if route == "ble"])
def test_a_scan_knows_every_simulated_device_by_its_name(name):
    found = model_for_name(make(name, "ble").name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("name", "route"), ROUTES)
def test_scripts_and_samples_against_the_simulated_device(dialogue, name, route):
    firmware = make(name, route)
    protocol, there = met(dialogue, name, route, firmware)
    told = there.run(protocol.identify())
    there.run(protocol.poll_battery())
    there.pass_time(1.0)
    first = firmware.ledger.sent
    samples = [e for e in there.pass_time(2.0) if isinstance(e, InertialSamples)]
    n = sum(len(e) for e in samples)
    # What is cut at the end of a notification arrives with the next.
    assert n == pytest.approx(firmware.ledger.sent - first, abs=40)
    assert n == pytest.approx(2.0 * protocol.rate_hz, rel=0.1, abs=20)
    assert any(isinstance(e, DeviceReply) for e in told)
    acc, gyr = (np.concatenate([getattr(e, key) for e in samples]) for key in ("acc_m_s2", "gyr_rad_s"))
    np.testing.assert_allclose(acc, [[0.0, 0.0, 9.80665]] * n, atol=0.1)
    np.testing.assert_allclose(np.degrees(gyr), [[10.0, -20.0, 30.0]] * n, atol=0.5)
    assert all((e.device_time_us is not None) == protocol.has_device_time for e in samples)
    if protocol.has_device_time:
        times_us = np.concatenate([e.device_time_us for e in samples])
        np.testing.assert_allclose(np.diff(times_us), 1e6 / protocol.rate_hz, rtol=0.02, atol=1100)
    assert protocol.health.corrupt_bytes == protocol.health.lost_samples == 0
    there.run(protocol.stop())


@pytest.mark.parametrize(("name", "route"), ROUTES)
def test_what_it_can_be_told_is_done_or_refused_in_a_sentence(dialogue, name, route):
    protocol, there = met(dialogue, name, route, make(name, route))
    sentences = []
    for script in (protocol.blink, lambda: protocol.rename("left"), protocol.save):
        try:
            there.run(script())
        except (InputError, LinkError) as refusal:
            sentences.append(str(refusal))
    assert all(text.endswith(".") and "\n" not in text for text in sentences), sentences
    assert any(isinstance(e, InertialSamples) for e in there.pass_time(2.5)), "it does not stream any more"


@pytest.fixture(params=STREAMS)
def recorded(request, dialogue) -> tuple[str, bytes]:
    """All that a device said from the first contact on: data with gaps, answers, battery."""
    name = request.param
    firmware = make(name, "pty", FaultPlan(gap_rate_per_s=2.0))
    heard: list[bytes] = []
    wire = Wire(firmware)
    poll = wire.poll

    def listen(now_s: float) -> Any:
        payloads = poll(now_s)
        heard.extend(payload.data for payload in payloads)
        return payloads

    wire.poll = listen
    protocol = create_protocol(name, SIMULATED[name].default_rate_hz)
    there = dialogue(protocol, wire)
    there.run(protocol.configure())
    there.run(protocol.identify())
    there.pass_time(1.5)
    stream = b"".join(heard)
    assert len(stream) > 1000
    return name, stream


def decoded(name: str, pieces: list[bytes]) -> tuple[Any, list[object]]:
    protocol = create_protocol(name, SIMULATED[name].default_rate_hz)
    out: list[object] = []
    for event in merge_samples([e for piece in pieces for e in protocol.feed(piece)]):
        if isinstance(event, InertialSamples):
            assert np.isfinite(event.acc_m_s2).all()
            assert np.isfinite(event.gyr_rad_s).all()
            times = None if event.device_time_us is None else event.device_time_us.tolist()
            out.append((times, event.acc_m_s2.tolist(), event.gyr_rad_s.tolist()))
        else:
            out.append(event)
    return protocol.health, out


def test_any_cut_of_any_damage_gives_the_same(recorded):
    name, stream = recorded
    assert decoded(name, [stream])[0].corrupt_bytes == 0
    assert decoded(name, [stream[i : i + 1] for i in range(len(stream))]) == decoded(name, [stream])
    rng = np.random.default_rng(7)
    for damage in (0.0, 0.0005, 0.01, 0.2):
        hit = rng.random(len(stream)) < damage
        changed = np.where(hit, rng.integers(0, 256, len(stream)), np.frombuffer(stream, np.uint8))
        damaged = changed.astype(np.uint8).tobytes()
        edges = [0, *sorted(rng.integers(0, len(stream), 60).tolist()), len(stream)]
        pieces = [damaged[a:b] for a, b in pairwise(edges)]
        assert decoded(name, pieces) == decoded(name, [damaged])


def test_after_damage_it_is_in_step_again(recorded):
    name, stream = recorded
    garbage = np.random.default_rng(8).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    health, events = decoded(name, [stream, garbage, stream[len(stream) // 3 :]])
    samples = sum(len(e[1]) for e in events if isinstance(e, tuple))
    clean = sum(len(e[1]) for e in decoded(name, [stream])[1] if isinstance(e, tuple))
    assert samples > 1.5 * clean
    assert health.corrupt_bytes > 2500
