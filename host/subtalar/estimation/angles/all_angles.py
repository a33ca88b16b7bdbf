"""All angles of a leg with both sensors, in the order of ``anatomy.ANGLES``: the ankle's, about the subtalar axis, and
segments to the floor.
"""

import numpy as np

from subtalar.anatomy import ANGLE_COUNT, ANKLE, columns_of
from subtalar.estimation.angles.segment_angles import foot_to_floor_deg, shank_to_floor_deg, to_floor_sd_deg
from subtalar.estimation.angles.subtalar_axis import subtalar_angles
from subtalar.estimation.parameters import Parameters
from subtalar.types import FloatArray, Side

(SUBTALAR,) = columns_of("subtalar")
FOOT, SHANK = list(columns_of("foot")), list(columns_of("shank"))


def all_angles(
    q_foot: FloatArray,
    q_shank: FloatArray,
    ankle_deg: FloatArray,
    ankle_sd_deg: FloatArray,
    tilt_variances: tuple[FloatArray, FloatArray],
    parameters: Parameters,
    side: Side,
    *,
    from_bends: bool,
) -> tuple[FloatArray, FloatArray]:
    """Angles and their sd (n, ``ANGLE_COUNT``) in degrees from segments in level worlds (n, 4) and the ankle angles
    (n, 3). NaN where the estimator does not know an angle.

    ``tilt_variances`` (n,) in square degrees are those of the foot's and of the shank's inclination beside the floor.
    ``from_bends``: the medio-lateral axis of both segments comes from knee bends.
    """
    out, sd = np.full((len(q_foot), ANGLE_COUNT), np.nan), np.full((len(q_foot), ANGLE_COUNT), np.nan)
    out[:, ANKLE], sd[:, ANKLE] = ankle_deg, ankle_sd_deg
    axis = parameters.subtalar_axis
    out[:, SUBTALAR], sd[:, SUBTALAR], _ = subtalar_angles(ankle_deg, ankle_sd_deg, axis, side)
    p = parameters.segments
    axis_sd_deg = p.axis_sd_deg if from_bends else p.axis_from_walk_sd_deg
    to_floors = foot_to_floor_deg(q_foot, side), shank_to_floor_deg(q_shank, side)
    for part, to_floor, tilt_variance in zip((FOOT, SHANK), to_floors, tilt_variances, strict=True):
        out[:, part] = to_floor
        sd[:, part] = to_floor_sd_deg(to_floor[:, 0], tilt_variance, axis_sd_deg, p)
    return out, sd
