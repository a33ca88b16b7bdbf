"""One stride once a leg is calibrated: gravity, then the joint centre, then the heading, each from the one before."""

from subtalar.estimation.inclination.gravity import GRAVITY_RULE, GRAVITY_STATE, learn_gravity, upright_rows
from subtalar.estimation.joint.ankle_acceleration import FOOT, OFFSET, SHANK
from subtalar.estimation.joint.joint_centre import CENTRE_RULE, CENTRE_STATE, JointCentreEstimator, learn_centre
from subtalar.estimation.joint.joint_path import PathComparison, StrideHeading, compare_paths, evidence_of
from subtalar.estimation.leg.leg_gravity import LegGravity
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow, at_times_of
from subtalar.types import FloatArray


def learn_stride(
    window: StrideWindow, gravity: LegGravity, centre: JointCentreEstimator, heading_rad: float, *, known: bool
) -> StrideHeading:
    """Renew gravity and joint centre by one stride; what it shows of the heading.

    ``heading_rad`` is the heading expected for it; where it is not ``known``, the joint centre stays as it is.
    """
    found = _learn(
        window.foot.rows,
        window.shank.rows,
        window.clipped,
        window.start,
        window.stop,
        gravity.foot.state,
        gravity.shank.state,
        gravity.foot.rule,
        centre.state,
        centre.rule,
        heading_rad,
        known,
    )
    return evidence_of(window, found)


@compiled(
    "(row[::1], row[::1], f8[::1], i8, i8, gravity[::1], gravity[::1], gravity_rule[::1], centre[::1],"
    " centre_rule[::1], f8, b1)",
    row=SENSOR_ROW,
    gravity=GRAVITY_STATE,
    gravity_rule=GRAVITY_RULE,
    centre=CENTRE_STATE,
    centre_rule=CENTRE_RULE,
)
def _learn(
    foot: Records,
    shank: Records,
    clipped: FloatArray,
    start: int,
    stop: int,
    foot_gravity: Records,
    shank_gravity: Records,
    gravity_rule: Records,
    centre: Records,
    centre_rule: Records,
    heading_rad: float,
    known: bool,
) -> PathComparison:
    # Gravity and joint centre each learn with what was known of the other before this stride.
    joint = centre[0]["mean"]
    seen = at_times_of(foot, shank, joint[OFFSET])
    learn_gravity(foot_gravity, gravity_rule, foot, joint[FOOT], start, stop)
    learn_gravity(shank_gravity, gravity_rule, seen, joint[SHANK], start, stop)
    upright_foot = upright_rows(foot, foot_gravity[0]["mean"][:])
    upright_shank = upright_rows(seen, shank_gravity[0]["mean"][:])
    if known:
        learn_centre(centre, centre_rule, upright_foot, upright_shank, heading_rad, clipped, start, stop)
    # The clock offset moves by microseconds a stride: what it was will do for this one.
    return compare_paths(upright_foot, upright_shank, joint[FOOT], joint[SHANK], start, stop)
