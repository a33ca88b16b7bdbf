"""Gravity of one sensor over a whole recording: the filter of ``gravity.py``, smoothed.

The bias of the accelerometer is one vector for the recording, as known at its end. Gravity is known in the middle of
each stride and in standing; where no stride is near, VQF's own vertical, freed of the bias, takes over by the same rule
as live.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.inclination.gravity import GravityFilter, Stance, upright_samples
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.kalman_smoother import smooth
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.leg_rows import LEG_ROW
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.smoothing.parts import Knots, part_of
from subtalar.estimation.stance.standing import Standing
from subtalar.types import FloatArray, Segment

_BIAS = slice(3, 6)


@dataclass(frozen=True)
class GravityStride:
    """One sensor's samples of a stride from row ``start`` to ``stop``; its part and the middle of its time."""

    samples: SegmentSamples
    start: int
    stop: int
    part: int
    middle_s: float


class GravityTrack:
    """``bias_m_s2`` (3,), its root mean square ``bias_sd_m_s2``, and gravity at any time."""

    def __init__(
        self,
        parameters: Parameters,
        standing: Standing,
        stance: Stance,
        strides: Iterable[GravityStride],
        lever_m: FloatArray,
    ) -> None:
        self._p = parameters
        forward = GravityFilter(parameters.gravity, stance, standing.end_s, standing.gravity_sd_m_s2)
        trace = forward.keep_trace()
        of_stride: list[int] = []
        of_part: list[int] = []
        middle_s: list[float] = []
        part = 0
        for stride in strides:  # one after the other: their samples together may be as much as the recording
            if stride.part != part:
                forward.restart()
                part = stride.part
            forward.add(stride.samples, stride.start, stride.stop, lever_m)
            of_stride.append(len(trace) - 1)
            of_part.append(stride.part)
            middle_s.append(stride.middle_s)
        mean, covariance = smooth(trace)
        self.bias_m_s2: FloatArray = mean[-1, _BIAS].copy()
        self.bias_sd_m_s2 = float(np.sqrt(np.trace(covariance[-1, _BIAS, _BIAS]) / 3.0))
        self._gravity = mean[of_stride, :3]
        self.excess = float(np.mean(np.abs(np.linalg.norm(self._gravity, axis=1) / GRAVITY_M_S2 - 1.0)))
        self._knots: dict[int, Knots] = {}
        parts, middles = np.array(of_part), np.array(middle_s)
        for p in sorted(set(parts.tolist())):
            time_s, values = middles[parts == p], self._gravity[parts == p]
            if p == 0:
                # Gravity hardly moves in the gyroscope's frame while somebody stands.
                time_s = np.concatenate(([standing.start_s, standing.end_s], time_s))
                values = np.concatenate((mean[[0, 0], :3], values))
            self._knots[p] = Knots(time_s, values)

    def upright(self, stride: int, samples: SegmentSamples) -> SegmentSamples:
        """The samples of a stride, counted as they were given, as gravity was then."""
        return upright_samples(samples, self._gravity[stride], self.bias_m_s2)

    def upright_rows(self, rows: Records, segment: Segment, resumed_s: FloatArray, fresh_rad: FloatArray) -> FloatArray:
        """Orientations (n, 4) of this sensor, which sits on a segment, in rows of the leg.

        ``fresh_rad`` (n,): how far VQF's own vertical is off after an interruption.
        """
        t = np.ascontiguousarray(rows["time_s"])
        gravity = np.zeros((len(rows), 3))
        parts = part_of(t, resumed_s)
        for part, knots in self._knots.items():
            here = parts == part
            if here.any():
                gravity[here] = knots.at(t[here])
        share = 1.0 - self.own_share(t, resumed_s, fresh_rad)
        return _upright(rows, segment == "shank", gravity, self.bias_m_s2, share)

    def own_share(self, time_s: FloatArray, resumed_s: FloatArray, fresh_rad: FloatArray) -> FloatArray:
        """Share (n,) of VQF's own vertical: 1 between interruptions without strides."""
        p = self._p.gravity
        own = np.ones(len(time_s))
        parts = part_of(time_s, resumed_s)
        for part, knots in self._knots.items():
            here = parts == part
            if here.any():
                of_own = p.own_vertical_sd_m_s2**2 + (GRAVITY_M_S2 * fresh_rad[here]) ** 2
                of_stride = p.stride_vertical_sd_m_s2**2 + p.fade_m_s2_sqrt_s**2 * knots.bridge_s(time_s[here])
                own[here] = of_stride / (of_own + of_stride)
        return own


@compiled("(row[::1], b1, f8[:,::1], f8[::1], f8[::1])", row=LEG_ROW)
def _upright(rows: Records, of_shank: bool, gravity: FloatArray, bias: FloatArray, share: FloatArray) -> FloatArray:
    """As in ``gravity.py``, with gravity (n, 3) and its share (n,) of every row."""
    out = np.empty((len(rows), 4))
    for i in range(len(rows)):
        segment = rows[i]["shank"] if of_shank else rows[i]["foot"]
        q, strapdown = quat.quaternion_of(segment["q"]), quat.quaternion_of(segment["q_strapdown"])
        own = quat.turned(strapdown, quat.turned(quat.inverse(q), (0.0, 0.0, GRAVITY_M_S2)))
        mixed = np.empty(3)
        for k in range(3):
            leant = 0.0
            for c in range(3):
                leant += segment["lowpassed_rotation"][3 * k + c] * bias[c]
            mixed[k] = share[i] * gravity[i, k] + (1.0 - share[i]) * (own[k] - leant)
        up = quat.turned(quat.inverse(strapdown), quat.vector_of(mixed))
        quat.write(quat.tilted_to(q, up), out[i])
    return out
