"""Fault scripts: every word, every mistake, and what the sensor-side faults do to the samples."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import NO_FAULTS, DelayLine, FaultPlan, GapDrawer, SentLedger, parse_faults, script_of
from subtalar_sim.faults.script import fault_words
from subtalar_sim.types import Payload

FILE = """
# a bad day
loss = 2%, gap_samples=3      # every fiftieth sample
drop_link@30s+5s
drop_link @ 2min + 500ms
left_foot: reboot@1min
left_foot: loss=0
swap@90s=right_foot/right_shank
"""


def test_a_file_is_read_as_it_is_meant() -> None:
    script = parse_faults(FILE)
    everywhere = FaultPlan(loss=0.02, gap_samples=3.0, outages=((30.0, 5.0), (120.0, 0.5)))
    assert script.everywhere == everywhere
    assert dict(script.of) == {
        "left_foot": replace(everywhere, loss=0.0, reboots=((60.0, 1.5),)),
        "right_foot": replace(everywhere, moves=((90.0, "right_shank"),)),
        "right_shank": replace(everywhere, moves=((90.0, "right_foot"),)),
    }
    assert parse_faults("").everywhere == NO_FAULTS
    assert parse_faults("loss=0.02,drop_link@30s+5s").everywhere.outages == ((30.0, 5.0),)


def test_every_word_is_understood_as_its_example_says() -> None:
    for example in fault_words().values():
        for text in example.split(" or "):
            assert parse_faults(text) != parse_faults(""), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rain=0.2", "no fault 'rain'"),
        ("loss", "is written as loss=0.02"),
        ("loss=lots", "is written as loss=0.02"),
        ("loss=1.5", "share"),
        ("loss=nan", "makes no sense"),
        ("loss=0.1,loss=0.2", "given twice"),
        ("loss@3s=0.1", "is written as"),
        ("drop_link=3", "is written as drop_link@30s"),
        ("drop_link@3s", "is written as drop_link@30s"),
        ("drop_link@3s+0s", "length is more than 0"),
        ("drop_link@-3s+1s", "from the beginning"),
        ("drop_link@3fortnights+1s", "is written as"),
        ("mtu=7", "23..517"),
        ("left_ear:loss=0.1", "names no sensor site"),
        ("swap=right_foot/right_foot", "two different sites"),
        ("swap=right_foot", "two different sites"),
        ("refuse=0", "at least 1"),
        ("saturate=0", "share of the range"),
        ("loss 0.1", "not understood"),
        ("delay=inf", "is written as"),
        ("delay=1e9s", "delay is at least 0 s and at most a day"),
        ("slow_discovery=-1s", "'slow_discovery=-1s' makes no sense: slow_discovery is at least 0 s"),
        ("left_foot: slow_discovery=-1s", "'left_foot: slow_discovery=-1s' makes no sense"),
        ("gap_samples=0", "gap_samples lies in 1..100000, not 0"),
        ("gap_samples=1e99", "gap_samples lies in 1..100000"),
        ("slip@60s=9999deg", "at most 180 degrees"),
        ("slip@60s=-181deg", "at most 180 degrees"),
        ("slip@60s=nandeg", "slips: a value is no number"),
        ("clock_jump@30s=1e99s", "a clock jumps by at most"),
    ],
)
def test_nonsense_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_faults(text)
    assert "\n" not in str(caught.value)


def test_a_line_of_any_length_stays_a_short_sentence() -> None:
    with pytest.raises(ValueError, match="not understood") as caught:
        parse_faults("a b" * 1000)
    assert len(str(caught.value)) < 200


def test_the_largest_numbers_that_make_sense_are_taken() -> None:
    plan = parse_faults("gap_samples=100000, slip@60s=-180deg, delay=24h").everywhere
    assert (plan.gap_samples, plan.slips, plan.delay_s) == (100_000.0, ((60.0, -180.0),), 86400.0)


def test_a_file_of_faults_is_read_whatever_program_saved_it(tmp_path: Path) -> None:
    file = tmp_path / "bad day.txt"
    file.write_bytes("\ufeff# Notepad\r\nloss=2%\r\ndrop_link@30s+5s\r\n".encode())
    assert parse_faults(script_of([str(file)])) == parse_faults("loss=0.02, drop_link@30s+5s")
    file.write_bytes(b"# loss=2%\n")  # a day without any
    assert parse_faults(script_of([str(file), "mtu=23"])) == parse_faults("mtu=23")


def test_a_script_may_be_longer_than_the_name_of_a_file() -> None:
    text = ", ".join(f"drop_link@{i}s+0.5s" for i in range(1000))
    assert script_of([text]) == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{}/nothing.txt", "neither a file '.*/nothing.txt' nor such a fault"),
        ("bad-day", "neither a file 'bad-day' nor such a fault"),
        ("C:\\faults.txt", "neither a file .* nor such a fault"),
        ("{}", "is a folder"),
        ("{}/picture.png", "picture.png' is no list of faults: .* UTF-8"),
        ("{}/zeros", "zeros' is no list of faults"),
        ("{}/utf16.txt", "utf16.txt' is no list of faults"),
        ("{}/large.txt", "large.txt' is no list of faults"),
        ("{}/wrong.txt", "in the file '.*/wrong.txt', there is no fault 'rain'"),
        ("", "no fault is named"),
        (",", "no fault is named"),
        ("# loss=0.1", "no fault is named"),
        ("rain=1", "there is no fault 'rain': there are loss"),
        ("loss", "is written as loss=0.02"),
        (os.devnull, "neither a fault nor a file"),
    ],
)
def test_what_is_neither_a_script_nor_a_file_of_faults_is_one_sentence(tmp_path: Path, given: str, words: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "zeros").write_bytes(bytes(100))
    (tmp_path / "utf16.txt").write_text("loss=0.1", encoding="utf-16")
    (tmp_path / "large.txt").write_bytes(b"# much\n" * 200_000)
    (tmp_path / "wrong.txt").write_text("loss=0.1\nrain=1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=words) as caught:
        script_of([given.format(tmp_path)])
    assert "\n" not in str(caught.value)


def test_a_fault_is_given_once_over_all_that_is_given() -> None:
    with pytest.raises(ValueError, match="is given twice"):
        script_of(["loss=0.1", "loss=0.2"])


@pytest.mark.parametrize(
    ("text", "transport"),
    [("mtu=23", "tcp"), ("refuse=1", "pty"), ("datagram_loss=0.1", "ble"), ("reorder=0.1", "tcp")],
)
def test_what_cannot_happen_on_a_route_is_refused(text: str, transport: str) -> None:
    plan = parse_faults(text).everywhere
    with pytest.raises(ValueError, match=f"over {transport}|only"):
        plan.check_transport(transport)
    plan.check_transport({"mtu=23": "ble", "refuse=1": "tcp"}.get(text, "udp"))


def test_the_share_lost_is_the_share_asked_for() -> None:
    for length in (1.0, 5.0):
        keep = GapDrawer(FaultPlan(loss=0.05, gap_samples=length), 100.0, 3, "left_foot").kept(200_000)
        assert 1.0 - keep.mean() == pytest.approx(0.05, abs=0.004)
    t = np.arange(0.0, 10.0, 0.01)
    keep = GapDrawer(FaultPlan(gaps=((2.0, 0.5),)), 100.0, 3, "left_foot").kept(len(t), t)
    np.testing.assert_array_equal(keep, (t < 2.0) | (t >= 2.5))


def test_damage_on_the_line_is_counted_to_the_sample() -> None:
    plan = FaultPlan(corrupt=0.1, garbage=0.1, duplicate=0.1, datagram_loss=0.1, reorder=0.1)
    ledger = SentLedger(sent=4000)
    line = DelayLine(plan, 7, "left_foot", ledger)
    arrived: list[Payload] = []
    originals = [Payload(i.to_bytes(4, "little") * 5, 4) for i in range(1000)]
    for i, payload in enumerate(originals):
        line.push(0.01 * i, payload)
        line.deliver(0.01 * i, lambda p: arrived.append(p) or True)
    line.clear()
    whole = [p for p in arrived if p in originals]
    altered = [p for p in arrived if p.samples and p not in originals]
    assert len({p.data for p in altered}) * 4 == ledger.corrupted == 4 * ledger.corrupted_payloads > 200
    assert sum(len(p.data) for p in arrived if not p.samples) == ledger.garbage_bytes > 0
    assert len(set(whole)) * 4 + ledger.corrupted + ledger.dropped == ledger.sent
    assert (len(whole) + len(altered)) * 4 == ledger.sent - ledger.dropped + ledger.duplicated
    assert ledger.dropped > 200
    assert ledger.duplicated > 200
    order = [int.from_bytes(p.data[:4], "little") for p in whole]
    assert order != sorted(order)
    assert all(b - a >= -1 for a, b in pairwise(order))  # late by one, not more


def test_a_stall_delivers_everything_at_its_end() -> None:
    line = DelayLine(FaultPlan(stalls=((1.0, 2.0),)), 1, "left_foot", SentLedger())
    arrived: list[tuple[float, int]] = []
    for i in range(50):
        now = 0.1 * i
        line.push(now, Payload(bytes([i]), 1))
        line.deliver(now, lambda p, now=now: arrived.append((now, p.data[0])) or True)
    assert [i for _, i in arrived] == list(range(50))
    late = {i: now for now, i in arrived}
    assert all(late[i] == pytest.approx(max(0.1 * i, 3.0 if i >= 10 else 0.0)) for i in range(50))


def config(text: str) -> SimulationConfig:
    body = BodyConfig(seed=4, walking_s=30.0)
    base = SimulationConfig(body, sites=("right_foot", "right_shank"), quality="perfect", device="ximu3")
    return base.with_faults(parse_faults(text))


T = np.arange(0.0, 20.0, 0.01)


def test_a_strap_slips_by_so_many_degrees_about_the_segments_long_axis() -> None:
    straight, slipped = config(""), config("right_shank:slip@12s=20deg")
    body = straight.make_body()
    R0 = straight.make_source(body, "right_shank").orientation(T)
    R1 = slipped.make_source(body, "right_shank").orientation(T)
    turned = np.degrees(np.arccos(np.clip((np.einsum("nji,nji->n", R0, R1) - 1) / 2, -1, 1)))
    np.testing.assert_allclose(turned[T < 12.0], 0.0, atol=1e-5)
    np.testing.assert_allclose(turned[T > 12.4], 20.0, atol=1e-5)
    gyr = slipped.make_source(body, "right_shank").measure(T, 100.0).gyr_rad_s
    plain = straight.make_source(body, "right_shank").measure(T, 100.0).gyr_rad_s
    np.testing.assert_array_equal(gyr[T < 11.99], plain[T < 11.99])
    # Turning is felt while it lasts: the gyroscope gathers the 20 degrees.
    within = (T > 11.9) & (T < 12.5)
    extra = (np.einsum("nij,nj->ni", R1, gyr) - np.einsum("nij,nj->ni", R0, plain))[within]
    assert np.degrees(np.linalg.norm(extra.sum(axis=0)) * 0.01) == pytest.approx(20.0, abs=1.0)


def test_swapped_sensors_feel_what_the_other_felt_and_keep_their_errors() -> None:
    plain, swapped = config(""), config("swap@8s=right_foot/right_shank")
    body = plain.make_body()
    foot = plain.make_source(body, "right_foot").measure(T, 100.0)
    shank = plain.make_source(body, "right_shank").measure(T, 100.0)
    source = swapped.make_source(body, "right_foot")
    found = np.vstack([source.measure(part, 100.0).acc_m_s2 for part in (T[:333], T[333:1000], T[1000:])])
    np.testing.assert_allclose(found, np.where(T[:, None] < 8.0, foot.acc_m_s2, shank.acc_m_s2), atol=1e-9)
    biased = replace(swapped, quality="poor")
    at_first = biased.make_imu(body, "right_foot").acc_bias_m_s2
    (_, (_, later)) = biased.make_source(body, "right_foot")._places
    np.testing.assert_array_equal(later.acc_bias_m_s2, at_first)
    always = config("swap=right_foot/right_shank").make_source(body, "right_foot").measure(T, 100.0)
    np.testing.assert_allclose(always.acc_m_s2, shank.acc_m_s2, atol=1e-9)


def test_saturation_clips_while_it_lasts() -> None:
    clipped = config("saturate@0s+16s=0.02")
    body = clipped.make_body()
    found = clipped.make_source(body, "right_foot").measure(T, 100.0)
    free = config("").make_source(body, "right_foot").measure(T, 100.0)
    full = clipped.model.gyr_range_rad_s
    assert np.abs(found.gyr_rad_s[T < 16.0]).max() == pytest.approx(0.02 * full)
    np.testing.assert_array_equal(found.gyr_rad_s[T >= 16.0], free.gyr_rad_s[T >= 16.0])


def test_clocks_jump_when_they_are_told_to() -> None:
    plain, jumping = config("").make_clock("right_foot"), config("clock_jump@5s=10s").make_clock("right_foot")
    np.testing.assert_allclose(jumping.reading(T) - plain.reading(T), 10.0 * (T >= 5.0), atol=1e-9)


def test_a_place_holds_to_the_end_of_its_line():
    script = parse_faults("loss=1%, left_foot: drop_link@3s+1s, loss=0.2, left_shank: mtu=23\ngap@9s+1s\n")
    assert script.everywhere.outages == ()
    assert script.everywhere.loss == 0.01
    foot, shank, other = (
        dict(script.of).get(site, script.everywhere) for site in ("left_foot", "left_shank", "right_foot")
    )
    assert (foot.outages, foot.loss, foot.mtu) == (((3.0, 1.0),), 0.2, None)
    assert (shank.outages, shank.loss, shank.mtu) == ((), 0.01, 23)
    assert (other.outages, other.loss, other.mtu) == ((), 0.01, None)
    assert all(plan.gaps == ((9.0, 1.0),) for plan in (foot, shank, other))
    assert dict(parse_faults("left_foot: loss=1%, swap=right_foot/right_shank").of)["right_foot"].moves
