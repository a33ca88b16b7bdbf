"""One stride once a leg is calibrated: gravity, then the joint centre, then the heading, each from the one before."""

from subtalar.estimation.inclination.gravity import learn_gravity, upright_rows
from subtalar.estimation.joint.joint_centre import JointCentreEstimator, learn_centre
from subtalar.estimation.joint.joint_path import PathComparison, StrideHeading, compare_paths, evidence_of
from subtalar.estimation.leg.leg_gravity import LegGravity
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.rows.stride_window import StrideWindow, at_times_of
from subtalar.types import FloatArray

_OFFSET = 6


def learn_stride(
    window: StrideWindow, gravity: LegGravity, centre: JointCentreEstimator, heading_rad: float, *, known: bool
) -> StrideHeading:
    """Renew gravity and joint centre by one stride and say what it tells of the heading.

    ``heading_rad`` is the heading expected for it; where it is not ``known``, the joint centre stays as it is.
    """
    found = _learnt(
        window.foot.rows,
        window.shank.rows,
        window.clipped,
        window.start,
        window.stop,
        *gravity.foot.state,
        *gravity.shank.state,
        gravity.foot.rule,
        *centre.knowledge,
        centre.prior,
        centre.rule,
        heading_rad,
        known,
    )
    return evidence_of(window, found)


@compiled(
    "(f8[:,::1], f8[:,::1], f8[::1], i8, i8, f8[::1], f8[:,::1], f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1],"
    " f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[:,::1], f8[::1], f8, b1)"
)
def _learnt(
    foot: FloatArray,
    shank: FloatArray,
    clipped: FloatArray,
    start: int,
    stop: int,
    foot_x: FloatArray,
    foot_cov: FloatArray,
    foot_at: FloatArray,
    shank_x: FloatArray,
    shank_cov: FloatArray,
    shank_at: FloatArray,
    gravity_rule: FloatArray,
    centre: FloatArray,
    centre_cov: FloatArray,
    information: FloatArray,
    vector: FloatArray,
    prior: FloatArray,
    centre_rule: FloatArray,
    heading_rad: float,
    known: bool,
) -> PathComparison:
    # Gravity and joint centre each learn with what was known of the other before this stride.
    seen = at_times_of(foot, shank, centre[_OFFSET])
    learn_gravity(foot_x, foot_cov, foot_at, gravity_rule, foot, centre[:3], start, stop)
    learn_gravity(shank_x, shank_cov, shank_at, gravity_rule, seen, centre[3:6], start, stop)
    upright_foot, upright_shank = upright_rows(foot, foot_x), upright_rows(seen, shank_x)
    if known:
        learn_centre(
            centre,
            centre_cov,
            information,
            vector,
            prior,
            centre_rule,
            upright_foot,
            upright_shank,
            heading_rad,
            clipped,
            start,
            stop,
        )
    # The clock offset moves by microseconds a stride: what it was will do for this one.
    return compare_paths(upright_foot, upright_shank, centre[:3], centre[3:6], start, stop)
