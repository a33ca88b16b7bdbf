"""``subtalar devices``: setting, blinking, assigning, against simulated boards on pseudo-terminals and Bluetooth."""

import asyncio
import os
import sys
from functools import partial

import pytest

from subtalar.cli.devices import SITES
from subtalar.device import DeviceReport, RememberedSensors, run_on_device, set_up_device
from subtalar.protocol import MODELS, find_model
from subtalar.transport import make_transport, parse_spec
from subtalar.types import BodySite, SensorInfo, SensorStatus
from subtalar_sim.config import SimulationConfig

A, B = "AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:02"


async def subtalar(*arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of the command in a process of its own."""
    code = "from subtalar.cli import main; import sys; main(sys.argv[1:])"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def run(monkeypatch, capsys):
    """The command in this process, for what needs no event loop of somebody else."""
    from subtalar.cli import main

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return invoke


def test_the_places_are_those_of_the_leg():
    assert set(SITES) == {site.value for site in BodySite}


def test_assign_forget_and_what_had_the_place_before(run):
    assert run("devices", "assign", "right_foot", f"ble:{A},model=talus,rate=200")[0] == 0
    status, out, _ = run("devices", "assign", "right_foot", f"ble:{B}")
    assert status == 0
    assert f"ble:{A}, which was there before, has no place now." in out
    assert run("devices", "set", f"ble:{A}", "--site", "left_foot")[0] == 0
    specs = {str(sensor.spec) for sensor in RememberedSensors()}
    assert specs == {f"left_foot=ble:{A},model=talus,rate=200", f"right_foot=ble:{B},model=witmotion"}
    assert run("devices", "forget", "right_foot")[0] == 0
    status, _, err = run("devices", "forget", f"ble:{B}")
    assert (status, err) == (1, f"subtalar: Nothing is remembered of ble:{B}.\n")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["set", f"ble:{A}"], 2, "say what to set"),
        (["set", f"ble:{A}", "--rate", "nan"], 2, "not a finite number"),
        (["set", f"ble:{A}", "--rate", "-5"], 2, "not in the range"),
        (["set", f"ble:{A}", "--rate", "123"], 1, "cannot sample at 123 Hz"),
        (["set", f"ble:{A}", "--range-acc", "8"], 1, "accelerometer range of the witmotion cannot be set"),
        (["set", f"ble:{A},model=metamotion", "--range-gyr", "7"], 1, "no gyroscope range 7 °/s"),
        (["set", f"ble:{A}", "--name", "left"], 1, "witmotion cannot be given a name"),
        (["set", f"ble:{A},model=talus", "--name", "x" * 21], 1, "does not fit"),
        (["set", f"ble:{A}", "--site", "elbow"], 2, "elbow"),
        (["set", "nonsense", "--rate", "100"], 1, "does not say how to reach the sensor"),
        (["set", "right_foot", "--rate", "100"], 1, "No sensor is remembered for right_foot"),
        (["blink", f"ble:{A}"], 1, "no command that makes it blink"),
        (["blink", "left_shank"], 1, "No sensor is remembered for left_shank"),
        (["blink", "serial:/dev/tty-not-there,model=talus"], 1, "no port /dev/tty-not-there"),
        (["assign", "elbow", f"ble:{A}"], 2, "elbow"),
        (["assign", "right_foot", "ble:nonsense"], 1, "no Bluetooth address"),
        (["assign", "right_foot", "serial:/dev/tty\udcff"], 1, r"'/dev/tty\udcff' holds a character"),
    ],
)
def test_nonsense_is_one_sentence_and_remembers_nothing(run, sensors_file, arguments, status, sentence):
    got, out, err = run("devices", *arguments)
    assert got == status
    assert sentence in err
    assert out == ""
    if status == 1:
        assert err.count("\n") == 1
    assert not sensors_file.exists()


def test_a_damaged_memory_is_told_and_does_not_stand_in_the_way(run, sensors_file):
    sensors_file.parent.mkdir()
    sensors_file.write_text("{broken")
    status, _, err = run("devices", "assign", "right_foot", f"ble:{A}")
    assert status == 0
    assert err.count("\n") == 1
    assert "sensors.json.damaged" in err
    assert [s.spec.address for s in RememberedSensors()] == [A]


def test_scan_shows_places_and_who_is_missing(run, monkeypatch):
    from subtalar.transport import discover

    async def ports() -> list[discover.FoundDevice]:
        return [discover.FoundDevice("serial", "/dev/ttyACM0", "x-IMU3", "ximu3")]

    async def radio(_: float) -> list[discover.FoundDevice]:
        return [discover.FoundDevice("ble", A, "Talus-board", "talus", -50)]

    monkeypatch.setattr(discover, "list_serial_ports", ports)
    monkeypatch.setattr(discover, "scan_ble", radio)
    run("devices", "assign", "right_foot", f"ble:{A},model=talus,rate=200")
    run("devices", "assign", "left_foot", f"ble:{B},model=talus")
    status, out, _ = run("devices", "scan")
    assert status == 0
    assert out.splitlines() == [
        "serial:/dev/ttyACM0,model=ximu3  (x-IMU3)",
        f"right_foot=ble:{A},model=talus,rate=200  (Talus-board, -50 dBm)",
        f"left_foot=ble:{B},model=talus  (no name, remembered, not seen now)",
    ]


def test_scan_says_which_plug_in_cannot_be_used(run, monkeypatch):
    import subtalar.protocol
    from subtalar.protocol.installed_models import PlugIns
    from subtalar.transport import discover

    async def nothing(*_: float) -> list[discover.FoundDevice]:
        return []

    monkeypatch.setattr(discover, "list_serial_ports", nothing)
    monkeypatch.setattr(discover, "scan_ble", nothing)
    troubles = PlugIns((), ("The plug-in 'pebble' of pebble-sensor 0.1 cannot be used: \x1b[31mno rates.",))
    monkeypatch.setattr(subtalar.protocol, "plug_ins", lambda: troubles)
    status, out, err = run("devices", "scan")
    assert status == 0
    assert "No sensor was found" in out
    assert err == "subtalar: The plug-in 'pebble' of pebble-sensor 0.1 cannot be used: �[31mno rates.\n"


@pytest.mark.parametrize("model", [model.name for model in MODELS])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\udcff", r"The name '\udcff' holds a character that cannot be shown"),
        ("a\nb\x07\x1b[31mred", r"The name 'a\nb\x07\x1b[31mred' holds a character that cannot be shown"),
        ("   ", "The name for the sensor is empty"),
        ("", "The name for the sensor is empty"),
    ],
)
def test_a_name_that_no_sensor_shall_have_is_refused_before_anybody_connects(run, sensors_file, model, name, why):
    kind = find_model(model).transports[0]
    address = {"ble": A, "serial": "/dev/tty-not-there", "tcp": "127.0.0.1:1"}[kind]
    status, out, err = run("devices", "set", f"{kind}:{address},model={model}", "--name", name)
    assert (status, out) == (1, "")
    assert err.startswith(f"subtalar: {why}")
    assert err.count("\n") == 1
    assert not sensors_file.exists()


def test_names_of_strangers_are_nothing_that_a_terminal_obeys(run, monkeypatch):
    from subtalar.transport import discover

    async def ports() -> list[discover.FoundDevice]:
        return [discover.FoundDevice("serial", "/dev/ttyACM0", "Füße\x07")]

    async def radio(_: float) -> list[discover.FoundDevice]:
        return [discover.FoundDevice("ble", A, "a\n\x1b[31mred\u202e", None, -50)]

    monkeypatch.setattr(discover, "list_serial_ports", ports)
    monkeypatch.setattr(discover, "scan_ble", radio)
    # As an older version remembered it.
    RememberedSensors().remember(parse_spec(f"left_foot=ble:{B}"), "left\x1b]0;")
    status, out, _ = run("devices", "scan")
    assert status == 0
    assert out.splitlines() == [
        "serial:/dev/ttyACM0  (Füße�)",
        f"ble:{A}  (a��[31mred�, -50 dBm)",
        f"left_foot=ble:{B},model=witmotion  (left�]0;, remembered, not seen now)",
    ]


def test_what_a_sensor_tells_is_nothing_that_a_terminal_obeys(run, monkeypatch):
    import subtalar.device

    info = SensorInfo(BodySite.RIGHT_FOOT, 100.0, model="talus")

    async def visit(_: object) -> DeviceReport:
        return DeviceReport(SensorStatus(info, "streaming"), {"name": "a\x1b[31mred"})

    monkeypatch.setattr(subtalar.device, "inspect_device", visit)
    status, out, _ = run("devices", "info", f"ble:{A},model=talus")
    assert status == 0
    assert out.splitlines()[-1] == "  name: a�[31mred"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
async def test_a_board_is_set_blinks_and_is_used_by_live_over_a_pseudo_terminal():
    from subtalar_sim.serve.live import simulated_hardware

    config = SimulationConfig(sites=("right_foot", "right_shank"), device="talus", transport="pty")
    async with simulated_hardware(config) as hardware:
        specs = [parse_spec(text) for text in hardware.specs]
        port = f"serial:{specs[0].address}"
        options = [
            "--rate",
            "100",
            "--range-acc",
            "8",
            "--range-gyr",
            "500",
            "--name",
            "rechts",
            "--site",
            "right_foot",
        ]
        status, out, err = await subtalar("devices", "set", f"{port},model=talus", *options)
        assert (status, err) == (0, "")
        assert "takes it: 100 Hz (measured " in out
        assert "±8 g, ±500 °/s" in out
        assert f"Remembered: right_foot={port},model=talus,rate=100,acc=8,gyr=500" in out
        status, out, err = await subtalar("devices", "info", "right_foot")
        assert (status, err) == (0, "")
        assert "name: rechts" in out
        assert "asked for 100 Hz" in out
        assert "acc_full_scale_g 8.0" in out
        status, out, _ = await subtalar("devices", "blink", "right_foot")
        assert (status, out) == (0, f"{port} has been told to blink.\n")
        await subtalar("devices", "assign", "right_shank", f"serial:{specs[1].address},model=talus")
        status, out, err = await subtalar("live", "--headless", "--no-record", "--duration", "2")
        assert (status, err) == (0, "")
        assert out.count("Using right_") == 2
        status, _, err = await subtalar("devices", "set", "right_foot", "--rate", "125")
        assert status == 1
        assert "choose one of 25, 50, 100, 200, 400, 800, as in rate=100." in err
        kept = RememberedSensors().at(BodySite.RIGHT_FOOT)
        assert kept is not None
        assert kept.spec.rate_hz == 100.0


async def test_a_board_is_set_and_blinks_over_the_simulated_radio():
    pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")
    from subtalar_sim.serve.live import simulated_hardware

    async with simulated_hardware(SimulationConfig(sites=("right_foot",), device="talus")) as hardware:
        connect = partial(
            make_transport,
            scanner_backend=hardware.bleak_scanner_backend,
            client_backend=hardware.bleak_client_backend,
        )
        spec = parse_spec(hardware.specs[0].replace("rate=200", "rate=50,acc=4"))
        report = await set_up_device(spec, "links", transports=connect)
        assert report.status.rate_hz == pytest.approx(50, rel=0.1)
        told = (await run_on_device(spec, lambda p: p.identify(), transports=connect)).replies
        assert told["name"] == "links"
        assert told["stream"]["acc_full_scale_g"] == 4.0
        report = await run_on_device(spec, lambda p: p.blink(), transports=connect)
        assert report.status.ledger.lost == report.status.ledger.corrupt_bytes == 0


def test_live_without_sensors_is_wrong_usage(run):
    status, _, err = run("live")
    assert status == 2
    assert "say where the samples come from" in err


@pytest.mark.parametrize("arguments", [["--device", "replay:"], ["--device", "replay: "], ["--replay", ""]])
def test_a_replay_of_nothing_is_not_the_current_folder(run, arguments):
    status, out, err = run("live", "--headless", *arguments)
    assert (status, out) == (1, "")
    assert err.startswith("subtalar: The name of the session is empty: give a recording")


def test_a_device_without_a_place_takes_the_remembered_one(run, monkeypatch):
    plans = []
    monkeypatch.setattr(sys.modules["subtalar.cli.live"], "_run_live", lambda plan, *_, **__: plans.append(plan))
    run("devices", "assign", "right_foot", f"ble:{A},model=talus,rate=200")
    run("live", "--no-record", "--device", f"ble:{A}", "--device", f"left_foot=ble:{B}")
    (plan,) = plans
    assert [str(spec) for spec in plan.source.specs] == [
        f"right_foot=ble:{A},model=talus,rate=200",
        f"left_foot=ble:{B},model=witmotion",
    ]
    status, _, err = run("live", "--no-record", "--device", f"ble:{B}")
    assert status == 1
    assert "does not say where the sensor sits" in err
