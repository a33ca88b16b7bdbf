import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from subtalar.acquisition.commands import dispatch
from subtalar.acquisition.ring import RingReader, RingWriter
from subtalar.dashboard.stream import SessionStream

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FEEDER = Path(__file__).with_name("feeder.py")


@pytest.fixture(scope="session")
def feeder_module():
    spec = importlib.util.spec_from_file_location("dashboard_feeder", FEEDER)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def writer():
    with RingWriter.create() as writer:
        yield writer


@pytest.fixture
def reader(writer):
    with RingReader.attach(writer.name) as reader:
        yield reader


@pytest.fixture
def feeder(writer, feeder_module):
    return feeder_module.Feeder(writer)


@pytest.fixture(scope="session")
def app():
    pytest.importorskip("PySide6.QtWidgets", reason="the gui extra is not installed")
    from PySide6.QtWidgets import QApplication

    from subtalar.dashboard.widgets import theme

    app = QApplication.instance() or QApplication(["test"])
    theme.apply(app)
    return app


@pytest.fixture
def when():
    """Runs an action on a thread once a condition holds, so that no test depends on how fast the machine is."""
    threads = []

    def wait(condition, action):
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        action()

    def start(condition, action):
        threads.append(threading.Thread(target=wait, args=(condition, action)))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


class Control:
    """Remembers what was asked; like a real one whose process died when ``broken``."""

    def __init__(self, writer=None):
        self.writer, self.marks, self.stops, self.broken = writer, [], 0, False
        self.places, self.owners = [], []

    def send(self, command):
        dispatch(command, self)

    def stop(self):
        self.stops += 1
        if self.broken:
            raise BrokenPipeError

    def record_to(self, place):
        self.places.append(place)

    def set_owner(self, *said):
        if self.broken:
            raise EOFError
        self.owners.append(said)

    def mark(self, text, time_s):
        assert time_s is None
        if self.broken:
            raise EOFError
        self.marks.append(text)


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def make_window(app, reader):
    from subtalar.dashboard.window.window import DashboardWindow

    windows = []

    def make(control=None, **options):
        # The clock stands at the newest data: a slow machine must not make it look stale.
        window = DashboardWindow(SessionStream(reader, reader.heartbeat_ns), control, **options)
        windows.append(window)
        window.resize(1280, 800)
        window.show()
        return window

    yield make
    for window in windows:
        window._stopping = True
        window.close()
        window.deleteLater()
    app.processEvents()
