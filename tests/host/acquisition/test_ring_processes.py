"""The ring between processes: readers and writers that run at once, die, and come back."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from subtalar.acquisition.ring import RingReader, RingWriter, find_sessions
from subtalar.types import AngleBlock, Estimates

WRITER = """
import sys, time
import numpy as np
from subtalar.acquisition.ring import RingWriter
from subtalar.types import AngleBlock, Estimates
writer = RingWriter.create(sys.argv[1], angle_rows=200)
i, end = 0, time.monotonic() + 600
while time.monotonic() < end:
    v = np.arange(i, i + 7, dtype=float)
    three, four = np.c_[v, v, v], np.c_[v, v, v, v]
    writer.publish(Estimates(angles=(AngleBlock.of_ankle("left", v, three, three, np.zeros(7, np.uint8), four),)))
    i += 7
    if sys.argv[2] == "slow":
        time.sleep(0.01)
"""
READER = """
import sys
from subtalar.acquisition.ring import RingReader
reader = RingReader.attach(sys.argv[1], wait_s=120)
print(reader.angles_since("left").cursor, flush=True)
if sys.argv[2] == "close":
    reader.close()
elif sys.argv[2] == "die":
    import os
    os.kill(os.getpid(), 9)
"""
PATIENCE_S = 120.0
"""For a process to start: a busy machine is slow, and only a defect takes this long."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def start_writer(tmp_path):
    started = []

    def start(name: str, pace: str = "slow") -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", WRITER, name, pace]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
    for file in tmp_path.glob("subtalar-live-*/*.lock"):
        os.utime(file, (0, 0))
    find_sessions()


def test_no_row_is_torn_while_a_fast_writer_laps_the_reader(start_writer):
    start_writer("ring-test-fast", "fast")
    with RingReader.attach("ring-test-fast", wait_s=PATIENCE_S) as reader:
        cursor = seen = missed = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            batch = reader.angles_since("left", cursor)
            rows = batch.rows
            expected = np.arange(batch.cursor - len(rows), batch.cursor, dtype=float)
            np.testing.assert_array_equal(rows["time_s"], expected)
            np.testing.assert_array_equal(rows["shank_orientation"][:, 3], expected)
            assert len(rows) + batch.missed == batch.cursor - cursor
            cursor, seen, missed = batch.cursor, seen + len(rows), missed + batch.missed
            if seen % 3 == 0:
                time.sleep(0.01)  # long enough to be lapped now and then
        assert seen > 1000


@pytest.mark.parametrize("end", ["close", "die", "just exit"])
def test_readers_come_and_go_and_the_writer_does_not_notice(end):
    with RingWriter.create(angle_rows=100) as writer, RingReader.attach(writer.name) as staying:
        v = np.arange(5.0)
        one = AngleBlock.of_ankle("left", v, np.c_[v, v, v], np.c_[v, v, v], np.zeros(5, np.uint8), np.c_[v, v, v, v])
        for n in (1, 2):
            writer.publish(Estimates(angles=(one,)))
            run = subprocess.run(
                [sys.executable, "-c", READER, writer.name, end], capture_output=True, text=True, timeout=PATIENCE_S
            )
            assert run.stdout == f"{5 * n}\n"
            assert run.stderr == ""  # the resource tracker has nothing to complain of
        assert staying.angles_since("left").cursor == 10
        with RingReader.attach(writer.name) as again:  # nobody unlinked it
            assert again.angles_since("left").cursor == 10


def test_a_killed_writer_is_noticed_at_once_and_its_memory_is_cleaned(start_writer, tmp_path):
    process = start_writer("ring-test-killed")
    with RingReader.attach("ring-test-killed", wait_s=PATIENCE_S) as reader:
        while reader.angles_since("left").cursor < 20:
            time.sleep(0.01)
        assert reader.writer_state() == "alive"
        assert find_sessions() == ("ring-test-killed",)
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
        assert reader.writer_state() == "died"
        assert len(reader.angles_since("left").rows) >= 20
        (lock,) = tmp_path.glob("subtalar-live-*/*.lock")
        os.utime(lock, (0, 0))
        assert find_sessions() == ()
        assert not lock.exists()
        assert len(reader.angles_since("left").rows) >= 20  # what is attached stays
    if os.path.isdir("/dev/shm"):
        assert not os.path.exists("/dev/shm/ring-test-killed")


def test_a_name_left_by_a_dead_writer_can_be_used_again(start_writer):
    process = start_writer("ring-test-again")
    RingReader.attach("ring-test-again", wait_s=PATIENCE_S).close()
    process.kill()
    process.wait()
    with RingWriter.create("ring-test-again", angle_rows=100), RingReader.attach("ring-test-again") as reader:
        assert reader.angles_since("left").cursor == 0
        assert reader.writer_state() == "alive"
