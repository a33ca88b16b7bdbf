"""Pitch and inversion of a foot to the floor from three optical markers, and how near an estimate comes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subtalar.types import FloatArray, Side
from subtalar_bench.arrays import at

LAGS_S = np.arange(-0.050, 0.0501, 0.0025)
_UNBENT_M = 0.003
_YAWS_RAD = np.radians(np.arange(-30.0, 30.01, 0.25))


@dataclass(frozen=True)
class Reference:
    """Times (n,), verticals (n, 3) in the foot's axes, and when (n,) the markers are as far apart as they usually are:
    at push-off the shoe bends, and what the markers then show is not the rear of the foot.
    """

    time_s: FloatArray
    up: FloatArray
    unbent: npt.NDArray[np.bool_]

    def between(self, start_s: float, end_s: float) -> "Reference":
        """The part from one time to another."""
        keep = (self.time_s >= start_s) & (self.time_s <= end_s)
        return Reference(self.time_s[keep], self.up[keep], self.unbent[keep])


@dataclass(frozen=True)
class FloorError:
    """Root mean square differences in degrees, each angle's constant offset removed, at the best lag (s); ``unbent``:
    only while the markers keep their distances; ``yaw_deg`` turns the estimate's forward axis to the markers' line
    from heel to toe.
    """

    pitch_deg: float
    inversion_deg: float
    unbent_pitch_deg: float
    unbent_inversion_deg: float
    lag_s: float
    yaw_deg: float


def up_in_foot(toe_m: FloatArray, heel_m: FloatArray, fifth_m: FloatArray, side: Side) -> FloatArray:
    """The vertical (n, 3) in foot axes (x to the toes, y up, z right) from toe, heel and fifth metatarsal (n, 3).

    Markers sit where they are stuck: their frame is not level when the foot is. See ``levelled``.
    """
    x = toe_m - heel_m
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    lateral = fifth_m - heel_m
    z = lateral if side == "right" else -lateral
    z = z - x * np.sum(x * z, axis=1, keepdims=True)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack((x[:, 2], np.cross(z, x)[:, 2], z[:, 2]), axis=1)


def unbent(toe_m: FloatArray, heel_m: FloatArray, fifth_m: FloatArray) -> npt.NDArray[np.bool_]:
    """When (n,) all distances between the markers (n, 3) are within 3 mm of their medians."""
    pairs = ((toe_m, heel_m), (toe_m, fifth_m), (heel_m, fifth_m))
    apart = np.stack([np.linalg.norm(a - b, axis=1) for a, b in pairs], axis=1)
    return np.asarray((np.abs(apart - np.nanmedian(apart, axis=0)) <= _UNBENT_M).all(axis=1))


def levelled(up: FloatArray, flat_up: FloatArray) -> FloatArray:
    """Verticals (n, 3) in a frame that is level where they are ``flat_up`` (3,), turned by the shortest way."""
    a = flat_up / np.linalg.norm(flat_up)
    b = np.array([0.0, 1.0, 0.0])
    v, c = np.cross(a, b), float(a @ b)
    skew = np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
    turn = np.eye(3) + skew + skew @ skew / (1.0 + c)
    return np.asarray(up @ turn.T)


def floor_angles_deg(up: FloatArray, side: Side) -> FloatArray:
    """Pitch (+ toes up) and inversion (+ sole to the midline), (n, 2), of a vertical (n, 3) in foot axes."""
    mirror = -1.0 if side == "right" else 1.0
    return np.degrees(np.arcsin(np.clip(np.stack((up[:, 0], mirror * up[:, 2]), axis=1), -1.0, 1.0)))


def up_of_angles(angles_deg: FloatArray, side: Side) -> FloatArray:
    """The vertical (n, 3) in foot axes that has this pitch and inversion (n, 2); the foot is not upside down."""
    mirror = -1.0 if side == "right" else 1.0
    sines = np.sin(np.radians(angles_deg))
    y = np.sqrt(np.maximum(0.0, 1.0 - np.sum(sines**2, axis=1)))
    return np.stack((sines[:, 0], y, mirror * sines[:, 1]), axis=1)


def compare(reference: Reference, times: FloatArray, up: FloatArray, side: Side) -> FloorError:
    """Verticals (m, 3) at ``times`` (m,) against the reference: as they are but for the lag."""
    found = [(_rms(reference.up, at(reference.time_s + lag, times, up), side), float(lag)) for lag in LAGS_S]
    lag = min(found, key=lambda f: float(f[0].sum()))[1]
    return _error(reference, at(reference.time_s + lag, times, up), side, lag, 0.0)


def compare_turned(reference: Reference, times: FloatArray, up: FloatArray, side: Side) -> FloorError:
    """The same with one constant yaw between the two forward axes fitted as well."""
    lag = compare(reference, times, up, side).lag_s
    shifted = at(reference.time_s + lag, times, up)
    yaw = min(_YAWS_RAD, key=lambda y: float(_rms(reference.up, turned(shifted, y), side).sum()))
    return _error(reference, turned(shifted, yaw), side, lag, float(np.degrees(yaw)))


def _error(reference: Reference, up: FloatArray, side: Side, lag_s: float, yaw_deg: float) -> FloorError:
    pitch, inversion = _rms(reference.up, up, side).tolist()
    unbent_pitch, unbent_inversion = _rms(reference.up[reference.unbent], up[reference.unbent], side).tolist()
    return FloorError(pitch, inversion, unbent_pitch, unbent_inversion, lag_s, yaw_deg)


def turned(up: FloatArray, yaw_rad: float) -> FloatArray:
    """Verticals (n, 3) in a frame that is turned by ``yaw_rad`` about its y axis (x towards −z)."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    x, y, z = up.T
    return np.stack((c * x - s * z, y, s * x + c * z), axis=1)


def _rms(truth_up: FloatArray, up: FloatArray, side: Side) -> FloatArray:
    difference = floor_angles_deg(up, side) - floor_angles_deg(truth_up, side)
    return np.asarray(np.std(difference, axis=0))
