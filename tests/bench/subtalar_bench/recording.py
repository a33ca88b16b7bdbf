"""What recording costs beside a live session, how large it becomes, and how soon an hour of it opens again."""

import os
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from subtalar.acquisition.plan import AcquisitionPlan, ProvidedSource
from subtalar.acquisition.process import start_acquisition
from subtalar.bench.own_process import Figures, in_own_process
from subtalar.bench.result import Result, SimulatedOpener
from subtalar.errors import SubtalarError
from subtalar.session import (
    Annotation,
    ArrivedBlock,
    RawChunk,
    Recorder,
    StatusSnapshot,
    open_session,
    read_header,
    read_items,
)
from subtalar.session.recording.read import sample_cache as cache
from subtalar.session.recording.write.recorder import FLUSH_INTERVAL_S
from subtalar.types import (
    AngleBlock,
    BodySite,
    Calibration,
    Estimates,
    GaitEvent,
    Notice,
    SampleBlock,
    SensorInfo,
    Stride,
)

_SELF = "subtalar_bench.recording"
_HOUR_S = 3600.0
_PACED_S = 30.0
_ROUND_S = 0.01
_ROUNDS = 7
"""A shared machine halves its speed and doubles it again within seconds: the least is what the code needs."""
_RECORDING = "session.mcap"


def recorder(open_simulated: SimulatedOpener, seconds: float) -> list[Result]:
    """A live session of simulated sensors is recorded; all that came is then given to a recorder once more, alone."""
    with tempfile.TemporaryDirectory() as folder:
        live_recording(open_simulated, Path(folder) / _RECORDING, seconds)
        cost = in_own_process(_SELF, "again", Path(folder))
        opened = in_own_process(_SELF, "hour", Path(folder))
    on = f"four sensors at 200 Hz, everything recorded, {cost['seconds']:.0f} s"
    rounds = f"least of {_ROUNDS} rounds"
    hour = "one hour of four sensors at 200 Hz"
    return [
        Result("recorder, processor", cost["ms_per_s"], "ms per s of data", f"{on}, chunk after chunk, {rounds}"),
        Result("recorder, processor, median", cost["median_ms_per_s"], "ms per s of data", f"{on}, of the same rounds"),
        Result("recorder, processor, live", cost["live_ms_per_s"], "ms per s", f"{on}, as it comes, woken each time"),
        Result("recording, size", cost["mb_per_hour"], "MB an hour", on),
        Result("open for analysis, first", opened["first_s"], "s", hour),
        Result("open for analysis, again", opened["again_s"], "s", hour),
    ]


def live_recording(open_simulated: SimulatedOpener, path: Path, seconds: float) -> None:
    """A recorded live session of so many seconds. Raises SubtalarError where that fails."""
    plan = AcquisitionPlan(ProvidedSource(partial(open_simulated, 0, "normal")), "benchmark", path, seconds)
    acquisition = start_acquisition(plan)
    outcome = acquisition.wait(seconds + 120.0) or acquisition.close()
    if outcome.error or outcome.recording_error:
        raise SubtalarError(outcome.error or outcome.recording_error)


