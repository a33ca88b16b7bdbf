"""The Talus codec: counting, spacing, restarts, and its scripts against the simulated board."""

import numpy as np
import pytest

from subtalar.device.device_time_ledger import DeviceTimeLedger
from subtalar.errors import InputError, LinkError
from subtalar.protocol import BatteryLevel, DeviceMessage, DeviceReply, InertialSamples, create_protocol
from subtalar.protocol.events import merge_samples
from subtalar.protocol.talus import Talus
from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.talus import Talus as Board
from subtalar_sim.sensor import ImuSamples

PERIOD_US = 5_000
ROW = (0, 0, 2048, 0, 0, 0)


class Still:
    def measure(self, t_s, rate_hz) -> ImuSamples:
        n = len(t_s)
        acc, gyr = np.tile([0.0, 0.0, 9.80665], (n, 1)), np.tile(np.radians([1.0, -2.0, 0.0]), (n, 1))
        return ImuSamples(t_s, acc, gyr, self.orientation(t_s))

    def orientation(self, t_s):
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def board(rate_hz: float = 200.0, faults: FaultPlan = NO_FAULTS, interface: str = "ble", **options) -> Board:
    gaps = GapDrawer(faults, rate_hz, 1, "right_foot")
    return Board(Unit(Still(), SensorClock(10.0, 20.0), gaps, 100.0, interface=interface), **options)


def samples_of(events) -> InertialSamples:
    (batch,) = merge_samples([e for e in events if isinstance(e, InertialSamples)])
    assert isinstance(batch, InertialSamples)
    return batch


def replies(events) -> dict[str, object]:
    return {e.key: e.value for e in events if isinstance(e, DeviceReply)}


class Wire:
    """The board as a byte stream, whatever else it can do."""

    def __init__(self, firmware: Board) -> None:
        self._firmware = firmware
        self.on_bytes, self.poll = firmware.on_bytes, firmware.poll


@pytest.fixture(params=["ble", "pty"])
def link(request) -> str:
    return str(request.param)


@pytest.fixture
def met(dialogue, link):
    """A codec that has configured a board, over GATT and over a byte stream."""

    def meet(rate_hz=200.0, firmware=None, codec=None, **options):
        firmware = firmware or board(interface=link, **options)
        codec = codec or create_protocol("talus", rate_hz)
        there = dialogue(codec, firmware if link == "ble" else Wire(firmware))
        there.run(codec.configure())
        return codec, firmware, there

    return meet


# Counting and spacing -------------------------------------------------------------------------------------


def frames(page, n, per_frame, start_us=2_000_000, period_us=PERIOD_US):
    return [
        page.samples(i + per_frame - 1, start_us + (i + per_frame - 1) * period_us, [ROW] * per_frame)
        for i in range(0, n, per_frame)
    ]


@pytest.mark.parametrize("per_frame", [1, 4, 20])
@pytest.mark.parametrize("seed", range(3))
def test_losses_are_exact_by_number_and_by_time(page, per_frame, seed):
    rng = np.random.default_rng(seed)
    sent = frames(page, 2000, per_frame)
    gone = rng.random(len(sent)) < 0.2
    gone[-1] = False  # what is missing at the very end shows with the next frame only
    gone[0] = True  # and at the very beginning by what STREAM says
    codec, ledger = create_protocol("talus", 200), DeviceTimeLedger(200)
    codec.feed(page.stream(time_us=2_000_000 - 30_000))
    got = 0
    for frame in (f for f, lost in zip(sent, gone, strict=True) if not lost):
        for event in codec.feed(frame):
            got += len(event)
            ledger.take(event, 0.0)
    assert codec.health.lost_samples == per_frame * int(gone.sum())
    assert got + codec.health.lost_samples == 2000
    first = per_frame * int(np.argmin(gone))
    assert ledger.counts().lost == codec.health.lost_samples - first


def test_a_gap_of_several_turns_of_the_number_is_told_by_the_time(page):
    codec = create_protocol("talus", 200)
    missing = 3 * 65536 + 17
    codec.feed(page.stream(number=4) + page.samples(5, 2_000_000, [ROW]))
    codec.feed(page.samples(6 + missing, 2_000_000 + (missing + 1) * 5_003, [ROW]))
    assert codec.health.lost_samples == missing


