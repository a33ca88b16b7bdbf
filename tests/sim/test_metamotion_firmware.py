"""MetaMotion boards against the bytes of the protocol document."""

import struct
from itertools import pairwise

import numpy as np
import pytest

from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import RefusedByDevice, Unit
from subtalar_sim.firmware.metamotion import COMMAND, FIRMWARE, MODEL, NOTIFY, MetaMotion
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.types import GRAVITY_M_S2, FloatArray


class Still:
    """The document's example: −1.872, −2.919, −1.495 g and a turn of 100, −200, 50 deg/s."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        n = len(t_s)
        acc = np.tile(np.array([-1.872, -2.919, -1.495]) * GRAVITY_M_S2, (n, 1))
        return ImuSamples(t_s, acc, np.tile(np.radians([100.0, -200.0, 50.0]), (n, 1)), self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def board(kind: str, faults: FaultPlan = NO_FAULTS) -> MetaMotion:
    b = MetaMotion(
        Unit(Still(), SensorClock(5.0), GapDrawer(faults, 100.0, 1, "right_foot"), 100.0, 0x0123AB), board=kind
    )
    b.on_subscribe(NOTIFY, subscribed=True, now_s=0.0)
    return b


def tell(b: MetaMotion, *commands: str, now: float = 1.0) -> None:
    for command in commands:
        b.on_write(COMMAND, bytes.fromhex(command), now)


def heard(b: MetaMotion, until_s: float, start_s: float) -> list[bytes]:
    out = []
    for now in np.arange(start_s, until_s, 0.005):
        for payload in b.poll(float(now)):
            assert payload.source == NOTIFY
            assert len(payload.data) <= 20
            out.append(payload.data)
    return out


START = {
    "MMR": ("03032805", "13032803", "031c01", "130701", "03020100", "13020100", "030101", "130101"),
    "MMS": ("0303a801", "13032803", "030501", "130501", "03020100", "13020100", "030101", "130101"),
}
PACKED = {"MMR": (b"\x03\x1c", b"\x13\x07"), "MMS": (b"\x03\x05", b"\x13\x05")}


@pytest.mark.parametrize(
    ("kind", "modules"),
    [("MMR", ["03800101", "13800001", "1680"]), ("MMS", ["03800400", "13800100", "1680"])],
)
def test_modules_tell_the_chip_and_an_absent_one_answers_in_two_bytes(kind, modules) -> None:
    b = board(kind)
    tell(b, "0380", "1380", "1680")
    assert b.poll(1.01) == []
    assert [data.hex() for data in heard(b, 1.1, 1.01)] == modules
    assert b.on_read(MODEL, 1.0) == (b"5" if kind == "MMR" else b"8")
    assert b.on_read(FIRMWARE, 1.0)


@pytest.mark.parametrize("kind", ["MMR", "MMS"])
def test_packed_packets_hold_three_samples_at_the_configured_ranges(kind) -> None:
    b = board(kind)
    tell(b, *START[kind])
    found = heard(b, 3.1, 1.0)
    assert {data[:2] for data in found} == set(PACKED[kind])
    acc = [data for data in found if data[:2] == PACKED[kind][0]]
    gyr = [data for data in found if data[:2] == PACKED[kind][1]]
    # 4 g: the first vector of the document, three times.
    assert (
        acc[5][2:].hex()
        == struct.pack("<3h", *np.round(np.array([-1.872, -2.919, -1.495]) * 8192).astype(int)).hex() * 3
    )
    assert struct.unpack("<3h", gyr[5][2:8]) == (13120, -26240, 6560)  # 131.2 LSB per deg/s at 250
    assert len(acc) == pytest.approx(70, abs=2)
    assert 0 < len(acc) - len(gyr) <= 3  # the gyroscope takes longer to start
    assert b.ledger.sent == 3 * len(gyr)


def test_the_registers_of_the_other_chip_do_nothing() -> None:
    b = board("MMS")
    tell(b, "0303a801", "031c01", "130701", "03020100", "13020100", "030101", "130101")
    assert heard(b, 2.0, 1.0) == []


def test_nothing_flows_before_all_three_steps() -> None:
    for missing in ("030501", "03020100", "030101"):
        b = board("MMS")
        tell(b, *(c for c in ("030501", "03020100", "030101") if c != missing))
        assert heard(b, 2.0, 1.0) == []
        tell(b, missing, now=2.0)
        assert len(heard(b, 3.0, 2.0)) > 25


def test_settings_are_read_back_and_odd_ones_are_ignored() -> None:
    b = board("MMR")
    tell(b, "0303280c", "0303ff0c", "0383", "13032904", "1383")
    assert [data.hex() for data in heard(b, 1.1, 1.0)] == ["0383280c", "13832904"]


def test_streams_outlive_the_link_and_whoever_started_them() -> None:
    b = board("MMS")
    tell(b, *START["MMS"], "190701", "190101")
    heard(b, 2.0, 1.0)
    b.on_subscribe(NOTIFY, subscribed=False, now_s=2.0)
    assert b.poll(5.0, listening=False) == []
    assert b.ledger.unsent > 250
    b.on_subscribe(NOTIFY, subscribed=True, now_s=5.0)
    found = heard(b, 6.0, 5.0)
    quaternions = [data for data in found if data[:2] == b"\x19\x07"]
    assert len(quaternions) == pytest.approx(100, abs=3)
    assert struct.unpack("<4f", quaternions[0][2:]) == (1.0, 0.0, 0.0, 0.0)
    assert len(found) - len(quaternions) == pytest.approx(66, abs=4)
    b.power_cycle(6.0)
    assert heard(b, 7.0, 6.0) == []


def test_either_packet_may_be_lost_and_the_ledger_counts_whole_pairs() -> None:
    b = board("MMS", FaultPlan(gap_rate_per_s=5.0, gap_samples=1.0))
    tell(b, *START["MMS"])
    found = heard(b, 31.0, 1.0)
    pairs = sum(a[:1] == b"\x03" and g[:1] == b"\x13" for a, g in pairwise(found))
    assert b.ledger.sent <= 3 * pairs <= b.ledger.sent + 18
    assert b.ledger.lost > 100
    assert b.ledger.sent + b.ledger.lost == pytest.approx(3000, abs=15)


def test_what_is_too_long_or_elsewhere_is_refused() -> None:
    b = board("MMS")
    with pytest.raises(RefusedByDevice):
        b.on_write(COMMAND, bytes(19), 1.0)
    with pytest.raises(RefusedByDevice):
        b.on_write(NOTIFY, b"\x03\x80", 1.0)
    with pytest.raises(RefusedByDevice):
        b.on_read(COMMAND, 1.0)
    for noise in ("", "03", "ff80", "0f0102", "03ff01"):
        tell(b, noise)
    assert [d.hex() for d in heard(b, 1.1, 1.0)] == ["ff80"]


def test_battery_and_led() -> None:
    b = board("MMR")
    tell(b, "11cc", "020302021f00000032000000f40100000a", "020101")
    assert [data.hex() for data in heard(b, 1.1, 1.0)] == ["118c5d2910"]
    assert b.led_on
    tell(b, "020201", "020101")
    assert not b.led_on
