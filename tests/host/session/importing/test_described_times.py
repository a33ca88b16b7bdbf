"""Times as files really hold them: written as dates and hours, in ticks, astray, from a clock that was set."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from subtalar.session import open_session
from subtalar.types import BodySite

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK
RATE_HZ = 100
N = 1200
TICKS = np.arange(N)
EVEN_S = TICKS / RATE_HZ


def described(made, stamps, *, seed=1, header="t,ax,ay,az,gx,gy,gz\n"):
    values = made.motion(seconds=N / RATE_HZ, rate_hz=RATE_HZ, seed=seed)
    return header + "".join(
        f"{stamp}," + ",".join(f"{v:.6f}" for v in row) + "\n" for stamp, row in zip(stamps, values, strict=True)
    )


def mapping(sensors=("right_foot",), *, time=None, **more):
    return json.dumps(
        {
            "format": "subtalar-described-csv",
            "version": 1,
            "defaults": {
                "time": {"column": "t", "unit": "s"} if time is None else time,
                "acc": {"columns": ["ax", "ay", "az"], "unit": "m/s2"},
                "gyr": {"columns": ["gx", "gy", "gz"], "unit": "rad/s"},
                **more,
            },
            "sensors": {site: {"file": f"{site}.csv"} for site in sensors},
        }
    )


@pytest.fixture
def opened(export, made):
    """A session of sensors given by their stamps."""

    def make(*stamps, **options):
        sites = ("right_foot", "right_shank")[: len(stamps)]
        tables = {f"{s}.csv": described(made, t, seed=k) for k, (s, t) in enumerate(zip(sites, stamps, strict=True))}
        return open_session(export({**tables, "import.json": mapping(sites, **options)}))

    return make


def seconds(times):
    return [f"{t:.4f}" for t in times]


def iso(first, zone="", form="%Y-%m-%dT%H:%M:%S.%f"):
    start = datetime.fromisoformat(first)
    return [(start + timedelta(milliseconds=10 * k)).strftime(form) + zone for k in range(N)]


def of_a_day(first_s, digits=3):
    def text(t):
        t %= 86400.0
        return f"{int(t // 3600):02d}:{int(t // 60) % 60:02d}:{t % 60:0{digits + 3}.{digits}f}"

    return [text(first_s + t + 1e-7) for t in EVEN_S]


@pytest.mark.parametrize(
    "stamps",
    [
        iso("2026-05-03T10:15:00"),
        iso("2026-05-03T10:15:00", "Z"),
        iso("2026-05-03T23:59:55", "+02:00"),
        iso("2026-05-03T10:15:00", form="%Y-%m-%d %H:%M:%S.%f"),
        [f'"{cell}"' for cell in iso("2026-05-03T10:15:00")],
        of_a_day(36900.0),
        of_a_day(86_395.0),
        [cell.lstrip("0") for cell in of_a_day(9 * 3600.0)],
    ],
)
@pytest.mark.parametrize("time", [{"column": "t"}, {"column": "t", "unit": "s"}])
def test_written_times(opened, made, stamps, time):
    session = opened(stamps, time=time)
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], EVEN_S, atol=2e-6)
    assert session.ledger[FOOT].lost == 0


def test_written_times_of_two_sensors_are_one_clock(opened, made):
    session = opened(iso("2026-05-03T10:15:00", "+02:00"), iso("2026-05-03T08:15:02", "Z"), time={"column": "t"})
    assert made.gather(session, SHANK)[0, 0] == pytest.approx(2.0)


def test_times_of_a_day_across_midnight_of_two_sensors_are_one_clock(opened, made):
    session = opened(of_a_day(86_399.0), of_a_day(1.0), time={"column": "t"})
    assert made.gather(session, SHANK)[0, 0] == pytest.approx(2.0)


def test_a_time_that_nobody_can_read_is_refused(export, made):
    stamps = iso("2026-05-03T10:15:00")
    stamps[600:] = ["3rd of May"] * 600
    files = {"right_foot.csv": described(made, stamps), "import.json": mapping(time={"column": "t"})}
    assert "line 602, column t: 3rd of May is not a time" in made.refusal(export(files))


@pytest.mark.parametrize("unit", [1e-4, "0.1ms", "0.1 ms", "100us", "100 µs"])
def test_a_tick_of_any_length(opened, made, unit):
    session = opened([str(50_000 + 100 * k) for k in TICKS], time={"column": "t", "unit": unit})
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], EVEN_S, atol=1e-9)
    assert session.sensors[FOOT].rate_hz == RATE_HZ


@pytest.mark.parametrize("unit", [0, -1e-4, True, "0.1", "ticks", "1e400s", [], 1e300, "0ms"])
def test_a_tick_that_is_none(export, made, unit):
    files = {
        "right_foot.csv": described(made, seconds(EVEN_S)),
        "import.json": mapping(time={"column": "t", "unit": unit}),
    }
    assert 'the unit of "time" must be one of s, ms' in made.refusal(export(files))


@pytest.mark.parametrize("by_s", [3600.0, 1234.5, 7200.3, -3600.0])
def test_a_clock_that_is_set_is_taken_out_and_told(opened, made, by_s):
    set_late = 10_000.0 + EVEN_S + np.where(TICKS >= 500, by_s, 0.0)
    session = opened(seconds(set_late))
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], EVEN_S, atol=1e-3)
    assert session.ledger[FOOT].lost == 0
    (note,) = (n for n in session.notes if "a clock that was set" in n)
    assert "before sample 501" in note


def test_sensors_of_one_clock_that_is_set_stay_together(opened, made):
    """One of them lost samples just there: what is taken out is the same for both."""
    jump = np.where(EVEN_S >= 5.0, 3600.0, 0.0)
    kept = (TICKS < 500) | (TICKS >= 507)
    shank = np.where(kept, EVEN_S + jump, np.nan)
    stamps = [f"{t:.4f}" if ok else "" for t, ok in zip(shank, kept, strict=True)]
    session = opened(seconds(EVEN_S + jump), stamps)
    np.testing.assert_allclose(made.gather(session, SHANK)[:, 0], EVEN_S[kept], atol=1e-3)
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], EVEN_S, atol=1e-3)
    assert session.ledger[SHANK].lost == 7


def test_a_gap_that_another_sensor_fills_stays_a_gap(export, made):
    foot = EVEN_S + np.where(TICKS >= 600, 900.0, 0.0)
    long = made.motion(seconds=912.0, rate_hz=10, seed=3)
    shank = "t,ax,ay,az,gx,gy,gz\n" + "".join(
        f"{k / 10}," + ",".join(f"{v:.6f}" for v in row) + "\n" for k, row in enumerate(long)
    )
    files = {"right_foot.csv": described(made, seconds(foot)), "right_shank.csv": shank}
    session = open_session(export({**files, "import.json": mapping(("right_foot", "right_shank"))}))
    assert session.ledger[FOOT].lost == 90_000
    assert not any("was set" in n for n in session.notes)


@pytest.mark.parametrize("gap_s", [3.0, 300.0])
def test_a_gap_of_minutes_stays_a_gap(opened, gap_s):
    session = opened(seconds(EVEN_S + np.where(TICKS >= 600, gap_s, 0.0)))
    assert session.ledger[FOOT].lost == pytest.approx(gap_s * RATE_HZ)


def test_a_clock_that_falls_back_by_anything_else_is_refused(export, made):
    stamps = seconds(10_000.0 + EVEN_S - np.where(TICKS >= 500, 4321.0, 0.0))
    found = made.refusal(export({"right_foot.csv": described(made, stamps), "import.json": mapping()}))
    assert "falls back by more than a second" in found


def arrivals(made, clock_s, arrival_s):
    stamps = [f"{t:.4f},{a:.4f}" for t, a in zip(clock_s, arrival_s, strict=True)]
    return described(made, stamps, header="t,arrived,ax,ay,az,gx,gy,gz\n")


@pytest.mark.parametrize(("clock_jump_s", "host_jump_s"), [(3600.0, 0.0), (0.0, 3600.0), (0.0, -3600.0), (90.0, 0.0)])
def test_of_two_clocks_the_one_that_went_on_tells(export, made, clock_jump_s, host_jump_s):
    late = TICKS >= 500
    text = arrivals(made, EVEN_S + late * clock_jump_s, 5000.02 + EVEN_S + late * host_jump_s)
    where = mapping(arrival={"column": "arrived", "unit": "s"}, rate_hz=RATE_HZ)
    session = open_session(export({"right_foot.csv": text, "import.json": where}))
    assert session.duration_s == pytest.approx(11.99, abs=0.02)
    assert session.ledger[FOOT].lost == 0
    assert any("other clock or counter went on" in n for n in session.notes)


@pytest.mark.parametrize(("jump_s", "missing"), [(3600.0, 0), (90.0, 0), (3600.0, 360_000), (90.0, 9000)])
def test_a_packet_counter_tells_a_gap_from_a_clock_that_was_set(export, made, jump_s, missing):
    late = TICKS >= 500
    count = (65_400 + TICKS + late * missing) % 65_536
    stamps = [f"{t:.4f},{c}" for t, c in zip(EVEN_S + late * jump_s, count, strict=True)]
    text = described(made, stamps, header="t,n,ax,ay,az,gx,gy,gz\n")
    where = mapping(counter={"column": "n", "wraps_at": 65_536})
    session = open_session(export({"right_foot.csv": text, "import.json": where}))
    assert session.ledger[FOOT].lost == missing
    assert any("jumps" in n for n in session.notes) == (missing == 0)


def test_a_gap_in_both_clocks_stays_a_gap(export, made):
    late = TICKS >= 500
    text = arrivals(made, EVEN_S + late * 3600.0, 5000.02 + EVEN_S + late * 3600.0)
    where = mapping(arrival={"column": "arrived", "unit": "s"}, rate_hz=RATE_HZ)
    session = open_session(export({"right_foot.csv": text, "import.json": where}))
    assert session.ledger[FOOT].lost == 360_000
    assert not any("jumps" in n for n in session.notes)


@pytest.mark.parametrize("by_s", [0.5, -0.5, 40.0])
def test_single_stray_stamps_are_mended_and_counted(opened, made, by_s):
    stray = EVEN_S + 100.0
    stray[[300, 700]] += by_s
    session = opened(seconds(stray))
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], EVEN_S, atol=1e-4)
    assert session.ledger[FOOT].lost == 0
    assert any("2 single stray times in t were put between their neighbours" in n for n in session.notes)
    values = made.motion(seconds=N / RATE_HZ, rate_hz=RATE_HZ, seed=0)
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 1:], values, atol=1e-6)


def test_a_packet_that_came_late_is_sorted_not_mended(opened):
    order = np.delete(TICKS, 300)
    order = np.insert(order, 340, 300)
    session = opened(seconds(EVEN_S[order]))
    assert not any("stray" in n for n in session.notes)
    assert any("out of order" in n for n in session.notes)


def test_a_late_packet_between_two_that_another_loss_parted_is_sorted_not_mended(opened):
    """It stands where a stray stamp would, but its own time is free."""
    order = np.delete(TICKS, [300, 341])
    order = np.insert(order, 340, 300)
    assert list(order[339:342]) == [340, 300, 342]
    session = opened([*seconds(EVEN_S[order]), seconds([EVEN_S[-1] + 0.01])[0]])
    assert not any("stray" in n for n in session.notes)
    assert session.ledger[FOOT].lost == 1