def test_an_imu_that_runs_two_percent_fast_is_spaced_as_it_was(page):
    codec = create_protocol("talus", 200)
    period_us = 4_900
    events = codec.feed(page.stream() + b"".join(frames(page, 200, 4, period_us=period_us)))
    times = samples_of(events).device_time_us
    # The first frame has none before it and is spaced by the nominal period.
    np.testing.assert_array_equal(np.diff(times)[3:], period_us)
    np.testing.assert_array_equal(np.diff(times)[:3], PERIOD_US)


def test_a_frame_that_comes_twice_is_no_loss(page):
    codec, ledger = create_protocol("talus", 200), DeviceTimeLedger(200)
    one, two, three = frames(page, 12, 4)
    for event in codec.feed(page.stream()) + codec.feed(one + two + two + three):
        if isinstance(event, InertialSamples):
            ledger.take(event, 0.0)
    assert codec.health.lost_samples == 0
    counts = ledger.counts()
    assert (counts.received, counts.duplicated, counts.lost) == (12, 4, 0)


def test_a_number_that_goes_back_while_the_time_goes_on_is_no_loss(page):
    codec = create_protocol("talus", 200)
    codec.feed(page.stream(number=99) + page.samples(100, 2_000_000, [ROW]) + page.samples(99, 2_005_000, [ROW]))
    assert codec.health.lost_samples == 0


def test_times_follow_the_clock_over_the_turn_of_its_lower_half(page):
    codec = create_protocol("talus", 200)
    start_us = 2**32 - 500_000
    sent = page.stream(time_us=start_us - 1000) + b"".join(frames(page, 400, 2, start_us=start_us))
    times = samples_of(codec.feed(sent)).device_time_us
    np.testing.assert_array_equal(times, start_us + PERIOD_US * np.arange(400))


def test_a_restart_shows_as_a_clock_that_goes_back_even_where_the_new_one_is_ahead(page):
    codec = create_protocol("talus", 200)
    before = samples_of(codec.feed(page.stream(boot=1) + b"".join(frames(page, 40, 4))))
    codec.reset()
    later = page.stream(boot=2, time_us=60_000_000) + b"".join(frames(page, 40, 4, start_us=60_030_000))
    events = codec.feed(later)
    after = samples_of(events)
    assert after.device_time_us[0] < before.device_time_us[-1] - 1_000_000
    assert (np.diff(after.device_time_us) == PERIOD_US).all()
    assert [e for e in events if isinstance(e, DeviceMessage)] != []
    assert codec.health.lost_samples == 0


def test_the_same_boot_after_a_lost_link_goes_on_with_its_clock(page):
    codec = create_protocol("talus", 200)
    codec.feed(page.stream() + b"".join(frames(page, 40, 4)))
    codec.reset()
    events = codec.feed(page.stream(time_us=62_000_000) + b"".join(frames(page, 4, 4, start_us=62_030_000)))
    assert samples_of(events).device_time_us.tolist() == [62_030_000 + PERIOD_US * i for i in range(4)]


@pytest.mark.parametrize("field", ["period", "acc", "gyr", "time"])
def test_a_stream_frame_that_makes_no_sense_is_passed_over(page, field):
    values = {"time": 5, "period": 5_000_000, "acc": 488281, "gyr": 61035156}
    values[field] = 1 << 60 if field == "time" else 0
    body = values["time"].to_bytes(8, "little") + bytes(4)
    body += b"".join(values[key].to_bytes(4, "little") for key in ("period", "acc", "gyr"))
    codec = create_protocol("talus")
    assert codec.feed(page.wire(b"\x41\xff\xff" + body) + frames(page, 4, 4)[0]) == []
    assert codec.health.skipped_frames == 2


def test_samples_of_a_length_that_cannot_be_are_passed_over(page):
    codec = create_protocol("talus")
    codec.feed(page.stream())
    assert codec.feed(page.wire(b"\x40" + bytes(6 + 13)) + page.wire(b"\x40" + bytes(6))) == []
    assert codec.health.skipped_frames == 2


# Scripts against the board --------------------------------------------------------------------------------


