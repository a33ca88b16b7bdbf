"""The Thingy:52 codec against the simulated Thingy:52."""

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError
from subtalar.protocol import BatteryLevel, DeviceReply, InertialSamples, Pause, create_protocol
from subtalar.protocol.thingy52 import LED, MOTION_CONFIG
from subtalar_sim.clock import SensorClock
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.thingy52 import Thingy52 as Firmware

SITE = "right_shank"


def firmware(rate_hz: float = 10.0) -> Firmware:
    config = SimulationConfig(device="thingy52", quality="perfect")
    source = config.make_imu(config.make_body(), SITE)
    return Firmware(Unit(source, SensorClock(), GapDrawer(NO_FAULTS, rate_hz, 1, SITE), rate_hz))


def joined(events) -> tuple[np.ndarray, np.ndarray]:
    batches = [e for e in events if isinstance(e, InertialSamples)]
    assert all(batch.device_time_us is None for batch in batches)
    return np.concatenate([b.acc_m_s2 for b in batches]), np.concatenate([b.gyr_rad_s for b in batches])


def test_configure_keeps_the_other_settings_and_the_data_are_specific_force(dialogue):
    device = firmware(10.0)
    v = dialogue(create_protocol("thingy52", 200), device)
    before = device.config
    v.run(v.protocol.configure())
    assert device.config == (*before[:3], 200, before[4])
    begin_s = v.now_s + 0.15
    v.pass_time(0.15)
    acc, gyr = joined(v.pass_time(1.0))
    assert len(acc) == pytest.approx(200, abs=3)
    config = SimulationConfig(device="thingy52", quality="perfect")
    truth = config.make_imu(config.make_body(), SITE).ideal(np.array([begin_s + 0.5]))
    np.testing.assert_allclose(acc[len(acc) // 2], truth.acc_m_s2[0], atol=0.2)
    np.testing.assert_allclose(gyr[len(gyr) // 2], truth.gyr_rad_s[0], atol=0.05)
    assert np.linalg.norm(truth.acc_m_s2[0]) == pytest.approx(GRAVITY_M_S2, rel=0.05)


def test_a_rate_that_is_set_already_spares_the_flash(dialogue):
    v = dialogue(create_protocol("thingy52", 50), firmware(50.0))
    v.run(v.protocol.configure())
    assert v.sent == []


def test_one_that_keeps_its_rate_is_an_error(dialogue, monkeypatch):
    device = firmware(10.0)
    monkeypatch.setattr(device, "on_write", lambda *_: None)
    v = dialogue(create_protocol("thingy52", 200), device)
    with pytest.raises(LinkError, match="stays at 10 Hz instead of 200 Hz"):
        v.run(v.protocol.configure())
    monkeypatch.setattr(device, "on_read", lambda *_: b"")
    with pytest.raises(LinkError, match="does not answer as a Thingy:52"):
        v.run(v.protocol.configure())


def test_blink_lights_up_once_and_leaves_the_led_as_it_was(dialogue):
    device = firmware()
    v = dialogue(create_protocol("thingy52"), device)
    for led in ("0202140000", "01102030", "00"):
        device.led = bytes.fromhex(led)
        if led == "0202140000":
            device.led = bytes.fromhex("020214ac0d")
        before, v.sent[:] = device.led, []
        begin_s = v.now_s
        v.run(v.protocol.blink())
        assert v.sent == [(LED, bytes.fromhex("030764")), (LED, before)]
        assert device.led == before
        assert v.now_s - begin_s > 2.5


def test_blink_does_not_leave_a_single_flash_flashing(dialogue):
    device = firmware()
    device.led = bytes.fromhex("030164")
    v = dialogue(create_protocol("thingy52"), device)
    v.run(v.protocol.blink())
    assert len(v.sent) == 1


def test_battery_identify_stop_and_save(dialogue):
    v = dialogue(create_protocol("thingy52"), firmware(100.0))
    v.run(v.protocol.configure())
    replies = {e.key: e.value for e in v.run(v.protocol.identify()) if isinstance(e, DeviceReply)}
    assert replies == {"devicename": "Thingy", "firmwareversion": "2.2.0", "outputrate": 100}
    (level,) = [e for e in v.run(v.protocol.poll_battery()) if isinstance(e, BatteryLevel)]
    assert 90 < level.percent < 100
    for script in (v.protocol.stop(), v.protocol.save()):
        assert [step for step in script if not isinstance(step, Pause)] == []
    assert v.protocol.health.corrupt_bytes == 0


def test_rename(dialogue):
    v = dialogue(create_protocol("thingy52"), firmware())
    v.run(v.protocol.rename("left foot"))
    assert v.firmware.name == "left foot"
    for bad in ("", "eleven char"):
        with pytest.raises(InputError, match="will not do"):
            v.run(v.protocol.rename(bad))


def test_rates_that_would_be_rounded_are_not_offered():
    with pytest.raises(InputError, match="choose one of 5, 10"):
        create_protocol("thingy52", 60)


@pytest.mark.parametrize("data", [b"", bytes(17), bytes(19), bytes(35)])
def test_damage_is_dropped_and_counted(data):
    protocol = create_protocol("thingy52")
    assert protocol.feed(data) == []
    assert protocol.health.corrupt_bytes == len(data)
    assert protocol.feed(b"\x65", MOTION_CONFIG) == []
