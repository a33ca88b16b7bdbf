"""For each fault the host's ledger says what the simulator did: exactly, where the protocol has a device time.

The production chain of a sensor (codec, stream, ledger) in virtual time; the samples themselves say when they were
measured, so that what is missing is known without either ledger.
"""

from functools import partial
from pathlib import Path
from typing import IO

import pytest

from subtalar.protocol.ximu3 import XImu3
from subtalar_bench.faults import FaultRunMaker, FaultRunResult, measure, run_fault_script
from subtalar_bench.faults.fault_run import SensorRunResult

EXACT = [
    *(("ximu3", "tcp"), ("ximu3", "udp"), ("ximu3", "pty"), ("talus", "ble"), ("movella-dot", "ble")),
    *(("shimmer3", "tcp"), ("witmotion-serial", "pty")),
]
STARTED_ANEW = [("talus", "ble"), ("talus", "tcp"), ("movella-dot", "ble"), ("shimmer3", "tcp")]


def trial(device: str, transport: str, script: str, duration_s: float = 12.0, seed: int = 3) -> SensorRunResult:
    from subtalar_sim.serve.trial import make_trial

    make: FaultRunMaker = partial(make_trial, device, transport, script, seed=seed)
    finding = run_fault_script(make, duration_s)
    assert finding.problems == ()
    (sensor,) = finding.sensors
    return sensor


def assert_all_accounted_for(found: SensorRunResult) -> None:
    """Received + lost = sent, to the sample: of all that were produced, from the first received to the last."""
    produced = found.sent["sent"] + found.sent["lost"] + found.sent["unsent"]
    after_last = produced - 1 - found.last
    assert 0 <= after_last < 25  # in the air, or lost at the very end
    assert found.first + found.ledger.received + found.ledger.lost + after_last == produced


@pytest.mark.parametrize("transport", ["tcp", "udp", "pty"])
@pytest.mark.parametrize(
    "script",
    [
        "",
        "loss=0.05",
        "duplicate=0.1, jitter=20ms",
        "garbage=0.05",
        "gap@4s+1s, stall@4.5s+1s",
        "drop_link@5s+2s, loss=0.02",
        "stall@5s+3.5s",
        "drop_link@3s+1s, drop_link@6s+1s, drop_link@9s+0.3s",
        "slow_discovery=1s, drop_link@5s+1s, garbage=0.02",
    ],
)
def test_received_and_lost_is_what_was_sent(transport: str, script: str) -> None:
    found = trial("ximu3", transport, script, 14.0)
    assert found.is_exact
    assert found.ledger.received > 300
    assert_all_accounted_for(found)


@pytest.mark.parametrize(("device", "transport"), EXACT)
def test_without_faults_everything_arrives(device: str, transport: str) -> None:
    found = trial(device, transport, "")
    assert found.is_exact
    assert found.ledger.received > 400
    assert found.missing == found.ledger.lost == found.sent["lost"] == 0
    assert found.ledger.duplicated == found.ledger.corrupt_bytes == found.ledger.reconnects == 0
    assert 0 <= found.sent["sent"] - found.ledger.received < 20  # in the air, or sent before it was configured


@pytest.mark.parametrize(("device", "transport"), EXACT)
@pytest.mark.parametrize("script", ["loss=0.05", "gap@5s+1.5s", "loss=0.2,gap_samples=20"])
def test_gaps_are_counted_to_the_sample(device: str, transport: str, script: str) -> None:
    found = trial(device, transport, script)
    assert found.is_exact
    assert found.ledger.lost == found.missing > 10
    # What is lost before the first or after the last sample received nobody can see.
    assert 0 <= found.sent["lost"] - found.ledger.lost < 25
    assert found.ledger.corrupt_bytes == found.ledger.duplicated == 0


@pytest.mark.parametrize(("device", "transport"), [route for route in EXACT if route[0] != "shimmer3"])
def test_doubled_samples_are_counted_and_dropped(device: str, transport: str) -> None:
    found = trial(device, transport, "duplicate=0.1")
    assert found.ledger.lost == found.missing == 0
    assert 0 <= found.sent["duplicated"] - found.ledger.duplicated < 6  # doubled before it was configured
    assert found.ledger.duplicated > 20
    assert found.gives_times_in_order


