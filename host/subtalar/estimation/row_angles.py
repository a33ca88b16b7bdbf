"""Angles of a leg's rows by what is known of it just now: each row on its own, all in one compiled pass."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subtalar.estimation import leg_rows as col
from subtalar.estimation import quaternions as quat
from subtalar.estimation.compiled import compiled, inlined
from subtalar.estimation.further_angles import WIDTH
from subtalar.estimation.gravity import upright_at
from subtalar.estimation.heading import heading_at, heading_sd_at
from subtalar.estimation.joint_angles import cardan_deg
from subtalar.estimation.segment_angles import foot_at_deg, mixed_sd_at, shank_at_deg
from subtalar.estimation.subtalar_axis import about_axis
from subtalar.types import AngleBlock, FloatArray, Quality, Side

STALE_S = 15.0
UNCERTAIN_DEG = 4.0
FEW = 6
_SHARE = np.array([0.12, 0.4, 1.0])
"""How much of a heading error (about the vertical) shows in each angle while the shank leans by up to 25°."""
_HEADING_STALE = float(Quality.HEADING_STALE)
_CLIPPED, _BRIDGED_GAP = float(Quality.CLIPPED), float(Quality.BRIDGED_GAP)
_Q_FOOT, _FREE_FOOT, _TURN_FOOT = col.Q_FOOT.start, col.FREE_FOOT.start, col.TURN_FOOT.start
_Q_SHANK, _FREE_SHANK, _TURN_SHANK = col.Q_SHANK.start, col.FREE_SHANK.start, col.TURN_SHANK.start


@dataclass
class RowAngles:
    """Angles and sd (n, 3) in degrees, quality codes, shank in the view (n, 4), further angles and their sd (n, 5)."""

    angles_deg: FloatArray
    sd_deg: FloatArray
    quality: FloatArray
    shank_view: FloatArray
    further_deg: FloatArray
    further_sd_deg: FloatArray

    @property
    def foot_pitch_deg(self) -> FloatArray:
        """Foot to the floor (n,), + toes up."""
        return self.further_deg[:, 1]

    @classmethod
    def unknown(cls, n: int) -> "RowAngles":
        """Rows of a leg that is not calibrated."""
        return cls(
            np.full((n, 3), np.nan),
            np.full((n, 3), np.nan),
            np.full(n, float(Quality.NOT_CALIBRATED)),
            np.full((n, 4), np.nan),
            np.full((n, WIDTH), np.nan),
            np.full((n, WIDTH), np.nan),
        )

    def block(self, side: Side, time_s: FloatArray, real: npt.NDArray[np.bool_]) -> AngleBlock:
        """What leaves the estimator: the rows at ``time_s`` (n,) that were measured, ``real`` (n,)."""
        values = (
            time_s,
            self.angles_deg,
            self.sd_deg,
            self.quality.astype(np.uint8),
            self.shank_view,
            self.further_deg,
            self.further_sd_deg,
        )
        return AngleBlock(side, *(values if real.all() else (v[real] for v in values)))

    def withhold(self, rows: npt.NDArray[np.bool_], reason: Quality) -> None:
        """No values in these rows (n,), for this reason."""
        self.quality[rows] = reason
        for values in (self.angles_deg, self.sd_deg, self.shank_view, self.further_deg, self.further_sd_deg):
            values[rows] = np.nan


@dataclass(frozen=True)
class AppliedKnowledge:
    """What rows are told by until something more is learnt.

    ``foot_vertical``, ``shank_vertical`` (11,): ``GravityFilter.vertical``; ``trend`` (7,): ``HeadingFilter.trend``;
    ``foot``, ``shank``, ``view`` (4,) as in ``segment_orientations``. ``side`` (4,): 1 on the right or −1, and the
    subtalar axis in the foot. ``tilt`` (4,): when inclination began anew, its sd (degrees) later, then, and how fast
    the one becomes the other (s). ``floor_deg`` (5,): least sd of the three angles, of angles to the floor, and sd of
    the medio-lateral axis. ``quality`` (2,): when the heading was last confirmed, and the code while nothing is amiss.
    ``withheld``: strides are too few since samples were lost.
    """

    foot_vertical: FloatArray
    shank_vertical: FloatArray
    trend: FloatArray
    foot: FloatArray
    shank: FloatArray
    view: FloatArray
    side: FloatArray
    tilt: FloatArray
    floor_deg: FloatArray
    quality: FloatArray
    withheld: bool


def angles_by(known: AppliedKnowledge, rows: FloatArray) -> RowAngles:
    """Angles of rows (n, leg_rows.WIDTH)."""
    k = known
    out = RowAngles(
        *_angles(
            rows,
            k.foot_vertical,
            k.shank_vertical,
            k.trend,
            k.foot,
            k.shank,
            k.view,
            k.side,
            k.tilt,
            k.floor_deg,
            k.quality,
        )
    )
    if k.withheld:
        out.withhold(np.ones(len(rows), dtype=bool), Quality.NO_DATA)
    return out


@compiled("(f8[:,::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1])")
def segment_orientations(
    foot_sensor: FloatArray,
    shank_sensor: FloatArray,
    heading_rad: FloatArray,
    foot: FloatArray,
    shank: FloatArray,
    view: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Foot and shank in the foot's level world, foot in shank, shank in the view, (n, 4) each.

    ``foot_sensor`` and ``shank_sensor`` (n, 4) are the sensors in their own level worlds. ``foot`` and ``shank`` (4,)
    turn sensor axes into segment axes, ``view`` (4,) the foot's level world into the view; the heading (n,) turns the
    shank's level world into the foot's.
    """
    n = len(foot_sensor)
    feet, shanks, feet_in_shank, shanks_in_view = (
        np.empty((n, 4)),
        np.empty((n, 4)),
        np.empty((n, 4)),
        np.empty((n, 4)),
    )
    to_foot = quat.inverse((foot[0], foot[1], foot[2], foot[3]))
    to_shank = quat.inverse((shank[0], shank[1], shank[2], shank[3]))
    to_view = (view[0], view[1], view[2], view[3])
    for i in range(n):
        q_shank = _turned_shank(quat.quaternion_at(shank_sensor, i, 0), to_shank, heading_rad[i])
        q_foot = quat.product(quat.quaternion_at(foot_sensor, i, 0), to_foot)
        between = quat.product(quat.inverse(q_shank), q_foot)
        seen = quat.product(to_view, q_shank)
        for k in range(4):
            feet[i, k] = q_foot[k]
            shanks[i, k] = q_shank[k]
            feet_in_shank[i, k] = between[k]
            shanks_in_view[i, k] = seen[k]
    return feet, shanks, feet_in_shank, shanks_in_view


