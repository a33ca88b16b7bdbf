"""Sessions and estimators made of known curves."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.report import analysis
from subtalar.session import Annotation, Session
from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    FloatArray,
    Ledger,
    Notice,
    Quality,
    SampleBlock,
    SensorInfo,
    Side,
    Stride,
)

NAN = float("nan")
ALL_SITES = tuple(BodySite)


def curve_deg(phase: FloatArray, side: Side) -> FloatArray:
    """The three angles (n, 3) at these phases of the gait cycle."""
    scale = 1.0 if side == "left" else 0.5
    turn = 2 * np.pi * phase
    return scale * np.stack([10 * np.sin(turn), 6 * np.cos(turn) - 2, 4 * np.sin(2 * turn) + 1], axis=1)


def make_stride(side: Side = "left", initial_contact_s: float = 1.0, **changes: Any) -> Stride:
    values: dict[str, Any] = {
        "side": side,
        "initial_contact_s": initial_contact_s,
        "foot_off_s": initial_contact_s + 0.62,
        "stride_time_s": 1.0,
        "stance_ratio": 0.62,
        "stride_length_m": 1.3,
        "peak_eversion_deg": 8.0,
        "eversion_excursion_deg": 10.0,
        "time_to_peak_eversion_pct": 45.0,
        "peak_eversion_velocity_deg_s": 120.0,
        "tibial_rotation_excursion_deg": 9.0,
        "eversion_tibial_coupling": 1.1,
        "peak_dorsiflexion_deg": 11.0,
        "peak_tibial_acceleration_g": 2.5,
        "foot_strike_angle_deg": 20.0,
        "foot_progression_deg": 7.0,
        "lost_samples": 0,
        "quality": "ok",
        "mean_tibial_rotation_deg": 1.0,
        "mean_inversion_deg": -2.0,
        "dorsiflexion_range_deg": 28.0,
        "peak_subtalar_pronation_deg": 11.0,
        "subtalar_pronation_excursion_deg": 13.0,
        "subtalar_unexplained_deg": 2.0,
    }
    return Stride(**(values | changes))


def make_angles(
    side: Side = "left", start_s: float = 0.0, end_s: float = 20.0, rate_hz: float = 200.0, known: bool = True
) -> AngleBlock:
    """Known curves with a stride a second, contacts on the full second."""
    time_s = np.arange(round(start_s * rate_hz), round(end_s * rate_hz)) / rate_hz
    n = len(time_s)
    return AngleBlock.of_ankle(
        side,
        time_s,
        curve_deg(time_s % 1.0, side) if known else np.full((n, 3), NAN),
        np.full((n, 3), 0.7 if known else NAN),
        np.full(n, Quality.OK if known else Quality.NOT_CALIBRATED, np.uint8),
        np.full((n, 4), NAN),
    )


def make_estimates(sides: Sequence[Side] = ("left", "right"), strides: int = 15, **stride: Any) -> Estimates:
    return Estimates(
        angles=tuple(make_angles(side) for side in sides),
        strides=tuple(make_stride(side, float(k), **stride) for side in sides for k in range(1, strides + 1)),
    )


class ScriptedEstimator:
    """Says what it was told to, a part at each push and the rest at the end; an exception in the script is raised."""

    def __init__(self, script: Sequence[Estimates | BaseException], final: Estimates | None = None) -> None:
        self._script = list(script)
        self._final = final or Estimates()

    def push(self, block: SampleBlock) -> Estimates:
        said = self._script.pop(0) if self._script else Estimates()
        if isinstance(said, BaseException):
            raise said
        return said

    def finish(self) -> Estimates:
        for said in self._script:
            if isinstance(said, BaseException):
                raise said
        rest = [said for said in [*self._script, self._final] if isinstance(said, Estimates)]
        return Estimates(
            angles=tuple(a for e in rest for a in e.angles),
            strides=tuple(s for e in rest for s in e.strides),
            notices=tuple(n for e in rest for n in e.notices),
        )


def scripted(*script: Estimates | BaseException, final: Estimates | None = None) -> Callable[[Any], ScriptedEstimator]:
    return lambda sensors: ScriptedEstimator(script, final)


def make_session(
    path: Path, sites: Sequence[BodySite] = ALL_SITES, lost: int = 0, duration_s: float = 20.0, **changes: Any
) -> Session:
    """Four sensors (or these) at 200 Hz; the samples themselves are zero."""

    def blocks(block_s: float | None) -> Iterator[SampleBlock]:
        step = round(200 * (block_s or 1.0))
        total = round(200 * duration_s)
        for start in range(0, total, step):
            time_s = np.arange(start, min(start + step, total)) / 200.0
            zeros = np.zeros((len(time_s), 3))
            for site in sites:
                yield SampleBlock(site, time_s + 100.0, time_s, zeros, zeros)

    values: dict[str, Any] = {
        "path": path,
        "kind": "raw_folder",
        "sensors": {site: SensorInfo(site, 200.0, model="Testbed") for site in sites},
        "annotations": (Annotation("standing", 0.0, 1.0), Annotation("walking", 1.0, duration_s)),
        "duration_s": duration_s,
        "sample_count": round(200 * duration_s) * len(sites),
        "ledger": {site: Ledger(received=round(200 * duration_s), lost=lost) for site in sites},
        "start_utc": datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
        "_source": blocks,
    }
    return Session(**(values | changes))


def problem(code: str, text: str, side: Side | None = None) -> Notice:
    return Notice(3.0, "problem", code, text, side)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return make_session(tmp_path / "walk_1")


@pytest.fixture
def page_is_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page takes a second to draw; most tests are not about it."""
    monkeypatch.setattr(analysis, "page_writer", lambda: lambda path, result: path.write_text("page"))
