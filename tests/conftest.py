"""For every test: windows stay off the screen, and where Qt cannot start its tests are left out and that is said."""

import asyncio
import functools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

# Qt reads this when it is first imported, long before any fixture runs.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# An environment that was set up before the project named its plugin does not know it yet.
pytest_plugins = ("subtalar_sim.pytest_plugin",)

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
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(str(r.longrepr[2]).removeprefix("Skipped: ") for r in skipped if isinstance(r.longrepr, tuple))
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"LEFT OUT: {number} test{'s' * (number > 1)}: {reason}")


@pytest.fixture(autouse=True)
def sensors_file(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory of sensors of the test's own: nobody's real one is read or written, by child processes neither."""
    path = tmp_path_factory.getbasetemp() / f"sensors-{uuid4().hex}" / "sensors.json"
    monkeypatch.setenv("SUBTALAR_SENSORS", str(path))
    return path


@pytest.fixture(autouse=True)
def recordings_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recordings folder and a catalogue of the test's own, for its child processes as well. Not made yet."""
    path = tmp_path_factory.getbasetemp() / f"recordings-{uuid4().hex}"
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(path))
    return path


@pytest.fixture
def bleak_on_bluez() -> Callable[[], AbstractAsyncContextManager[None]]:
    """``async with bleak_on_bluez()``: bleak's BlueZ code lets go of the bus at the end. Skips without dbus-daemon."""
    pytest.importorskip("bleak", reason="Bluetooth tests need bleak")
    pytest.importorskip("bumble", reason="Bluetooth tests need bumble")
    from subtalar_sim.serve.bluez.daemon import why_no_message_bus

    if why_no_message_bus():
        pytest.skip(why_no_message_bus())

    @asynccontextmanager
    async def used() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await _close_bleak()

    return used


@pytest.fixture
def served_by_bluez(
    monkeypatch: pytest.MonkeyPatch, bleak_on_bluez: Callable[[], AbstractAsyncContextManager[None]]
) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """``async with served_by_bluez(config) as (hardware, bluez)``: simulated sensors that bleak reaches as BlueZ's."""
    from subtalar_sim.serve.bluez.private import private_bluez
    from subtalar_sim.serve.live import simulated_hardware

    @asynccontextmanager
    async def served(config: Any) -> AsyncIterator[tuple[Any, Any]]:
        async with simulated_hardware(config) as hardware, private_bluez(hardware.radio) as bluez, bleak_on_bluez():
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bluez.address)
            yield hardware, bluez

    return served


async def _close_bleak() -> None:
    """bleak keeps its connection to the bus for as long as the event loop lives."""
    from bleak.backends.bluezdbus.manager import _global_instances

    manager = _global_instances.pop(asyncio.get_running_loop(), None)
    if manager is not None and manager._bus is not None:
        if manager._bus.connected:
            manager._bus.disconnect()
        if manager._bus_watcher_task is not None:
            await asyncio.wait([manager._bus_watcher_task])