@inlined
def _turned_shank(sensor: quat.Quaternion, to_shank: quat.Quaternion, heading_rad: float) -> quat.Quaternion:
    """The shank in the foot's level world."""
    turn = (np.cos(0.5 * heading_rad), 0.0, 0.0, np.sin(0.5 * heading_rad))
    return quat.product(turn, quat.product(sensor, to_shank))


@compiled("(f8[::1], f8[::1], f8[::1])")
def angle_sd_deg(spread_deg: FloatArray, tilt_variance: FloatArray, floor_sd_deg: FloatArray) -> FloatArray:
    """Standard deviations (n, 3) from the heading's (n,), the inclination's and the floor of each angle (3,)."""
    out = np.empty((len(spread_deg), 3))
    for i in range(len(spread_deg)):
        for k in range(3):
            out[i, k] = _sd_at(spread_deg[i], tilt_variance[i], floor_sd_deg, k)
    return out


@inlined
def _sd_at(spread_deg: float, tilt_variance: float, floor_sd_deg: FloatArray, k: int) -> float:
    turned = spread_deg * _SHARE[k]
    return float(np.sqrt(turned * turned + tilt_variance + floor_sd_deg[k] * floor_sd_deg[k]))


@compiled(f"(f8[:,::1]{10 * ', f8[::1]'})")
def _angles(
    rows: FloatArray,
    foot_vertical: FloatArray,
    shank_vertical: FloatArray,
    trend: FloatArray,
    foot: FloatArray,
    shank: FloatArray,
    view: FloatArray,
    side: FloatArray,
    tilt: FloatArray,
    floor_deg: FloatArray,
    known: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """The values of ``RowAngles``, in their order."""
    n = len(rows)
    angles, sd, quality, seen = np.empty((n, 3)), np.empty((n, 3)), np.empty(n), np.empty((n, 4))
    further, further_sd = np.empty((n, WIDTH)), np.empty((n, WIDTH))
    to_foot = quat.inverse((foot[0], foot[1], foot[2], foot[3]))
    to_shank = quat.inverse((shank[0], shank[1], shank[2], shank[3]))
    to_view = (view[0], view[1], view[2], view[3])
    mirror, axis = side[0], (side[1], side[2], side[3])
    for i in range(n):
        t = rows[i, col.TIME]
        foot_sensor = upright_at(rows, i, _Q_FOOT, _FREE_FOOT, _TURN_FOOT, foot_vertical)
        shank_sensor = upright_at(rows, i, _Q_SHANK, _FREE_SHANK, _TURN_SHANK, shank_vertical)
        q_foot = quat.product(foot_sensor, to_foot)
        q_shank = _turned_shank(shank_sensor, to_shank, heading_at(t, trend))
        a = cardan_deg(quat.product(quat.inverse(q_shank), q_foot), mirror)
        shown = quat.product(to_view, q_shank)
        spread = np.degrees(heading_sd_at(t, trend))
        fresh = tilt[2] * np.exp(-max(0.0, t - tilt[0]) / tilt[3])
        tilt_variance = fresh * fresh + tilt[1] * tilt[1]
        for k in range(3):
            angles[i, k] = a[k]
            sd[i, k] = _sd_at(spread, tilt_variance, floor_deg, k)
        for k in range(4):
            seen[i, k] = shown[k]
        further[i, 0], further_sd[i, 0], _ = about_axis(a[1], a[2], sd[i, 1], sd[i, 2], mirror, axis)
        further[i, 1], further[i, 2] = foot_at_deg(q_foot, mirror)
        further[i, 3], further[i, 4] = shank_at_deg(q_shank, mirror)
        for k in (1, 3):
            further_sd[i, k], further_sd[i, k + 1] = mixed_sd_at(
                further[i, k], tilt_variance, floor_deg[4], floor_deg[3]
            )
        quality[i] = known[1]
        if t - known[0] > STALE_S or spread > UNCERTAIN_DEG:
            quality[i] = _HEADING_STALE
        if rows[i, col.CLIPPED] > 0:
            quality[i] = _CLIPPED
        if rows[i, col.BRIDGED] > 0:
            quality[i] = _BRIDGED_GAP
    return angles, sd, quality, seen, further, further_sd
