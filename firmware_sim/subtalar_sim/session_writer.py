"""Writes a raw session folder with the truth beside it: recorded data without any live hardware.

``session.json``, one gzipped CSV a sensor, and for scoring ``truth_angles.csv.gz``
and ``truth_strides.csv``. Runs in bounded memory: chunk by chunk, whatever the length.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from subtalar_sim.body import WalkingBody
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan, GapDrawer
from subtalar_sim.types import SIDES, BoolArray, FloatArray, Side, split_site

_CHUNK = 8192
_TRUTH_HZ = 100.0
_COLUMNS = "device_time_s,host_time_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2,gyr_x_rad_s,gyr_y_rad_s,gyr_z_rad_s"
_STRIDE_COLUMNS = (
    "side_is_left",
    "initial_contact_s",
    "foot_off_s",
    "stride_time_s",
    "peak_eversion_stance_deg",
    "inversion_range_stance_deg",
    "tibial_rotation_range_stance_deg",
    "peak_dorsiflexion_stance_deg",
    "stride_length_m",
)
_INT16 = 32768.0


def write_session(config: SimulationConfig, folder: str | Path, duration_s: float | None = None) -> Path:
    """Write the session of ``config`` into ``folder`` (made if absent) and return it.

    Of the faults, what a folder of samples can show is there: lost samples, outages and reboots (which lose the samples
    and set ``device_time_s`` to zero) are missing rows; so are those in a payload that has an altered byte, since a
    host drops it. Stalls hold arrivals back and let them come at once; delay and jitter are in the arrivals as well.

    ``duration_s`` overrides how long the body walks, so that the whole session lasts that long; None keeps
    ``config.body.walking_s``. Sensor values are rounded to 16 bits of the range, as devices send them.
    Equal arguments write equal bytes. Raises ValueError if ``duration_s`` leaves no time to walk, and for recorded
    motion.
    """
    if config.motion is not None:
        raise ValueError(f"{config.motion.name} is a session already: it is not written again")
    body = config.make_body()
    if duration_s is not None:
        walking_s = duration_s - body.walk_start_s - 1.0
        if walking_s < 0:
            raise ValueError(f"{duration_s} s end before the walking starts at {body.walk_start_s} s: ask for more")
        config = replace(config, body=replace(config.body, walking_s=walking_s))
        body = config.make_body()
    end_s = body.walk_end_s + 1.0
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    sensors: dict[str, dict[str, object]] = {}
    for site in config.sites:
        imu = config.make_imu(body, site)
        name = f"{site}.csv.gz"
        with _gzip_text(out / name) as file:
            file.write(_COLUMNS + "\n")
            for block in _sensor_rows(config, body, site, end_s):
                np.savetxt(file, block, fmt=["%.6f", "%.6f", *["%.5f"] * 3, *["%.6f"] * 3], delimiter=",")
        sensors[site] = {
            "file": name,
            "rate_hz": config.rate_hz,
            "acc_range_m_s2": imu.acc_range_m_s2,
            "gyr_range_rad_s": imu.gyr_range_rad_s,
        }
    session = {
        "format": "subtalar-raw-session",
        "version": 1,
        "sensors": sensors,
        "annotations": [{"label": a, "start_s": s, "end_s": e} for a, s, e in body.annotations],
    }
    (out / "session.json").write_text(json.dumps(session, indent=1) + "\n", encoding="utf-8")
    sides = [s for s in SIDES if any(split_site(site)[0] == s for site in config.sites)]
    _write_truth_angles(body, sides, end_s, out / "truth_angles.csv.gz")
    _write_truth_strides(body, sides, out / "truth_strides.csv")
    return out


@contextmanager
def _gzip_text(path: Path) -> Iterator[io.TextIOWrapper]:
    """A gzip text file without name and time in its header: equal content, equal bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=4) as packed,
        io.TextIOWrapper(packed, encoding="ascii", newline="") as text,
    ):
        yield text


