"""What is known of a leg: all that its rows are computed by until something more is learnt."""

import numpy as np

from subtalar.estimation.inclination.gravity import GRAVITY_RULE, GRAVITY_STATE
from subtalar.estimation.joint.heading_trend import HEADING_RULE, HEADING_STATE
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records

NOT_CALIBRATED, WITHHELD, AVAILABLE = 0, 1, 2
"""Whether rows have angles: none before calibration, none while strides since a gap are too few, all."""

LEG_MODEL = np.dtype(
    [
        ("availability", "i8"),
        ("foot_gravity", GRAVITY_STATE),
        ("shank_gravity", GRAVITY_STATE),
        ("gravity_rule", GRAVITY_RULE),
        ("heading", HEADING_STATE),
        ("heading_rule", HEADING_RULE),
        ("foot_placement", "f8", (4,)),
        ("shank_placement", "f8", (4,)),
        ("view", "f8", (4,)),
        ("mirror", "f8"),
        ("subtalar_axis", "f8", (3,)),
        ("reset_s", "f8"),
        ("reset_sd_deg", "f8"),
        ("settling_s", "f8"),
        ("tilt_sd_deg", "f8"),
        ("ankle_floor_sd_deg", "f8", (3,)),
        ("segment_floor_sd_deg", "f8"),
        ("axis_sd_deg", "f8"),
        ("zero_sd_deg", "f8"),
        ("foot_zero_sd_deg", "f8"),
        ("stated_zero_sd_deg", "f8"),
        ("confirmed_s", "f8"),
        ("quality", "f8"),
    ]
)
"""Gravity of both sensors and relative heading, as the filters stand. Placements turn sensor axes into segment axes,
``view`` the foot's level world into the picture's. ``mirror`` is 1 on the right and −1 on the left; the axis is the
subtalar one in the foot. Inclination: when it began anew, its sd then, how fast that fades, and what remains. Least sd
of the ankle's angles and of angles to the floor; sd of the medio-lateral axis; sd of the zero of the ankle's angles and
of the foot's to the floor, beyond what the least sd holds already, and what is stated of it. When the heading was last
confirmed, and the quality while nothing is amiss."""


@compiled(
    "(model[::1], gravity[::1], gravity[::1], heading[::1])",
    model=LEG_MODEL,
    gravity=GRAVITY_STATE,
    heading=HEADING_STATE,
)
def take_states(model: Records, foot_gravity: Records, shank_gravity: Records, heading: Records) -> None:
    """The filters' states as they stand, into the model."""
    model[0]["foot_gravity"] = foot_gravity[0]
    model[0]["shank_gravity"] = shank_gravity[0]
    model[0]["heading"] = heading[0]
