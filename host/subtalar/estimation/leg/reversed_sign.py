"""One of a leg's two accelerometers has its sign turned: found by what the partner sees.

A sensor that reads minus the specific force sees its world upside down, and with it a mirror image of the way: what
it does in the frontal and the horizontal plane is turned round. Against the other sensor's path the heading then jumps
with every bit of turning, from stride to stride. Read with the other sign, it holds still. Which of the two sensors it
is, and whether both are turned, a mirror cannot tell.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from subtalar.estimation.joint.joint_path import stride_heading
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import PlacementParameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.rows.stride_window import StrideWindow

_FEWEST = 5
_NO_LEVER = np.zeros(3)
_UPSIDE_DOWN = np.array([0.0, 1.0, 0.0, 0.0])


def sign_reversed(windows: Sequence[StrideWindow], offset_s: float, parameters: PlacementParameters) -> bool:
    """Whether strides in order fit together far better with the sign of one accelerometer turned."""
    p = parameters
    evidence = [stride_heading(w, _NO_LEVER, _NO_LEVER, offset_s) for w in windows]
    # Steps on the spot show no way.
    windows = [w for w, e in zip(windows, evidence, strict=True) if abs(e.travel_m) > p.min_travel_m]
    if len(windows) < _FEWEST:
        return False
    as_is = _heading_step_rad(windows, offset_s)
    turned = _heading_step_rad([replace(w, shank=_turned(w.shank)) for w in windows], offset_s)
    return as_is > p.reversed_step_rad and as_is > p.reversed_ratio * turned


def _heading_step_rad(windows: Sequence[StrideWindow], offset_s: float) -> float:
    """By how much the heading of a stride differs from the one before, in the median."""
    headings = [stride_heading(w, _NO_LEVER, _NO_LEVER, offset_s).heading_rad for w in windows]
    return float(np.median(np.abs(np.diff(np.unwrap(headings)))))


def _turned(samples: SegmentSamples) -> SegmentSamples:
    """The samples as if the accelerometer had the other sign."""
    rows = samples.rows.copy()
    for name in ("q", "q_strapdown"):
        rows[name] = quat.multiply(_UPSIDE_DOWN, rows[name])
    rows["acc_m_s2"] *= -1.0
    return SegmentSamples(rows)
