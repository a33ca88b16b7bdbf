"""Thingy:52 firmware against the rules of Nordic's own."""

import struct

import numpy as np
import pytest

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import Payload, RefusedByDevice, Unit
from subtalar_sim.firmware.thingy52 import (
    BATTERY,
    DEVICE_NAME,
    FIRMWARE_VERSION,
    LED,
    MOTION_CONFIG,
    RAW_MOTION,
    Thingy52,
    encode_raw,
)
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray

G = 9.80665
WRITE_NOT_PERMITTED = 0x03


class Still:
    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        acc = np.tile([0.0, 0.0, G], (len(t_s), 1))
        return ImuSamples(t_s, acc, np.zeros((len(t_s), 3)), self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def device(rate_hz: float = 100.0, faults: FaultPlan = NO_FAULTS) -> Thingy52:
    return Thingy52(Unit(Still(), SensorClock(), GapDrawer(faults, rate_hz, 1, "left_foot"), rate_hz))


def run(thingy: Thingy52, begin_s: float, end_s: float) -> list[Payload]:
    return [p for now_s in np.arange(begin_s, end_s, 0.01) for p in thingy.poll(float(now_s))]


def sample(acc_g: list[float], gyr_deg_s: list[float]) -> tuple[int, ...]:
    one = ImuSamples(np.zeros(1), G * np.array([acc_g]), np.radians([gyr_deg_s]), np.eye(3)[None])
    (frame,) = encode_raw(one)
    return struct.unpack("<9h", frame)


def test_acceleration_is_sent_positive_down_and_rates_as_they_are() -> None:
    assert sample([-1, 0, 1], [250, -1, 0])[:6] == (1024, 0, -1024, 8000, -32, 0)


def test_rates_are_clamped_by_their_whole_part() -> None:
    assert sample([0, 0, 0], [1022.97, 1023.5, 1900.0])[3:6] == (32735, 32736, 32736)
    assert sample([0, 0, 0], [-1023.9, -1024.0, -1900.0])[3:6] == (-32765, -32768, -32768)
    assert sample([-40, 40, 0], [0, 0, 0])[:2] == (31 * 1024, -32 * 1024)


def test_subscribing_starts_and_unsubscribing_stops() -> None:
    thingy = device()
    assert run(thingy, 0.0, 1.0) == []
    thingy.on_subscribe(RAW_MOTION, subscribed=True, now_s=1.0)
    payloads = run(thingy, 1.0, 3.15)
    assert len(payloads) == pytest.approx(200, abs=2)
    assert {(p.source, len(p.data), p.samples) for p in payloads} == {(RAW_MOTION, 18, 1)}
    thingy.on_subscribe(RAW_MOTION, subscribed=False, now_s=3.15)
    assert run(thingy, 3.15, 4.0) == []
    assert thingy.ledger.sent == len(payloads)


def test_a_new_rate_takes_effect_at_once_is_rounded_and_survives_the_switch() -> None:
    thingy = device(10.0)
    thingy.on_subscribe(RAW_MOTION, subscribed=True, now_s=0.0)
    thingy.on_write(MOTION_CONFIG, bytes.fromhex("F401F401F4013C0000"), 1.0)
    n = len(run(thingy, 1.15, 4.15))
    assert n == pytest.approx(200, abs=3)  # 60 Hz becomes 200 / 3
    thingy.power_cycle(5.0)
    assert thingy.on_read(MOTION_CONFIG, 5.0) == bytes.fromhex("F401F401F4013C0000")
    assert run(thingy, 5.0, 6.0) == []


@pytest.mark.parametrize(
    "data",
    [
        "F401F401F401C9000000",
        "F401F401F401C800",
        "F401F401F401C90000",
        "F401F401F401040000",
        "6300F401F401C80000",
        "F401F401E903C80000",
        "F401F401F401C80002",
        "",
    ],
)
def test_a_configuration_out_of_range_is_refused_and_changes_nothing(data: str) -> None:
    thingy = device()
    before = thingy.on_read(MOTION_CONFIG, 0.0)
    with pytest.raises(RefusedByDevice) as refusal:
        thingy.on_write(MOTION_CONFIG, bytes.fromhex(data), 0.0)
    assert refusal.value.att_error == WRITE_NOT_PERMITTED
    assert thingy.on_read(MOTION_CONFIG, 0.0) == before


def test_the_led_takes_its_four_modes_and_nothing_else() -> None:
    thingy = device()
    for good in ("00", "01ff0080", "0207643200", "030764"):
        thingy.on_write(LED, bytes.fromhex(good), 0.0)
        assert thingy.on_read(LED, 0.0) == bytes.fromhex(good).ljust(5, b"\0")
    for bad in ("", "04", "0000", "01ff00", "0207643100", "0207653200", "030064", "030864"):
        with pytest.raises(RefusedByDevice):
            thingy.on_write(LED, bytes.fromhex(bad), 0.0)


def test_what_can_be_read_and_what_not() -> None:
    thingy = device()
    assert thingy.on_read(FIRMWARE_VERSION, 0.0) == bytes((2, 2, 0))
    assert thingy.on_read(DEVICE_NAME, 0.0) == b"Thingy"
    with pytest.raises(RefusedByDevice):
        thingy.on_read(RAW_MOTION, 0.0)
    with pytest.raises(RefusedByDevice):
        thingy.on_write(DEVICE_NAME, b"longer than ten", 0.0)


def test_battery_is_notified_when_it_changes() -> None:
    thingy = device()
    thingy.on_subscribe(BATTERY, subscribed=True, now_s=0.0)
    level = thingy.on_read(BATTERY, 0.0)[0]
    payloads = [p for now_s in range(700) for p in thingy.poll(float(now_s))]
    assert [(p.source, p.data[0]) for p in payloads] == [(BATTERY, level - 1), (BATTERY, level - 2)]


def test_gaps_are_counted_exactly_and_what_nobody_hears_is_unsent() -> None:
    faults = FaultPlan(gap_rate_per_s=2.0, gap_samples=4.0)
    whole, lossy = device(), device(faults=faults)
    for thingy in (whole, lossy):
        thingy.on_subscribe(RAW_MOTION, subscribed=True, now_s=0.0)
    n_whole, n_lossy = len(run(whole, 0.0, 20.0)), len(run(lossy, 0.0, 20.0))
    assert lossy.ledger.lost > 50
    assert n_lossy + lossy.ledger.lost == n_whole
    assert lossy.poll(21.0, listening=False) == []
    assert lossy.ledger.unsent > 80


def test_rates_that_are_not_true_are_not_made() -> None:
    with pytest.raises(ValueError, match="5, 10, 20"):
        device(60.0)
