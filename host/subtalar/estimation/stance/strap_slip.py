"""A strap that slips in mid-walk: the same gait goes on, but one sensor sees it from another pose.

The gyroscope sees the slip as a turn like any other, so orientation and heading go on without a jump; only the
placement found in standing no longer holds. What a sensor sees of each stride in its own axes does jump: where up is
(the foot at rest, the shank on average over the stride) and about which axis it turns most (its medio-lateral one).
The two directions make a frame, so a slip about any axis shows, and shows which sensor it was.
"""

from dataclasses import dataclass

import numpy as np

from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records
from subtalar.estimation.parameters import StrapParameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW, first_at
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.types import FloatArray, Segment

POSE = np.dtype([("up", "f8", (3,)), ("axis", "f8", (3,))])
"""In sensor axes: mean direction of up, not of unit length, and the axis about which the sensor turned most."""

STRIDE_POSES = np.dtype(
    [("log_duration", "f8"), ("log_rate", "f8"), ("start_s", "f8"), ("foot", POSE), ("shank", POSE)]
)
"""Of a stride: logarithms of its duration and of the foot's mean rate, when it began, both poses."""
_NONE, _FOOT, _SHANK = -1, 0, 1


@dataclass(frozen=True)
class StrapSlip:
    """Which sensor turned on its segment, how far, and since when it may have (session time)."""

    segment: Segment
    angle_rad: float
    since_s: float


class SlipDetector:
    """Compares the newest strides with those before; a slip is reported once, then the new pose is the one to keep."""

    def __init__(self, parameters: StrapParameters) -> None:
        self._p = parameters
        self._held = parameters.strides_before + parameters.strides_after
        self._strides = np.empty(0, STRIDE_POSES)

    def add(self, window: StrideWindow) -> StrapSlip | None:
        """The next stride; its inclination must be settled (not soon after a gap)."""
        p = self._p
        seen = self._strides[-self._held :]
        self._strides = _with_stride(
            seen, window.foot.rows, window.shank.rows, window.start, window.stop, p.most_turn_rad
        )
        if len(self._strides) == len(seen):
            return None
        strides = self._strides[-self._held :]
        if len(strides) < self._held:
            return None
        segment_of, angle = _slipped(strides, p.strides_before, p.same_gait, p.least_slip_rad)
        if segment_of == _NONE:
            return None
        segment: Segment = "foot" if segment_of == _FOOT else "shank"
        # It may have happened within the last stride before.
        since_s = float(strides["start_s"][p.strides_before - 1])
        self._strides = strides[-p.strides_after :]
        return StrapSlip(segment, angle, since_s)


@compiled("(poses[::1], i8, f8, f8)", poses=STRIDE_POSES)
def _slipped(strides: Records, before: int, same_gait: float, least_slip_rad: float) -> tuple[int, float]:
    """Whose pose differs between the first strides and those after, and by how much."""
    if _gait_change(strides, before) >= same_gait:
        return _NONE, 0.0
    foot, foot_scatter = _pose_change(strides["foot"], before)
    shank, shank_scatter = _pose_change(strides["shank"], before)
    segment, angle, scatter, other = _FOOT, foot, foot_scatter, shank
    if shank >= foot:
        segment, angle, scatter, other = _SHANK, shank, shank_scatter, foot
    # Slopes and stairs change what both sensors see; a strap changes one.
    if angle < least_slip_rad or scatter > 0.5 * angle or other > 0.5 * angle:
        return _NONE, 0.0
    return segment, angle


