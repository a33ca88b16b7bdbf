"""What a leg has learnt of its sensors, as a frozen value for whoever wants to check it."""

from subtalar.estimation.leg.leg_calibration import Solution
from subtalar.types import Calibration, FloatArray, Segment, Side, Vector


def describe(side: Side, time_s: float, solution: Solution) -> Calibration:
    """A leg with both sensors."""
    centre, gravity, heading = solution.centre.estimate, solution.gravity, solution.heading
    return Calibration(
        side,
        time_s,
        "knee_bends" if solution.from_bends else "walk",
        heading.strides,
        foot_placement=_vector(solution.placement.foot),
        shank_placement=_vector(solution.placement.shank),
        shank_axis=_vector(solution.axis),
        foot_lever_m=_vector(centre.foot_lever_m),
        shank_lever_m=_vector(centre.shank_lever_m),
        foot_acc_bias_m_s2=_vector(gravity.foot.bias_m_s2),
        shank_acc_bias_m_s2=_vector(gravity.shank.bias_m_s2),
        acc_bias_sd_m_s2=(gravity.foot.bias_sd_m_s2 + gravity.shank.bias_sd_m_s2) / 2.0,
        heading_rad=heading.reference_rad,
        mismatch=float(heading.mismatch),
        clock_offset_s=centre.offset_s,
    )


def describe_one(
    side: Side, time_s: float, segment: Segment, placement: FloatArray, strides: int, *, from_bends: bool
) -> Calibration:
    """A leg with one sensor."""
    axis_from, pose = "knee_bends" if from_bends else "walk", _vector(placement)
    if segment == "foot":
        return Calibration(side, time_s, axis_from, strides, foot_placement=pose)
    return Calibration(side, time_s, axis_from, strides, shank_placement=pose)


def _vector(values: FloatArray) -> Vector:
    return tuple(float(v) for v in values)
