"""For every test: windows stay off the screen, and where Qt cannot start its tests are left out and that is said."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Qt reads this when it is first imported, long before any fixture runs.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_ROOT = Path(__file__).parent.parent
_QT_TESTS = frozenset({"dashboard", "qt"})


@functools.cache
def _why_qt_fails() -> str:
    """Empty where Qt starts. Tried in a process of its own: without its platform plugin Qt aborts."""
    command = [sys.executable, str(_ROOT / "scripts" / "check_qt.py")]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if tried.returncode == 0:
        return ""
    return (tried.stderr.strip().splitlines() or [f"ended with status {tried.returncode}"])[0]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the window's tests out where there can be no window."""
    inside = collection_path.relative_to(_ROOT).parts if collection_path.is_relative_to(_ROOT) else ()
    return True if _QT_TESTS.intersection(inside) and _why_qt_fails() else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out; silence would look like success."""
    if _why_qt_fails.cache_info().currsize and _why_qt_fails():
        terminalreporter.write_line(f"LEFT OUT: the tests of the window, because Qt does not start: {_why_qt_fails()}")
