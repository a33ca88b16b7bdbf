"""What is measured."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from subtalar.bench.own_process import in_own_process
from subtalar.bench.result import Bench, Result, SessionMaker, SimulatedOpener

_SESSION_S = 120.0
_LATENCY_S = 30.0
_COST = "subtalar.bench.estimator_cost"


def estimator(make_session: SessionMaker, _: SimulatedOpener) -> list[Result]:
    """Throughput on big blocks, and the cost of live-sized ones, before and after the calibration."""
    with tempfile.TemporaryDirectory() as folder:
        found = in_own_process(_COST, "speed", make_session(Path(folder) / "session", _SESSION_S))
    on = f"four sensors at 200 Hz, {_SESSION_S:.0f} s, one core"
    small = "two rows of each sensor"
    calibrated = f"{small}, after the first angles of both legs"
    return [
        Result("estimator", found["samples_per_s"], "samples/s", on),
        Result("estimator", found["times_real_time"], "x real time", on),
        Result("10 ms of four sensors, p50", found["p50_ms"], "ms", small),
        Result("10 ms of four sensors, p99", found["p99_ms"], "ms", small),
        Result("10 ms of four sensors, calibrated, p50", found["calibrated_p50_ms"], "ms", calibrated),
        Result("10 ms of four sensors, calibrated, p99", found["calibrated_p99_ms"], "ms", calibrated),
    ]


def memory(make_session: SessionMaker, _: SimulatedOpener) -> list[Result]:
    """Peak memory and CPU time of a process that estimates one hour; ``estimator_cost.hour`` says what the hour is."""
    with tempfile.TemporaryDirectory() as folder:
        found = in_own_process(_COST, "hour", make_session(Path(folder) / "session", _SESSION_S))
    on = "one hour of four sensors at 200 Hz"
    return [
        Result("peak memory", found["peak_mb"], "MB", on),
        Result("estimator, whole hour", found["spent_s"], "s of one core", on),
        Result("strides with angles", found["strides"], "strides", on),
    ]


def latency(_: SessionMaker, open_simulated: SimulatedOpener) -> list[Result]:
    """From the arrival of a sample to the painted pixel, in the whole live session on simulated Bluetooth sensors."""
    from subtalar.acquisition.plan import AcquisitionPlan, ProvidedSource
    from subtalar.acquisition.process import start_acquisition
    from subtalar.dashboard import run_dashboard
    from subtalar.dashboard.stream import LatencyProbe

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


BENCHES: dict[str, Bench] = {"latency": latency, "estimator": estimator, "memory": memory}
"""In the order in which they are measured: what shows the window should have loaded nothing else before."""
