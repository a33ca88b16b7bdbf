"""Relative heading over a whole recording: the filter of ``heading.py``, smoothed, with the same rules for outliers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from subtalar.estimation.joint.heading import HeadingFilter, wrapped
from subtalar.estimation.joint.heading_trend import DRIFT, GAIN, NOW, REFERENCE
from subtalar.estimation.joint.joint_path import StrideHeading
from subtalar.estimation.numerics.kalman_smoother import smooth
from subtalar.estimation.parameters import HeadingParameters
from subtalar.estimation.smoothing.parts import Knots, part_of
from subtalar.types import FloatArray


class HeadingTrack:
    """``believed`` (n,) strides; ``reference_rad`` where standing ended; heading and its certainty at any time."""

    def __init__(
        self,
        parameters: HeadingParameters,
        strides: Sequence[StrideHeading],
        parts: Sequence[int],
        reference_s: float,
        guess_rad: float,
        *,
        anchored: bool,
    ) -> None:
        """``parts`` (n,) says in which part of the recording each stride lies. ``anchored``: zero is known without the
        heading in standing, so the certainty is that of the heading itself.
        """
        self._p = parameters
        forward = HeadingFilter(parameters, reference_s, guess_rad)
        trace = forward.keep_trace()
        believed, of_stride, part = [], [], 0
        for stride, its_part in zip(strides, parts, strict=True):
            if its_part != part:
                forward.restart()
                part = its_part
            believed.append(forward.add(stride))
            of_stride.append(len(trace) - 1)
        self.believed: npt.NDArray[np.bool_] = np.array(believed)
        mean, covariance = smooth(trace)
        self.reference_rad = float(mean[-1, REFERENCE])
        self._gain = float(mean[-1, GAIN])
        gap = covariance[:, NOW, NOW]
        if not anchored:
            gap = gap + covariance[:, REFERENCE, REFERENCE] - 2.0 * covariance[:, NOW, REFERENCE]
        self._knots: dict[int, Knots] = {}
        self._yaw: dict[int, Knots] = {}
        taken = [(s, p, k) for s, p, k, ok in zip(strides, parts, of_stride, believed, strict=True) if ok]
        for part in sorted({p for _, p, _ in taken}):
            here = [(s, k) for s, p, k in taken if p == part]
            yaw = _unwrapped([s for s, _ in here])
            time_s = np.array([s.time_s for s, _ in here])
            at = [k for _, k in here]
            if part == 0:
                yaw, time_s, at = np.concatenate((yaw[:1], yaw)), np.concatenate(([reference_s], time_s)), [0, *at]
            drift = mean[at, DRIFT], covariance[at, DRIFT, DRIFT]
            # What the gyroscopes make of a turn is taken out between the knots and put back at every instant.
            straight = mean[at, NOW] - self._gain * yaw
            self._knots[part] = Knots(time_s, np.stack((straight, np.maximum(gap[at], 0.0), *drift), axis=1))
            self._yaw[part] = Knots(time_s, yaw[:, None])

    def at(self, time_s: FloatArray, resumed_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Heading (n,) and the standard deviation (n,) of what it gained or lost since standing; NaN in parts without
        strides.
        """
        heading, sd = np.full(len(time_s), np.nan), np.full(len(time_s), np.nan)
        standing, walk = np.radians(self._p.standing_sd_deg) ** 2, np.radians(self._p.walk_deg_sqrt_s) ** 2
        parts = part_of(time_s, resumed_s)
        for part, knots in self._knots.items():
            here = parts == part
            if not here.any():
                continue
            t = time_s[here]
            straight, gap, drift, drift_variance = knots.at(t).T
            # Before the walk nothing turned; beyond the strides of a part only their drift is known.
            before_s = np.zeros(len(t)) if part == 0 else np.minimum(t - knots.time_s[0], 0.0)
            beyond_s = before_s + np.maximum(t - knots.time_s[-1], 0.0)
            heading[here] = straight + self._gain * self._yaw[part].at(t)[:, 0] + drift * beyond_s
            bridge_s = knots.bridge_s(t)
            if part == 0:
                bridge_s = np.where(t < knots.time_s[0], 0.0, bridge_s)
            sd[here] = np.sqrt(gap + walk * bridge_s + drift_variance * beyond_s**2 + standing)
        return heading, sd

    def since_stride_s(self, time_s: FloatArray, resumed_s: FloatArray) -> FloatArray:
        """How far (n,) in time the nearest knot of the same part is: a believed stride's middle, or standing's end."""
        out = np.full(len(time_s), np.inf)
        parts = part_of(time_s, resumed_s)
        for part, knots in self._knots.items():
            here = parts == part
            t = time_s[here]
            after = np.clip(np.searchsorted(knots.time_s, t), 1, max(1, len(knots.time_s) - 1))
            later = knots.time_s[np.minimum(after, len(knots.time_s) - 1)]
            out[here] = np.minimum(np.abs(t - knots.time_s[after - 1]), np.abs(later - t))
            if part == 0:
                out[here] = np.where(t < knots.time_s[0], 0.0, out[here])
        return out

    def strides_in(self, time_s: FloatArray, resumed_s: FloatArray) -> FloatArray:
        """Believed strides (n,) in the part of each instant."""
        count = {part: len(knots.time_s) - (part == 0) for part, knots in self._knots.items()}
        return np.array([count.get(part, 0) for part in part_of(time_s, resumed_s).tolist()], dtype=np.float64)


def _unwrapped(strides: Sequence[StrideHeading]) -> FloatArray:
    """The foot's own heading (n,) in the middle of each stride, without jumps of whole turns."""
    yaw: list[float] = []
    for stride in strides:
        middle = stride.yaw_rad[0] + 0.5 * wrapped(stride.yaw_rad[1] - stride.yaw_rad[0])
        yaw.append(middle if not yaw else yaw[-1] + wrapped(middle - yaw[-1]))
    return np.array(yaw)
