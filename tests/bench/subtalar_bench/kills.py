"""Live sessions whose measuring process, or whose window, is killed at a random moment: what is left of them."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from subtalar.acquisition.plan import AcquisitionPlan, ProvidedSource
from subtalar.acquisition.process import running_session, start_acquisition
from subtalar.acquisition.ring import RingReader, find_sessions
from subtalar.bench.result import Result, SimulatedOpener
from subtalar.errors import SubtalarError
from subtalar.session import open_session, read_blocks, recover, verify
from subtalar.types import BodySite
from subtalar_bench.standstill import StandstillWatch

MOST_LOST_S = 0.6
MOST_STILL_S = 0.2
_RUNS_AFTER_S = (0.0, 4.0)
_BEGUN_SAMPLES = 40
_PATIENCE_S = 120.0
_WINDOWS = 20
"""One window is killed for so many measuring processes."""


@dataclass(frozen=True)
class Kill:
    """One trial. ``lost_s``: of the sensor that lost most, from its last sample in the recovered file to the kill.

    ``still_s``: for how long the computer stood still at a stretch meanwhile. No sample comes in such a time, which is
    no loss of the recording, but would be counted as one.
    """

    what: str
    after_s: float
    lost_s: float
    problem: str = ""
    still_s: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether it tells something of the recording."""
        seems_late = MOST_LOST_S < self.lost_s < float("inf")
        return self.still_s <= MOST_STILL_S or (bool(self.problem) and not seems_late)


def kills(
    open_simulated: SimulatedOpener, n: int, seed: int, tell: Callable[[Kill], None], attempts: int = 10
) -> tuple[list[Result], list[Kill]]:
    """``n`` measuring processes and a twentieth as many windows; figures, and the trials that went wrong.

    A trial during which the computer stood still is told and made again, and counts as it is at the last of
    ``attempts``.
    """
    draw = random.Random(seed)
    counted: list[Kill] = []
    repeated = 0
    with tempfile.TemporaryDirectory() as folder, StandstillWatch() as watch:

        def until_it_counts(trial: Callable[[], Kill]) -> None:
            nonlocal repeated
            for left in reversed(range(attempts)):
                watch.take_worst_s()
                kill = trial()
                still_s = watch.take_worst_s()
                kill = replace(kill, still_s=still_s if left else 0.0)
                tell(kill)
                if kill.counts:
                    counted.append(kill)
                    return
                repeated += 1

        for k in range(n):
            after_s = draw.uniform(*_RUNS_AFTER_S)
            until_it_counts(partial(_kill_measuring, open_simulated, Path(folder) / f"{k}.mcap", k, after_s))
            if k % _WINDOWS == 0:
                after_s = draw.uniform(*_RUNS_AFTER_S)
                until_it_counts(partial(_kill_window, Path(folder) / f"w{k}.mcap", k, after_s))
    return _figures(counted, repeated), [kill for kill in counted if kill.problem]


def _figures(found: Sequence[Kill], repeated: int) -> list[Result]:
    still = f"the computer stood still for more than {MOST_STILL_S} s"
    results = [Result("trials made again", float(repeated), "trials", still)]
    for what, name in (("measuring", "measuring process killed"), ("window", "window killed")):
        of = [kill for kill in found if kill.what == what]
        on = f"live sessions of four simulated sensors, {name}"
        sound = sum(not kill.problem for kill in of)
        results += [
            Result("sessions", float(len(of)), "sessions", on),
            Result("recovered as they should", float(sound), "sessions", on),
            Result("most lost", max((kill.lost_s for kill in of), default=0.0), "s", on),
        ]
    return results


def _kill_measuring(open_simulated: SimulatedOpener, path: Path, seed: int, after_s: float) -> Kill:
    plan = AcquisitionPlan(ProvidedSource(partial(open_simulated, seed, "normal")), "kill benchmark", path)
    acquisition = start_acquisition(plan)
    try:
        with RingReader.attach(acquisition.ring_name) as reader:
            _until_begun(reader)
            time.sleep(after_s)
            os.kill(reader.writer_pid(), signal.SIGKILL)
            killed_utc = datetime.now(UTC)
        acquisition.wait(_PATIENCE_S)
        return _judge_killed(path, killed_utc, after_s)
    except (SubtalarError, OSError) as error:
        return Kill("measuring", after_s, float("inf"), str(error))
    finally:
        acquisition.close()
        path.unlink(missing_ok=True)


def _judge_killed(path: Path, killed_utc: datetime, after_s: float) -> Kill:
    clean = path.with_suffix(".whole.mcap")
    try:
        report = recover(path, clean)
        last_s = last_arrivals(clean)
        session = open_session(clean, minimum_s=0.0)
        assert session.start_utc is not None
        killed_s = (killed_utc - session.start_utc).total_seconds()
        lost_s = max(killed_s - last_s.get(site, 0.0) for site in session.sensors)
        problem = "" if report.status == "ok" else report.text
        if not problem and lost_s > MOST_LOST_S:
            problem = f"{lost_s:.2f} s were lost"
        return Kill("measuring", after_s, lost_s, problem)
    finally:
        clean.unlink(missing_ok=True)


def last_arrivals(path: Path) -> dict[BodySite, float]:
    """When the last sample of each sensor in a recording arrived."""
    last: dict[BodySite, float] = {}
    for arrived in read_blocks(path):
        if arrived.block.host_time_s is not None and len(arrived.block):
            last[arrived.block.site] = float(arrived.block.host_time_s[-1])
    return last


def _kill_window(path: Path, seed: int, after_s: float) -> Kill:
    """The command that a person starts is killed; a new view attaches to the session and ends it."""
    code = "from subtalar.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "live",
        "--simulate",
        "--headless",
        "--seed",
        str(seed),
        "--record",
        str(path),
    ]
    window = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running = _when_running(path)
        with RingReader.attach(running) as reader:
            _until_begun(reader)
            time.sleep(after_s)
            window.kill()
            window.wait()
        time.sleep(1.0)
        with RingReader.attach(running) as again:  # as a new window does
            alive = again.writer_state() == "alive"
            received = sum(status.ledger.received for status in again.sensors())
        facts = running_session(running).end()
        report = verify(path)
        session = open_session(path, minimum_s=0.0)
        lost = sum(ledger.lost for ledger in session.ledger.values())
        problem = ""
        if not alive or facts.recording_error:
            problem = facts.recording_error or "the session ended with its window"
        elif report.status != "ok" or lost or session.sample_count < received:
            problem = f"{report.text} {lost} samples lost"
        return Kill("window", after_s, 0.0 if not problem else float("inf"), problem)
    except (SubtalarError, OSError) as error:
        return Kill("window", after_s, float("inf"), str(error))
    finally:
        with contextlib.suppress(ProcessLookupError):
            window.kill()
        window.wait()
        path.unlink(missing_ok=True)


def _when_running(path: Path) -> str:
    """The name of the session that records into this file, once there is one."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for name in find_sessions():
            with contextlib.suppress(SubtalarError), RingReader.attach(name) as reader:
                if reader.session().recording_path == str(path):
                    return name
        time.sleep(0.1)
    raise SubtalarError("The live session did not begin.")


def _until_begun(reader: RingReader) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        sensors = reader.sensors()
        if sensors and min(s.ledger.received for s in sensors) >= _BEGUN_SAMPLES:
            return
        time.sleep(0.02)
    raise SubtalarError("The simulated sensors did not begin to stream.")
