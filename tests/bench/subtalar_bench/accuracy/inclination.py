"""Inclination of the front end against an optical reference, with plain VQF beside it.

Data: BROAD (Laidig et al. 2021, doi 10.3390/data6070072); its measure of inclination error: the smallest angle of
q_est · q_ref⁻¹ that no turn about the vertical explains, 2·acos √(w² + z²).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat
from vqf import VQF

from subtalar.estimation.numerics import quaternions as quat
from subtalar.types import BodySite, FloatArray
from subtalar_bench.accuracy.front_end import rows_of
from subtalar_bench.accuracy.recordings import existing
from subtalar_bench.arrays import at
from subtalar_bench.parallel import side_by_side
from subtalar_bench.table import Column, Table

FOLDER = "broad"

LAGS_S = np.arange(-8e-3, 8.1e-3, 0.5e-3)


@dataclass(frozen=True)
class Inclination:
    """Root mean square inclination errors of one trial, degrees."""

    trial: str
    ours_deg: float
    vqf_deg: float


def measure(data: Path) -> list[Table]:
    """Every trial in ``data/broad``."""
    found = side_by_side(measure_file, sorted(existing(data, FOLDER).glob("*.mat")))
    columns = (Column("trial", "trial"), Column("ours_deg", "front end °"), Column("vqf_deg", "VQF, defaults °"))
    rows = tuple((f.trial, f.ours_deg, f.vqf_deg) for f in found)
    return [Table("inclination", "Inclination against an optical reference, RMS", columns, rows)]


def measure_file(path: Path) -> Inclination:
    """One trial: while the sensor moves and the cameras see it."""
    trial = loadmat(path)
    rate_hz = float(trial["sampling_rate"].ravel()[0])
    gyr, acc = (np.ascontiguousarray(trial[name], dtype=np.float64) for name in ("imu_gyr", "imu_acc"))
    reference = np.asarray(trial["opt_quat"], dtype=np.float64)
    scored = (trial["movement"].ravel() > 0) & np.isfinite(reference).all(axis=1)
    time_s = np.arange(len(gyr)) / rate_hz
    ours = rows_of(BodySite.RIGHT_FOOT, time_s, acc, gyr)["q"]
    plain = VQF(1.0 / rate_hz).updateBatch(gyr, acc)["quat6D"]
    return Inclination(path.stem, *(lagged_rms_deg(time_s, q, reference, scored) for q in (ours, plain)))


def lagged_rms_deg(time_s: FloatArray, q: FloatArray, reference: FloatArray, scored: npt.NDArray[np.bool_]) -> float:
    """The error with the constant lag that fits best: cameras and sensor are some milliseconds apart here, which at
    hundreds of degrees a second is more than a filter's error.
    """
    turned = np.concatenate(([1.0], np.cumprod(np.where(np.sum(q[1:] * q[:-1], axis=1) < 0, -1.0, 1.0))))
    q = q * turned[:, None]
    lagged = (at(time_s + lag_s, time_s, q) for lag_s in LAGS_S)
    return min(inclination_rms_deg(quat.normalized(each), reference, scored) for each in lagged)


def inclination_rms_deg(q: FloatArray, reference: FloatArray, scored: npt.NDArray[np.bool_]) -> float:
    """Of orientations (n, 4) against their references (n, 4), over the chosen instants (n,)."""
    error = quat.multiply(q[scored], quat.conjugate(reference[scored]))
    upright = np.sqrt(error[:, 0] ** 2 + error[:, 3] ** 2)
    angle = 2 * np.degrees(np.arccos(np.clip(upright, 0.0, 1.0)))
    return float(np.sqrt(np.mean(angle**2)))
