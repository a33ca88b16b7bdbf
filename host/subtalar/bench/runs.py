"""What is measured."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from subtalar.bench.result import Bench, Result, SessionMaker, SimulatedOpener
from subtalar.estimation import GaitEstimator
from subtalar.session import Session, open_session
from subtalar.types import SampleBlock

_SESSION_S = 120.0
_HOUR_S = 3600.0
_LATENCY_S = 30.0


def estimator(make_session: SessionMaker, _: SimulatedOpener) -> list[Result]:
    """Throughput on big blocks, and the cost of live-sized ones."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(make_session(Path(folder) / "session", _SESSION_S))
        blocks = list(session.blocks(1.0))
        live_blocks = list(session.blocks(0.01))
    samples = sum(len(b) for b in blocks)
    begin = time.process_time()
    gait = GaitEstimator(session.sensors)
    for block in blocks:
        gait.push(block)
    gait.finish()
    spent_s = time.process_time() - begin
    on = f"{len(session.sensors)} sensors at 200 Hz, {_SESSION_S:.0f} s, one core"
    gait = GaitEstimator(session.sensors)
    costs_ms = []
    for i in range(0, len(live_blocks) - 3, 4):
        start = time.perf_counter()
        for block in live_blocks[i : i + 4]:
            gait.push(block)
        costs_ms.append(1e3 * (time.perf_counter() - start))
    return [
        Result("estimator", samples / spent_s, "samples/s", on),
        Result("estimator", _SESSION_S / spent_s, "x real time", on),
        Result("10 ms of four sensors, p50", float(np.percentile(costs_ms, 50)), "ms", "live-sized blocks"),
        Result("10 ms of four sensors, p99", float(np.percentile(costs_ms, 99)), "ms", "live-sized blocks"),
    ]


def memory(make_session: SessionMaker, _: SimulatedOpener) -> list[Result]:
    """Peak memory of a process that analyses a one-hour session."""
    with tempfile.TemporaryDirectory() as folder:
        short = make_session(Path(folder) / "short", _SESSION_S)
        code = "import sys; from subtalar.bench.runs import hour_in_memory; hour_in_memory(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", code, str(short)], check=True, capture_output=True, text=True, env=dict(os.environ)
        )
    peak_mb, spent_s = map(float, done.stdout.split())
    on = "one hour of four sensors at 200 Hz"
    return [
        Result("peak memory", peak_mb, "MB", on),
        Result("estimator, whole hour", spent_s, "s of one core", on),
    ]


def hour_in_memory(short: str) -> None:
    """Stream an hour made of repetitions of a short session; print peak memory in MB and CPU seconds."""
    session = open_session(short)
    gait = GaitEstimator(session.sensors)
    begin = time.process_time()
    for block in _repeated(session):
        gait.push(block)
    gait.finish()
    spent_s = time.process_time() - begin
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, spent_s)  # noqa: T201


def _repeated(session: Session) -> Iterator[SampleBlock]:
    rounds = int(np.ceil(_HOUR_S / session.duration_s))
    step_s = session.duration_s + 0.005
    return chain.from_iterable((_later(block, k * step_s) for block in session.blocks(1.0)) for k in range(rounds))


def _later(block: SampleBlock, shift_s: float) -> SampleBlock:
    device, host = block.device_time_s, block.host_time_s
    return SampleBlock(
        block.site,
        None if device is None else device + shift_s,
        None if host is None else host + shift_s,
        block.acc_m_s2,
        block.gyr_rad_s,
    )


def latency(_: SessionMaker, open_simulated: SimulatedOpener) -> list[Result]:
    """From the arrival of a sample to the painted pixel, in the whole live session on simulated Bluetooth sensors."""
    from subtalar.acquisition.plan import AcquisitionPlan, ProvidedSource
    from subtalar.acquisition.process import start_acquisition
    from subtalar.dashboard import run_dashboard
    from subtalar.dashboard.latency import LatencyProbe

    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    probe = LatencyProbe()
    opener = partial(open_simulated, 0, "normal")
    acquisition = start_acquisition(AcquisitionPlan(ProvidedSource(opener), "latency benchmark", duration_s=_LATENCY_S))
    try:
        run_dashboard(acquisition.ring_name, acquisition, close_when_ended=True, probe=probe)
    finally:
        acquisition.close()
    on = f"{os.environ.get('QT_QPA_PLATFORM', 'screen')}, four sensors at 200 Hz over simulated Bluetooth"
    return [
        Result("sample to paint, p50", probe.latency().p50_ms, "ms", on),
        Result("sample to paint, p95", probe.latency().p95_ms, "ms", on),
        Result("time spent on a frame, p50", probe.paint_cost().p50_ms, "ms", on),
    ]


BENCHES: dict[str, Bench] = {"estimator": estimator, "memory": memory, "latency": latency}
