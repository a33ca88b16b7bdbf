"""Inclination of one sensor: VQF's six-axis quaternion (Laidig & Seel 2023), fed at the sensor's own rate;
beside it orientation by the gyroscope alone.
"""

from typing import NamedTuple

import numpy as np
from vqf import VQF

from subtalar.estimation.inclination.resting_bias import RESTING, RestingBias, completes_rest
from subtalar.estimation.inclination.saturation import ACC, GYR, SATURATION, new_saturation, touches
from subtalar.estimation.inclination.strapdown import STRAPDOWN, Strapdown, integrate
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.raw_rows import FILLED, RAW_ROW
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.types import FloatArray, SensorInfo


class Inclined(NamedTuple):
    """Rate that VQF was given (n, 3), its orientation (n, 4), and the bias (n, 3) it had found."""

    gyr_rad_s: FloatArray
    q: FloatArray
    bias_rad_s: FloatArray


class InclinationFilter:
    """Feed raw rows without gaps between them; ``restart`` where one lies between."""

    def __init__(self, parameters: Parameters, info: SensorInfo, period_s: float) -> None:
        self._p = parameters.resting_bias
        self.saturation = new_saturation(info)
        self._vqf = VQF(period_s, biasClip=parameters.inclination.bias_clip_deg_s)
        self._strapdown = Strapdown(period_s)
        self._resting = RestingBias(parameters.resting_bias, 1.0 / period_s)

    def restart(self) -> None:
        """The sensor may have turned unseen: inclination starts over, the gyroscope's bias stays."""
        self._strapdown.restart()
        bias, sigma = self._vqf.getBiasEstimate()
        self._vqf.resetState()
        self._vqf.setBiasEstimate(np.ascontiguousarray(bias), sigma)

    def push(self, raw: Records, before: Records, scale: float) -> Inclined:
        """Run VQF over the first of the rows (n,): up to the first that completes a rest, or all of them.

        They follow the raw row ``before`` (1,), which then is the last of them. The rate is multiplied by ``scale``.
        """
        gyr, acc, rested = _motion(raw, before, scale, self._resting.filter)
        found = self._vqf.updateBatch(gyr, acc)
        if rested:
            self._learn_bias(self._resting.mean_rad_s, found["bias"][-1])
        return Inclined(gyr, found["quat6D"], found["bias"])

    def write(
        self,
        raw: Records,
        inclined: Inclined,
        part: slice,
        line: tuple[float, float, float],
        scale: float,
        last_s: float,
        out: Records,
    ) -> int:
        """Write rows ``out`` (n,) on the session clock, which are this ``part`` of what ``push`` gave; in how many of
        them a channel touches its range.

        ``line`` is that of the clock, ``last_s`` the session time of the row before, NaN for the very first.
        """
        gyr, q, bias = inclined.gyr_rad_s[part], inclined.q[part], inclined.bias_rad_s[part]
        return _write(raw, gyr, q, bias, line, scale, last_s, self.saturation, self._strapdown.filter, out)

    def _learn_bias(self, mean_rad_s: FloatArray, bias_rad_s: FloatArray) -> None:
        """A rest shows a bias (3,); VQF is corrected where its own is far from it."""
        if float(np.abs(mean_rad_s - bias_rad_s).max()) > self._p.far_rad_s:
            self._vqf.setBiasEstimate(mean_rad_s, float(np.radians(self._p.sd_deg_s)))


@compiled("(row[::1], row[::1], f8, resting[::1])", row=RAW_ROW, resting=RESTING)
def _motion(raw: Records, before: Records, scale: float, resting: Records) -> tuple[FloatArray, FloatArray, bool]:
    """Angular rate, scaled, and specific force (n, 3), as VQF takes them, of the rows up to one that completes a rest;
    whether the last does.

    VQF turns by the rate it is given for a whole sample. The mean of the rates at both ends of the sample (trapezoidal
    rule) brings it to the orientation at the sample's instant; the newest rate alone would run half a sample ahead,
    which is 1° at 400 °/s and 200 Hz, and not the same for sensors of different rates.
    """
    gyr, acc = np.empty((len(raw), 3)), np.empty((len(raw), 3))
    for i in range(len(raw)):
        left, right = raw[i - 1] if i > 0 else before[0], raw[i]
        for k in range(3):
            gyr[i, k] = 0.5 * (left["gyr_rad_s"][k] + right["gyr_rad_s"][k]) * scale
            acc[i, k] = right["acc_m_s2"][k]
        if completes_rest(gyr, i, resting[0]):
            before[0] = raw[i]
            return gyr[: i + 1], acc[: i + 1], True
    before[0] = raw[len(raw) - 1]
    return gyr, acc, False


@compiled(
    "(raw[::1], f8[:,::1], f8[:,::1], f8[:,::1], UniTuple(f8, 3), f8, f8, saturation[::1], strapdown[::1], row[::1])",
    raw=RAW_ROW,
    saturation=SATURATION,
    strapdown=STRAPDOWN,
    row=SENSOR_ROW,
)
def _write(
    raw: Records,
    gyr: FloatArray,
    q: FloatArray,
    bias: FloatArray,
    line: tuple[float, float, float],
    scale: float,
    last_s: float,
    saturation: Records,
    strapdown: Records,
    out: Records,
) -> int:
    knot_s, session_at_knot_s, rate = line
    touched = 0
    for i in range(len(out)):
        sample, row = raw[i], out[i]
        session_s = session_at_knot_s + rate * (sample["time_s"] - knot_s)
        row["time_s"] = session_s
        row["arrival_s"] = sample["arrival_s"]
        for k in range(4):
            row["q"][k] = q[i, k]
        for k in range(3):
            row["gyr_rad_s"][k] = sample["gyr_rad_s"][k] - bias[i, k] / scale
            row["acc_m_s2"][k] = sample["acc_m_s2"][k]
        acc_at_limit = touches(sample["acc_m_s2"], ACC, session_s, saturation[0])
        gyr_at_limit = touches(sample["gyr_rad_s"], GYR, session_s, saturation[0])
        at_limit = acc_at_limit or gyr_at_limit
        row["real"] = 0.0 if sample["state"] == FILLED else 1.0
        row["clipped"] = 1.0 if at_limit else 0.0
        touched += at_limit
        row["step_s"] = 0.0 if np.isnan(last_s) else session_s - last_s
        last_s = session_s
        integrate(gyr, bias, i, strapdown[0], row)
    return touched
