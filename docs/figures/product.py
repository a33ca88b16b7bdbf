"""Draws dashboard.png and report.png of the README from simulated walks, by the window and the report themselves.

The window is painted without a screen; the page is painted by Chromium, without which report.png stays as it is.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from drawing import IMAGES

from subtalar.acquisition.commands import Command
from subtalar.acquisition.ring import RingReader, RingWriter, SessionFacts
from subtalar.dashboard.stream import SessionStream
from subtalar.estimation.estimator import GaitEstimator
from subtalar.report.analysis import REPORT_FILE, analyze
from subtalar.session import Session, open_session
from subtalar.session.importing.table import read_table
from subtalar.types import SIDES, SensorStatus
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session

WINDOW_PX = (1600, 1000)
PAGE_PX = (1000, 1090)
SHOWN_S = 48.68
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def walk(folder: Path, style: str, seconds: float) -> Session:
    """A person with four sensors of typical quality."""
    config = SimulationConfig(body=BodyConfig(seed=4, style=style), quality="typical", device="ximu3")
    write_session(config, folder, seconds)
    spec = json.loads((folder / "session.json").read_text())
    spec["start_utc"] = "2026-03-14T14:05:09+00:00"
    (folder / "session.json").write_text(json.dumps(spec))
    return open_session(folder)


class _Screen:
    """The window has its buttons, and they do nothing."""

    def send(self, command: Command) -> None:
        """Nothing runs."""


def publish(session: Session, writer: RingWriter) -> None:
    """Put into the ring what a live session would have put there until ``SHOWN_S``."""
    truth = read_table(session.path / "truth_angles.csv.gz")
    values = truth.numbers(truth.columns)
    time_s = values[:, truth.columns.index("time_s")]
    recent = (time_s > SHOWN_S - 11) & (time_s < SHOWN_S)
    for side in SIDES:
        columns = [k for k, name in enumerate(truth.columns) if name.startswith(f"{side}_")]
        writer.publish_truth(side, time_s[recent], values[np.ix_(recent, columns)])
    writer.publish_status(
        SensorStatus(info, "streaming", info.rate_hz, battery, session.ledger[site])
        for (site, info), battery in zip(session.sensors.items(), (96.0, 91.0, 94.0, 88.0), strict=True)
    )
    path = "/home/clinic/subtalar/2026-03-14_14-05-09.mcap"
    writer.publish_session(SessionFacts("running", "4 sensors, simulated", 0.0, SHOWN_S, path, 3_100_000))
    # Last, so that its time is the present: equal figures give equal bytes.
    estimator = GaitEstimator(session.sensors)
    for block in session.blocks(0.05):
        assert block.host_time_s is not None
        if block.host_time_s[0] >= SHOWN_S:
            break
        writer.publish(estimator.push(block))


def draw_window(session: Session) -> None:
    """The window in the middle of a walk."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from subtalar.dashboard.widgets import theme
    from subtalar.dashboard.window.window import DashboardWindow

    app = QApplication([])
    theme.apply(app)
    with RingWriter.create() as writer:
        publish(session, writer)
        with RingReader.attach(writer.name) as reader:
            # The clock stands at the newest data, however long the drawing takes.
            window = DashboardWindow(SessionStream(reader, reader.heartbeat_ns), _Screen())
            window.resize(*WINDOW_PX)
            window.show()
            for _ in range(2):  # the second time with the sizes that the first one brought about
                window.stream._facts_ns = None
                window.frame()
                app.processEvents()
            window.grab().save(str(IMAGES / "dashboard.png"))
            window.stop_and_close()
            window.hide()


def draw_report(session: Session, folder: Path) -> None:
    """The top of the page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write("report.png is not drawn: no Chromium is installed\n")
        return
    analyze(session, folder)
    picture = folder / "report.png"
    width, height = PAGE_PX
    subprocess.run(
        [
            browser,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"),
            f"--window-size={width},{height}",
            f"--screenshot={picture}",
            (folder / REPORT_FILE).resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    shutil.copy(picture, IMAGES / "report.png")


def main() -> None:
    """Draw both."""
    with tempfile.TemporaryDirectory() as place:
        draw_window(walk(Path(place) / "walk", "normal", 60.0))
        draw_report(walk(Path(place) / "first_visit", "antalgic", 150.0), Path(place) / "results")


if __name__ == "__main__":
    main()
