"""Sessions small enough to make in a test, and the shared recordings where they are at hand."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    GaitEvent,
    Ledger,
    Notice,
    SampleBlock,
    SensorInfo,
    SensorStatus,
    Stride,
)

HEADER = "device_time_s,host_time_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2,gyr_x_rad_s,gyr_y_rad_s,gyr_z_rad_s"
START = datetime(2026, 5, 14, 9, 30, tzinfo=UTC)
SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data folder beside the project is not here")
    return SHARED_DATA


def make_rows(seconds: float = 8.0, rate_hz: float = 100.0, seed: int = 1) -> np.ndarray:
    """Columns as in a raw session; the sensor stands, then swings."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate_hz)
    t = np.arange(n) / rate_hz
    swing = np.where(t > 3.0, np.sin(2 * np.pi * t), 0.0)[:, None]
    acc = np.array([0.3, 9.7, 1.0]) + swing * np.array([6.0, 4.0, 2.0]) + rng.normal(0, 0.05, (n, 3))
    gyr = swing * np.array([0.2, 0.5, 4.0]) + rng.normal(0, 0.01, (n, 3))
    host = np.ceil((t + 0.02) / 0.03) * 0.03
    return np.column_stack((t + 1234.5, host, acc, gyr)).round(6)


def to_csv(rows: np.ndarray, header: str = HEADER) -> str:
    lines = [",".join(f"{v:.6f}" for v in row) for row in rows]
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture
def raw_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a raw session folder; ``files`` gives the text of sensors that differ from a good one."""

    def make(
        sites: tuple[str, ...] = ("right_foot", "right_shank"),
        *,
        texts: dict[str, str] | None = None,
        spec: dict[str, Any] | None = None,
        compress: bool = False,
        seconds: float = 8.0,
    ) -> Path:
        folder = tmp_path / "walk"
        folder.mkdir()
        suffix = ".csv.gz" if compress else ".csv"
        whole: dict[str, Any] = {
            "format": "subtalar-raw-session",
            "version": 1,
            "sensors": {s: {"file": s + suffix, "rate_hz": 100} for s in sites},
        }
        whole.update(spec or {})
        (folder / "session.json").write_text(json.dumps(whole))
        for seed, site in enumerate(sites, start=1):
            text = (texts or {}).get(site) or to_csv(make_rows(seconds, seed=seed))
            data = gzip.compress(text.encode()) if compress else text.encode()
            (folder / (site + suffix)).write_bytes(data)
        return folder

    return make


def make_sensors(*sites: BodySite) -> list[SensorInfo]:
    chosen = sites or (BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK)
    return [SensorInfo(s, 100.0, 156.9, 34.9, model="Test 1", address=f"AA:{k}") for k, s in enumerate(chosen)]


def make_blocks(seconds: float = 8.0, seed: int = 5, start_s: float = 0.0) -> list[SampleBlock]:
    """Blocks of 1 to 5 samples of two sensors in order of arrival; one sensor has no device clock. Bits are random."""
    rng = np.random.default_rng(seed)
    blocks: list[tuple[float, SampleBlock]] = []
    for site, has_clock in ((BodySite.RIGHT_FOOT, True), (BodySite.RIGHT_SHANK, False)):
        k = 0
        while k < seconds * 100:
            n = int(rng.integers(1, 6))
            device = (k + np.arange(n)) / 100.0 + 77.7 + rng.normal(0, 1e-9, n)
            arrival = start_s + (k + n) / 100.0 + float(rng.uniform(0, 0.009))
            host = np.full(n, arrival)
            acc, gyr = rng.normal(0, 1, (n, 3)) * np.exp(rng.normal(0, 20, (n, 3))), rng.normal(0, 1, (n, 3))
            blocks.append((arrival, SampleBlock(site, device if has_clock else None, host, acc, gyr)))
            k += n
    return [b for _, b in sorted(blocks, key=lambda pair: pair[0])]


def same_bits(a: SampleBlock, b: SampleBlock) -> bool:
    def raw(block: SampleBlock) -> tuple[object, ...]:
        arrays = (block.device_time_s, block.host_time_s, block.acc_m_s2, block.gyr_rad_s)
        return block.site, *(None if x is None else (x.shape, x.tobytes()) for x in arrays)

    return raw(a) == raw(b)


def make_stride(initial_contact_s: float = 3.25) -> Stride:
    nan = float("nan")
    return Stride(
        side="right",
        initial_contact_s=initial_contact_s,
        foot_off_s=initial_contact_s + 0.7,
        stride_time_s=1.1,
        stance_ratio=0.63,
        stride_length_m=1.3,
        peak_eversion_deg=-7.125,
        eversion_excursion_deg=9.5,
        time_to_peak_eversion_pct=31.0,
        peak_eversion_velocity_deg_s=-120.0,
        tibial_rotation_excursion_deg=8.0,
        eversion_tibial_coupling=nan,
        peak_dorsiflexion_deg=12.0,
        peak_tibial_acceleration_g=0.0,
        foot_strike_angle_deg=20.0,
        foot_progression_deg=-5.0,
        lost_samples=3,
        quality="ok",
        mean_tibial_rotation_deg=1.0,
        mean_inversion_deg=-0.0,
        dorsiflexion_range_deg=30.0,
        peak_subtalar_pronation_deg=nan,
        subtalar_pronation_excursion_deg=11.5,
        subtalar_unexplained_deg=1.25,
        measured_by="foot",
    )


def make_estimates(time_s: float = 3.0) -> Estimates:
    angles = AngleBlock(
        side="right",
        time_s=time_s + np.arange(3) / 100,
        angles_deg=np.array(
            [
                [1.5, -2.5, 3.0, -3.0, 12.5, -0.0, np.nan, np.nan],
                [np.nan] * 8,
                [0.1, 0.2, -0.0, 1e-9, -70.0, 4.0, np.nan, np.nan],
            ]
        ),
        angles_sd_deg=np.tile([0.7, 0.7, 0.7, 1.1, 0.8, 0.9, np.nan, np.nan], (3, 1)),
        quality=np.array([0, 6, 3], dtype=np.uint8),
        shank_orientation=np.tile([1.0, 0.0, 0.0, 0.0], (3, 1)),
    )
    return Estimates(
        angles=(angles,),
        events=(GaitEvent("right", "initial_contact", time_s, time_s + 0.05),),
        strides=(make_stride(),),
        notices=(
            Notice(time_s, "advice", "stand_still", "Stand still for five seconds.", side="right"),
            Notice(time_s, "problem", "lost", "The foot sensor is silent.", site=BodySite.RIGHT_FOOT),
        ),
    )


def make_status(lost: int = 4) -> list[SensorStatus]:
    foot, shank = make_sensors()
    return [
        SensorStatus(foot, "streaming", 99.8, 81.0, Ledger(800, lost, False, 1, 12, 2)),
        SensorStatus(shank, "silent", None, None, Ledger(800, 10, True)),
    ]


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The makers above, for test modules (which cannot import a conftest)."""
    return SimpleNamespace(
        HEADER=HEADER,
        START=START,
        rows=make_rows,
        csv=to_csv,
        sensors=make_sensors,
        blocks=make_blocks,
        same_bits=same_bits,
        stride=make_stride,
        estimates=make_estimates,
        status=make_status,
    )
