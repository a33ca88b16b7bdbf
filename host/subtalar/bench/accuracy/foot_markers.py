"""Pitch and inversion of a foot to the floor from three optical markers, and how near an estimate comes."""

from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray, Side

_LAGS_S = np.arange(-0.050, 0.0501, 0.0025)
_YAWS_RAD = np.radians(np.arange(-30.0, 30.01, 0.25))


@dataclass(frozen=True)
class FloorError:
    """Root mean square differences in degrees, each angle's constant offset removed, at the best lag (s); ``yaw_deg``
    turns the estimate's forward axis to the markers' line from heel to toe.
    """

    pitch_deg: float
    inversion_deg: float
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


def compare(t: FloatArray, truth_up: FloatArray, times: FloatArray, up: FloatArray, side: Side) -> FloorError:
    """Verticals (m, 3) at ``times`` against true ones (n, 3) at ``t``: as they are but for the lag."""
    found = [(_rms(truth_up, _at(t + lag, times, up), side), float(lag)) for lag in _LAGS_S]
    rms, lag = min(found, key=lambda f: float(f[0].sum()))
    return FloorError(float(rms[0]), float(rms[1]), lag, 0.0)


def compare_turned(t: FloatArray, truth_up: FloatArray, times: FloatArray, up: FloatArray, side: Side) -> FloorError:
    """The same with one constant yaw between the two forward axes fitted as well."""
    best = compare(t, truth_up, times, up, side)
    shifted = _at(t + best.lag_s, times, up)
    found = [(_rms(truth_up, turned(shifted, yaw), side), float(yaw)) for yaw in _YAWS_RAD]
    rms, yaw = min(found, key=lambda f: float(f[0].sum()))
    return FloorError(float(rms[0]), float(rms[1]), best.lag_s, float(np.degrees(yaw)))


def turned(up: FloatArray, yaw_rad: float) -> FloatArray:
    """Verticals (n, 3) in a frame that is turned by ``yaw_rad`` about its y axis (x towards −z)."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    x, y, z = up.T
    return np.stack((c * x - s * z, y, s * x + c * z), axis=1)


def _rms(truth_up: FloatArray, up: FloatArray, side: Side) -> FloatArray:
    difference = floor_angles_deg(up, side) - floor_angles_deg(truth_up, side)
    return np.asarray(np.std(difference, axis=0))


def _at(t: FloatArray, times: FloatArray, values: FloatArray) -> FloatArray:
    return np.stack([np.interp(t, times, values[:, k]) for k in range(values.shape[1])], axis=1)
