"""A strap that slips in mid-walk: the same gait goes on, but one sensor sees it from another pose.

The gyroscope sees the slip as a turn like any other, so orientation and heading go on without a jump; only the
placement found in standing no longer holds. What a sensor sees of each stride in its own axes does jump: where up is
(the foot at rest, the shank on average over the stride) and about which axis it turns most (its medio-lateral one).
The two directions make a frame, so a slip about any axis shows, and shows which sensor it was.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.parameters import StrapParameters
from subtalar.estimation.stride_window import SegmentSamples, StrideWindow
from subtalar.types import FloatArray, Segment

_NO_POSE = np.zeros(6)
_GAIT = 2


@dataclass(frozen=True)
class StrapSlip:
    """Which sensor turned on its segment, how far, and since when it may have (session time)."""

    segment: Segment
    angle_rad: float
    since_s: float


class SlipDetector:
    """Compares the newest strides with those before; a slip is told once, then the new pose is the one to keep."""

    def __init__(self, parameters: StrapParameters) -> None:
        self._p = parameters
        self._held = parameters.strides_before + parameters.strides_after
        self._poses: dict[Segment, FloatArray] = {"foot": np.empty((0, 6)), "shank": np.empty((0, 6))}
        self._gaits = np.empty((0, _GAIT))
        self._starts_s: list[float] = []

    def add(self, window: StrideWindow) -> StrapSlip | None:
        """The next stride; its inclination must be settled (not soon after a gap)."""
        foot, shank = _between_rests(window)
        if _turned_rad(foot) > self._p.most_turn_rad:
            return None
        self._keep("foot", foot.q[-1:], foot.gyr_rad_s)
        self._keep("shank", shank.q, shank.gyr_rad_s)
        gait = float(foot.time_s[-1] - foot.time_s[0]), float(np.sqrt(np.mean(foot.gyr_rad_s**2)))
        self._gaits = np.concatenate((self._gaits, np.log(np.maximum(gait, 1e-6))[None]))[-self._held :]
        self._starts_s = [*self._starts_s, float(foot.time_s[0])][-self._held :]
        if len(self._gaits) < self._held or not self._same_gait():
            return None
        k = self._p.strides_before
        angles = {name: _pose_change(poses, k) for name, poses in self._poses.items()}
        segment: Segment = "foot" if angles["foot"][0] > angles["shank"][0] else "shank"
        other: Segment = "shank" if segment == "foot" else "foot"
        angle, scatter = angles[segment]
        # Slopes and stairs change what both sensors see; a strap changes one.
        if angle < self._p.least_slip_rad or scatter > 0.5 * angle or angles[other][0] > 0.5 * angle:
            return None
        # It may have happened within the last stride before.
        since_s = self._starts_s[k - 1]
        self._forget()
        return StrapSlip(segment, angle, since_s)

    def _keep(self, segment: Segment, q: FloatArray, gyr_rad_s: FloatArray) -> None:
        poses = self._poses[segment]
        newest = _pose(q, gyr_rad_s, poses[-1] if len(poses) else _NO_POSE)
        self._poses[segment] = np.concatenate((poses, newest))[-self._held :]

    def _same_gait(self) -> bool:
        return _gait_change(self._gaits, self._p.strides_before) < self._p.same_gait

    def _forget(self) -> None:
        k = self._p.strides_after
        self._poses = {name: poses[-k:] for name, poses in self._poses.items()}
        self._gaits, self._starts_s = self._gaits[-k:], self._starts_s[-k:]


def _between_rests(window: StrideWindow) -> tuple[SegmentSamples, SegmentSamples]:
    """Foot and shank from the one rest to the other."""
    first, last = window.foot.time_s[window.start], window.foot.time_s[window.stop]
    begin, end = np.searchsorted(window.shank.time_s, (first, last)).tolist()
    end = max(end, begin + 1)
    return _cut(window.foot, slice(window.start, window.stop + 1)), _cut(window.shank, slice(begin, end))


def _cut(samples: SegmentSamples, rows: slice) -> SegmentSamples:
    s = samples
    return SegmentSamples(s.time_s[rows], s.q[rows], s.gyr_rad_s[rows], s.acc_m_s2[rows], s.free[rows])


def _turned_rad(foot: SegmentSamples) -> float:
    """How far the foot's heading turned from rest to rest."""
    turn = quat.multiply(foot.q[-1], quat.conjugate(foot.q[0]))
    return abs(float(np.angle(complex(turn[0], turn[3]) ** 2)))


