"""The pair of legs as faces in space: shank by its orientation, foot by the ankle angles. No Qt.

World: x forward, y up, z to the right, metres. The ankle is the ISB joint coordinate system (Wu et al. 2002,
doi 10.1016/S0021-9290(01)00222-6), Cardan Z-X'-Y'' of the foot relative to the shank, with the project's
clinical signs, which are the same for both legs.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from subtalar.types import SIDES, FloatArray, IntArray, Side

View = Literal["behind", "front", "left", "right"]

_SHANK_M = 0.40
_HALF_STANCE_M = 0.12
_RING = 12
_ELEVATION_RAD = math.radians(9)
_HEADING_TAU_S = 1.5
_SIDE_AZIMUTH_RAD = math.radians(24)  # a little from the front, so that both legs are seen
_TOE_OUT = math.tan(math.radians(7))


def rotation(axis: Literal["x", "y", "z"], angle_rad: float) -> FloatArray:
    """(3, 3) right-handed rotation about a coordinate axis."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    if axis == "x":
        return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0.0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0.0], [s, c, 0], [0, 0, 1]])


def rotation_of(q_wxyz: FloatArray) -> FloatArray:
    """(3, 3) rotation of a scalar-first unit quaternion."""
    w, x, y, z = q_wxyz / np.linalg.norm(q_wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def foot_in_shank(side: Side, angles_deg: FloatArray) -> FloatArray:
    """(3, 3) foot frame into shank frame for dorsiflexion, inversion, tibial rotation (3,).

    Toes up is + about z on both legs. The sole to the midline is + about x on the right leg, − on the left.
    The tibia turned in relative to the foot is the foot turned out: − about y on the right leg, + on the left.
    """
    dorsiflexion, inversion, tibial = np.radians(angles_deg)
    mirror = 1.0 if side == "right" else -1.0
    return rotation("z", dorsiflexion) @ rotation("x", mirror * inversion) @ rotation("y", -mirror * tibial)


@dataclass(frozen=True)
class Leg:
    """Vertices in the world. Known is what is posed by measured values, not just standing there."""

    shank: FloatArray
    foot: FloatArray
    shank_line: FloatArray
    heel_line: FloatArray
    ankle: FloatArray
    shank_known: bool
    foot_known: bool

    @property
    def known(self) -> bool:
        """Whether any part of the leg was measured."""
        return self.shank_known or self.foot_known


class LegPair:
    """Poses both legs. Follows the person's slow turns, so that "from behind" stays behind."""

    def __init__(self) -> None:
        self._forward: complex | None = None

    def pose(
        self,
        orientation: dict[Side, FloatArray],
        angles_deg: dict[Side, FloatArray],
        dt_s: float,
        foot_to_floor_deg: dict[Side, FloatArray] | None = None,
    ) -> dict[Side, Leg]:
        """Legs for shank quaternions (4,) and angles (3,); NaN where not known. ``dt_s`` since the last call.

        ``foot_to_floor_deg``: pitch and inversion (2,), which pose the foot of a leg without ankle angles.
        """
        shanks = {s: rotation_of(q) if np.isfinite(q).all() else None for s, q in orientation.items()}
        turn = self._turn_back([r for r in shanks.values() if r is not None], dt_s)
        legs = {}
        for side in SIDES:
            measured = shanks[side]
            shank = np.eye(3) if measured is None else turn @ measured
            known = bool(np.isfinite(angles_deg[side]).all())
            to_floor = None if foot_to_floor_deg is None else foot_to_floor_deg[side]
            if known:
                legs[side] = _place(side, shank, shank @ foot_in_shank(side, angles_deg[side]), True, True)
            elif to_floor is not None and np.isfinite(to_floor).all():
                legs[side] = _place(side, np.eye(3), foot_in_shank(side, np.append(to_floor, 0.0)), False, True)
            else:
                # A shank alone tells nothing of its foot, which then stands flat.
                legs[side] = _place(side, shank, np.eye(3), measured is not None, False)
        floor = min(float(leg.foot[:, 1].min()) for leg in legs.values())
        return {side: _lift(leg, -floor) for side, leg in legs.items()}

    def _turn_back(self, shanks: list[FloatArray], dt_s: float) -> FloatArray:
        forward = sum((complex(r[0, 0], -r[2, 0]) for r in shanks), 0j)
        if abs(forward) > 0.1:
            share = 1.0 if self._forward is None else 1 - math.exp(-max(dt_s, 0.0) / _HEADING_TAU_S)
            old = self._forward or 0j
            self._forward = old + share * (forward / abs(forward) - old)
        if self._forward is None or abs(self._forward) < 1e-6:
            return np.eye(3)
        return rotation("y", -math.atan2(self._forward.imag, self._forward.real))


def _tube(sections: list[tuple[FloatArray, FloatArray, FloatArray]]) -> tuple[FloatArray, IntArray]:
    """Rings (centre, half axis a, half axis b) joined by quads, closed at both ends."""
    angle = np.arange(_RING) * 2 * np.pi / _RING
    rings = [c + np.outer(np.cos(angle), a) + np.outer(np.sin(angle), b) for c, a, b in sections]
    vertices = np.concatenate([*rings, [sections[0][0], sections[-1][0]]])
    i = np.arange(_RING)
    j = (i + 1) % _RING
    quads = [
        np.stack([k * _RING + i, k * _RING + j, (k + 1) * _RING + j, (k + 1) * _RING + i], axis=1)
        for k in range(len(sections) - 1)
    ]
    end, n = (len(sections) - 1) * _RING, len(sections) * _RING
    first = np.stack([np.full(_RING, n), j, i, i], axis=1)
    last = np.stack([np.full(_RING, n + 1), end + i, end + j, end + j], axis=1)
    return vertices, np.concatenate([*quads, first, last])


def _shank_mesh() -> tuple[FloatArray, IntArray]:
    # height above the ankle, half depth, half width, how far back: ankle, calf, knee
    rows = [
        (-0.015, 0.034, 0.030, -0.004),
        (0.03, 0.036, 0.031, -0.005),
        (0.11, 0.042, 0.037, -0.008),
        (0.20, 0.055, 0.050, -0.016),
        (0.28, 0.060, 0.055, -0.018),
        (0.35, 0.054, 0.051, -0.008),
        (_SHANK_M, 0.053, 0.052, 0.0),
        (_SHANK_M + 0.03, 0.040, 0.042, 0.002),
    ]
    return _tube([(np.array([x, y, 0.0]), np.array([0, 0, wide]), np.array([deep, 0, 0])) for y, deep, wide, x in rows])


def _foot_mesh(side: Side) -> tuple[FloatArray, IntArray]:
    # forward of the ankle, sole height, top height, half width, how far to the midline; toes point out as they do
    # in quiet standing, where all angles are zero
    rows = [
        (-0.062, -0.062, -0.030, 0.016, 0.0),
        (-0.055, -0.078, -0.005, 0.027, 0.0),
        (-0.030, -0.080, 0.020, 0.034, 0.0),
        (0.010, -0.080, 0.032, 0.036, 0.0),
        (0.055, -0.080, 0.008, 0.039, 0.0),
        (0.105, -0.080, -0.022, 0.044, 0.002),
        (0.150, -0.080, -0.042, 0.044, 0.004),
        (0.180, -0.078, -0.052, 0.034, 0.009),
        (0.196, -0.072, -0.058, 0.018, 0.013),
    ]
    inwards = -1.0 if side == "right" else 1.0
    return _tube(
        [
            (
                np.array([x, (low + high) / 2, inwards * (medial - _TOE_OUT * x)]),
                np.array([0, (high - low) / 2, 0]),
                np.array([0, 0, wide]),
            )
            for x, low, high, wide, medial in rows
        ]
    )


_SHANK, SHANK_FACES = _shank_mesh()
_FEET: Final = {side: _foot_mesh(side)[0] for side in SIDES}
FOOT_FACES = _foot_mesh("right")[1]
_SHANK_LINE = np.array([[-0.082, 0.30, 0.0], [-0.046, 0.045, 0.0]])
_HEEL_LINE = np.array([[-0.046, 0.012, 0.0], [-0.066, -0.078, 0.0]])


def _place(side: Side, shank: FloatArray, foot: FloatArray, shank_known: bool, foot_known: bool) -> Leg:
    knee = np.array([0.0, 0.0, _HALF_STANCE_M if side == "right" else -_HALF_STANCE_M])
    ankle = knee - shank @ np.array([0.0, _SHANK_M, 0.0])
    return Leg(
        _SHANK @ shank.T + ankle,
        _FEET[side] @ foot.T + ankle,
        _SHANK_LINE @ shank.T + ankle,
        _HEEL_LINE @ foot.T + ankle,
        ankle,
        shank_known,
        foot_known,
    )


def _lift(leg: Leg, up_m: float) -> Leg:
    up = np.array([0.0, up_m, 0.0])
    return replace(
        leg,
        shank=leg.shank + up,
        foot=leg.foot + up,
        shank_line=leg.shank_line + up,
        heel_line=leg.heel_line + up,
        ankle=leg.ankle + up,
    )


def camera(view: View) -> FloatArray:
    """(3, 3): rows are screen right, screen up and towards the viewer, in world coordinates."""
    c, s = math.cos(_SIDE_AZIMUTH_RAD), math.sin(_SIDE_AZIMUTH_RAD)
    towards = {"behind": (-1.0, 0, 0), "front": (1.0, 0, 0), "left": (s, 0, -c), "right": (s, 0, c)}[view]
    up = np.array([0.0, 1.0, 0.0])
    right = np.cross(up, towards)
    raised = math.cos(_ELEVATION_RAD) * np.array(towards) + math.sin(_ELEVATION_RAD) * up
    return np.array([right, np.cross(raised, right), raised])


def edges_of(faces: IntArray) -> tuple[IntArray, IntArray]:
    """Every edge of a closed mesh: its two vertices (e, 2) and the two faces that share it (e, 2)."""
    sharing: dict[tuple[int, int], list[int]] = {}
    for face, corners in enumerate(faces.tolist()):
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            if a != b:
                sharing.setdefault((min(a, b), max(a, b)), []).append(face)
    shared = {edge: on for edge, on in sharing.items() if len(on) == 2}
    return np.array(list(shared)), np.array(list(shared.values()))


SHANK_EDGES = edges_of(SHANK_FACES)
FOOT_EDGES = edges_of(FOOT_FACES)


@dataclass(frozen=True)
class Seen:
    """A mesh as the viewer sees it, in view coordinates (right, up, towards the viewer).

    ``corners`` (m, 4, 3) of the faces turned to the viewer and their ``brightness`` (m,) in 0…1;
    ``outline`` (k, 2, 3) the edges between what is seen and what is not.
    """

    corners: FloatArray
    brightness: FloatArray
    outline: FloatArray


def look_at(vertices: FloatArray, faces: IntArray, edges: tuple[IntArray, IntArray], view: FloatArray) -> Seen:
    """Project a mesh with the rows of ``camera``."""
    placed = vertices @ view.T
    corners = placed[faces]
    diagonals = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    normal = _cross(*diagonals)
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=1, keepdims=True)), 1e-12)
    seen: npt.NDArray[np.bool_] = normal[:, 2] > 0
    brightness = np.clip(normal[seen] @ _LIGHT, 0, 1)
    vertex_pairs, face_pairs = edges
    border = seen[face_pairs[:, 0]] != seen[face_pairs[:, 1]]
    return Seen(corners[seen], brightness, placed[vertex_pairs[border]])


_LIGHT = np.array([-0.35, 0.55, 0.75]) / np.linalg.norm([-0.35, 0.55, 0.75])


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """``np.cross`` for (n, 3) without its overhead."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