@pytest.mark.parametrize(("device", "transport"), EXACT)
def test_a_burst_after_a_stall_costs_nothing(device: str, transport: str) -> None:
    found = trial(device, transport, "stall@5s+1.5s, jitter=20ms")
    assert found.ledger.lost == found.missing == 0
    assert found.ledger.reconnects == 0
    assert found.ledger.received > 400


@pytest.mark.parametrize(("device", "transport"), [("ximu3", "tcp"), ("ximu3", "pty"), ("talus", "ble")])
@pytest.mark.parametrize("script", ["drop_link@5s+2s", "stall@5s+3.5s", "drop_link@5s+1s, refuse=1, slow_discovery=1s"])
def test_what_a_broken_link_costs_is_known_exactly(device: str, transport: str, script: str) -> None:
    if transport == "pty":
        script = script.replace(", refuse=1", "")
    found = trial(device, transport, script, 20.0)
    assert found.is_exact
    assert found.ledger.reconnects == 1
    assert not found.ledger.lost_is_estimated
    assert abs(found.ledger.lost - found.missing) <= found.undecided
    assert found.missing > 50
    if device == "ximu3":  # which measures from the beginning on, whoever listens
        assert_all_accounted_for(found)


@pytest.mark.parametrize(("device", "transport"), [*STARTED_ANEW, ("witmotion-serial", "tcp")])
@pytest.mark.parametrize(("seed", "away_s"), [(3, 4.0), (4, 9.0), (5, 9.1)])
def test_a_hole_before_a_new_start_is_known_to_the_sample(
    device: str, transport: str, seed: int, away_s: float
) -> None:
    found = trial(device, transport, f"drop_link@5s+{away_s}s", 25.0, seed)
    assert found.is_exact
    assert found.ledger.reconnects == 1
    assert found.missing > 190
    assert abs(found.ledger.lost - found.missing) <= found.undecided <= 1
    assert not found.ledger.lost_is_estimated


def test_lost_and_late_datagrams_are_counted_to_the_sample() -> None:
    lossy = trial("ximu3", "udp", "datagram_loss=0.1")
    assert lossy.ledger.lost == lossy.missing > 20
    assert 0 <= lossy.sent["dropped"] - lossy.ledger.lost < 5
    late = trial("ximu3", "udp", "reorder=0.1")
    # A late one is missed when it is due, and dropped when it comes.
    assert late.ledger.lost == late.missing > 20
    assert late.ledger.duplicated - late.ledger.lost in (0, 1)  # the first sample of all may have been late
    assert late.gives_times_in_order


@pytest.mark.parametrize(("device", "transport"), [("ximu3", "tcp"), ("talus", "ble")])
@pytest.mark.parametrize("by_s", [10.0, -10.0])
def test_a_clock_that_jumps_is_noticed_and_costs_nothing(device: str, transport: str, by_s: float) -> None:
    found = trial(device, transport, f"clock_jump@6s={by_s:g}s")
    assert found.ledger.lost == found.missing == 0
    assert found.gives_times_in_order
    assert found.ledger.received > 400


@pytest.mark.parametrize(("device", "transport"), EXACT)
@pytest.mark.parametrize("by_s", [0.6, 2.5, -0.6])
def test_a_small_jump_of_the_clock_is_no_loss(device: str, transport: str, by_s: float) -> None:
    found = trial(device, transport, f"clock_jump@6s={by_s:g}s, jitter=5ms")
    assert found.is_exact
    assert found.ledger.clock_jumps == 1
    assert found.ledger.lost == found.missing == found.ledger.duplicated == 0
    assert found.ledger.received > 400


@pytest.mark.parametrize(("device", "transport"), EXACT)
def test_a_reboot_is_survived_and_its_cost_estimated(device: str, transport: str) -> None:
    found = trial(device, transport, "reboot@6s+1s", 20.0)
    assert found.sent["reboots"] == 1
    # Serial ports and UDP tell of nothing, and a sensor that streams again before it is missed needs no new link. What
    # the WitMotion sensor sends unasked are no samples with their time: it is missed.
    assert found.ledger.reconnects == (0 if device == "ximu3" and transport in ("udp", "pty") else 1)
    assert found.ledger.lost_is_estimated
    assert found.ledger.lost == pytest.approx(found.missing, abs=25)


