"""Sessions that are ended, killed and left alone from outside, as real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from subtalar.acquisition.commands import Mark, SetOwner
from subtalar.acquisition.process import running_session
from subtalar.acquisition.ring import RingReader
from subtalar.session import Annotation, read_items, verify

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
]

Start = Callable[..., "subprocess.Popen[str]"]
PATIENCE_S = 240.0
"""For whatever is waited for: a busy machine is slow, and only a defect takes this long.

Shorter than the walk: a signal that is lost must not pass because the session came to its own end.
"""
# A shell starts its background jobs with the interrupt ignored, and all that these start inherits that.
RUN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from subtalar.cli import main; main()"
COMMAND = (sys.executable, "-c", RUN)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command in a process group of its own; sessions started here are not seen by others, nor see any."""
    (tmp_path / "tmp").mkdir()
    running: list[subprocess.Popen[str]] = []

    def start_command(*arguments: str | Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*COMMAND, *(str(a) for a in arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        )
        running.append(process)
        return process

    yield start_command
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    for lock in (tmp_path / "tmp").glob("subtalar-live-*/*.lock"):
        # What was killed here leaves its memory to the next session that uses the same folder: there is none.
        Path("/dev/shm", lock.stem).unlink(missing_ok=True)


def wait_for(what: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_samples(recording: Path) -> bool:
    return recording.exists() and recording.stat().st_size > 20_000


def members(process: "subprocess.Popen[str]") -> int:
    """How many of the process group run."""
    return sum(group == process.pid and state != "Z" for group, state in groups_and_states())


def groups_and_states() -> Iterator[tuple[int, str]]:
    """Process group and state of every process."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in listing.splitlines()]
        yield from ((int(pgid), state[0]) for pgid, state in rows)
        return
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it has ended meanwhile
            # proc(5): number, name in parentheses that may hold anything, state, parent, process group
            state, _, group = path.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
            yield int(group), state


def alone(process: "subprocess.Popen[str]") -> bool:
    """Whether nothing of the process group runs."""
    return members(process) == 0


def test_ctrl_c_while_it_starts_says_one_sentence_and_leaves_nothing(
    start: Start, long_walk: Path, tmp_path: Path
) -> None:
    process = start("live", "--replay", long_walk, "--headless", "--record", tmp_path / "a.mcap")
    lock_folder = tmp_path / "tmp" / f"subtalar-live-{os.getuid()}"
    # The measuring process begins to load, and a terminal would send it the interrupt, too.
    wait_for(lambda: members(process) >= 2)
    os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in err
    assert process.returncode in (0, 1)
    wait_for(lambda: alone(process))
    assert list(lock_folder.glob("*")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_session_and_closes_its_recording(
    start: Start, long_walk: Path, tmp_path: Path, number: signal.Signals
) -> None:
    recording = tmp_path / "a.mcap"
    process = start("live", "--replay", long_walk, "--headless", "--record", recording)
    wait_for(lambda: has_samples(recording))
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert f"Recorded: {recording}" in out
    assert verify(recording).status == "ok"
    wait_for(lambda: alone(process))


def test_a_session_whose_window_was_killed_goes_on_is_shown_marked_and_ended_by_name(
    start: Start, long_walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = tmp_path / "a.mcap"
    process = start("live", "--replay", long_walk, "--headless", "--record", recording)
    wait_for(lambda: has_samples(recording))
    process.kill()
    process.wait()
    size = recording.stat().st_size
    wait_for(lambda: recording.stat().st_size > size)

    view = start("live", "--attach", "--headless")
    assert view.stdout is not None
    assert view.stdout.readline()
    view.send_signal(signal.SIGINT)
    out, err = view.communicate(timeout=PATIENCE_S)
    assert (view.returncode, err) == (0, "")
    assert "live --stop subtalar-" in out

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    folder = tmp_path / "tmp" / f"subtalar-live-{os.getuid()}"
    running = running_session()
    running.send(Mark("Treppe hinauf"))
    for nonsense in ("[1, 2, 3]", "[true]", "[" * 4000, '["a name", "", ""]'):
        (folder / f"{running.ring_name}.0-0.mail").write_text(f"about\n{nonsense}")  # and it goes on listening
        wait_for(lambda: not list(folder.glob("*.mail")))
    running.send(SetOwner("P017", "", "barefoot"))
    wait_for(lambda: not list(folder.glob("*.mail")))
    with RingReader.attach(running.ring_name) as shown:
        wait_for(lambda: (shown.session().participant, shown.session().condition) == ("P017", "barefoot"))

    stop = start("live", "--stop")
    out, err = stop.communicate(timeout=PATIENCE_S)
    assert (stop.returncode, err) == (0, "")
    assert out == f"Recorded: {recording}\n"
    assert verify(recording).status == "ok"
    assert [i.label for i in read_items(recording) if isinstance(i, Annotation)][-1] == "Treppe hinauf"
    wait_for(lambda: alone(process))
    assert not list(folder.iterdir())

    again = start("live", "--stop")
    _, err = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 1
    assert err.startswith("subtalar: No live session is running")


def test_a_measuring_process_that_is_killed_leaves_a_readable_recording_and_no_memory(
    start: Start, long_walk: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "a.mcap"
    process = start("live", "--replay", long_walk, "--headless", "--record", recording)
    wait_for(lambda: has_samples(recording))
    lock = next((tmp_path / "tmp" / f"subtalar-live-{os.getuid()}").glob("*.lock"))
    os.utime(lock, (0, 0))  # a young lock file may belong to a session that is only just starting
    os.kill(int(lock.read_text()), signal.SIGKILL)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert f"session recover {recording}" in err
    assert verify(recording).status == "not_closed"
    assert not lock.exists()
    assert not Path("/dev/shm", lock.stem).exists()
