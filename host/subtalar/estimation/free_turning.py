"""Orientation by the gyroscope alone, and how VQF's memory of gravity sees a sensor turn.

A sensor's angular rate, freed of its bias, integrates to its orientation in a frame that hardly moves, however the
sensor is shaken: the frame in which gravity can be averaged (Laidig & Seel 2023, section 3.2). VQF finds the vertical
there as the low-passed specific force; the same filter over the rotation matrix says how a bias of the accelerometer,
which is fixed to the sensor, enters that vertical.
"""

import numpy as np
from vqf import VQF

from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled
from subtalar.types import FloatArray

_TAU_S = 3.0
"""VQF's default time constant of the accelerometer."""


class FreeTurning:
    """Feed angular rate row by row; both outputs depend on the rows alone."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        b, a = VQF.filterCoeffs(_TAU_S, period_s)
        self._rule = np.array([*b, *a])
        self._first = round(_TAU_S / period_s)
        self._q = np.array([1.0, 0.0, 0.0, 0.0])
        self.restart()

    def restart(self) -> None:
        """VQF forgot the past."""
        self._memory = np.zeros((9, 3))
        self._count = np.zeros(1)

    def push(self, gyr_rad_s: FloatArray, bias_rad_s: FloatArray, out: FloatArray, free: int, turn: int) -> None:
        """Write orientation (4) and low-passed rotation matrix (9, row by row) into ``out`` (n, m) from these columns.

        ``gyr_rad_s`` and its ``bias_rad_s`` are (n, 3).
        """
        turned = self._q, self._memory, self._count
        _turn(gyr_rad_s, bias_rad_s, self._period_s, self._rule, self._first, *turned, out, free, turn)


@compiled("(f8[:,::1], f8[:,::1], f8, f8[::1], i8, f8[::1], f8[:,::1], f8[::1], f8[:,::1], i8, i8)")
def _turn(
    gyr_rad_s: FloatArray,
    bias_rad_s: FloatArray,
    period_s: float,
    rule: FloatArray,
    first: int,
    q: FloatArray,
    memory: FloatArray,
    count: FloatArray,
    out: FloatArray,
    free: int,
    turn: int,
) -> None:
    """As VQF does: the mean of the ``first`` rows, then a Butterworth filter that starts from it."""
    b0, b1, b2, a1, a2 = rule[0], rule[1], rule[2], rule[3], rule[4]
    r = np.empty(9)
    for i in range(len(gyr_rad_s)):
        x = (gyr_rad_s[i, 0] - bias_rad_s[i, 0]) * period_s
        y = (gyr_rad_s[i, 1] - bias_rad_s[i, 1]) * period_s
        z = (gyr_rad_s[i, 2] - bias_rad_s[i, 2]) * period_s
        angle = np.sqrt(x * x + y * y + z * z)
        s = 0.5 if angle < 1e-9 else np.sin(0.5 * angle) / angle
        w, x, y, z = quat.product((q[0], q[1], q[2], q[3]), (np.cos(0.5 * angle), s * x, s * y, s * z))
        length = np.sqrt(w * w + x * x + y * y + z * z)
        q[0], q[1], q[2], q[3] = w / length, x / length, y / length, z / length
        for k in range(4):
            out[i, free + k] = q[k]
        w, x, y, z = q[0], q[1], q[2], q[3]
        r[0], r[1], r[2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        r[3], r[4], r[5] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        r[6], r[7], r[8] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        settling = count[0] < first
        if settling:
            count[0] += 1
        for k in range(9):
            if settling:
                memory[k, 2] += r[k]
                smooth = memory[k, 2] / count[0]
                memory[k, 0], memory[k, 1] = smooth * (1 - b0), smooth * (b2 - a2)
            else:
                smooth = b0 * r[k] + memory[k, 0]
                memory[k, 0] = b1 * r[k] - a1 * smooth + memory[k, 1]
                memory[k, 1] = b2 * r[k] - a2 * smooth
            out[i, turn + k] = smooth