def again(folder: Path) -> Figures:
    """In a process of its own: what the recorder and its thread take, without what handing over takes this loop."""
    source = folder / _RECORDING
    header = read_header(source)
    first = next(arrived for arrived in read_items(source) if isinstance(arrived, ArrivedBlock))
    items = [(time_s, item) for time_s, item in _in_order(source) if time_s >= first.arrival_s]
    items = [(time_s, item) for time_s, item in items if time_s >= items[-1][0] - _PACED_S]  # somebody walks by then
    seconds = items[-1][0] - items[0][0]
    figures = {"seconds": seconds}

    def ms_per_s(name: str, paced: bool) -> float:
        with Recorder(
            folder / f"{name}.mcap",
            list(header.sensors.values()),
            header.start_utc,
            configuration=header.configuration,
            patient=False,
        ) as written_by:
            size = written_by.size
            spent_s = _spent_s(written_by, items, paced)
            written_by.sync()
            figures["mb_per_hour"] = (written_by.size - size) / seconds * _HOUR_S / 1e6
        return 1000.0 * spent_s / seconds

    def nowhere_ms_per_s(*, paced: bool) -> float:
        return 1000.0 * _spent_s(_Nowhere(), items, paced) / seconds

    rounds = [(ms_per_s(f"round {k}", paced=False), nowhere_ms_per_s(paced=False)) for k in range(_ROUNDS)]
    (least, middle), (least_of_it, middle_of_it) = (
        (ordered[0], ordered[_ROUNDS // 2]) for ordered in map(sorted, zip(*rounds, strict=True))
    )
    figures["ms_per_s"], figures["median_ms_per_s"] = least - least_of_it, middle - middle_of_it
    figures["live_ms_per_s"] = ms_per_s("live", paced=True) - nowhere_ms_per_s(paced=True)
    return figures


class _Nowhere:
    """Takes everything and does nothing."""

    def _take(self, *_: object) -> None:
        pass

    write_block = write_chunk = write_estimates = write_status = write_marker = sync = _take


def _spent_s(to: "Recorder | _Nowhere", items: list[tuple[float, object]], paced: bool) -> float:
    """Processor time of all threads, in chunks as large as in a live session.

    At its pace, both threads find the processor's caches cold a hundred times a second; without, they find them warm.
    """
    began, start, chunk_s = time.process_time(), time.monotonic(), items[0][0]
    for time_s, item in items:
        ahead_s = time_s - items[0][0] - (time.monotonic() - start)
        if paced and ahead_s > _ROUND_S:
            time.sleep(ahead_s)
        elif not paced and time_s >= chunk_s + FLUSH_INTERVAL_S:
            to.sync()
            chunk_s = time_s
        _give(to, time_s, item)
    return time.process_time() - began


def hour(folder: Path) -> Figures:
    """In a process of its own: an hour is written as fast as it goes, and opened twice by way of an empty cache."""
    os.environ[cache.ENVIRONMENT_VARIABLE] = str(folder / "cache")
    path = folder / "hour.mcap"
    _write_hour(path)
    taken = []
    for _ in range(2):
        began = time.monotonic()
        samples = sum(len(block) for block in open_session(path, cached=True).blocks(5.0))
        taken.append(time.monotonic() - began)
        assert samples == 4 * 200 * int(_HOUR_S)
    return {"first_s": taken[0], "again_s": taken[1]}


def _write_hour(path: Path) -> None:
    rng = np.random.default_rng(0)
    sensors = [SensorInfo(site, 200.0) for site in BodySite]
    with Recorder(path, sensors, datetime.now(UTC)) as written_by:
        for k in range(int(_HOUR_S * 20)):  # ten samples a notification
            t = (10 * k + np.arange(10)) / 200.0
            for site in BodySite:
                values = rng.normal(size=(10, 6))
                block = SampleBlock(site, t, np.full(10, t[-1]), values[:, :3].copy(), values[:, 3:].copy())
                written_by.write_chunk(site, float(t[-1]), values.tobytes()[:200])
                written_by.write_block(block)


def _in_order(source: Path) -> list[tuple[float, object]]:
    """Everything in a recording with the session time at which it came, in the order of time."""
    items = [(_time_s(item), k, item) for k, item in enumerate(read_items(source))]
    return [(time_s, item) for time_s, _, item in sorted(items, key=lambda i: i[:2])]


def _time_s(item: object) -> float:
    match item:
        case ArrivedBlock() | RawChunk():
            return item.arrival_s
        case AngleBlock():
            return float(item.time_s[-1])
        case Stride():
            return item.initial_contact_s + item.stride_time_s
        case GaitEvent():
            return item.detected_s
        case Notice() | Calibration() | StatusSnapshot():
            return item.time_s
        case Annotation():
            return item.end_s
        case _:
            raise TypeError(f"{type(item).__name__} has no time")


def _give(to: "Recorder | _Nowhere", time_s: float, item: object) -> None:
    match item:
        case ArrivedBlock():
            to.write_block(item.block)
        case RawChunk():
            to.write_chunk(item.site, item.arrival_s, item.data)
        case AngleBlock():
            # A live session hands over a block each hundredth of a second or so.
            for start in range(0, len(item), 4):
                to.write_estimates(Estimates(angles=(_part(item, slice(start, start + 4)),)))
        case GaitEvent():
            to.write_estimates(Estimates(events=(item,)))
        case Stride():
            to.write_estimates(Estimates(strides=(item,)))
        case Calibration():
            to.write_estimates(Estimates(calibrations=(item,)))
        case Notice():
            to.write_estimates(Estimates(notices=(item,)))
        case StatusSnapshot():
            to.write_status(item.sensors, time_s)
        case Annotation():
            to.write_marker(item)


def _part(block: AngleBlock, rows: slice) -> AngleBlock:
    return AngleBlock(
        block.side,
        block.time_s[rows],
        block.angles_deg[rows],
        block.angles_sd_deg[rows],
        block.quality[rows],
        block.shank_orientation[rows],
    )
