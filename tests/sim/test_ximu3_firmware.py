"""x-IMU3 firmware against the bytes of the protocol document."""

import json
import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware import XImu3
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.ximu3_messages import numeric, stuffed, text
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray


class Still:
    """One g upwards, a slow constant turn."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        n = len(t_s)
        acc, gyr = np.tile([0.0, 0.0, 9.80665], (n, 1)), np.tile(np.radians([1.0, 0, 0]), (n, 1))
        gyr[:, 1] = t_s
        return ImuSamples(t_s, acc, gyr, self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def device(rate_hz: float = 50.0, faults: FaultPlan = NO_FAULTS) -> XImu3:
    gaps = GapDrawer(faults, rate_hz, 1, "right_foot")
    return XImu3(Unit(Still(), SensorClock(10.0, 20.0), gaps, rate_hz))


def run(firmware: XImu3, until_s: float, start_s: float = 0.0) -> bytes:
    return b"".join(p.data for now in np.arange(start_s, until_s, 0.005) for p in firmware.poll(float(now)))


def unstuffed(body: bytes) -> bytes:
    return body.replace(b"\xdb\xdc", b"\x0a").replace(b"\xdb\xdd", b"\xdb")


def messages(stream: bytes) -> list[tuple[str, int, tuple[float, ...]]]:
    """Binary data messages of a stream; JSON lines are left out."""
    out = []
    for line in stream.split(b"\n")[:-1]:
        if line.startswith(b"{"):
            continue
        raw = unstuffed(line)
        letter, stamp = chr(raw[0] - 0x80), int.from_bytes(raw[1:9], "little")
        values = struct.unpack(f"<{(len(raw) - 9) // 4}f", raw[9:]) if letter not in "NF" else ()
        out.append((letter, stamp, values))
    return out


def ask(firmware: XImu3, command: str, now: float, wait: float = 0.02) -> Any:
    firmware.poll(now)
    firmware.on_bytes(command.encode() + b"\n", now)
    stream = run(firmware, now + wait, start_s=now)
    lines = [line for line in stream.split(b"\n") if line.startswith(b"{")]
    assert len(lines) <= 1
    return json.loads(lines[0]) if lines else None


def test_messages_are_the_documented_bytes() -> None:
    inertial = numeric("I", 1_000_000, [0, 0, 0, 0, 0, 1], binary=True)
    assert inertial == bytes.fromhex("C940420F0000000000" + "00" * 20 + "0000803F0A")
    battery = numeric("B", 1_000_000, [100.0, 4.2, 2.0], binary=True)
    assert battery == bytes.fromhex("C240420F00000000000000C84266668640000000400A")
    quaternion = numeric("Q", 0x0ADB, [1, 0, 0, 0], binary=True)
    assert quaternion == bytes.fromhex("D1DBDDDBDC0000000000000000803F0000000000000000000000000A")
    assert stuffed(bytes.fromhex("4558414D50DB0A")) == bytes.fromhex("4558414D50DBDDDBDC0A")
    ascii_line = numeric("I", 1_000_000, [0, 0, 0, 0, 0, 1], binary=False)
    assert ascii_line == b"I,1000000,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000\n"
    assert text("N", 5, "hello", binary=False) == b"N,5,hello\n"
    assert numeric("T", 1_000_000, [25.0], binary=True).hex().upper() == "D440420F00000000000000C8410A"


def test_streamed_messages_equal_the_single_encoder_and_lf_only_ends_a_message() -> None:
    for letter, stamp, values in messages(run(device(400.0), 1.0)):
        assert b"\n" not in numeric(letter, stamp, values, binary=True)[:-1]
    found = messages(run(device(400.0), 1.0))
    assert {m[0] for m in found} == {"I", "Q", "M", "T", "B", "W"}
    inertial = [m for m in found if m[0] == "I"]
    assert len(inertial) == pytest.approx(400, abs=4)
    assert inertial[3][2][5] == 1.0
    assert inertial[3][2][0] == pytest.approx(1.0)


@pytest.mark.parametrize("rate_hz", [400.0, 200.0, 100.0, 50.0])
def test_divisor_averages_and_stamps_the_newest_sample_on_the_device_clock(rate_hz: float) -> None:
    divisor = round(400 / rate_hz)
    found = [m for m in messages(run(device(rate_hz), 3.0)) if m[0] == "I"]
    stamps = np.array([m[1] for m in found]) * 1e-6
    np.testing.assert_allclose(np.diff(stamps), 1.0 / rate_hz, atol=2e-6)
    t = np.degrees(1.0) ** -1 * np.array([m[2][1] for m in found])  # the turn about y is the true time
    true = (stamps - 10.0) / (1 + 20e-6)
    np.testing.assert_allclose(true - t, (divisor - 1) / 2 / 400.0, atol=5e-5)


def test_settings_are_read_written_and_applied_two_seconds_after_the_last_write() -> None:
    d = device(50.0)
    assert ask(d, '{"Device Name":null}', 0.1) == {"Device Name": "x-IMU3"}
    assert ask(d, '{"serial_number":null}', 0.2) == {"serial_number": "0123-4567-89AB-CDEF"}
    assert ask(d, '{"inertialMessageRateDivisor":4}', 1.0) == {"inertialMessageRateDivisor": 4}
    assert ask(d, '{"ahrs_message_rate_divisor":0}', 2.0) == {"ahrs_message_rate_divisor": 0}

    def rate(start: float, end: float) -> float:
        return sum(m[0] == "I" for m in messages(run(d, end, start_s=start))) / (end - start)

    assert rate(2.03, 3.9) == pytest.approx(50, abs=3)
    assert rate(4.1, 6.1) == pytest.approx(100, abs=3)


def test_apply_is_at_once_and_save_answers_after_the_flash_is_written() -> None:
    d = device(50.0)
    ask(d, '{"inertial_message_rate_divisor":2}', 1.0)
    assert ask(d, '{"apply":null}', 1.1) == {"apply": None}
    assert sum(m[0] == "I" for m in messages(run(d, 2.12, start_s=1.12))) == pytest.approx(200, abs=4)
    assert ask(d, '{"save":null}', 3.0, wait=0.2) is None
    assert b'{"save":null}' in run(d, 3.4, start_s=3.2)
    d.power_cycle(4.0)
    found = [m for m in messages(run(d, 5.0, start_s=4.0)) if m[0] == "I"]
    assert len(found) == pytest.approx(200, abs=4)
    assert found[0][1] < 10_000  # the timestamp counts from power-on


@pytest.mark.parametrize(
    "command",
    [
        '{"inertial_message_rate_divisor":3}',
        '{"inertial_message_rate_divisor":"8"}',
        '{"inertial_message_rate_divisor":true}',
        '{"binary_mode_enabled":1}',
        '{"ahrs_message_type":9}',
        '{"firmware_version":"mine"}',
        '{"serial_number":"mine"}',
        '{"warp_drive":null}',
        '{"factory":null}',
        '{"erase":null}',
        '{"note":null}',
    ],
)
def test_what_the_device_refuses_is_answered_with_an_error_and_changes_nothing(command: str) -> None:
    d = device()
    before = dict(d.settings)
    answer = ask(d, command, 0.5)
    (content,) = answer.values()
    assert isinstance(content["error"], str)
    assert d.settings == before


def test_actions_are_echoed() -> None:
    d = device()
    ping = ask(d, '{"ping":null}', 0.1)
    assert ping == {"ping": {"interface": "USB", "name": "x-IMU3", "sn": "0123-4567-89AB-CDEF"}}
    assert ask(d, '{"blink":null}', 0.2) == {"blink": None}
    assert ask(d, '{"time":"2025-05-01 10:00:00"}', 0.3) == {"time": "2025-05-01 10:00:00"}
    d.on_bytes(b'{"note":"heel strike"}\n', 0.4)
    assert any(m[0] == "N" for m in messages(run(d, 0.5, start_s=0.4)))
    d.on_bytes(b"{broken\n", 0.6)
    assert any(m[0] == "F" for m in messages(run(d, 0.7, start_s=0.6)))


def test_data_messages_can_be_gated_and_ascii_mode_reads_as_text() -> None:
    d = device()
    ask(d, '{"usb_data_messages_enabled":false}', 0.5)
    ask(d, '{"apply":null}', 0.6)
    assert run(d, 2.0, start_s=0.7) == b""
    assert ask(d, '{"ping":null}', 2.1) is not None
    ask(d, '{"usb_data_messages_enabled":true}', 2.5)
    ask(d, '{"binary_mode_enabled":false}', 2.6)
    ask(d, '{"apply":null}', 2.7)
    run(d, 3.0, start_s=2.72)
    lines = run(d, 4.0, start_s=3.0).decode("ascii").splitlines()
    assert sum(line.startswith("I,") for line in lines) == pytest.approx(50, abs=2)
    assert all(len(line.split(",")) == 8 for line in lines if line.startswith("I,"))


def test_shutdown_falls_silent_after_two_seconds() -> None:
    d = device()
    ask(d, '{"shutdown":null}', 1.0)
    assert run(d, 2.9, start_s=2.0)
    assert run(d, 4.0, start_s=3.1) == b""


@given(cuts=st.lists(st.integers(0, 80), max_size=8))
@settings(max_examples=40, deadline=None)
def test_commands_may_be_cut_anywhere(cuts: list[int]) -> None:
    stream = b'junk\n{"device_name":"left"}\n{"ahrs_message_type":2}\n'
    d = device()
    for a, b in pairwise([0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]):
        d.on_bytes(stream[a:b], 0.1)
    assert d.settings["device_name"] == "left"
    assert d.settings["ahrs_message_type"] == 2


@given(st.binary(max_size=6000))
@settings(max_examples=60, deadline=None)
def test_no_bytes_upset_it(noise: bytes) -> None:
    d = device()
    d.on_bytes(noise, 0.1)
    d.on_bytes(b'\n{"ping":null}\n', 0.2)
    assert b'{"ping":{' in run(d, 0.4, start_s=0.2)


def test_gaps_are_lost_in_the_sensor_and_counted_exactly() -> None:
    d = device(200.0, FaultPlan(gap_rate_per_s=1.0, gap_samples=8.0))
    found = [m for m in messages(run(d, 20.0)) if m[0] == "I"]
    assert d.ledger.sent == len(found)
    assert d.ledger.lost > 40
    steps = np.round(np.diff([m[1] for m in found]) / 5000.0).astype(int)
    assert (steps - 1).sum() == d.ledger.lost


def test_rates_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="400, 200, 100"):
        device(150.0)
