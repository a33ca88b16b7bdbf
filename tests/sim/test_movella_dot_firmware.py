"""Movella DOT firmware against the bytes and rules of the specification."""

import struct

import numpy as np
import pytest

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import Payload, RefusedByDevice, Unit
from subtalar_sim.firmware.movella_dot import (
    BATTERY,
    DEVICE_CONTROL,
    DEVICE_INFO,
    DEVICE_REPORT,
    LONG_PAYLOAD,
    MEASUREMENT,
    MEDIUM_PAYLOAD,
    SHORT_PAYLOAD,
    MovellaDot,
    encode_payloads,
)
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray

START_RATE, START_CUSTOM5, STOP = bytes((1, 1, 21)), bytes((1, 1, 26)), bytes((1, 0, 21))


class Turntable:
    """At rest until ``moves_s``, then turning about the vertical."""

    def __init__(self, moves_s: float = np.inf) -> None:
        self.moves_s = moves_s

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        acc = np.tile([0.0, 0.0, 9.8125], (len(t_s), 1))
        return ImuSamples(t_s, acc, np.zeros((len(t_s), 3)), self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        angle = np.maximum(t_s - self.moves_s, 0.0)
        c, s = np.cos(angle), np.sin(angle)
        R = np.zeros((len(t_s), 3, 3))
        R[:, 0, 0], R[:, 0, 1], R[:, 1, 0], R[:, 1, 1], R[:, 2, 2] = c, -s, s, c, 1.0
        return R


def device(
    rate_hz: float = 60.0, faults: FaultPlan = NO_FAULTS, offset_s: float = 0.0, moves_s: float = np.inf
) -> MovellaDot:
    clock = SensorClock(offset_s, 0.0)
    return MovellaDot(Unit(Turntable(moves_s), clock, GapDrawer(faults, rate_hz, 1, "left_foot"), rate_hz))


def subscribed(dot: MovellaDot, *uuids: str, now_s: float = 0.0) -> MovellaDot:
    for uuid in uuids:
        dot.on_subscribe(uuid, subscribed=True, now_s=now_s)
    return dot


def run(dot: MovellaDot, begin_s: float, end_s: float) -> list[Payload]:
    return [p for now_s in np.arange(begin_s, end_s, 0.01) for p in dot.poll(float(now_s))]


def set_rate(rate_hz: int) -> bytes:
    return b"\x10" + bytes(23) + struct.pack("<H", rate_hz) + bytes(6)


def test_encodes_the_vectors_of_the_document() -> None:
    sample = ImuSamples(np.zeros(1), np.array([[0, 0, 9.8125]]), np.radians([[90.0, -45.0, 0.5]]), np.eye(3)[None])
    (custom5,) = encode_payloads(sample, np.array([1e6]), 26)
    expected = "40420F000000803F000000000000000000000000000000000000000000001D410000B442000034C20000003F"
    assert custom5 == bytes.fromhex(expected) + bytes(19)
    (rate,) = encode_payloads(sample, np.array([1e6]), 21)
    assert rate == custom5[:4] + custom5[20:44] + bytes(12)
    (with_mag,) = encode_payloads(sample, np.array([2.0**32 + 7]), 20)
    assert with_mag[:4] == struct.pack("<I", 7)
    assert with_mag[28:34] != bytes(6)
    assert len(with_mag) == 40


def test_only_the_characteristic_of_the_mode_speaks_and_only_after_the_start() -> None:
    dot = subscribed(device(), MEDIUM_PAYLOAD)
    assert run(dot, 0.0, 1.0) == []
    dot.on_write(MEASUREMENT, START_CUSTOM5, 1.0)
    assert run(dot, 1.0, 2.0) == []  # the wrong pairing is silence
    assert dot.ledger.sent == 0
    assert dot.ledger.unsent == pytest.approx(59, abs=2)
    subscribed(dot, LONG_PAYLOAD)
    payloads = run(dot, 2.0, 3.0)
    assert {(p.source, len(p.data), p.samples) for p in payloads} == {(LONG_PAYLOAD, 63, 1)}
    assert len(payloads) == pytest.approx(60, abs=2)
    dot.on_write(MEASUREMENT, STOP, 3.0)
    assert run(dot, 3.0, 4.0) == []


def test_a_notification_that_does_not_fit_the_mtu_is_not_sent() -> None:
    dot = subscribed(device(), MEDIUM_PAYLOAD)
    dot.max_payload = 39
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    assert run(dot, 0.0, 1.0) == []
    dot.max_payload = 40
    assert run(dot, 1.0, 2.0)


def test_steps_are_one_period_of_the_sensors_own_clock_which_wraps_at_32_bits() -> None:
    dot = subscribed(device(offset_s=2**32 / 1e6 - 0.5), MEDIUM_PAYLOAD)
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    stamps = np.array([struct.unpack_from("<I", p.data)[0] for p in run(dot, 0.0, 1.0)], dtype=np.int64)
    steps = np.diff(stamps)
    assert np.count_nonzero(steps < 0) == 1
    assert set((steps % 2**32).tolist()) <= {16666, 16667}


def test_only_masked_fields_apply_and_no_rate_while_measuring() -> None:
    dot = device()
    tag = bytes((0x08, 0, 0, 0, 0, 0, 0, 3)) + b"abc" + bytes(21)
    dot.on_write(DEVICE_CONTROL, tag, 0.0)
    control = dot.on_read(DEVICE_CONTROL, 0.0)
    assert control[7:11] == b"\x03abc"
    assert (control[3], control[5], control[24]) == (10, 30, 60)  # the zeros were not applied
    dot.on_write(DEVICE_CONTROL, set_rate(30), 0.0)
    assert dot.rate_hz == 30
    dot.on_write(DEVICE_CONTROL, set_rate(35), 0.0)
    assert dot.rate_hz == 30
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    dot.on_write(DEVICE_CONTROL, set_rate(60), 0.0)
    assert dot.rate_hz == 30
    dot.on_write(MEASUREMENT, STOP, 1.0)
    dot.on_write(DEVICE_CONTROL, set_rate(120), 1.0)
    assert dot.rate_hz == 120
    dot.on_write(MEASUREMENT, START_RATE, 1.0)
    assert not dot.is_measuring  # 120 Hz is for recordings


def test_unknown_modes_wrong_lengths_and_wrong_characteristics() -> None:
    dot = device()
    dot.on_write(MEASUREMENT, bytes((1, 1, 0x26)), 0.0)
    assert not dot.is_measuring
    for uuid, data in ((MEASUREMENT, b"\x01"), (DEVICE_CONTROL, bytes(31)), (DEVICE_INFO, bytes(34))):
        with pytest.raises(RefusedByDevice):
            dot.on_write(uuid, data, 0.0)
    with pytest.raises(RefusedByDevice):
        dot.on_read(SHORT_PAYLOAD, 0.0)


def test_identify_blinks_for_ten_seconds() -> None:
    dot = device()
    dot.on_write(DEVICE_CONTROL, b"\x01\x01" + bytes(30), 5.0)
    assert dot.identified_until_s == 15.0
    assert dot.rate_hz == 60


def test_switching_off_is_reported_and_final_until_the_button() -> None:
    dot = subscribed(device(), DEVICE_REPORT, MEDIUM_PAYLOAD)
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    dot.on_write(DEVICE_CONTROL, b"\x02\x00\x01" + bytes(29), 1.0)
    reports = [p for p in run(dot, 1.0, 2.0) if p.source == DEVICE_REPORT]
    assert [p.data for p in reports] == [b"\x01" + bytes(35)]
    with pytest.raises(RefusedByDevice):
        dot.on_read(BATTERY, 2.0)
    dot.power_cycle(3.0)
    subscribed(dot, MEDIUM_PAYLOAD, now_s=3.0)
    dot.on_write(MEASUREMENT, START_RATE, 3.0)
    first = run(dot, 3.0, 3.2)[0]
    assert struct.unpack_from("<I", first.data)[0] < 20_000  # its clock began anew


def test_it_sleeps_when_left_alone_and_wakes_when_moved() -> None:
    dot = device(moves_s=1000.0)
    for now_s in range(599):
        dot.poll(float(now_s), listening=False)
    assert not dot.is_asleep
    for now_s in range(599, 990):
        dot.poll(float(now_s), listening=False)
    assert dot.is_asleep
    with pytest.raises(RefusedByDevice):
        dot.on_read(DEVICE_INFO, 990.0)
    for now_s in range(990, 1010):
        dot.poll(float(now_s), listening=False)
    assert not dot.is_asleep
    assert dot.on_read(DEVICE_INFO, 1010.0)[28:] == b"XS-T02"


def test_connected_and_idle_it_says_that_it_goes_to_sleep_but_never_while_measuring() -> None:
    dot = subscribed(device(rate_hz=1.0), DEVICE_REPORT, MEDIUM_PAYLOAD)
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    for now_s in range(2000):
        dot.poll(float(now_s))
    assert not dot.is_asleep
    dot.on_write(MEASUREMENT, STOP, 2000.0)
    payloads = [p for now_s in range(2000, 3900) for p in dot.poll(float(now_s))]
    assert [p.data[0] for p in payloads if p.source == DEVICE_REPORT] == [4]


def test_battery_is_notified_when_it_changes() -> None:
    dot = subscribed(device(rate_hz=1.0), BATTERY)
    level = dot.on_read(BATTERY, 0.0)
    assert level[1] == 0
    payloads = [p for now_s in range(500) for p in dot.poll(float(now_s))]
    assert [p.data[0] for p in payloads] == [level[0] - 1, level[0] - 2]


def test_gaps_are_lost_in_the_sensor_and_counted_exactly() -> None:
    dot = subscribed(device(faults=FaultPlan(gap_rate_per_s=2.0, gap_samples=4.0)), MEDIUM_PAYLOAD)
    dot.on_write(MEASUREMENT, START_RATE, 0.0)
    stamps = np.array([struct.unpack_from("<I", p.data)[0] for p in run(dot, 0.0, 30.0)], dtype=np.int64)
    missing = int(np.sum(np.round(np.diff(stamps) * 60e-6) - 1))
    assert dot.ledger.sent == len(stamps)
    assert missing > 50
    assert abs(missing - dot.ledger.lost) <= 8  # a gap at the very end has no sample after it


def test_rates_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="1, 4, 10"):
        device(120.0)
