"""WitMotion standard-protocol firmware against the bytes of the protocol document."""

import struct

import numpy as np
import pytest

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import RefusedByDevice, Unit
from subtalar_sim.firmware.witmotion_registers import BUSY_S
from subtalar_sim.firmware.witmotion_serial import NOTIFY_UUID, WRITE_UUID, WitMotionSerial, encode_samples
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray

G = 9.80665
UNLOCK, SAVE, RESTART = (bytes.fromhex(h) for h in ("FFAA6988B5", "FFAA000000", "FFAA00FF00"))
TIMED, RATE_200, RATE_20 = (bytes.fromhex(h) for h in ("FFAA020700", "FFAA030B00", "FFAA030700"))
READ_CONTENT, BAUD_9600 = bytes.fromhex("FFAA270200"), bytes.fromhex("FFAA040200")


class Still:
    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        acc = np.tile([0.0, 0.0, G], (len(t_s), 1))
        return ImuSamples(t_s, acc, np.zeros((len(t_s), 3)), self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def device(rate_hz: float = 100.0, faults: FaultPlan = NO_FAULTS, interface: str = "pty") -> WitMotionSerial:
    gaps = GapDrawer(faults, rate_hz, 1, "left_foot")
    return WitMotionSerial(Unit(Still(), SensorClock(50.0), gaps, rate_hz, interface=interface))


def frames(sensor: WitMotionSerial, begin_s: float, end_s: float) -> list[bytes]:
    """Checked frames: every byte of the stream belongs to one."""
    stream = b"".join(p.data for now_s in np.arange(begin_s, end_s, 0.01) for p in sensor.poll(float(now_s)))
    out = [stream[i : i + 11] for i in range(0, len(stream), 11)]
    assert all(f[0] == 0x55 and sum(f[:10]) & 0xFF == f[10] for f in out)
    return out


def test_encodes_the_vectors_of_the_document() -> None:
    yaw = np.array([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
    one = ImuSamples(np.zeros(1), np.array([[0, 0, G]]), np.radians([[1000.0, -1000.0, 0.0]]), yaw)
    (raw,) = encode_samples(one, np.zeros(1), 0b1110)
    assert raw[:22] == bytes.fromhex("5551000000000008C4097B" + "5552004000C000000000A7")
    assert raw[22:30] == bytes.fromhex("5553000000000040")


def test_time_frames_are_the_calendar_since_power_on() -> None:
    one = ImuSamples(np.zeros(1), np.zeros((1, 3)), np.zeros((1, 3)), np.eye(3)[None])
    (raw,) = encode_samples(one, np.array([58 * 86400 + 23 * 3600 + 59 * 60 + 58.25]), 1)
    assert raw[:2] == b"\x55\x50"
    assert struct.unpack("<6BH", raw[2:10]) == (15, 2, 28, 23, 59, 58, 250)


def test_saturates_at_the_ends_of_sixteen_bits() -> None:
    one = ImuSamples(np.zeros(1), np.array([[20 * G, -20 * G, 0]]), np.radians([[2000.0, -2001.0, 0]]), np.eye(3)[None])
    (raw,) = encode_samples(one, np.zeros(1), 0b110)
    assert struct.unpack("<2h", raw[2:6]) == struct.unpack("<2h", raw[13:17]) == (32767, -32768)


def test_streams_its_default_content_at_once_and_what_it_is_told_after_the_unlock() -> None:
    sensor = device(10.0)
    got = frames(sensor, 0.0, 2.0)
    assert [f[1] for f in got[:4]] == [0x51, 0x52, 0x53, 0x54]
    assert len(got) == pytest.approx(80, abs=4)
    sensor.on_bytes(TIMED + RATE_200, 2.0)  # locked
    assert frames(sensor, 2.0, 2.5)[0][1] == 0x51
    sensor.on_bytes(UNLOCK + TIMED + RATE_200, 2.5)
    got = frames(sensor, 2.5, 3.5)
    assert {f[1] for f in got} == {0x50, 0x51, 0x52}
    assert len(got) == pytest.approx(600, abs=12)
    times = [struct.unpack_from("<H", f, 8)[0] for f in got if f[1] == 0x50]
    assert set((np.diff(times) % 1000).tolist()) <= {4, 5, 6}


def test_answers_hold_four_registers_and_do_not_say_which() -> None:
    sensor = device(100.0)
    sensor.on_bytes(READ_CONTENT, 0.0)
    (answer,) = (f for f in frames(sensor, 0.0, 0.1) if f[1] == 0x5F)
    assert struct.unpack("<4H", answer[2:10]) == (0x1E, 0x09, 0x06, 0)


def test_save_keeps_settings_busies_the_device_and_a_restart_begins_the_calendar_anew() -> None:
    sensor = device(100.0)
    sensor.on_bytes(UNLOCK + TIMED + SAVE + RATE_200, 1.0)
    assert sensor.registers[0x03] == 0x09  # busy
    sensor.on_bytes(RATE_200, 1.0 + BUSY_S + 0.01)
    assert sensor.registers[0x03] == 0x0B
    sensor.on_bytes(RESTART, 5.0)
    assert (sensor.registers[0x02], sensor.registers[0x03]) == (0x07, 0x09)
    first = next(f for f in frames(sensor, 5.0, 5.2) if f[1] == 0x50)
    assert struct.unpack("<6B", first[2:8]) == (15, 1, 1, 0, 0, 0)


def test_a_slow_port_carries_fewer_whole_samples() -> None:
    sensor = device(100.0)
    sensor.on_bytes(UNLOCK + TIMED + BAUD_9600, 0.0)
    got = frames(sensor, 0.0, 4.0)
    assert len(got) * 11 * 10 <= 9600 * 4
    assert [f[1] for f in got[:6]] == [0x50, 0x51, 0x52] * 2
    assert sensor.ledger.sent == len(got) // 3
    assert sensor.ledger.sent + sensor.ledger.lost == pytest.approx(400, abs=3)


def test_over_bluetooth_the_stream_is_cut_to_the_mtu_and_loses_no_byte() -> None:
    wired, dual = device(100.0), device(100.0, interface="ble")
    dual.max_payload = 20
    whole = b"".join(frames(wired, 0.0, 1.0))
    parts = [p for now_s in np.arange(0.0, 1.0, 0.01) for p in dual.poll(float(now_s))]
    assert {p.source for p in parts} == {NOTIFY_UUID}
    assert max(len(p.data) for p in parts) == 20
    assert b"".join(p.data for p in parts) == whole
    assert sum(p.samples for p in parts) == dual.ledger.sent == wired.ledger.sent
    dual.on_write(WRITE_UUID, UNLOCK + RATE_20, 1.0)
    assert dual.registers[0x03] == 0x07
    with pytest.raises(RefusedByDevice):
        dual.on_read(NOTIFY_UUID, 1.0)


def test_gaps_are_counted_exactly_and_what_nobody_hears_is_unsent() -> None:
    lossy = device(100.0, FaultPlan(gap_rate_per_s=2.0, gap_samples=4.0))
    whole = device(100.0)
    n_lossy, n_whole = len(frames(lossy, 0.0, 10.0)) // 4, len(frames(whole, 0.0, 10.0)) // 4
    assert lossy.ledger.lost > 20
    assert (lossy.ledger.sent, lossy.ledger.sent + lossy.ledger.lost) == (n_lossy, n_whole)
    assert whole.poll(12.0, listening=False) == []
    assert whole.ledger.unsent > 180


def test_rates_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="not 125"):
        device(125.0)
