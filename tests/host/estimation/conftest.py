"""Walks of the simulator in memory, ways of cutting them into blocks, and what the estimator made of them."""

import csv
import gzip
import importlib.util
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.anatomy import ANKLE_NAMES
from subtalar.estimation import GaitEstimator, warm_up
from subtalar.session import open_session
from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    FloatArray,
    GaitEvent,
    Notice,
    SampleBlock,
    SensorInfo,
    Side,
    Stride,
)
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session

SHARED = Path(__file__).resolve().parents[4] / "shared"
COLUMNS = (
    "time_s",
    "ankle_deg",
    "ankle_sd_deg",
    "angles_deg",
    "angles_sd_deg",
    "quality",
    "shank_orientation",
    "zero_sd_deg",
)


@dataclass(frozen=True)
class Walk:
    """All samples of a session, and the truth where it is known."""

    sensors: Mapping[BodySite, SensorInfo]
    samples: Mapping[BodySite, SampleBlock]
    walk_start_s: float = 0.0
    walk_end_s: float = np.inf
    truth_time_s: FloatArray = field(default_factory=lambda: np.empty(0))
    truth_deg: Mapping[Side, FloatArray] = field(default_factory=dict)
    truth_strides: Mapping[Side, FloatArray] = field(default_factory=dict)

    def of(self, *sites: BodySite) -> "Walk":
        """The same walk with these sensors only."""
        return replace(self, sensors={s: self.sensors[s] for s in sites}, samples={s: self.samples[s] for s in sites})

    def with_samples(self, *blocks: SampleBlock) -> "Walk":
        """The same walk with other samples of some sensors."""
        return replace(self, samples={**self.samples, **{b.site: b for b in blocks}})


@dataclass
class Result:
    """Everything an estimator gave, in order."""

    blocks: list[AngleBlock] = field(default_factory=list)
    events: list[GaitEvent] = field(default_factory=list)
    strides: list[Stride] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def take(self, estimates: Estimates) -> None:
        self.blocks += estimates.angles
        self.events += estimates.events
        self.strides += estimates.strides
        self.notices += estimates.notices

    def rows(self, side: Side) -> SimpleNamespace:
        """All rows of a side, one array a column."""
        blocks = [b for b in self.blocks if b.side == side]
        assert blocks, f"no rows of the {side} leg"
        return SimpleNamespace(**{c: np.concatenate([getattr(b, c) for b in blocks]) for c in COLUMNS})

    @property
    def codes(self) -> list[str]:
        return [n.code for n in self.notices]


def part(block: SampleBlock, keep: Any) -> SampleBlock:
    """Rows of a block by slice, mask or indices."""
    device, host = block.device_time_s, block.host_time_s
    return SampleBlock(
        block.site,
        None if device is None else device[keep],
        None if host is None else host[keep],
        block.acc_m_s2[keep],
        block.gyr_rad_s[keep],
    )


def lose(block: SampleBlock, start_s: float, end_s: float) -> SampleBlock:
    """Without the samples that arrived in [start, end)."""
    assert block.host_time_s is not None
    return part(block, (block.host_time_s < start_s) | (block.host_time_s >= end_s))


def in_order(walk: Walk, block_s: float = 1.0) -> list[SampleBlock]:
    """Blocks of ``block_s`` of all sensors in order of arrival."""
    pieces = []
    for k, block in enumerate(walk.samples.values()):
        arrival = block.host_time_s if block.host_time_s is not None else block.device_time_s
        assert arrival is not None
        if len(block) == 0:
            continue
        window = np.floor(arrival / block_s)
        cuts = np.concatenate(([0], np.flatnonzero(np.diff(window)) + 1, [len(block)]))
        for a, b in itertools.pairwise(cuts.tolist()):
            pieces.append((float(arrival[a]), k, part(block, slice(a, b))))
    return [block for _, _, block in sorted(pieces, key=lambda p: p[:2])]


def estimate(walk: Walk, blocks: Iterable[SampleBlock] | None = None, *, advance_lag_s: float | None = None) -> Result:
    """Push blocks (1 s each unless given) and finish; with ``advance_lag_s`` also tell the time, as a live session."""
    estimator = GaitEstimator(walk.sensors)
    result = Result()
    for block in in_order(walk) if blocks is None else blocks:
        if advance_lag_s is not None:
            assert block.host_time_s is not None
            result.take(estimator.advance(float(block.host_time_s[0]) - advance_lag_s))
        result.take(estimator.push(block))
    result.take(estimator.finish())
    return result


def assert_same(one: Result, other: Result) -> None:
    """The same rows, events and strides to the last bit."""
    sides = {b.side for b in one.blocks}
    assert sides == {b.side for b in other.blocks}
    for side in sides:
        a, b = one.rows(side), other.rows(side)
        for column in COLUMNS:
            np.testing.assert_array_equal(getattr(a, column), getattr(b, column), err_msg=f"{side} {column}")
        assert [e for e in one.events if e.side == side] == [e for e in other.events if e.side == side]
        mine, theirs = (
            [repr(s) for s in r.strides if s.side == side] for r in (one, other)
        )  # NaN is not NaN, but 'nan'
        assert mine == theirs


def error_deg(walk: Walk, result: Result, side: Side, lag_s: float) -> tuple[FloatArray, FloatArray]:
    """Errors (n, 3) of the rows from 8 s after the first step to just before the last; which rows (n,) those are."""
    rows = result.rows(side)
    which = (rows.time_s > walk.walk_start_s + 8.0) & (rows.time_s < walk.walk_end_s - 1.5)
    which &= np.isfinite(rows.ankle_deg).all(axis=1)
    t = rows.time_s[which] - lag_s
    truth = np.column_stack([np.interp(t, walk.truth_time_s, walk.truth_deg[side][:, i]) for i in range(3)])
    return rows.ankle_deg[which] - truth, which


