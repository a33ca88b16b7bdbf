"""The DOT codec against the simulated DOT, and its clock."""

import struct

import numpy as np
import pytest

from subtalar.errors import InputError, LinkError
from subtalar.protocol import BatteryLevel, DeviceMessage, DeviceReply, InertialSamples, create_protocol
from subtalar.protocol.movella_dot import DEVICE_CONTROL, DEVICE_REPORT, MEASUREMENT, MEDIUM_PAYLOAD
from subtalar_sim.clock import SensorClock
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.movella_dot import MovellaDot as Firmware

SITE = "right_foot"


def firmware(rate_hz: float = 60.0, clock: SensorClock | None = None) -> Firmware:
    config = SimulationConfig(device="movella-dot")
    source = config.make_imu(config.make_body(), SITE)
    return Firmware(Unit(source, clock or SensorClock(100.0), GapDrawer(NO_FAULTS, rate_hz, 1, SITE), rate_hz))


def samples(events) -> list[InertialSamples]:
    return [e for e in events if isinstance(e, InertialSamples)]


def times(events) -> np.ndarray:
    return np.concatenate([batch.device_time_us for batch in samples(events)])


def frame(time_us: int, acc=(0.0, 0.0, 9.8), gyr=(0.0, 0.0, 0.0)) -> bytes:
    return struct.pack("<I6f", time_us % 2**32, *acc, *gyr) + bytes(12)


def test_configure_sets_the_rate_starts_and_streams(dialogue):
    v = dialogue(create_protocol("movella-dot", 30), firmware(60.0))
    assert not samples(v.run(v.protocol.configure()))
    assert v.sent[-1] == (MEASUREMENT, bytes((1, 1, 21)))
    assert v.firmware.rate_hz == 30
    events = v.pass_time(2.0)
    assert len(times(events)) == pytest.approx(60, abs=2)
    np.testing.assert_allclose(np.diff(times(events)), 1e6 / 30, atol=1)
    acc = np.concatenate([batch.acc_m_s2 for batch in samples(events)])
    assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(9.81, rel=0.05)
    assert v.protocol.health.corrupt_bytes == 0


def test_a_rate_that_is_set_already_is_not_written_again(dialogue):
    v = dialogue(create_protocol("movella-dot", 60), firmware(60.0))
    v.run(v.protocol.configure())
    assert [target for target, _ in v.sent] == [MEASUREMENT]


def test_one_that_measures_already_is_stopped_first(dialogue):
    device = firmware(60.0)
    device.on_write(MEASUREMENT, bytes((1, 1, 26)), 0.0)
    v = dialogue(create_protocol("movella-dot", 20), device)
    v.run(v.protocol.configure())
    assert v.sent[0] == (MEASUREMENT, bytes((1, 0, 21)))
    assert device.mode == 21
    assert len(times(v.pass_time(1.0))) == pytest.approx(20, abs=2)


def test_one_that_keeps_its_rate_or_does_not_start_is_an_error(dialogue, monkeypatch):
    stubborn = firmware(60.0)
    monkeypatch.setattr(stubborn, "_apply_control", lambda *_: None)
    v = dialogue(create_protocol("movella-dot", 20), stubborn)
    with pytest.raises(LinkError, match="stays at 60 Hz instead of 20 Hz"):
        v.run(v.protocol.configure())
    still = firmware(60.0)
    monkeypatch.setattr(still, "_apply_measurement", lambda *_: None)
    v = dialogue(create_protocol("movella-dot"), still)
    with pytest.raises(LinkError, match="does not start"):
        v.run(v.protocol.configure())


def test_a_device_of_another_kind_is_an_error(dialogue, monkeypatch):
    other = firmware()
    monkeypatch.setattr(other, "on_read", lambda *_: b"\x01")
    v = dialogue(create_protocol("movella-dot"), other)
    with pytest.raises(LinkError, match="does not answer as a Movella DOT"):
        v.run(v.protocol.configure())


def test_a_sleeping_sensor_is_a_link_error(dialogue):
    device = firmware()
    device.is_asleep = True
    v = dialogue(create_protocol("movella-dot"), device)
    with pytest.raises(LinkError):
        v.run(v.protocol.configure())


def test_stop_blink_battery_identify_and_save(dialogue):
    v = dialogue(create_protocol("movella-dot"), firmware())
    v.run(v.protocol.configure())
    replies = {e.key: e.value for e in v.run(v.protocol.identify()) if isinstance(e, DeviceReply)}
    assert replies["firmwareversion"] == "2.4.0"
    assert replies["hardwareversion"] == "XS-T02"
    assert replies["macaddress"] == "D4:22:CD:00:AA:01"
    assert replies["devicename"] == "Movella DOT"
    before = bytes(v.firmware.control)
    v.run(v.protocol.blink())
    assert v.firmware.identified_until_s == pytest.approx(v.now_s + 10.0)
    assert bytes(v.firmware.control) == before
    (level,) = [e for e in v.run(v.protocol.poll_battery()) if isinstance(e, BatteryLevel)]
    assert 90 < level.percent <= 100
    n_sent = len(v.sent)
    v.run(v.protocol.save())
    assert len(v.sent) == n_sent
    v.run(v.protocol.stop())
    assert not samples(v.pass_time(1.0))


