"""What a person types, and what comes back: output, one sentence, exit status."""

import csv
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from subtalar.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(*arguments: str | Path) -> tuple[int, str, str]:
        status = 0
        try:
            main([str(a) for a in arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capsys.readouterr()
        return status, out, err

    return run_main


def refused(result: tuple[int, str, str], *words: str) -> None:
    status, _, err = result
    assert status == 1
    assert err.startswith("subtalar: ")
    assert err.count("\n") == 1, f"more than one line: {err}"
    assert "Traceback" not in err
    for word in words:
        assert word in err


def rewritten(walk: Path, to: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """A copy of the session whose foot sensor's lines went through ``change``."""
    shutil.copytree(walk, to)
    file = to / "left_foot.csv.gz"
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    file.write_bytes(gzip.compress("\n".join(change(lines)).encode()))
    return to


def test_analyze_writes_what_the_contract_names(run: Run, walk: Path, tmp_path: Path) -> None:
    status, out, _ = run("analyze", walk, "--out", tmp_path / "out")
    assert status == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "angles.csv",
        "strides.csv",
        "summary.json",
        "report.html",
    }
    header = (tmp_path / "out" / "angles.csv").read_text().splitlines()[0]
    assert header.startswith("time_s,side,dorsiflexion_deg,inversion_deg,tibial_rotation_deg")
    assert "left" in out


def column(folder: Path, name: str) -> list[str]:
    with (folder / "angles.csv").open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_the_subtalar_axis_can_be_set_and_moves_nothing_else(run: Run, walk: Path, tmp_path: Path) -> None:
    assert run("analyze", walk, "--out", tmp_path / "mean", "--quiet")[0] == 0
    assert run("analyze", walk, "--out", tmp_path / "own", "--subtalar-axis", "35,10", "--quiet")[0] == 0
    for name in ("dorsiflexion_deg", "inversion_deg", "foot_pitch_deg", "quality"):
        assert column(tmp_path / "mean", name) == column(tmp_path / "own", name)
    mean, own = column(tmp_path / "mean", "subtalar_deg"), column(tmp_path / "own", "subtalar_deg")
    assert sum(value != "" for value in mean) > 500
    assert mean != own
    told = json.loads((tmp_path / "own" / "summary.json").read_text())
    assert told["subtalar_axis"] == {"inclination_deg": 35, "deviation_deg": 10}


def test_the_smoothed_pass_is_another_one_and_says_so(run: Run, walk: Path, tmp_path: Path) -> None:
    assert run("analyze", walk, "--out", tmp_path / "live", "--quiet")[0] == 0
    status, out, _ = run("analyze", walk, "--out", tmp_path / "smooth", "--smooth")
    assert status == 0
    assert "look ahead" in out
    live, smooth = tmp_path / "live", tmp_path / "smooth"
    assert [json.loads((f / "summary.json").read_text())["pass"] for f in (live, smooth)] == ["live", "smoothed"]
    assert ["look ahead" in (f / "report.html").read_text() for f in (live, smooth)] == [False, True]
    assert column(live, "time_s") == column(smooth, "time_s")
    known = [sum(value != "" for value in column(f, "inversion_deg")) for f in (live, smooth)]
    assert known[1] > known[0] > 500
    assert "not what the live session showed" in " ".join(run("analyze", "--help")[1].split())


@pytest.mark.parametrize("axis", ["90,23", "42", "42,23,1", "steep", "nan,23", ""])
@pytest.mark.parametrize("command", ["analyze", "live"])
def test_an_axis_that_is_none_is_wrong_usage(run: Run, walk: Path, tmp_path: Path, command: str, axis: str) -> None:
    where = ["--out", tmp_path / "out"] if command == "analyze" else ["--replay", walk, "--headless"]
    status, _, err = run(command, *([walk] if command == "analyze" else []), *where, "--subtalar-axis", axis)
    assert status == 2
    assert "42,23" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("only", ["left_foot", "left_shank"])
def test_one_sensor_gives_its_segment_and_strides(run: Run, walk: Path, tmp_path: Path, only: str) -> None:
    shutil.copytree(walk, tmp_path / "lone")
    told = json.loads((tmp_path / "lone" / "session.json").read_text())
    told["sensors"] = {only: told["sensors"][only]}
    (tmp_path / "lone" / "session.json").write_text(json.dumps(told))
    status, out, _ = run("analyze", tmp_path / "lone", "--out", tmp_path / "out")
    assert status == 0
    assert "strides (left" in out
    assert set(column(tmp_path / "out", "inversion_deg")) == {""}
    name = "foot_inversion_deg" if only == "left_foot" else "shank_frontal_deg"
    assert sum(value != "" for value in column(tmp_path / "out", name)) > 500
    status, out, _ = run("live", "--replay", tmp_path / "lone", "--headless", "--speed", "0")
    assert status == 0
    assert "strides" in out


def test_session_info_as_json(run: Run, walk: Path) -> None:
    status, out, _ = run("session", "info", walk, "--json")
    facts = json.loads(out)
    assert status == 0
    assert facts["duration_s"] == pytest.approx(30, abs=1)
    assert set(facts["sensors"]) == {"left_foot", "left_shank"}
    assert {"strides", "ledger"} <= facts.keys()


def test_session_info_in_words(run: Run, walk: Path) -> None:
    status, out, _ = run("session", "info", walk)
    assert status == 0
    assert "left foot" in out


def test_no_such_path(run: Run, tmp_path: Path) -> None:
    refused(run("analyze", tmp_path / "nowhere", "--out", tmp_path / "out"), "nowhere")
    refused(run("live", "--replay", tmp_path / "nowhere", "--headless"), "nowhere")
    refused(run("live", "--device", f"replay:{tmp_path / 'nowhere'}", "--headless"), "nowhere")


def test_not_a_session(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague")
    refused(run("analyze", tmp_path / "letter.txt", "--out", tmp_path / "out"), "letter.txt")
    refused(run("analyze", tmp_path, "--out", tmp_path / "out"))


def test_a_missing_column(run: Run, walk: Path, tmp_path: Path) -> None:
    bad = rewritten(walk, tmp_path / "bad", lambda lines: [line.rsplit(",", 1)[0] for line in lines])
    refused(run("analyze", bad, "--out", tmp_path / "out"), "left_foot.csv.gz", "gyr_z_rad_s")


@pytest.mark.parametrize("value", ["nan", "abc", ""])
def test_values_that_are_no_numbers(run: Run, walk: Path, tmp_path: Path, value: str) -> None:
    def spoilt(line: str) -> str:
        return line.rsplit(",", 1)[0] + "," + value

    bad = rewritten(walk, tmp_path / "bad", lambda x: [*x[:200], spoilt(x[200]), *x[201:]])
    status, _, err = run("analyze", bad, "--out", tmp_path / "out")
    assert status == 0, err
    notes = json.loads((tmp_path / "out" / "summary.json").read_text())["session"]["notes"]
    assert any("left_foot.csv.gz" in note and "1 of" in note for note in notes), notes
    # Where it is the rule and not one row, the first is named.
    worse = rewritten(walk, tmp_path / "worse", lambda x: [x[0], *map(spoilt, x[1:])])
    refused(run("analyze", worse, "--out", tmp_path / "out"), "left_foot.csv.gz", "2")


def test_neither_foot_nor_shank(run: Run, walk: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(walk, bare)
    facts = json.loads((bare / "session.json").read_text())
    (bare / "session.json").write_text(json.dumps({**facts, "sensors": {}}))
    refused(run("analyze", bare, "--out", tmp_path / "out"), "foot", "shank")


def test_three_seconds(run: Run, walk: Path, tmp_path: Path) -> None:
    short = rewritten(walk, tmp_path / "short", lambda lines: lines[:300])
    other = short / "left_shank.csv.gz"
    lines = gzip.decompress(other.read_bytes()).decode().splitlines()[:300]
    other.write_bytes(gzip.compress("\n".join(lines).encode()))
    refused(run("analyze", short, "--out", tmp_path / "out"), "3.0 s")


def test_where_nobody_stands_still_zero_comes_from_the_walk(run: Run, walk: Path, tmp_path: Path) -> None:
    moving = rewritten(walk, tmp_path / "moving", lambda lines: [lines[0], *lines[1650:2900]])
    other = moving / "left_shank.csv.gz"
    lines = gzip.decompress(other.read_bytes()).decode().splitlines()
    other.write_bytes(gzip.compress("\n".join([lines[0], *lines[1650:2900]]).encode()))
    status, said, err = run("analyze", moving, "--out", tmp_path / "out")
    assert status == 0, err
    assert "nobody stood still" in said
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["sides"]["left"]["angles"]["zero_sd_deg"] > 3.0
    assert summary["sides"]["left"]["used_stride_count"] > 3


def test_one_file_for_two_sensors(run: Run, walk: Path, tmp_path: Path) -> None:
    twins = tmp_path / "twins"
    shutil.copytree(walk, twins)
    shutil.copy(twins / "left_foot.csv.gz", twins / "left_shank.csv.gz")
    refused(run("analyze", twins, "--out", tmp_path / "out"), "left_foot", "left_shank", "same samples")


def test_standing_without_walking_has_too_few_strides(run: Run, walk: Path, tmp_path: Path) -> None:
    standing = rewritten(walk, tmp_path / "standing", lambda lines: lines[:1100])
    other = standing / "left_shank.csv.gz"
    other.write_bytes(
        gzip.compress("\n".join(gzip.decompress(other.read_bytes()).decode().splitlines()[:1100]).encode())
    )
    refused(run("analyze", standing, "--out", tmp_path / "out"), "strides")


def test_one_impossible_value_does_not_spoil_the_rest(run: Run, walk: Path, tmp_path: Path) -> None:
    def spoil(lines: list[str]) -> list[str]:
        lines[2000] = lines[2000].rsplit(",", 1)[0] + ",1e6"
        return lines

    odd = rewritten(walk, tmp_path / "odd", spoil)
    status, _, _ = run("analyze", odd, "--out", tmp_path / "out")
    sound = run("analyze", walk, "--out", tmp_path / "sound")
    assert (status, sound[0]) == (0, 0)
    strides = len((tmp_path / "out" / "strides.csv").read_text().splitlines())
    assert strides == len((tmp_path / "sound" / "strides.csv").read_text().splitlines())


def test_a_file_where_the_folder_should_be(run: Run, walk: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    refused(run("analyze", walk, "--out", tmp_path / "out"), "out")


def test_spaces_and_accents(run: Run, walk: Path, tmp_path: Path) -> None:
    place = tmp_path / "Zoë Müller – visite 2"
    shutil.copytree(walk, place)
    status, _, _ = run("analyze", place, "--out", tmp_path / "réponse à tout", "--quiet")
    assert status == 0
    assert (tmp_path / "réponse à tout" / "report.html").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["live"],
        ["live", "--simulate", "--replay", "x"],
        ["live", "--simulate", "--duration", "-3"],
        ["live", "--simulate", "--duration", "nan"],
        ["live", "--replay", "x", "--speed", "nan"],
        ["live", "--replay", "x", "--speed", "inf"],
        ["live", "--replay", "x", "--truth", "t.csv.gz"],
        ["analyze", "x"],
        ["nonsense"],
        ["sim", "serve", "--device", "abacus"],
        ["live", "--replay", "x", "--fault", "loss=0.1"],
    ],
)
def test_wrong_usage_exits_with_two(run: Run, arguments: list[str]) -> None:
    status, _, err = run(*arguments)
    assert status == 2
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["live"],
        ["analyze"],
        ["session"],
        ["session", "info"],
        ["session", "recover"],
        ["session", "verify"],
        ["sim", "serve"],
        ["bench"],
    ],
)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    status, out, _ = run(*command, "--help")
    assert status == 0
    assert "Usage:" in out
    assert len(out.splitlines()) > 4


@pytest.mark.parametrize("name", ["walk.mcap", "right_foot.csv.gz", "cut.csv.gz"])
def test_true_angles_are_never_written_over_something_else(run: Run, tmp_path: Path, name: str) -> None:
    precious = {
        "walk.mcap": b"\x89MCAP0\r\n",
        "right_foot.csv.gz": gzip.compress(b"device_time_s,acc_x_m_s2\n0,1\n"),
        "cut.csv.gz": gzip.compress(b"device_time_s,acc_x_m_s2\n0,1\n")[:-9],
    }[name]
    (tmp_path / name).write_bytes(precious)
    refused(run("live", "--simulate", "--headless", "--no-record", "--truth", tmp_path / name), "true angles")
    assert (tmp_path / name).read_bytes() == precious


@pytest.mark.parametrize("command", ["analyze", "live"])
def test_a_terminal_without_unicode_loses_no_result(walk: Path, tmp_path: Path, command: str) -> None:
    place = tmp_path / "Zoë"
    arguments = {
        "analyze": ["analyze", str(walk), "--out", str(place)],
        "live": ["live", "--replay", str(walk), "--headless", "--speed", "0"],
    }[command]
    ended = subprocess.run(
        [sys.executable, "-c", "from subtalar.cli import main; main()", *arguments],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert b"strides" in ended.stdout
    assert ended.stdout.isascii()
    assert command == "live" or (place / "report.html").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("arguments", [["session", "info"], ["analyze", "--out"]])
def test_output_that_cannot_be_written_is_one_sentence(walk: Path, tmp_path: Path, arguments: list[str]) -> None:
    command = [*arguments[:1], str(walk), *arguments[1:], str(tmp_path / "out")]
    if arguments[0] == "session":
        command = [*arguments, str(walk)]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from subtalar.cli import main; main()", *command],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("subtalar: The output cannot be written")
    assert ended.stderr.count("\n") == 1


def test_a_device_spec_that_makes_no_sense(run: Run) -> None:
    refused(run("live", "--device", "kneecap=ble:AA:BB:CC:DD:EE:FF", "--headless"), "kneecap")


def test_a_recording_path_that_cannot_be(run: Run, tmp_path: Path) -> None:
    refused(run("live", "--simulate", "--headless", "--record", tmp_path / "no" / "a.mcap"), "no")


def test_an_existing_file_is_refused_before_anything_is_started(run: Run, walk: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.mcap"
    precious.write_bytes(b"of value")
    result = run("live", "--replay", walk, "--headless", "--record", precious)
    refused(result, "precious.mcap", "never overwritten")
    assert result[1] == ""
    assert precious.read_bytes() == b"of value"


def test_an_empty_name_for_the_recording(run: Run) -> None:
    refused(run("live", "--simulate", "--headless", "--record", ""), "empty")


@pytest.mark.parametrize("arguments", [["--transport", "ble"], ["--transport", "tcp", "--port", "65534"]])
def test_simulated_sensors_that_cannot_be_served(run: Run, arguments: list[str]) -> None:
    refused(run("sim", "serve", "--device", "ximu3", "--duration", "1", *arguments), "cannot be served")


@pytest.mark.parametrize(("transport", "port"), [("pty", "7000"), ("ble", "4")])
def test_a_port_is_not_ignored_where_there_are_none(run: Run, transport: str, port: str) -> None:
    device = "movella-dot" if transport == "ble" else "ximu3"
    serve = ["sim", "serve", "--device", device, "--duration", "0.1", "--port", port]
    refused(run(*serve, "--transport", transport), f"no ports over {transport}", "leave the port out")
    if transport == "ble":
        refused(run(*serve), "no ports over ble")  # its usual transport


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_port_that_is_taken_is_one_sentence(run: Run, transport: str) -> None:
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if transport == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        serve = ["sim", "serve", "--device", "ximu3", "--transport", transport, "--duration", "0.1"]
        result = run(*serve, "--port", str(port))
    refused(result, f"the port {port} is in use", "another port")
    assert "Errno" not in result[2]


def test_faults_that_make_no_sense(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "bad day.txt"
    script.write_text("loss=0.02  # fine\nrain=1\n", encoding="utf-8")
    serve = ["sim", "serve", "--device", "ximu3", "--duration", "0.1"]
    refused(run(*serve, "--fault", str(script)), "cannot be used", "'rain'")
    refused(run(*serve, "--fault", "mtu=23"), "over Bluetooth only")
    refused(run(*serve, "--fault", str(tmp_path / "none.txt")), "cannot be used", "neither a file", "none.txt")
    refused(run("live", "--simulate", "--headless", "--no-record", "--fault", ""), "no fault is named")
    refused(run("live", "--simulate", "--headless", "--no-record", "--fault", "reorder=0.1"), "only udp")
    status, out, _ = run(*serve, "--fault", "loss=0.02", "--fault", "left_foot:reboot@5s")
    assert status == 0
    assert out.count("ximu3") == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_no_session_and_is_not_waited_for(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mcap")
    for command in ("info", "verify"):
        refused(run("session", command, tmp_path / "pipe.mcap"), "neither a file nor a folder")