def lag_of(walk: Walk, result: Result, side: Side) -> float:
    """The constant part of the arrival delay (s), which no estimator can know: the lag that fits the angles best."""
    lags = np.arange(0.0, 0.0601, 0.0025)
    cost = [np.sqrt((error_deg(walk, result, side, lag)[0] ** 2).mean(axis=0)).sum() for lag in lags]
    return float(lags[int(np.argmin(cost))])


def rmse_deg(walk: Walk, result: Result, side: Side) -> FloatArray:
    """RMSE (3,) while walking, the lag taken out."""
    error, which = error_deg(walk, result, side, lag_of(walk, result, side))
    assert which.sum() > 500
    return np.asarray(np.sqrt((error**2).mean(axis=0)))


def coverage(walk: Walk, result: Result, side: Side) -> FloatArray:
    """Share (3,) of rows whose truth lies within two standard deviations."""
    error, which = error_deg(walk, result, side, lag_of(walk, result, side))
    return np.asarray((np.abs(error) < 2 * result.rows(side).ankle_sd_deg[which]).mean(axis=0))


def simulated(folder: Path, config: SimulationConfig, duration_s: float) -> Walk:
    """Write a session, read it back through the ordinary reader."""
    if not (folder / "session.json").exists():
        write_session(config, folder, duration_s)
    session = open_session(folder)
    samples = {block.site: block for block in session.blocks(1e6)}
    walking = next(a for a in session.annotations if a.label in ("walking", "running"))
    with gzip.open(folder / "truth_angles.csv.gz", "rt") as file:
        names = next(csv.reader(file))
        truth = np.loadtxt(file, delimiter=",")
    strides = np.loadtxt(folder / "truth_strides.csv", delimiter=",", skiprows=1)
    sides: dict[Side, float] = {"right": 0.0, "left": 1.0}
    present = {site.side for site in session.sensors}
    return Walk(
        session.sensors,
        samples,
        walking.start_s,
        walking.end_s,
        truth[:, 0],
        {s: truth[:, [names.index(f"{s}_{a}_deg") for a in ANKLE_NAMES]] for s in present},
        {s: strides[strides[:, 0] == code] for s, code in sides.items() if s in present},
    )


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Nothing is compiled within the time of a test."""
    warm_up()


@pytest.fixture(scope="session")
def simulate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Walk]:
    """``simulate(name, config, duration_s)``: each named walk is made once a test session."""
    base = tmp_path_factory.mktemp("walks")
    made: dict[str, Walk] = {}

    def make(name: str, config: SimulationConfig, duration_s: float = 45.0) -> Walk:
        if name not in made:
            made[name] = simulated(base / name, config, duration_s)
        return made[name]

    return make


@pytest.fixture(scope="session")
def short_walk(simulate: Callable[..., Walk]) -> Walk:
    """One leg stands, bends the knee once and walks for 18 s; 50 Hz, to be quick to estimate again and again."""
    config = SimulationConfig(
        BodyConfig(seed=3, standing_s=4.0, knee_bends=1), sites=("right_foot", "right_shank"), rate_hz=50.0
    )
    return simulate("short", config, 27.0)


@pytest.fixture(scope="session")
def short_folder(short_walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the short walk was read from."""
    return next(tmp_path_factory.getbasetemp().glob("walks*/short"))


@pytest.fixture(scope="session")
def estimated() -> Callable[[Walk], Result]:
    """``estimate`` for fixtures that outlive a test."""
    return estimate


@pytest.fixture(scope="session")
def new_result() -> Callable[[], Result]:
    """An empty result to collect in, for fixtures that outlive a test."""
    return Result


@pytest.fixture(scope="session")
def short_result(short_walk: Walk) -> Result:
    return estimate(short_walk)


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """The functions of this file (the tests are no package that could be imported from)."""
    return SimpleNamespace(
        Walk=Walk,
        Result=Result,
        part=part,
        lose=lose,
        in_order=in_order,
        estimate=estimate,
        assert_same=assert_same,
        rmse_deg=rmse_deg,
        error_deg=error_deg,
        lag_of=lag_of,
        coverage=coverage,
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder beside the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder beside the project is not here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def score_angles(shared_data: Path) -> ModuleType:
    """The scoring script that is kept beside the shared data."""
    spec = importlib.util.spec_from_file_location("score_angles", SHARED / "checks" / "score_angles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_angles(result: Result, path: Path) -> Path:
    """``angles.csv`` with the columns that are scored."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "side", *(f"{a}_deg" for a in ANKLE_NAMES)])
        for block in result.blocks:
            for t, row in zip(block.time_s, block.ankle_deg, strict=True):
                writer.writerow([t, block.side, *("" if np.isnan(v) else v for v in row)])
    return path


@pytest.fixture
def score(score_angles: ModuleType, tmp_path: Path) -> Callable[[Path], Mapping[str, Mapping[str, float]]]:
    """Estimate a truth trial and score it as it will be scored."""

    def run(trial: Path) -> Mapping[str, Mapping[str, float]]:
        session = open_session(trial)
        estimator, result = GaitEstimator(session.sensors), Result()
        for block in session.blocks(5.0):
            result.take(estimator.push(block))
        result.take(estimator.finish())
        scores: Mapping[str, Mapping[str, float]] = score_angles.score(trial, write_angles(result, tmp_path / "a.csv"))
        return scores

    return run
