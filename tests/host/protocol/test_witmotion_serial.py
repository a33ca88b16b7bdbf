"""The standard-protocol codec: sets of frames that belong together, and its scripts against the simulated sensor."""

import struct

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import LinkError
from subtalar.protocol import DeviceReply, Expect, InertialSamples, create_protocol
from subtalar.protocol.witmotion_serial import calendar_us
from subtalar_sim.clock import SensorClock
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.witmotion_serial import WitMotionSerial as Firmware

SITE = "left_foot"


def firmware(rate_hz: float = 10.0, interface: str = "pty") -> Firmware:
    config = SimulationConfig(device="witmotion-serial", quality="perfect")
    source = config.make_imu(config.make_body(), SITE)
    return Firmware(
        Unit(source, SensorClock(7.0), GapDrawer(NO_FAULTS, rate_hz, 1, SITE), rate_hz, interface=interface)
    )


def frame(kind: int, *words: int) -> bytes:
    body = bytes((0x55, kind)) + struct.pack("<4h", *words)
    return body + bytes((sum(body) & 0xFF,))


def batches(events) -> list[InertialSamples]:
    return [e for e in events if isinstance(e, InertialSamples)]


ACC, GYR, ANGLE, ANSWER = (
    frame(0x51, 0, 0, 2048, 0),
    frame(0x52, 1, 2, 3, 0),
    frame(0x53, 0, 0, 0, 0),
    frame(0x5F, *[0] * 4),
)
TIME = frame(0x50, 15 + (1 << 8), 1, 0, 0)


@pytest.mark.parametrize("over_ble", [False, True])
def test_configure_asks_for_time_and_rate_and_losses_are_known_from_then_on(dialogue, over_ble):
    device = firmware(10.0, "ble" if over_ble else "pty")
    device.max_payload = 20
    v = dialogue(create_protocol("witmotion-serial", 200), device)
    if not over_ble:
        v.over_gatt = False
    v.run(v.protocol.configure())
    assert [data.hex() for _, data in v.sent] == ["ffaa6988b5", "ffaa020700", "ffaa030b00", "ffaa270200"]
    got = batches(v.pass_time(2.0))
    times = np.concatenate([b.device_time_us for b in got])
    assert len(times) == pytest.approx(400, abs=4)
    assert set(np.diff(times).tolist()) <= {4000, 5000, 6000}
    acc = np.concatenate([b.acc_m_s2 for b in got])
    assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(GRAVITY_M_S2, rel=0.05)
    assert v.protocol.health.corrupt_bytes == 0


def test_one_that_is_configured_anew_while_it_streams_gives_nothing_without_its_time():
    codec = create_protocol("witmotion-serial")
    assert batches(codec.feed(TIME + ACC + GYR))
    configuring = codec.configure()
    step = next(configuring)
    while not (isinstance(step, Expect) and step.timeout_s > 1.0):  # the last: for a sample with its time
        step = configuring.send(False)
    assert batches(codec.feed(ACC + GYR)) == []  # the line has lost a frame
    assert not step.until()
    (batch,) = batches(codec.feed(TIME + ACC + GYR))
    assert batch.device_time_us is not None
    assert step.until()


def test_configure_before_the_sensor_speaks_or_at_the_wrong_baud_rate(dialogue):
    class Mute:
        def on_bytes(self, data, now_s):
            pass

        def poll(self, now_s):
            return []

    v = dialogue(create_protocol("witmotion-serial"), Mute())
    with pytest.raises(LinkError, match="baud rate of the port"):
        v.run(v.protocol.configure())
    assert v.now_s < 6.0


def test_a_sensor_that_ignores_its_settings_is_an_error(dialogue, monkeypatch):
    device = firmware(10.0)
    take = device.registers.take
    monkeypatch.setattr(device.registers, "take", lambda *a: (command for command in take(*a) if command[0] == 0x27))
    v = dialogue(create_protocol("witmotion-serial"), device)
    v.over_gatt = False
    with pytest.raises(LinkError, match="does not take the rate 100 Hz"):
        v.run(v.protocol.configure())


def test_a_sensor_without_time_is_an_error(dialogue, monkeypatch):
    device = firmware(100.0)
    monkeypatch.setattr(device.registers, "take", lambda *_: ())
    v = dialogue(create_protocol("witmotion-serial"), device)
    v.over_gatt = False
    with pytest.raises(LinkError, match="does not send its time"):
        v.run(v.protocol.configure())


def test_identify_save_and_blink(dialogue):
    device = firmware(100.0)
    v = dialogue(create_protocol("witmotion-serial"), device)
    v.over_gatt = False
    v.run(v.protocol.configure())
    replies = {e.key: e.value for e in v.run(v.protocol.identify()) if isinstance(e, DeviceReply)}
    assert replies["version"] == str(0x2B3D)
    assert replies["serial_number"] == "WT09"
    v.run(v.protocol.save())
    assert device.registers.saved[0x02] == 0x07
    for led_off in (0, 1):
        device.registers[0x1B] = led_off
        v.sent.clear()
        v.run(v.protocol.blink())
        switched = [data[3] for _, data in v.sent if data[2] == 0x1B]
        assert switched[:6] == [1, 0] * 3
        assert device.registers[0x1B] == led_off


def test_only_frames_that_follow_each_other_make_a_sample():
    protocol = create_protocol("witmotion-serial")
    for stream in (ACC + ANGLE + GYR, GYR, ACC + ACC, TIME + GYR):
        assert not batches(protocol.feed(stream + ANGLE)), stream.hex()
    (one,) = batches(protocol.feed(TIME + ACC + GYR))
    assert one.device_time_us.tolist() == calendar_us(TIME, 0, 1, 11).tolist()
    # Now that it sends its time, a sample without it has lost a frame.
    assert not batches(protocol.feed(ACC + GYR))
    assert protocol.health.corrupt_bytes == 0


def test_an_answer_may_come_inside_a_sample():
    protocol = create_protocol("witmotion-serial")
    events = protocol.feed(TIME + ANSWER + ACC + ANSWER + GYR)
    assert [type(e) for e in events] == [DeviceReply, DeviceReply, InertialSamples]


def test_a_damaged_frame_costs_its_own_sample_and_no_other(makers):
    sets = makers["witmotion-serial"](30)
    for offset in (3, 14, 25):
        protocol = create_protocol("witmotion-serial")
        broken = bytearray(sets[10])
        broken[offset] ^= 0x10
        got = batches(protocol.feed(b"".join([*sets[:10], bytes(broken), *sets[11:]])))
        assert sum(map(len, got)) == 29
        (gap,) = np.flatnonzero(np.diff(np.concatenate([b.device_time_us for b in got])) > 10_000)
        assert gap == 9
        assert (protocol.health.resyncs, protocol.health.corrupt_bytes) == (1, 11)


def test_reset_forgets_half_a_frame_and_half_a_sample(makers):
    first, second = makers["witmotion-serial"](2)
    protocol = create_protocol("witmotion-serial")
    assert protocol.feed(first[:27]) == []
    protocol.reset()
    assert protocol.health.corrupt_bytes == 5
    assert protocol.feed(first[22:]) == []
    (batch,) = batches(protocol.feed(second))
    assert len(batch) == 1


def test_what_is_kept_between_feeds_is_bounded():
    protocol = create_protocol("witmotion-serial")
    for _ in range(200):
        protocol.feed((TIME + ACC) * 50 + TIME[:5])
        assert len(protocol._set) <= 22
        assert len(protocol._buffer) < 11