@pytest.mark.parametrize(("device", "transport"), EXACT)
def test_the_hole_of_a_second_reboot_counts_once(device: str, transport: str) -> None:
    """Its new clock begins near where the one before was."""
    found = trial(device, transport, "reboot@6s+0.5s, reboot@9s+0.5s", 20.0)
    assert found.sent["reboots"] == 2
    assert found.ledger.lost == pytest.approx(found.missing, abs=50)


@pytest.mark.parametrize("script", ["corrupt=0.02", "garbage=0.05"])
def test_damage_is_seen_and_what_it_destroyed_is_missing(script: str) -> None:
    found = trial("ximu3", "tcp", script)
    assert found.ledger.corrupt_bytes > 0
    damaged = found.sent["corrupted_payloads"] or found.sent["garbage_bytes"]
    assert damaged > 10
    if "garbage" in script:
        assert found.is_exact
        assert found.ledger.lost == found.missing > 5  # the messages that the garbage was glued to
    checked = trial("talus", "ble", script)  # a checksum lets nothing through
    assert checked.ledger.lost == checked.missing


def test_a_small_mtu_and_slow_discovery_do_no_harm_where_the_protocol_allows_it() -> None:
    found = trial("witmotion", "ble", "mtu=23, slow_discovery=2s")
    assert 300 < found.ledger.received <= found.sent["sent"]
    assert found.ledger.corrupt_bytes == 0


def test_a_dying_battery_ends_the_data_and_nothing_else() -> None:
    found = trial("ximu3", "tcp", "battery_empty@6s", 15.0)
    assert found.ledger.lost == found.missing == 0
    assert 200 < found.ledger.received <= found.sent["sent"] < 7 * 51


def test_a_device_without_time_delivers_what_was_sent() -> None:
    found = trial("witmotion", "ble", "loss=0.05, duplicate=0.05")
    assert not found.is_exact
    assert found.ledger.lost_is_estimated
    assert 400 < found.ledger.received <= found.sent["sent"] + found.sent["duplicated"]


def test_random_scripts_neither_crash_nor_leak_nor_miscount() -> None:
    from subtalar_sim.serve.trial import random_trial

    told: list[FaultRunResult] = []
    results, wrong = measure(random_trial, 10, tell=told.append)
    assert wrong == told == []
    figures = {r.name: r.value for r in results}
    assert figures["received samples"] > 5000
    assert figures["of which every lost sample must be known"] >= 3
    assert figures["samples missing between them"] > 100


def test_a_miscount_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from subtalar_sim.serve.trial import make_trial

    monkeypatch.setattr("subtalar.device.device_time_ledger._lost_in", lambda steps, period_us: 0)
    finding = run_fault_script(partial(make_trial, "ximu3", "tcp", "loss=0.1"), 8.0)
    assert len(finding.problems) == 1
    assert "are missing" in finding.problems[0]


def test_a_crash_and_a_leak_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from subtalar_sim.serve.trial import make_trial

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("subtalar.protocol.ximu3.XImu3.feed", broken)
    finding = run_fault_script(partial(make_trial, "ximu3", "tcp", ""), 8.0)
    assert finding.problems == ("ZeroDivisionError: a bug",)


def test_a_file_left_open_would_be_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from subtalar_sim.serve.trial import make_trial

    path = tmp_path / "left open"
    path.touch()
    opened: list[IO[bytes]] = []
    reset = XImu3.reset

    def leaks(self: XImu3) -> None:
        opened.append(path.open("rb"))
        reset(self)

    monkeypatch.setattr(XImu3, "reset", leaks)
    finding = run_fault_script(partial(make_trial, "ximu3", "tcp", ""), 5.0)
    opened[0].close()
    assert len(opened) == len(finding.problems) == 1
    assert "left open" in finding.problems[0]