def _sensor_rows(config: SimulationConfig, body: WalkingBody, site: str, end_s: float) -> Iterator[FloatArray]:
    """Blocks of rows (n, 8) in the order of the file, lost samples left out."""
    imu, clock, plan = config.make_source(body, site), config.make_clock(site), config.faults_at(site)
    rng = np.random.default_rng([config.seed, 17, *site.encode()])
    gaps = GapDrawer(plan, config.rate_hz, config.seed, site)
    rate = clock.true_rate(config.rate_hz)
    start = float(rng.uniform(0.0, 1.0 / rate))
    arrivals = _Arrivals(rng, rate, plan)
    damage = np.random.default_rng([config.seed, 21, *site.encode()])
    reboots = [(begin + length, float(clock.reading(np.array([begin + length]))[0])) for begin, length in plan.reboots]
    total = int((end_s - start) * rate)
    for first in range(0, total, _CHUNK):
        t = start + np.arange(first, min(first + _CHUNK, total)) / rate
        sample = imu.measure(t, rate)
        acc = _quantised(sample.acc_m_s2, config.model.acc_range_m_s2)
        gyr = _quantised(sample.gyr_rad_s, config.model.gyr_range_rad_s)
        device_s = clock.reading(t)
        for back_s, reading_s in sorted(reboots):
            device_s = np.where(t >= back_s, clock.reading(t) - reading_s, device_s)
        host_s, payload = arrivals.of(t)
        rows = np.column_stack([device_s, host_s, acc, gyr])
        down = np.array([plan.is_down(x) for x in t]) if plan.downs else np.zeros(len(t), dtype=np.bool_)
        yield rows[gaps.kept(len(t), t) & ~down & ~_damaged(damage, payload, plan.corrupt)]


def _damaged(rng: np.random.Generator, payload: BoolArray, share: float) -> BoolArray:
    """Which samples lie in a payload with an altered byte; ``payload`` is true where one begins. A payload that
    is cut by the end of a chunk is judged once more.
    """
    if not share:
        return np.zeros(len(payload), dtype=np.bool_)
    number = np.cumsum(payload)
    return np.asarray((rng.random(int(number[-1]) + 1) < share)[number])


def _quantised(value: FloatArray, full_scale: float) -> FloatArray:
    lsb = full_scale / _INT16
    return np.asarray(np.clip(np.round(value / lsb), -_INT16, _INT16 - 1) * lsb, dtype=np.float64)


class _Arrivals:
    """Host times: a few samples share a notification, which is late by a fixed delay and a jitter; order holds."""

    def __init__(self, rng: np.random.Generator, rate_hz: float, plan: FaultPlan) -> None:
        self._rng = rng
        self._batch = max(1, round(0.02 * rate_hz))
        self._delay = float(rng.uniform(0.008, 0.033)) + plan.delay_s
        self._jitter = max(plan.jitter_s, 0.004)
        self._rate, self._plan = rate_hz, plan
        self._left, self._at = 0, 0.0

    def of(self, t: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Arrivals (n,), and where a notification begins."""
        out, begins = np.empty(len(t)), np.zeros(len(t), dtype=np.bool_)
        for i, x in enumerate(t.tolist()):
            if self._left == 0:
                self._left, begins[i] = self._batch, True
                sent = x + (self._batch - 1) / self._rate
                due_s = sent + self._delay + float(self._rng.exponential(self._jitter))
                self._at = max(self._at, self._plan.after_stalls(due_s))
            self._left -= 1
            out[i] = self._at
        return out, begins


def _write_truth_angles(body: WalkingBody, sides: list[Side], end_s: float, path: Path) -> None:
    names = [f"{s}_{a}_deg" for s in sides for a in ("dorsiflexion", "inversion", "tibial_rotation")]
    with _gzip_text(path) as file:
        file.write(",".join(["time_s", *names]) + "\n")
        total = int((end_s - 1.0) * _TRUTH_HZ)
        for first in range(0, total, _CHUNK):
            t = 1.0 + np.arange(first, min(first + _CHUNK, total)) / _TRUTH_HZ
            rows = np.column_stack([t, *(body.angles_deg(s, t) for s in sides)])
            np.savetxt(file, rows, fmt="%.4f", delimiter=",")


def _write_truth_strides(body: WalkingBody, sides: list[Side], path: Path) -> None:
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow(_STRIDE_COLUMNS)
        for side in sides:
            for s in body.strides(side):
                values = (
                    *(float(side == "left"), s.initial_contact_s, s.foot_off_s, s.stride_time_s, s.peak_eversion_deg),
                    *(s.inversion_range_deg, s.tibial_rotation_range_deg, s.peak_dorsiflexion_deg, s.stride_length_m),
                )
                writer.writerow(f"{v:.4f}" for v in values)
