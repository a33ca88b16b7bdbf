"""The angles beside the three of the ankle, for a leg with both sensors, in the order of ``FURTHER_ANGLE_NAMES``."""

import numpy as np

from subtalar.conventions import FURTHER_ANGLE_NAMES
from subtalar.estimation.angles.segment_angles import foot_to_floor_deg, shank_to_floor_deg, to_floor_sd_deg
from subtalar.estimation.angles.subtalar_axis import subtalar_angles
from subtalar.estimation.parameters import Parameters
from subtalar.types import FloatArray, Side

SUBTALAR, FOOT, SHANK = 0, slice(1, 3), slice(3, 5)
WIDTH = len(FURTHER_ANGLE_NAMES)


def further_angles(
    q_foot: FloatArray,
    q_shank: FloatArray,
    angles_deg: FloatArray,
    sd_deg: FloatArray,
    tilt_variance: FloatArray,
    parameters: Parameters,
    side: Side,
    *,
    from_bends: bool,
) -> tuple[FloatArray, FloatArray]:
    """Angles and their sd (n, 5) in degrees from segments in level worlds (n, 4) and the ankle angles (n, 3).

    ``from_bends``: the medio-lateral axis of both segments comes from knee bends.
    """
    out, sd = np.empty((len(q_foot), WIDTH)), np.empty((len(q_foot), WIDTH))
    out[:, SUBTALAR], sd[:, SUBTALAR], _ = subtalar_angles(angles_deg, sd_deg, parameters.subtalar_axis, side)
    p = parameters.segments
    axis_sd_deg = p.axis_sd_deg if from_bends else p.axis_from_walk_sd_deg
    for part, to_floor in ((FOOT, foot_to_floor_deg(q_foot, side)), (SHANK, shank_to_floor_deg(q_shank, side))):
        out[:, part] = to_floor
        sd[:, part] = to_floor_sd_deg(to_floor[:, 0], tilt_variance, axis_sd_deg, p)
    return out, sd
