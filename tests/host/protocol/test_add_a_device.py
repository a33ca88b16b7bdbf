"""docs/how-to/add-a-device.md is carried out to the letter in a copy of the source, and the tests are run there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "add-a-device.md").read_text("utf-8")
BLOCKS = re.findall(r"^\*\*`([^`]+)`\*\*(, \w+)?\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
HOST, SIM = "host/subtalar/protocol", "firmware_sim/subtalar_sim/firmware"
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


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(copy / folder) for folder in ("host", "firmware_sim", "calibration", "tests/bench"))
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
    assert {
        "test_scripts_and_samples_against_the_simulated_device",
        "test_what_it_can_be_told_is_done_or_refused_in_a_sentence",
        "test_any_cut_of_any_damage_gives_the_same",
        "test_after_damage_it_is_in_step_again",
    } <= {name for name, _ in passed}
    assert " failed" not in done.stdout


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
