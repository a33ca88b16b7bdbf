"""Orientation by the gyroscope alone, and how VQF's memory of gravity sees a sensor turn.

A sensor's angular rate, freed of its bias, integrates to its orientation in a frame that hardly moves, however the
sensor is shaken: the frame in which gravity can be averaged (Laidig & Seel 2023, section 3.2). VQF finds the vertical
there as the low-passed specific force; the same filter over the rotation matrix says how a bias of the accelerometer,
which is fixed to the sensor, enters that vertical.
"""

import numpy as np
from vqf import VQF

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.types import FloatArray

_TAU_S = 3.0
"""VQF's default time constant of the accelerometer."""
_COUNT = 4
"""Of the state, behind the orientation: how many rows since the filter began, as far as that matters."""


class FreeTurning:
    """Feed angular rate row by row; both outputs depend on the rows alone."""

    def __init__(self, period_s: float) -> None:
        b, a = VQF.filterCoeffs(_TAU_S, period_s)
        self._rule = np.array([*b, *a, period_s, round(_TAU_S / period_s)])
        self._state = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
        self._memory = np.zeros((9, 3))

    @property
    def turning(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """State, rule and memory, as ``turn_at`` takes them."""
        return self._state, self._rule, self._memory

    def restart(self) -> None:
        """VQF forgot the past."""
        self._memory[:] = 0.0
        self._state[_COUNT] = 0.0

    def push(self, gyr_rad_s: FloatArray, bias_rad_s: FloatArray, out: FloatArray, free: int, turn: int) -> None:
        """Write orientation (4) and low-passed rotation matrix (9, row by row) into ``out`` (n, m) from these columns.

        ``gyr_rad_s`` and its ``bias_rad_s`` are (n, 3).
        """
        _turn(gyr_rad_s, bias_rad_s, *self.turning, out, free, turn)


@compiled("(f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8[:,::1], f8[:,::1], i8, i8)")
def _turn(
    gyr_rad_s: FloatArray,
    bias_rad_s: FloatArray,
    state: FloatArray,
    rule: FloatArray,
    memory: FloatArray,
    out: FloatArray,
    free: int,
    turn: int,
) -> None:
    for i in range(len(gyr_rad_s)):
        turn_at(gyr_rad_s, bias_rad_s, i, state, rule, memory, out, free, turn)


@inlined
def turn_at(
    gyr_rad_s: FloatArray,
    bias_rad_s: FloatArray,
    i: int,
    state: FloatArray,
    rule: FloatArray,
    memory: FloatArray,
    out: FloatArray,
    free: int,
    turn: int,
) -> None:
    """Row ``i``. The filter is VQF's: the mean of its first rows, then a Butterworth filter that starts from it."""
    b0, b1, b2, a1, a2, period_s = rule[0], rule[1], rule[2], rule[3], rule[4], rule[5]
    x = (gyr_rad_s[i, 0] - bias_rad_s[i, 0]) * period_s
    y = (gyr_rad_s[i, 1] - bias_rad_s[i, 1]) * period_s
    z = (gyr_rad_s[i, 2] - bias_rad_s[i, 2]) * period_s
    angle = np.sqrt(x * x + y * y + z * z)
    s = 0.5 if angle < 1e-9 else np.sin(0.5 * angle) / angle
    w, x, y, z = quat.product((state[0], state[1], state[2], state[3]), (np.cos(0.5 * angle), s * x, s * y, s * z))
    length = np.sqrt(w * w + x * x + y * y + z * z)
    q = w / length, x / length, y / length, z / length
    for k in range(4):
        out[i, free + k] = state[k] = q[k]
    r = quat.matrix_of(q)
    settling = state[_COUNT] < rule[6]
    if settling:
        state[_COUNT] += 1
    for k in range(9):
        if settling:
            memory[k, 2] += r[k]
            smooth = memory[k, 2] / state[_COUNT]
            memory[k, 0], memory[k, 1] = smooth * (1 - b0), smooth * (b2 - a2)
        else:
            smooth = b0 * r[k] + memory[k, 0]
            memory[k, 0] = b1 * r[k] - a1 * smooth + memory[k, 1]
            memory[k, 1] = b2 * r[k] - a2 * smooth
        out[i, turn + k] = smooth
