"""Angles of rows of a leg once everything about it is known."""

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.angles.all_angles import all_angles
from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.angles.row_angles import (
    FEW,
    STALE_S,
    UNCERTAIN_DEG,
    RowAngles,
    angle_sd_deg,
    segment_orientations,
)
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.smoothing.leg_smoother import LegSmoother
from subtalar.estimation.stance.placement import segment_axes
from subtalar.estimation.stance.zero_pose import turned_in_sensor
from subtalar.types import FloatArray, Quality, Side


def smoothed_angles(rows: Records, leg: LegSmoother, side: Side, parameters: Parameters) -> RowAngles:
    """Angles of rows (n,) of the leg, their standard deviations and quality by the rules of the live pass.

    No value between two interruptions with too few strides in between to know the heading.
    """
    p, resumed_s = parameters, leg.resumed_s
    t = np.ascontiguousarray(rows["time_s"])
    heading_rad, spread_rad = leg.heading.at(t, resumed_s)
    unknown = ~np.isfinite(heading_rad)
    heading_rad[unknown] = spread_rad[unknown] = 0.0
    fresh_rad = np.radians(p.tilt_after_reset_deg) * np.exp(-_since_resumed_s(t, resumed_s) / p.tilt_settling_s)
    q_foot = leg.foot.upright_rows(rows, "foot", resumed_s, fresh_rad)
    q_shank = leg.shank.upright_rows(rows, "shank", resumed_s, fresh_rad)
    for slip in leg.slips:
        of_foot, after = slip.segment == "foot", t >= slip.since_s
        q = q_foot if of_foot else q_shank
        to_new = turned_in_sensor(leg.placement.foot if of_foot else leg.placement.shank, slip.turn)
        q[after] = quat.multiply(q[after], to_new)
    travel = leg.travel_near(float(t[0]))
    forward_rad = leg.placement.forward_rad if travel is None else float(np.angle(travel))
    foot, shank, shank_foot, view = segment_orientations(
        q_foot, q_shank, heading_rad, leg.placement.foot, leg.placement.shank, quat.conjugate(segment_axes(forward_rad))
    )
    angles_deg = ankle_angles_deg(shank_foot, side)
    spread_deg = np.degrees(spread_rad)
    bias_rad = np.hypot(leg.foot.bias_sd_m_s2, leg.shank.bias_sd_m_s2) / GRAVITY_M_S2
    tilt_rad = np.hypot(p.tilt_per_bias * bias_rad, p.tilt_per_excess * max(leg.foot.excess, leg.shank.excess))
    share = np.maximum(leg.foot.own_share(t, resumed_s, fresh_rad), leg.shank.own_share(t, resumed_s, fresh_rad))
    tilt_variance = np.degrees(share * fresh_rad) ** 2 + np.degrees(tilt_rad) ** 2
    slipped = np.zeros(len(t), dtype=bool)
    for slip in leg.slips:
        slipped |= t >= slip.since_s
        tilt_variance[t >= slip.since_s] += p.strap.renewed_sd_deg**2
    beyond = np.sqrt(max(0.0, leg.mismatch**2 - p.sensor_mismatch**2))
    zero_variance = leg.zero_sd_deg**2
    floor_sd_deg = np.hypot(np.array(p.angle_floor_sd_deg), beyond * np.array(p.soft_tissue_sd_deg))
    sd_deg = angle_sd_deg(spread_deg, tilt_variance + zero_variance, floor_sd_deg)
    settled = Quality.PROVISIONAL_ZERO if leg.zero is not None and leg.zero.source == "walk" else Quality.OK
    quality = np.full(len(rows), float(settled if leg.strides >= FEW else Quality.FEW_STRIDES))
    stale = (leg.heading.since_stride_s(t, resumed_s) > STALE_S) | (spread_deg > UNCERTAIN_DEG)
    quality[slipped & (quality == Quality.OK)] = Quality.PROVISIONAL_ZERO
    quality[stale] = Quality.HEADING_STALE
    quality[rows["clipped"] > 0] = Quality.CLIPPED
    quality[rows["bridged"] > 0] = Quality.BRIDGED_GAP
    variances = tilt_variance + leg.foot_zero_sd_deg**2, tilt_variance + zero_variance
    every = all_angles(foot, shank, angles_deg, sd_deg, variances, p, side, from_bends=leg.from_bends)
    stated = np.full(len(rows), max(p.zero.least_sd_deg, leg.zero_sd_deg))
    out = RowAngles(*every, quality, view, stated)
    few = leg.heading.strides_in(t, resumed_s) < p.heading.strides_after_restart
    out.withhold(np.asarray(unknown | few), Quality.NO_DATA)
    return out


def _since_resumed_s(t: FloatArray, resumed_s: FloatArray) -> FloatArray:
    """Seconds (n,) since samples came again after a gap; infinity where there was none."""
    begun = np.concatenate(([-np.inf], resumed_s))
    return np.asarray(t - begun[np.searchsorted(resumed_s, t, side="right")])