def test_configure_identify_battery_and_stop(met):
    codec, firmware, there = met()
    told = replies(there.run(codec.identify()))
    assert told["serial_number"] == "0123456789ABCDEF"
    assert {"model", "firmware_version", "name"} <= told.keys()
    assert BatteryLevel(87.0, 3.95) in there.run(codec.poll_battery())
    batch = samples_of(there.pass_time(1.0))
    assert len(batch) == pytest.approx(200, abs=5)
    np.testing.assert_allclose(batch.acc_m_s2, [[0, 0, 9.80665]] * len(batch), atol=0.005)
    np.testing.assert_allclose(np.degrees(batch.gyr_rad_s), [[1, -2, 0]] * len(batch), atol=0.04)
    assert (np.abs(np.diff(batch.device_time_us) - PERIOD_US) <= 2).all()
    there.run(codec.stop())
    assert there.pass_time(0.5) == []
    assert codec.health.corrupt_bytes == codec.health.lost_samples == 0
    got = sum(len(e) for e in there.events if isinstance(e, InertialSamples))
    assert got == firmware.ledger.sent


@pytest.mark.parametrize("max_payload", [20, 23, 100, 244])
def test_any_mtu_gives_the_same_samples(dialogue, max_payload):
    firmware = board()
    firmware.max_payload = max_payload
    codec = create_protocol("talus", 400)
    there = dialogue(codec, firmware)
    there.run(codec.configure())
    there.pass_time(1.0)
    got = sum(len(e) for e in there.events if isinstance(e, InertialSamples))
    assert got == firmware.ledger.sent > 380
    assert codec.health.corrupt_bytes == 0


def test_ranges_and_name_are_set_and_saved(met):
    codec = Talus(100.0)
    codec.choose_ranges(4.0, 500.0)
    codec, firmware, there = met(codec=codec)
    there.run(codec.rename("linker Fuß"))
    assert firmware.name == "Talus-linker Fuß"
    there.run(codec.save())
    batch = samples_of(there.pass_time(1.0))
    assert np.abs(batch.acc_m_s2[:, 2] - 9.80665).max() < 4 / 32768 * 9.81
    firmware.power_cycle(there.now_s)
    assert firmware.name == "Talus-linker Fuß"
    assert [firmware.settings[item] for item in (0x10, 0x11, 0x12)] == [1000, 400, 5000]


def test_what_is_not_saved_is_forgotten_and_a_reboot_is_idle_until_it_is_started_anew(met):
    codec, firmware, there = met(rate_hz=100.0)
    there.run(codec.rename("other"))
    there.pass_time(2.0)
    newest = samples_of(there.events).device_time_us[-1]
    firmware.power_cycle(there.now_s)
    assert firmware.name == "Talus-board"
    assert not [e for e in there.pass_time(3.0) if isinstance(e, InertialSamples)]
    codec.reset()
    there.run(codec.configure())
    after = samples_of(there.pass_time(1.0))
    assert after.device_time_us[0] < newest - 1_000_000
    assert len(after) == pytest.approx(100, abs=8)


def test_blink(met):
    codec, firmware, there = met()
    assert not firmware.is_blinking(there.now_s)
    there.run(codec.blink())
    assert firmware.is_blinking(there.now_s)
    assert not firmware.is_blinking(there.now_s + 6)


def test_a_rate_or_range_that_the_board_lacks_is_one_sentence_with_those_it_has(met):
    with pytest.raises(LinkError, match=r"does not take the rate 125 Hz: choose one of 25, .*800, as in rate=100\."):
        met(rate_hz=125.0)
    codec = Talus(100.0)
    codec.choose_ranges(32.0)
    with pytest.raises(LinkError, match=r"does not take the range 32 g: choose one of 2, 4, 8, 16, as in acc=16\."):
        met(codec=codec)


@pytest.mark.parametrize(("rate_hz", "asked"), [(119.0, 119.0), (104.17, 104.2), (1125.0, 1125.0)])
def test_any_rate_may_be_asked_for_as_the_board_says_which_it_has(rate_hz, asked):
    codec = Talus(rate_hz)
    codec.choose_ranges(200.0, 10_000 / 3)
    assert codec.rate_hz == asked
    for nonsense in (0.01, 7000.0):
        with pytest.raises(InputError, match=f"No board has the rate {nonsense:g} Hz"):
            Talus(nonsense)
        with pytest.raises(InputError, match=f"accelerometer range {nonsense:g} g: choose one from 1 to 655"):
            codec.choose_ranges(nonsense)