@compiled("(f8[:,::1], f8[:,::1], f8[::1])")
def _pose(q: FloatArray, gyr_rad_s: FloatArray, before: FloatArray) -> FloatArray:
    """One stride (1, 6): mean direction of up over orientations (n, 4), not of unit length, and the principal axis of
    the angular rate (m, 3), both in sensor axes; the axis has the sign of the pose before.

    The axis is the largest eigenvector of the second moment, by squaring the matrix ten times (power iteration).
    """
    out, moment, squared = np.zeros((1, 6)), np.zeros((3, 3)), np.empty((3, 3))
    for i in range(len(q)):
        up = quat.turned(quat.inverse(quat.quaternion_at(q, i, 0)), (0.0, 0.0, 1.0))
        for k in range(3):
            out[0, k] += up[k] / len(q)
    for i in range(len(gyr_rad_s)):
        for k in range(3):
            for c in range(3):
                moment[k, c] += gyr_rad_s[i, k] * gyr_rad_s[i, c]
    for _ in range(10):
        size = max(moment[0, 0] + moment[1, 1] + moment[2, 2], 1e-300)
        for k in range(3):
            for c in range(3):
                squared[k, c] = 0.0
                for m in range(3):
                    squared[k, c] += moment[k, m] * moment[m, c] / (size * size)
        moment[:] = squared
    k = 0
    for c in range(1, 3):
        if moment[c, c] > moment[k, k]:
            k = c
    length = max(np.sqrt(moment[0, k] ** 2 + moment[1, k] ** 2 + moment[2, k] ** 2), 1e-300)
    along = 0.0
    for c in range(3):
        out[0, 3 + c] = moment[c, k] / length
        along += out[0, 3 + c] * before[3 + c]
    if along < 0.0:
        for c in range(3, 6):
            out[0, c] = -out[0, c]
    return out


@compiled("(f8[:,::1], i8)")
def _gait_change(gaits: FloatArray, before: int) -> float:
    """The largest difference between the medians of the first strides and of those after, over the columns."""
    most = 0.0
    for c in range(gaits.shape[1]):
        most = max(most, abs(np.median(gaits[before:, c]) - np.median(gaits[:before, c])))
    return most


@inlined
def _frame(poses: FloatArray, first: int, last: int) -> FloatArray:
    """Rows (3, 3): mean up of these strides, their mean axis made level, and the third direction."""
    mean = np.zeros(6)
    for i in range(first, last):
        for k in range(6):
            mean[k] += poses[i, k]
    out = np.empty((3, 3))
    size = np.sqrt(mean[0] ** 2 + mean[1] ** 2 + mean[2] ** 2)
    lean = 0.0
    for k in range(3):
        out[0, k] = mean[k] / size
        lean += out[0, k] * mean[3 + k]
    for k in range(3):
        out[1, k] = mean[3 + k] - lean * out[0, k]
    size = np.sqrt(out[1, 0] ** 2 + out[1, 1] ** 2 + out[1, 2] ** 2)
    for k in range(3):
        out[1, k] /= size
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        out[2, k] = out[0, a] * out[1, b] - out[0, b] * out[1, a]
    return out


@inlined
def _angle_rad(one: FloatArray, other: FloatArray) -> float:
    """Angle of the rotation between two frames (3, 3)."""
    trace = 0.0
    for i in range(3):
        for k in range(3):
            trace += one[i, k] * other[i, k]
    return float(np.arccos(min(max(0.5 * (trace - 1.0), -1.0), 1.0)))


@compiled("(f8[:,::1], i8)")
def _pose_change(poses: FloatArray, before: int) -> tuple[float, float]:
    """Angle between the mean poses (n, 6) of the first strides and of those after; the greatest of one of the latter
    from their mean.
    """
    new = _frame(poses, before, len(poses))
    scatter = 0.0
    for i in range(before, len(poses)):
        scatter = max(scatter, _angle_rad(new, _frame(poses, i, i + 1)))
    return _angle_rad(_frame(poses, 0, before), new), scatter