def test_rename_changes_the_name_and_nothing_else(dialogue, monkeypatch):
    device = firmware(30.0)
    v = dialogue(create_protocol("movella-dot"), device)
    v.run(v.protocol.rename("Füße links"))
    replies = {e.key: e.value for e in v.run(v.protocol.identify()) if isinstance(e, DeviceReply)}
    assert (replies["devicename"], replies["outputrate"]) == ("Füße links", 30)
    for bad in ("", "a:b", "seventeen letters", "ü" * 9):
        with pytest.raises(InputError, match="will not do"):
            v.run(v.protocol.rename(bad))
    monkeypatch.setattr(device, "_apply_control", lambda *_: None)
    with pytest.raises(LinkError, match="keeps its name 'Füße links'"):
        v.run(v.protocol.rename("left"))


def test_reports_become_messages(dialogue):
    v = dialogue(create_protocol("movella-dot"), firmware())
    v.firmware.on_write(DEVICE_CONTROL, b"\x02\x00\x01" + bytes(29), 0.0)
    (message,) = [e for e in v.pass_time(0.1) if isinstance(e, DeviceMessage)]
    assert message.is_error
    assert v.protocol.feed(b"\x63" + bytes(35), DEVICE_REPORT) == []
    assert v.protocol.health.skipped_frames == 1


def test_the_clock_goes_on_over_a_wrap_and_over_a_reconnect(dialogue):
    wrap_s = 2**32 / 1e6
    v = dialogue(create_protocol("movella-dot"), firmware(clock=SensorClock(wrap_s - 1.0)))
    v.run(v.protocol.configure())
    first = times(v.pass_time(3.0))
    v.protocol.reset()
    v.now_s += 60.0
    v.run(v.protocol.configure())
    second = times(v.pass_time(1.0))
    steps = np.diff(np.concatenate([first, second]))
    assert (steps > 0).all()
    assert np.sort(steps)[-1] == pytest.approx(60.1e6, abs=0.2e6)
    assert np.sort(steps)[-2] <= 16667
    assert first[-1] > 2**32


@pytest.mark.parametrize("uptime_s", [100.0, 2_000.0, 5_000.0])
def test_a_restart_is_a_clock_that_went_back(uptime_s):
    protocol = create_protocol("movella-dot")
    start_us = int(uptime_s * 1e6)
    stamps = [start_us - 2_000_000 + i * 16_667 for i in range(120)]
    before = times(e for t in stamps for e in protocol.feed(frame(t)))
    protocol.reset()
    after = times(e for t in (5_000_000, 5_016_667) for e in protocol.feed(frame(t)))
    assert (np.diff(before) > 0).all()
    assert after.tolist() == [5_000_000, 5_016_667]


def test_wraps_and_restarts_are_found_inside_one_feed_too():
    stamps = [2**32 - 10, 16_657, 33_324, 3_000_000_000, 3_000_016_667, 700, 17_367]
    one, many = create_protocol("movella-dot"), create_protocol("movella-dot")
    whole = times(one.feed(b"".join(frame(t) for t in stamps), MEDIUM_PAYLOAD))
    piece = times(e for t in stamps for e in many.feed(frame(t), MEDIUM_PAYLOAD))
    assert whole.tolist() == piece.tolist()
    assert whole[1] == 2**32 + 16_657
    assert whole[-1] == 17_367


def test_a_late_notification_does_not_disturb_the_clock():
    protocol = create_protocol("movella-dot")
    stamps = [2**32 - 10, 16_657, 33_324, 16_657, 50_000]
    got = times(e for t in stamps for e in protocol.feed(frame(t)))
    assert (got - 2**32).tolist() == [-10, 16_657, 33_324, 16_657, 50_000]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(1)[:39],
        frame(1) + b"\x00",
        frame(1, acc=(float("nan"), 0, 0)),
        frame(1, gyr=(float("inf"), 0, 0)),
        frame(1, acc=(1e9, 0, 0)),
    ],
)
def test_damage_is_dropped_and_counted(data):
    protocol = create_protocol("movella-dot")
    assert protocol.feed(data, MEDIUM_PAYLOAD) == []
    assert protocol.health.corrupt_bytes == len(data)
    assert protocol.health.frames == 0
    assert len(protocol.feed(frame(1) + frame(2, acc=(float("nan"), 0, 0)) + frame(3))[0]) == 2