def test_what_was_just_refused_is_not_offered_again(met, monkeypatch):
    """A link that is too slow for a rate that the sensor has."""
    refuse = Board._take_value
    monkeypatch.setattr(Board, "_take_value", lambda *a: 3 if a[1] == 0x10 else refuse(*a))
    with pytest.raises(LinkError, match=r"rate 100 Hz: choose one of 25, 50, 200, 400, 800, as in rate=50\."):
        met(rate_hz=100.0)


def test_an_item_that_a_board_lacks_is_told_without_a_value(page):
    for data in (b"", b"\x04"):
        (reply,) = Talus().feed(page.answer(2, 2, 2, data))
        assert reply.value is None
        assert reply.error == "unknown item"
        assert not reply.key.startswith("item")


@pytest.mark.parametrize("name", ["", "x" * 21, "ä" * 11])
def test_a_name_that_does_not_fit_is_refused_before_it_is_sent(met, name):
    codec, _, there = met()
    with pytest.raises(InputError, match="does not fit"):
        there.run(codec.rename(name))


class Silent:
    def on_bytes(self, data, now_s):
        self.heard = True

    def poll(self, now_s):
        return []


def test_silence_is_one_sentence_in_bounded_time(dialogue):
    codec = create_protocol("talus")
    there = dialogue(codec, Silent())
    with pytest.raises(LinkError, match="does not answer"):
        there.run(codec.configure())
    assert there.now_s <= 2.0


def test_another_major_version_is_said(dialogue, page):
    class Newer(Silent):
        def __init__(self):
            self.out = []

        def on_bytes(self, data, now_s):
            if len(data) > 1:
                hello = page.answer(1, 1, 3, bytes((2, 0)) + bytes(12))
                self.out.append(type("P", (), {"data": hello, "source": ""}))

        def poll(self, now_s):
            out, self.out = self.out, []
            return out

    codec = create_protocol("talus")
    with pytest.raises(LinkError, match="version 2 of the Talus protocol"):
        dialogue(codec, Newer()).run(codec.configure())


def test_answers_lost_on_the_way_are_asked_for_again(dialogue):
    firmware = board()

    class Lossy(Wire):
        def on_bytes(self, data, now_s):
            self.n = getattr(self, "n", 0) + 1
            if self.n % 3 == 2:
                firmware.on_bytes(data, now_s)

    lossy = Lossy.__new__(Lossy)
    lossy.poll = firmware.poll
    codec = create_protocol("talus", 200)
    there = dialogue(codec, lossy)
    there.run(codec.configure())
    assert len(samples_of(there.pass_time(0.5))) > 80


@pytest.mark.parametrize("imu_error", [0.0, 0.02])
def test_what_the_board_loses_is_counted_to_the_sample(met, imu_error):
    codec, firmware, there = met(faults=FaultPlan(gap_rate_per_s=2.0, gap_samples=7.0), imu_error=imu_error)
    there.pass_time(30.0)
    assert firmware.ledger.lost > 200
    # A gap shows with the frame behind it: wait for that.
    for _ in range(50):
        if codec.health.lost_samples == firmware.ledger.lost:
            break
        there.pass_time(there.tick_s)
    assert codec.health.lost_samples == firmware.ledger.lost
    ledger = DeviceTimeLedger(200)
    for event in there.events:
        if isinstance(event, InertialSamples):
            ledger.take(event, there.now_s)
    assert ledger.counts().received == firmware.ledger.sent
    assert ledger.counts().lost == firmware.ledger.lost


def test_bytes_damaged_on_the_wire_are_samples_lost_and_counted(dialogue):
    firmware = board(interface="pty")
    codec = create_protocol("talus", 200)
    wire = Wire(firmware)
    there = dialogue(codec, wire)
    there.run(codec.configure())
    rng = np.random.default_rng(3)
    quiet = firmware.poll

    def noisy(now_s):
        return [
            p._replace(data=bytes(b ^ (1 << int(rng.integers(8))) if rng.random() < 0.002 else b for b in p.data))
            for p in quiet(now_s)
        ]

    wire.poll = noisy
    there.pass_time(20.0)
    wire.poll = quiet
    there.pass_time(0.5)
    got = sum(len(e) for e in there.events if isinstance(e, InertialSamples))
    assert codec.health.corrupt_bytes > 1000
    assert codec.health.lost_samples > 100
    assert got + codec.health.lost_samples == firmware.ledger.sent
