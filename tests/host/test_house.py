"""The house itself: what an import may load, how long a file may be, what the wheel holds, where documents point."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("host", "firmware_sim", "calibration", "tests", "scripts", "docs")
SOURCE_ROOTS = (*CODE[:3], "tests/bench/subtalar_bench")
PACKAGES = ("subtalar", "subtalar_sim", "subtalar_calibration")
FOREIGN = (
    *("PySide6", "pyqtgraph", "bleak", "bumble", "serial", "matplotlib", "jinja2", "mcap", "vqf", "scipy"),
    *("numba", "numpy", "asyncio"),
)


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after ``statement``."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(out.stdout.splitlines()[-1]))


def python_files() -> list[Path]:
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import subtalar")
    assert "subtalar" in loaded
    assert not loaded.intersection(FOREIGN)


@pytest.mark.parametrize("module", ["subtalar.types", "subtalar.estimation.estimator", "subtalar.protocol"])
def test_the_pure_layers_load_neither_screen_nor_radio(module: str) -> None:
    assert not loaded_by(f"import {module}").intersection(("PySide6", "bleak", "bumble", "serial", "matplotlib"))


@pytest.mark.parametrize("arguments", [["--help"], ["live", "--help"], ["analyze", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    run = (
        "from subtalar.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert not loaded_by(run).intersection(FOREIGN)


def test_help_answers_at_once() -> None:
    command = [sys.executable, "-c", "from subtalar.cli import main; main(['--help'])"]
    took_s = []
    for _ in range(3):
        begin = time.perf_counter()
        out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        took_s.append(time.perf_counter() - begin)
        assert "live" in out.stdout
        assert "analyze" in out.stdout
    # The best of three, and a wide bound: importing any one of the heavy libraries costs more on a slow core.
    assert min(took_s) < 2.0, took_s


def test_no_file_is_two_rooms() -> None:
    files = python_files()
    assert len(files) > 100
    long = {str(f.relative_to(ROOT)): n for f in files if (n := len(f.read_text("utf-8").splitlines())) > 400}
    assert not long


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without ``__init__.py`` imports when run from a clone and is missing elsewhere."""
    bare = {
        str(path.parent.relative_to(ROOT))
        for folder in SOURCE_ROOTS
        for path in (ROOT / folder).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare


def test_the_wheel_holds_the_three_packages(tmp_path: Path) -> None:
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed: no wheel to look at")
    wheel = Path(next(iter(builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))))
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    for package, folder in zip(PACKAGES, CODE[:3], strict=True):
        source = ROOT / folder
        wanted = {p.relative_to(source).as_posix() for p in (source / package).rglob("*.py")}
        assert wanted
        assert not wanted - held
        assert f"{package}/py.typed" in held
    assert "subtalar/report/page/templates/report.html.j2" in held
    assert not [name for name in held if name.split("/")[0] not in PACKAGES and ".dist-info/" not in name]
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert not [name for name in held if "subtalar_bench" in name]  # how we measure is no part of what is shipped


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_links_between_documents_lead_somewhere() -> None:
    dead, seen = [], 0
    for document in documents():
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
            if re.match(r"[a-z]+:|#", target):
                continue
            seen += 1
            if not (document.parent / target.split("#")[0]).exists():
                dead.append(f"{document.relative_to(ROOT)} -> {target}")
    assert seen > 10
    assert not dead


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    missing = [
        str(path.relative_to(ROOT))
        for path in documents()
        if path.parent != ROOT and path.name != "README.md" and f"]({path.relative_to(ROOT / 'docs')})" not in index
    ]
    assert not missing


def test_commands_in_the_documents_exist() -> None:
    """Every ``subtalar …`` line of a code block names a command that answers to ``--help``."""
    from click.testing import CliRunner

    from subtalar.cli import cli

    shown: set[str] = set()
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for block in re.findall(r"```[a-z]*\n(.*?)```", document.read_text("utf-8"), re.DOTALL):
            shown.update(re.findall(r"^(?:\.venv/bin/)?subtalar ((?:[a-z]+ ?)+)", block, re.MULTILINE))
    assert {"live", "analyze"} <= {words.split()[0] for words in shown}
    for words in sorted(shown):
        command, arguments = cli, words.split()
        path = []
        for word in arguments:
            found = getattr(command, "commands", {}).get(word)
            if found is None:
                break
            command, path = found, [*path, word]
        assert path, f"subtalar {words} is no command"
        assert CliRunner().invoke(cli, [*path, "--help"]).exit_code == 0


def test_set_up_refuses_what_it_does_not_know() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "set-up"), "nonsense"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "neither live nor test" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="makes a Debian, which needs Linux")
def test_fresh_refuses_what_it_does_not_know_and_says_what_it_takes() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "fresh"), "--nonsense"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "FRESH_DIR" in done.stderr
    # As nobody, which root can be for a command: one sentence, and nothing is begun.
    if os.getuid() == 0:
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        done = subprocess.run(
            ["bash", "-s", "bookworm"],
            input=(ROOT / "scripts" / "fresh").read_text("utf-8").replace('cd "$(dirname "$0")/.."', "cd /"),
            **nobody, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    else:
        done = subprocess.run(
            [str(ROOT / "scripts" / "fresh"), "bookworm"], capture_output=True, text=True, timeout=30, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "fresh: a new Debian can only be made as root: run 'sudo make fresh'\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_set_up_names_what_to_install_where_there_is_no_python(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / "scripts" / "set-up").write_bytes((ROOT / "scripts" / "set-up").read_bytes())
    done = subprocess.run(
        ["bash", str(clone / "scripts" / "set-up"), "test"],
        env={**os.environ, "PYTHON": str(tmp_path / "no-python")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "apt-get install python3" in done.stderr
