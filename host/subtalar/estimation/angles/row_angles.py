"""Angles of a leg's rows by ``leg_model.py``: each row on its own, all in one compiled pass."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT, angle_index
from subtalar.estimation.angles.joint_angles import cardan_deg
from subtalar.estimation.angles.segment_angles import foot_at_deg, mixed_sd_at, shank_at_deg
from subtalar.estimation.angles.subtalar_axis import about_axis
from subtalar.estimation.inclination.gravity import upright_at
from subtalar.estimation.joint.heading_trend import Trend, heading_at, heading_sd_at
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record
from subtalar.types import AngleBlock, FloatArray, Quality, Side

STALE_S = 15.0
UNCERTAIN_DEG = 4.0
FEW = 6
_SHARE = np.array([0.12, 0.4, 1.0])
"""How much of a heading error (about the vertical) shows in each angle while the shank leans by up to 25°."""
_HEADING_STALE = float(Quality.HEADING_STALE)
_CLIPPED, _BRIDGED_GAP = float(Quality.CLIPPED), float(Quality.BRIDGED_GAP)

# Columns of a table of rows with all that leaves the estimator.
TIME, QUALITY, REAL, VIEW = 0, 1, 2, slice(3, 7)
ANGLES, SD = slice(7, 7 + ANGLE_COUNT), slice(7 + ANGLE_COUNT, 7 + 2 * ANGLE_COUNT)
ZERO_SD = SD.stop
TABLE_WIDTH = ZERO_SD + 1
_VIEW, _ANGLES, _SD = VIEW.start, ANGLES.start, SD.start
_SUBTALAR, _FOOT_PITCH, _FOOT_INVERSION, _SHANK_SAGITTAL, _SHANK_FRONTAL = map(
    angle_index, ("subtalar", "foot_pitch", "foot_inversion", "shank_sagittal", "shank_frontal")
)
FOOT_PITCH = _ANGLES + _FOOT_PITCH


@dataclass
class RowAngles:
    """Angles and their sd (n, ``ANGLE_COUNT``) in degrees, quality codes (n,), shank in the view (n, 4), sd of the zero
    of the ankle's angles (n,).
    """

    angles_deg: FloatArray
    sd_deg: FloatArray
    quality: FloatArray
    shank_view: FloatArray
    zero_sd_deg: FloatArray

    @property
    def foot_pitch_deg(self) -> FloatArray:
        """Foot to the floor (n,), + toes up."""
        return self.angles_deg[:, _FOOT_PITCH]

    @classmethod
    def unknown(cls, n: int) -> "RowAngles":
        """Rows of a leg that is not calibrated."""
        return cls(
            np.full((n, ANGLE_COUNT), np.nan),
            np.full((n, ANGLE_COUNT), np.nan),
            np.full(n, float(Quality.NOT_CALIBRATED)),
            np.full((n, 4), np.nan),
            np.full(n, np.nan),
        )

    def block(self, side: Side, time_s: FloatArray, real: npt.NDArray[np.bool_]) -> AngleBlock:
        """What leaves the estimator: the rows at ``time_s`` (n,) that were measured, ``real`` (n,)."""
        table = np.empty((len(time_s), TABLE_WIDTH))
        table[:, TIME], table[:, QUALITY], table[:, REAL] = time_s, self.quality, real
        table[:, ANGLES], table[:, SD], table[:, VIEW] = self.angles_deg, self.sd_deg, self.shank_view
        table[:, ZERO_SD] = self.zero_sd_deg
        return block_of(table if real.all() else table[real], side)

    def withhold(self, rows: npt.NDArray[np.bool_], reason: Quality) -> None:
        """No values in these rows (n,), for this reason."""
        self.quality[rows] = reason
        for values in (self.angles_deg, self.sd_deg, self.shank_view, self.zero_sd_deg):
            values[rows] = np.nan


_STEPS = np.empty(TABLE_WIDTH)
_STEPS[[TIME, QUALITY, REAL]] = 1.0
_STEPS[ANGLES] = 2.0**-16
_STEPS[SD] = _STEPS[ZERO_SD] = 2.0**-12
_STEPS[VIEW] = 2.0**-40  # coarser ones would no longer be of length 1
_PER_STEP = 1.0 / _STEPS


def block_of(table: FloatArray, side: Side) -> AngleBlock:
    """What leaves the estimator: rows of a table (n, ``TABLE_WIDTH``), rounded.

    Digits far below any sensor's noise are noise themselves, which no file can pack: angles come in steps of 2⁻¹⁶°
    (0.000015°), their sd in steps of 2⁻¹²°, components of the quaternion of 2⁻⁴⁰. It halves recordings.
    """
    rounded = np.rint(table * _PER_STEP) * _STEPS
    return AngleBlock(
        side,
        table[:, TIME],
        rounded[:, ANGLES],
        rounded[:, SD],
        table[:, QUALITY].astype(np.uint8),
        rounded[:, VIEW],
        rounded[:, ZERO_SD],
    )


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
    to_foot, to_shank = quat.inverse(quat.quaternion_of(foot)), quat.inverse(quat.quaternion_of(shank))
    to_view = quat.quaternion_of(view)
    for i in range(n):
        q_shank = _turned_shank(quat.quaternion_of(shank_sensor[i]), to_shank, heading_rad[i])
        q_foot = quat.product(quat.quaternion_of(foot_sensor[i]), to_foot)
        between = quat.product(quat.inverse(q_shank), q_foot)
        seen = quat.product(to_view, q_shank)
        quat.write(q_foot, feet[i])
        quat.write(q_shank, shanks[i])
        quat.write(between, feet_in_shank[i])
        quat.write(seen, shanks_in_view[i])
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
            out[i, k] = _sd_at(spread_deg[i], tilt_variance[i], floor_sd_deg[k], k)
    return out


@inlined
def _sd_at(spread_deg: float, tilt_variance: float, floor_sd_deg: float, k: int) -> float:
    turned = spread_deg * _SHARE[k]
    return float(np.sqrt(turned * turned + tilt_variance + floor_sd_deg * floor_sd_deg))


@inlined
def no_angles_at(row: Record, reason: float, out: FloatArray, i: int) -> None:
    """A row of the leg without values, for a reason, into row ``i`` of ``out`` (n, ``TABLE_WIDTH``)."""
    for k in range(TABLE_WIDTH):
        out[i, k] = np.nan
    out[i, TIME], out[i, REAL], out[i, QUALITY] = row["time_s"], row["real"], reason


@inlined
def angles_at(row: Record, model: Record, trend: Trend, out: FloatArray, i: int) -> None:
    """A row of the leg into row ``i`` of ``out`` (n, ``TABLE_WIDTH``), by a ``LEG_MODEL`` and its heading's trend."""
    t, mirror, rule = row["time_s"], model["mirror"], model["gravity_rule"]
    foot_sensor = upright_at(t, row["foot"], model["foot_gravity"], rule)
    shank_sensor = upright_at(t, row["shank"], model["shank_gravity"], rule)
    q_foot = quat.product(foot_sensor, quat.inverse(quat.quaternion_of(model["foot_placement"])))
    to_shank = quat.inverse(quat.quaternion_of(model["shank_placement"]))
    q_shank = _turned_shank(shank_sensor, to_shank, heading_at(t, trend))
    a = cardan_deg(quat.product(quat.inverse(q_shank), q_foot), mirror)
    shown = quat.product(quat.quaternion_of(model["view"]), q_shank)
    spread = np.degrees(heading_sd_at(t, trend))
    fresh = model["reset_sd_deg"] * np.exp(-max(0.0, t - model["reset_s"]) / model["settling_s"])
    tilt_variance = fresh * fresh + model["tilt_sd_deg"] * model["tilt_sd_deg"]
    zero_variance = model["zero_sd_deg"] * model["zero_sd_deg"]
    out[i, TIME], out[i, REAL] = t, row["real"]
    for k in range(ANKLE_COUNT):
        out[i, _ANGLES + k] = a[k]
        out[i, _SD + k] = _sd_at(spread, tilt_variance + zero_variance, model["ankle_floor_sd_deg"][k], k)
    for k in range(ANKLE_COUNT, ANGLE_COUNT):
        out[i, _ANGLES + k] = out[i, _SD + k] = np.nan
    for k in range(4):
        out[i, _VIEW + k] = shown[k]
    pronation, pronation_sd, _ = about_axis(
        a[1], a[2], out[i, _SD + 1], out[i, _SD + 2], mirror, quat.vector_of(model["subtalar_axis"])
    )
    foot_pitch, foot_inversion = foot_at_deg(q_foot, mirror)
    shank_ahead, shank_inward = shank_at_deg(q_shank, mirror)
    axis_sd, floor_sd = model["axis_sd_deg"], model["segment_floor_sd_deg"]
    foot_variance = tilt_variance + model["foot_zero_sd_deg"] * model["foot_zero_sd_deg"]
    foot_sd = mixed_sd_at(foot_pitch, foot_variance, axis_sd, floor_sd)
    shank_sd = mixed_sd_at(shank_ahead, tilt_variance + zero_variance, axis_sd, floor_sd)
    out[i, ZERO_SD] = model["stated_zero_sd_deg"]
    out[i, _ANGLES + _SUBTALAR], out[i, _SD + _SUBTALAR] = pronation, pronation_sd
    out[i, _ANGLES + _FOOT_PITCH], out[i, _ANGLES + _FOOT_INVERSION] = foot_pitch, foot_inversion
    out[i, _SD + _FOOT_PITCH], out[i, _SD + _FOOT_INVERSION] = foot_sd
    out[i, _ANGLES + _SHANK_SAGITTAL], out[i, _ANGLES + _SHANK_FRONTAL] = shank_ahead, shank_inward
    out[i, _SD + _SHANK_SAGITTAL], out[i, _SD + _SHANK_FRONTAL] = shank_sd
    quality = model["quality"]
    if t - model["confirmed_s"] > STALE_S or spread > UNCERTAIN_DEG:
        quality = _HEADING_STALE
    if row["clipped"] > 0:
        quality = _CLIPPED
    if row["bridged"] > 0:
        quality = _BRIDGED_GAP
    out[i, QUALITY] = quality
