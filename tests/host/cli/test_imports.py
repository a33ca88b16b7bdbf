"""Each process imports what it uses: the estimator belongs to the measuring process, not to the one that shows it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ESTIMATOR = {"numba", "llvmlite", "scipy", "vqf"}
RADIO = {"asyncio", "bleak", "bumble", "serial"}
RUN = """
import json, sys
from subtalar.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code in (0, 1), end.code
print(json.dumps(sorted({m.split(".")[0] for m in sys.modules} | {m for m in sys.modules if "subtalar" in m})))
"""


def loaded_by(*arguments: str | Path) -> set[str]:
    """Modules of the process in which a command ran, and top-level names of foreign ones."""
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_process_that_shows_a_live_session_loads_neither_estimator_nor_radio(walk: Path) -> None:
    loaded = loaded_by("live", "--replay", walk, "--speed", "0", "--headless", "--no-record")
    assert {"subtalar.acquisition.process", "subtalar.dashboard.terminal"} <= loaded
    assert not loaded & (ESTIMATOR | RADIO)
    assert not [m for m in loaded if m.startswith(("subtalar.estimation", "subtalar.device", "subtalar_sim"))]


def test_the_window_loads_neither_estimator_nor_radio() -> None:
    code = "import json, sys, subtalar.dashboard.window.app\n"
    code += "print(json.dumps(sorted(m.split('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    if "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr:
        pytest.skip("the window's libraries cannot be loaded here")
    loaded = set(json.loads(done.stdout))
    assert "PySide6" in loaded
    assert not loaded & (ESTIMATOR | RADIO)


@pytest.mark.parametrize("command", [("session", "info"), ("session", "verify")])
def test_looking_at_a_session_does_not_load_the_estimator(walk: Path, command: tuple[str, str]) -> None:
    loaded = loaded_by(*command, walk)
    assert "subtalar.session" in loaded
    assert not loaded & (ESTIMATOR | RADIO)


def test_finding_a_running_session_loads_little() -> None:
    loaded = loaded_by("live", "--stop", "no-such-session")
    assert "subtalar.acquisition.process" in loaded
    assert not loaded & (ESTIMATOR | RADIO | {"mcap", "rich", "PySide6"})