@compiled("(poses[::1], row[::1], row[::1], i8, i8, f8)", poses=STRIDE_POSES, row=SENSOR_ROW)
def _with_stride(
    strides: Records, foot: Records, shank: Records, start: int, stop: int, most_turn_rad: float
) -> Records:
    """The strides (n,) and one more from rest to rest; the same where the foot's heading turned too far."""
    first, last = quat.quaternion_of(foot[start]["q"]), quat.quaternion_of(foot[stop]["q"])
    w, _, _, z = quat.product(last, quat.inverse(first))
    if abs(np.arctan2(2 * w * z, w * w - z * z)) > most_turn_rad:
        return strides
    n = len(strides)
    out = np.empty(n + 1, STRIDE_POSES)
    for i in range(n):
        out[i] = strides[i]
    power = 0.0
    for i in range(start, stop + 1):
        x, y, z = quat.vector_of(foot[i]["gyr_rad_s"])
        power += x * x + y * y + z * z
    new, start_s, stop_s = out[n], foot[start]["time_s"], foot[stop]["time_s"]
    new["start_s"] = start_s
    new["log_duration"] = np.log(max(stop_s - start_s, 1e-6))
    new["log_rate"] = np.log(max(np.sqrt(power / (3 * (stop - start + 1))), 1e-6))
    begin = first_at(shank["time_s"], start_s)
    end = min(max(first_at(shank["time_s"], stop_s), begin + 1), len(shank))
    before = out[max(n - 1, 0)]
    # The foot's vertical counts where it rests, the shank's over the stride.
    _write_pose(foot, stop, stop + 1, start, stop + 1, new["foot"])
    _write_pose(shank, begin, end, begin, end, new["shank"])
    if n > 0:
        _keep_sign(before["foot"], new["foot"])
        _keep_sign(before["shank"], new["shank"])
    return out


@inlined
def _write_pose(samples: Records, up_from: int, up_to: int, begin: int, end: int, out: Record) -> None:
    """Mean direction of up over some rows and principal axis of the angular rate over others, of either sign.

    The axis is the largest eigenvector of the second moment, by squaring the matrix ten times (power iteration).
    """
    moment, squared = np.zeros((3, 3)), np.empty((3, 3))
    out["up"][:] = 0.0
    for i in range(up_from, up_to):
        up = quat.turned(quat.inverse(quat.quaternion_of(samples[i]["q"])), (0.0, 0.0, 1.0))
        for k in range(3):
            out["up"][k] += up[k] / (up_to - up_from)
    for i in range(begin, end):
        rate = quat.vector_of(samples[i]["gyr_rad_s"])
        for k in range(3):
            for c in range(3):
                moment[k, c] += rate[k] * rate[c]
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
    for c in range(3):
        out["axis"][c] = moment[c, k] / length


@inlined
def _keep_sign(before: Record, pose: Record) -> None:
    """Let the axis point to the side of the stride before."""
    along = 0.0
    for c in range(3):
        along += pose["axis"][c] * before["axis"][c]
    if along < 0.0:
        for c in range(3):
            pose["axis"][c] = -pose["axis"][c]


@inlined
def _gait_change(strides: Records, before: int) -> float:
    """The largest difference between the medians of the first strides and of those after, of duration and vigour."""
    duration, rate = strides["log_duration"], strides["log_rate"]
    most = max(0.0, abs(np.median(duration[before:]) - np.median(duration[:before])))
    return float(max(most, abs(np.median(rate[before:]) - np.median(rate[:before]))))


@inlined
def _frame(poses: Records, first: int, last: int) -> FloatArray:
    """Rows (3, 3): mean up of these poses, their mean axis made level, and the third direction."""
    mean = np.zeros(6)
    for i in range(first, last):
        for k in range(3):
            mean[k] += poses[i]["up"][k]
            mean[3 + k] += poses[i]["axis"][k]
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


@inlined
def _pose_change(poses: Records, before: int) -> tuple[float, float]:
    """Angle between the means of the first poses and of those after; the greatest of the latter from their mean."""
    new = _frame(poses, before, len(poses))
    scatter = 0.0
    for i in range(before, len(poses)):
        scatter = max(scatter, _angle_rad(new, _frame(poses, i, i + 1)))
    return _angle_rad(_frame(poses, 0, before), new), scatter
