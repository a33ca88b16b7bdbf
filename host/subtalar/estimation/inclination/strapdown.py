"""Orientation by the gyroscope alone, and how VQF's memory of gravity sees a sensor turn.

A sensor's angular rate, freed of its bias, integrates to its orientation in a frame that hardly moves, however the
sensor is shaken (strapdown integration): the frame in which gravity can be averaged (Laidig & Seel 2023, section 3.2).
VQF finds the vertical there as the low-passed specific force; the same filter over the rotation matrix shows how a bias
of the accelerometer, which is fixed to the sensor, enters that vertical.
"""

import numpy as np
from vqf import VQF

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import FloatArray

_TAU_S = 3.0
"""VQF's default time constant of the accelerometer."""

STRAPDOWN = np.dtype(
    [
        ("b", "f8", (3,)),
        ("a", "f8", (2,)),
        ("period_s", "f8"),
        ("settling_rows", "i8"),
        ("q", "f8", (4,)),
        ("rows", "i8"),
        ("memory", "f8", (9, 3)),
    ]
)
"""Constants: the low-pass filter, the sampling period, of how many rows the filter first takes the mean. State: the
orientation, rows since the filter began (as far as that matters), and its memory of each element of the matrix."""


class Strapdown:
    """Feed angular rate row by row; both outputs depend on the rows alone."""

    def __init__(self, period_s: float) -> None:
        b, a = VQF.filterCoeffs(_TAU_S, period_s)
        self.filter = record(
            STRAPDOWN, b=b, a=a, period_s=period_s, settling_rows=round(_TAU_S / period_s), q=[1.0, 0.0, 0.0, 0.0]
        )

    def restart(self) -> None:
        """VQF forgot the past."""
        self.filter["memory"] = 0.0
        self.filter["rows"] = 0

    def push(self, gyr_rad_s: FloatArray, bias_rad_s: FloatArray, out: Records) -> None:
        """Fill orientation and low-passed rotation into the rows (n,); ``gyr_rad_s`` and its bias are (n, 3)."""
        _integrate(gyr_rad_s, bias_rad_s, self.filter, out)


@compiled("(f8[:,::1], f8[:,::1], filter[::1], row[::1])", filter=STRAPDOWN, row=SENSOR_ROW)
def _integrate(gyr_rad_s: FloatArray, bias_rad_s: FloatArray, strapdown: Records, out: Records) -> None:
    for i in range(len(gyr_rad_s)):
        integrate(gyr_rad_s, bias_rad_s, i, strapdown[0], out[i])


@inlined
def integrate(gyr_rad_s: FloatArray, bias_rad_s: FloatArray, i: int, strapdown: Record, out: Record) -> None:
    """Row ``i``. The filter is VQF's: the mean of its first rows, then a Butterworth filter that starts from it."""
    period_s, so_far, memory = strapdown["period_s"], strapdown["q"], strapdown["memory"]
    b0, b1, b2 = strapdown["b"][0], strapdown["b"][1], strapdown["b"][2]
    a1, a2 = strapdown["a"][0], strapdown["a"][1]
    x = (gyr_rad_s[i, 0] - bias_rad_s[i, 0]) * period_s
    y = (gyr_rad_s[i, 1] - bias_rad_s[i, 1]) * period_s
    z = (gyr_rad_s[i, 2] - bias_rad_s[i, 2]) * period_s
    angle = np.sqrt(x * x + y * y + z * z)
    s = 0.5 if angle < 1e-9 else np.sin(0.5 * angle) / angle
    w, x, y, z = quat.product(quat.quaternion_of(so_far), (np.cos(0.5 * angle), s * x, s * y, s * z))
    length = np.sqrt(w * w + x * x + y * y + z * z)
    q = w / length, x / length, y / length, z / length
    quat.write(q, so_far)
    quat.write(q, out["q_strapdown"])
    r = quat.matrix_of(q)
    settling = strapdown["rows"] < strapdown["settling_rows"]
    if settling:
        strapdown["rows"] += 1
    for k in range(9):
        if settling:
            memory[k, 2] += r[k]
            smooth = memory[k, 2] / strapdown["rows"]
            memory[k, 0], memory[k, 1] = smooth * (1 - b0), smooth * (b2 - a2)
        else:
            smooth = b0 * r[k] + memory[k, 0]
            memory[k, 0] = b1 * r[k] - a1 * smooth + memory[k, 1]
            memory[k, 1] = b2 * r[k] - a2 * smooth
        out["lowpassed_rotation"][k] = smooth
