"""docs/how-to/add-a-device.md is carried out to the letter in a copy of the source, and the tests are run there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUG_IN = "pebble-sensor/"
PAGE = (ROOT / "docs" / "how-to" / "add-a-device.md").read_text("utf-8")
ALL_BLOCKS = re.findall(r"^\*\*`([^`]+)`\*\*(, \w+)?\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = [block for block in ALL_BLOCKS if not block[0].startswith(PLUG_IN)]
HOST, SIM = "host/subtalar/protocol", "firmware_sim/subtalar_sim/firmware"
START = "from subtalar.cli import main;"
ASKED_OF_EVERY_DEVICE = {
    "test_scripts_and_samples_against_the_simulated_device",
    "test_what_it_can_be_told_is_done_or_refused_in_a_sentence",
    "test_any_cut_of_any_damage_gives_the_same",
    "test_after_damage_it_is_in_step_again",
}
# Where the page's import lines and entries go.
PLACES = {
    (f"{HOST}/registry.py", ", import"): "from .base import DeviceProtocol\n",
    (f"{HOST}/registry.py", ", entry"): "MODELS: tuple[DeviceModel, ...] = (\n",
    (f"{SIM}/registry.py", ", import"): "from subtalar_sim.firmware.movella_dot import MovellaDot\n",
    (f"{SIM}/registry.py", ", entry"): "_DEVICES: Final = (\n",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The source with the page's device in it."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("host", "firmware_sim", "calibration", "tests/bench", "tests/host/protocol", "tests/vectors"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for path, place, text in BLOCKS:
        target = root / path
        if not place:
            assert not target.exists()
            target.write_text(text, encoding="utf-8")
            continue
        before = target.read_text("utf-8")
        anchor = PLACES[path, place]
        assert before.count(anchor) == 1
        target.write_text(before.replace(anchor, anchor + text), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The page's own distribution, as an installer leaves it in a folder of ``sys.path``."""
    site = tmp_path_factory.mktemp("site")
    texts = {path.removeprefix(PLUG_IN): text for path, _, text in ALL_BLOCKS if path.startswith(PLUG_IN)}
    project = tomllib.loads(texts.pop("pyproject.toml"))["project"]
    blocks = {path: text for path, place, text in BLOCKS if not place}
    codec = blocks[f"{HOST}/pebble.py"]
    for module in ("base", "events"):
        assert codec.count(f"from .{module} import") == 1
        codec = codec.replace(f"from .{module} import", f"from subtalar.protocol.{module} import")
    texts |= {"pebble_sensor/codec.py": codec, "pebble_sensor/firmware.py": blocks[f"{SIM}/pebble.py"]}
    info = f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    texts[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    texts[f"{info}/entry_points.txt"] = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    )
    for path, text in texts.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    return site


def run(copy: Path, *command: str, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    sources = [copy / folder for folder in ("host", "firmware_sim", "calibration", "tests/bench")]
    path = os.pathsep.join(map(str, sources if site is None else [site, *sources]))
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_device_is_three_files_and_two_entries():
    files = [path for path, place, _ in BLOCKS if not place]
    assert files == ["tests/vectors/pebble.jsonl", f"{HOST}/pebble.py", f"{SIM}/pebble.py"]
    assert sorted((path, place) for path, place, _ in BLOCKS if place) == sorted(PLACES)


@pytest.mark.slow
def test_the_device_of_the_page_passes_what_every_device_must(copy):
    options = ("-p", "no:cacheprovider", "-q", "-k", "pebble", "-rA")
    tests = [f"tests/host/protocol/{name}.py" for name in ("test_vectors", "test_every_model")]
    done = run(copy, "-m", "pytest", *options, *tests)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.findall(r"^PASSED .*::(\w+)\[(.*pebble.*)\]", done.stdout, re.MULTILINE)
    assert len([name for name, _ in passed if name == "test_vector"]) == 5
    assert {name for name, _ in passed} >= ASKED_OF_EVERY_DEVICE
    assert " failed" not in done.stdout


@pytest.mark.slow
def test_the_same_device_from_a_distribution_of_its_own_passes_too(installed):
    options = ("-p", "no:cacheprovider", "-q", "-k", "pebble or every_device", "-rA")
    done = run(ROOT, "-m", "pytest", *options, "tests/host/protocol/test_every_model.py", site=installed)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.findall(r"^PASSED .*::(\w+)", done.stdout, re.MULTILINE)
    assert set(passed) >= {*ASKED_OF_EVERY_DEVICE, "test_every_device_can_be_simulated"}


@pytest.mark.slow
def test_the_distribution_is_served_and_connected_to_without_a_change_here(installed):
    served = subprocess.Popen(
        [sys.executable, "-c", f"{START} main('sim serve --device pebble --transport tcp --duration 60'.split())"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [installed, ROOT / "host", ROOT / "firmware_sim"]))},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        spec = served.stdout.readline().strip()
        assert ",model=pebble" in spec
        info = run(ROOT, "-c", f"{START} main(['devices', 'info', {spec.partition('=')[2]!r}])", site=installed)
    finally:
        served.kill()
        served.communicate()
    assert info.returncode == 0, info.stderr
    assert ": pebble\n" in info.stdout
    assert "asked for 100 Hz" in info.stdout
    assert "2.1" in info.stdout


def test_the_code_of_the_page_is_in_the_style_of_the_house(copy):
    files = [f"{HOST}/pebble.py", f"{SIM}/pebble.py"]
    for command in (("check",), ("format", "--check")):
        done = run(copy, "-m", "ruff", *command, "--no-cache", *files)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_device_is_known_to_the_commands_of_the_copy(copy):
    code = (
        "from click.testing import CliRunner\nfrom subtalar.cli import cli\n"
        "shown = CliRunner().invoke(cli, ['sim', 'serve', '--help']).output\n"
        "from subtalar.transport import parse_spec\n"
        "print('pebble' in shown, parse_spec('right_foot=tcp:127.0.0.1:7000,model=pebble,rate=200'))"
    )
    done = run(copy, "-c", code)
    assert done.stdout.split() == ["True", "right_foot=tcp:127.0.0.1:7000,model=pebble,rate=200"], done.stderr
