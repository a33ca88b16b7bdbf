"""WitMotion BLE firmware against the bytes of the protocol document."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware import WitMotionBle
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.witmotion_ble import RATE_HZ, encode_frames, rate_code
from subtalar_sim.firmware.witmotion_registers import BUSY_S
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray

G = 9.80665
UNLOCK, SAVE = bytes.fromhex("FFAA6988B5"), bytes.fromhex("FFAA000000")
RATE_200, RATE_50 = bytes.fromhex("FFAA030B00"), bytes.fromhex("FFAA030800")
READ_BATTERY, READ_RATE = bytes.fromhex("FFAA276400"), bytes.fromhex("FFAA270300")


class Ramp:
    """A source whose acceleration says which instant it was measured at."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        acc = np.column_stack([t_s, np.zeros((len(t_s), 2))])
        return ImuSamples(t_s, acc, np.zeros((len(t_s), 3)), self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def device(rate_hz: float = 200.0, faults: FaultPlan = NO_FAULTS) -> WitMotionBle:
    return WitMotionBle(Unit(Ramp(), SensorClock(), GapDrawer(faults, rate_hz, 1, "right_foot"), rate_hz))


def samples(acc_g: list[float], gyr_deg_s: list[float], yaw_deg: float = 0.0) -> ImuSamples:
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    R = np.array([[[c, -s, 0], [s, c, 0], [0, 0, 1.0]]])
    return ImuSamples(np.zeros(1), np.array([acc_g]) * G, np.radians([gyr_deg_s]), R)


def run(firmware: WitMotionBle, until_s: float, step_s: float = 0.004, start_s: float = 0.0) -> list[bytes]:
    out = []
    for now in np.arange(start_s, until_s, step_s):
        out += [p.data for p in firmware.poll(float(now))]
    return out


def test_one_g_and_yaw_of_ninety_degrees_is_the_documented_frame() -> None:
    frame = encode_frames(samples([0, 0, 1.0], [0, 0, 0], 90.0))
    assert frame == [bytes.fromhex("5561000000000008000000000000000000000040")]


def test_values_of_the_captured_frame_encode_to_its_bytes() -> None:
    frame = encode_frames(samples([0.71924, 0.19922, 0.67188], [-0.73242, 1.15967, -0.67139]))
    assert frame[0][:14] == bytes.fromhex("5561c10598016005f4ff1300f5ff")


def test_values_beyond_the_range_saturate_at_the_ends_of_sixteen_bits() -> None:
    frame = encode_frames(samples([17.0, -17.0, 16.0], [2000.0, -2000.0, 2500.0]))[0]
    assert struct.unpack("<6h", frame[2:14]) == (32767, -32768, 32767, 32767, -32768, 32767)


def test_four_frames_share_a_notification_from_fifty_hertz_up() -> None:
    for rate_hz, size in ((10.0, 20), (20.0, 20), (50.0, 80), (100.0, 80), (200.0, 80)):
        payloads = run(device(rate_hz), 3.0)
        assert payloads
        assert {len(p) for p in payloads} == {size}
        assert all(p[i : i + 2] == b"\x55\x61" for p in payloads for i in range(0, size, 20))


@pytest.mark.parametrize(("rate_hz", "real"), [(200.0, 198.43), (100.0, 99.26), (50.0, 49.45), (20.0, 19.86)])
def test_real_rates_are_the_measured_ones(rate_hz: float, real: float) -> None:
    n = sum(len(p) for p in run(device(rate_hz), 20.0)) // 20
    assert n == pytest.approx(20.0 * real, abs=5)
    assert RATE_HZ[rate_code(rate_hz)] == real


def test_an_mtu_below_a_batch_splits_frames_and_loses_no_byte() -> None:
    whole = b"".join(run(device(), 1.0))
    small = device()
    small.max_payload = 20 + 3
    parts = run(small, 1.0)
    assert {len(p) for p in parts} == {23, 80 - 3 * 23}
    assert b"".join(parts) == whole
    assert small.ledger.sent == len(whole) // 20


def test_battery_reads_as_volts_times_hundred_and_as_nothing_while_busy_after_a_save() -> None:
    d = device(10.0)

    def battery(now: float) -> int:
        d.on_bytes(READ_BATTERY, now)
        answer = next(p.data for p in d.poll(now + 0.02) if p.data[1] == 0x71)
        assert answer[:4] == bytes.fromhex("55716400")
        assert len(answer) == 20
        return int(struct.unpack_from("<H", answer, 4)[0])

    assert battery(0.1) == 397
    d.on_bytes(UNLOCK + SAVE, 1.0)
    assert battery(1.1) == 0
    assert battery(1.0 + BUSY_S + 0.01) == 397
    assert 0.29 < BUSY_S < 0.33


def test_settings_need_the_unlock_which_lasts_ten_seconds() -> None:
    d = device(200.0)
    d.on_bytes(RATE_50, 0.0)
    assert d.registers[0x03] == 0x0B
    d.on_bytes(UNLOCK, 1.0)
    d.on_bytes(RATE_50, 11.1)
    assert d.registers[0x03] == 0x0B
    d.on_bytes(UNLOCK, 12.0)
    d.on_bytes(RATE_50, 12.1)
    assert d.registers[0x03] == 0x08
    d.on_bytes(READ_RATE, 12.2)
    assert bytes.fromhex("557103000800") in [p.data[:6] for p in d.poll(12.3)]


def test_without_save_a_setting_does_not_survive_the_power_switch() -> None:
    for save in (False, True):
        d = device(200.0)
        d.on_bytes(UNLOCK + RATE_50 + (SAVE if save else b""), 1.0)
        d.power_cycle(5.0)
        assert d.registers[0x03] == (0x08 if save else 0x0B)
        n = sum(len(p) for p in run(d, 7.0, start_s=5.0)) // 20
        assert n == pytest.approx(2 * (49.45 if save else 198.43), abs=6)


def test_writes_while_busy_are_ignored() -> None:
    d = device(200.0)
    d.on_bytes(UNLOCK + SAVE + RATE_50, 1.0)
    assert d.registers[0x03] == 0x0B


def test_rate_change_takes_effect_at_once_and_no_command_stops_the_stream() -> None:
    d = device(200.0)
    d.poll(1.0)
    d.on_bytes(UNLOCK + RATE_50, 1.0)
    assert sum(len(p) for p in run(d, 3.0, start_s=1.0)) // 20 == pytest.approx(99, abs=4)
    assert d.next_deadline_s() < 3.2


@given(noise=st.binary(max_size=30), cuts=st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=60, deadline=None)
def test_commands_may_be_cut_anywhere_and_follow_any_noise(noise: bytes, cuts: list[int]) -> None:
    # An FF at the end of noise may swallow the next command, as on the device: the last two stand in for a retry.
    stream = noise.replace(b"\xff", b"\x00") + UNLOCK + RATE_50 + UNLOCK + RATE_50
    d = device(200.0)
    edges = [0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]
    for a, b in pairwise(edges):
        d.on_bytes(stream[a:b], 0.5)
    assert d.registers[0x03] == 0x08


def test_gaps_are_lost_in_the_sensor_and_counted_exactly() -> None:
    d = device(200.0, FaultPlan(gap_rate_per_s=2.0, gap_samples=6.0))
    whole, lossy = run(device(200.0), 20.0), run(d, 20.0)
    sent = sum(len(p) for p in lossy) // 20
    measured = sum(len(p) for p in whole) // 20
    assert d.ledger.sent == sent
    assert d.ledger.lost > 50
    assert sent + d.ledger.lost == pytest.approx(measured, abs=4)


def test_what_nobody_hears_is_counted_as_unsent_and_not_measured_in_vain() -> None:
    d = device(200.0)
    for now in np.arange(0.0, 10.0, 0.03):
        assert d.poll(float(now), listening=False) == []
    assert d.ledger.sent == 0
    assert d.ledger.unsent == pytest.approx(1984, abs=90)
    assert run(d, 11.0, start_s=10.0)


def test_rates_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="10, 20, 50, 100 or 200"):
        device(125.0)
