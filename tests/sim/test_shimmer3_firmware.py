"""Shimmer3 firmware against the bytes of the protocol document."""

import numpy as np
import pytest

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.shimmer3 import Shimmer3, crc
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import FloatArray


class Still:
    """1 m/s² along −y and a turn of 10, −10, 0 deg/s: the document's example."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        n = len(t_s)
        acc, gyr = np.tile([0.0, -1.0, 0.0], (n, 1)), np.tile(np.radians([10.0, -10.0, 0.0]), (n, 1))
        return ImuSamples(t_s, acc, gyr, self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def device(rate_hz: float = 512.0, clock_s: float = 100.0, **changes) -> Shimmer3:
    gaps = GapDrawer(NO_FAULTS, rate_hz, 1, "right_foot")
    return Shimmer3(Unit(Still(), SensorClock(clock_s), gaps, rate_hz), calibrated=False, **changes)


def run(d: Shimmer3, until_s: float, start_s: float) -> bytes:
    return b"".join(p.data for now in np.arange(start_s, until_s, 0.005) for p in d.poll(float(now)))


def ask(d: Shimmer3, command: str, now: float = 1.0) -> str:
    d.poll(now)
    d.on_bytes(bytes.fromhex(command), now)
    return run(d, now + 0.06, now).hex()


def test_replies_are_the_documented_bytes() -> None:
    d = device()
    assert ask(d, "03") == "ff" + "044000"
    assert ask(d, "3f", 1.1) == "ff" + "2503"
    assert ask(d, "2e", 1.2) == "ff" + "2f0300000010" + "09"
    assert ask(d, "72", 1.3) == "ff" + "8a7120"
    assert ask(d, "08c00000", 1.4) == "ff"
    # Rate, four setup bytes (wide range 100 Hz, 2 g; gyroscope divider; 500 deg/s; GSR), six channels.
    assert ask(d, "01", 1.5) == "ff" + "024000" + "509b3908" + "0601" + "0001020a0b0c"
    calibration = ask(d, "2c", 1.6)
    ln = "07ff" * 3 + "0053" * 3 + "009c009c00000000" + "9c"
    gyro = "0000" * 3 + "1996" * 3 + "009c009c00000000" + "9c"
    assert calibration.startswith("ff2d" + ln + gyro)
    assert len(calibration) == 2 * (2 + 84)


def test_a_packet_is_the_documented_bytes() -> None:
    d = device(clock_s=512.0 - 2.0 - 6 / 32768)
    assert ask(d, "08c00000", 1.0) == "ff"
    d.on_bytes(b"\x07", 1.9)
    stream = run(d, 2.1, 1.9)
    assert stream[:1] == b"\xff"
    stamp = int.from_bytes(stream[2:5], "little")
    first = round((1.904 + 0.06 + 510.0 - 6 / 32768) * 32768)
    assert stamp == first % (1 << 24)
    assert stream[1:2] + stream[5:17] == bytes.fromhex("00" + "5208FF07FF07028FFD710000")
    assert int.from_bytes(stream[18:21], "little") == (first + 64) % (1 << 24)


def test_crc_is_the_documented_one_and_covers_ack_and_reply_together() -> None:
    assert crc(bytes.fromhex("00ded0b22607")) == bytes.fromhex("cb92")
    d = device()
    assert ask(d, "8b02") == "ff" + crc(b"\xff").hex()
    assert ask(d, "03", 1.1) == "ff044000" + crc(bytes.fromhex("ff044000")).hex()
    assert ask(d, "8b00", 1.2) == "ff"


def test_unknown_bytes_pass_in_silence_and_commands_may_be_cut_anywhere() -> None:
    d = device()
    assert ask(d, "c8d900") == ""
    d.on_bytes(b"\x05\xa4", 1.1)
    assert run(d, 1.2, 1.1) == b""
    d.on_bytes(b"\x00", 1.2)
    assert run(d, 1.3, 1.2) == b"\xff"
    assert d.ticks == 164


def test_one_command_at_a_time() -> None:
    d = device()
    d.poll(1.0)
    d.on_bytes(b"\x03\x3f", 1.0)
    assert run(d, 1.1, 1.0).hex() == "ff2503"


def test_settings_are_refused_while_it_senses_and_kept_over_power_off() -> None:
    d = device()
    ask(d, "054001", 1.0)
    ask(d, "07", 1.1)
    assert d.streaming
    d.on_bytes(bytes.fromhex("054000"), 1.3)
    run(d, 1.4, 1.3)
    assert d.ticks == 320
    ask(d, "20", 1.4)
    assert not d.streaming
    d.power_cycle(2.0)
    assert d.ticks == 320
    assert ask(d, "91", 2.1).startswith("ff90")
    logging = device()
    logging.logging = True
    assert ask(logging, "4903") == "fe"


def test_a_lost_link_stops_the_stream_and_turns_the_crc_off() -> None:
    d = device()
    ask(d, "8b02", 1.0)
    ask(d, "a300", 1.1)
    ask(d, "07", 1.2)
    run(d, 2.0, 1.3)
    d.poll(2.0, listening=False)
    assert (d.streaming, d.crc_on, d.ack_prefix) == (False, False, True)
    assert ask(d, "03", 2.1) == "ff044000"


def test_docking_is_told_unasked_with_an_ack_that_nobody_asked_for_unless_turned_off() -> None:
    d = device()
    d.poll(1.0)
    d.dock(1.0, docked=True)
    assert run(d, 1.1, 1.0).hex() == "ff8a7121"
    ask(d, "a300", 1.1)
    d.dock(1.2, docked=False)
    assert run(d, 1.3, 1.2).hex() == "8a7120"


def test_more_than_the_radio_takes_is_lost_in_whole_packets_and_counted() -> None:
    d = device(rate_hz=1024.0)
    ask(d, "08e03000", 1.0)
    d.on_bytes(b"\x07", 1.1)
    size = 1 + 3 + 2 * len(d.channels)
    stream = run(d, 4.1, 1.1)[1:]
    whole = stream[: len(stream) // size * size]
    assert set(whole[::size]) == {0}
    assert d.ledger.lost > 500
    assert d.ledger.sent == pytest.approx(len(stream) / size, abs=1)
    assert d.ledger.sent + d.ledger.lost == pytest.approx(1024 * 2.93, abs=40)


def test_the_two_boards_tell_themselves_apart_by_the_order_of_the_magnetometer() -> None:
    assert device().channels.endswith(b"\x07\x09\x08")
    assert device(chip="LSM303AH").channels.endswith(b"\x07\x08\x09")
