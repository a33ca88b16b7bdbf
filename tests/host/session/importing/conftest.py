"""Exports of other software, written by hand after the layouts in docs/import.md: not by code of the project."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.session import open_session

GRAVITY = 9.80665
DEG = np.pi / 180.0


def motion(seconds: float = 8.0, rate_hz: float = 60.0, seed: int = 1) -> np.ndarray:
    """(n, 6): m/s² and rad/s of a sensor that rests for 3 s, then swings."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate_hz)
    t = np.arange(n) / rate_hz
    swing = np.where(t > 3.0, np.sin(2 * np.pi * t), 0.0)[:, None]
    acc = np.array([0.3, 9.7, 1.0]) + swing * np.array([6.0, 4.0, 2.0]) + rng.normal(0, 0.05, (n, 3))
    gyr = swing * np.array([0.2, 0.5, 4.0]) + rng.normal(0, 0.01, (n, 3))
    return np.column_stack((acc, gyr))


APP_HEADER = """sep=,
DeviceTag:,{tag}
FirmwareVersion:,2.0.0
AppVersion:,2021.0
SyncStatus:,{sync}
OutputRate:,60Hz
FilterProfile:,General
Measurement Mode:,Custom modes - Custom mode 5
StartTime: ,{start}
© Xsens Technologies B. V. 2005-2021

PacketCounter,SampleTimeFine,Quat_W,Quat_X,Quat_Y,Quat_Z,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z
"""


def dot_app(
    values: np.ndarray,
    *,
    tag: str = "Right foot",
    sync: str = "Synced",
    start: str = "2021-08-20_20:21:13_823 GMT+8",
    first_us: int = 3_343_411_218,
    step_us: int = 16_667,
    keep: Sequence[int] | None = None,
) -> str:
    """As the app writes a measurement in custom mode 5."""
    lines = []
    for k in range(len(values)) if keep is None else keep:
        acc, gyr = values[k, :3], values[k, 3:] / DEG
        cells = [f"{v:.6f}" for v in (0.306544, -0.587594, 0.329953, 0.67223, *acc, *gyr)]
        lines.append(f"{k + 1},{(first_us + k * step_us) % 2**32},{','.join(cells)}\n")
    return APP_HEADER.format(tag=tag, sync=sync, start=start) + "".join(lines)


def dot_recording(values: np.ndarray, *, tag: str, start: str, first_us: int) -> str:
    """As a recording is exported: no synchronisation told, rows of 120 Hz, a row of zeros first, a comma last."""
    out = ["sep=,\n", f"DeviceTag:,{tag},,,,,,\n", "FirmwareVersion:,1.6.0,,,,\n", "AppVersion:,2021.0,,,,\n"]
    out += [f"StartTime:,{start},,,,,\n", "Movella Technologies B. V. 2005-2021,,,,,,\n", "\n"]
    out.append("PacketCounter,SampleTimeFine,Euler_X,Euler_Y,Euler_Z,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z,\n")
    for k, row in enumerate(values):
        measured = row / np.array([1, 1, 1, DEG, DEG, DEG]) if k else np.zeros(6)
        cells = [f"{v:.14f}" for v in (-179.9879, -0.2521, -136.1839, *measured)]
        out.append(f"{k}, {(first_us + k * 8333) % 2**32}, {', '.join(cells)}, \n")
    return "".join(out)


def dot_pc(values: np.ndarray, *, first: int = 1_704_559) -> str:
    """As the PC SDK logs: everything in one line above, no counter, SampleTimeFine in 100 µs."""
    out = [
        "DeviceTag: Xsens DOT,FirmwareVersion: 3.0.0,AppVersion: 2023.6.0,SyncStatus: Unknown (Synced/Un-synced),"
        "OutputRate: 60,FilterProfile: Unknown,Measurement Mode: Rate quantities,StartTime: 2025-09-11 19:32:56.264,"
        "© Movella Technologies B.V. 2005-2025\n",
        "SampleTimeFine,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z\n",
    ]
    for k, row in enumerate(values):
        cells = [f"{v:.4f}" for v in row / np.array([1, 1, 1, DEG, DEG, DEG])]
        out.append(f"{first + int(k * 166.6667)},{','.join(cells)}\n")
    return "".join(out)


XIMU3_HEADER = (
    "Timestamp (us),Gyroscope X (deg/s),Gyroscope Y (deg/s),Gyroscope Z (deg/s),"
    "Accelerometer X (g),Accelerometer Y (g),Accelerometer Z (g)\n"
)


def ximu3(values: np.ndarray, *, first_us: int = 19_150_794, step_us: float = 19990.4) -> str:
    """As the data logger writes inertial messages of 50 Hz."""
    out = [XIMU3_HEADER]
    for k, row in enumerate(values):
        cells = [f"{v:.6f}" for v in (*row[3:] / DEG, *row[:3] / GRAVITY)]
        out.append(f"{first_us + round(k * step_us)},{','.join(cells)}\n")
    return "".join(out)


def ping(name: str, serial: str, interface: str = "UDP") -> str:
    return (
        f'[\n    {{"ping":{{"interface":"{interface}","name":"{name}","sn":"{serial}"}}}},\n'
        '    {"time":"2000-01-23 04:59:47"}\n]'
    )


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Write files, given as text or bytes by their paths, into a folder."""

    def write(files: dict[str, str | bytes], name: str = "walk") -> Path:
        folder = tmp_path / name
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write


def gather(session, site, block_s=1.0) -> np.ndarray:
    """(n, 7): time, acceleration, rate of turn of one sensor."""
    blocks = [b for b in session.blocks(block_s) if b.site == site]
    return np.vstack([np.column_stack((b.host_time_s, b.acc_m_s2, b.gyr_rad_s)) for b in blocks])


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_session(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", "?")), text
    return text


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    return SimpleNamespace(
        motion=motion,
        dot_app=dot_app,
        dot_recording=dot_recording,
        dot_pc=dot_pc,
        ximu3=ximu3,
        ping=ping,
        gather=gather,
        refusal=refusal,
        GRAVITY=GRAVITY,
        DEG=DEG,
    )
