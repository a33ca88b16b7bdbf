"""The shapes of shank and foot: vertices around the ankle (x forward, y up, z to the right, metres) and faces."""

import math
from typing import Final

import numpy as np

from subtalar.types import SIDES, FloatArray, IntArray, Side

SHANK_M: Final = 0.40
_RING = 12
_TOE_OUT = math.tan(math.radians(7))


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
        (SHANK_M, 0.053, 0.052, 0.0),
        (SHANK_M + 0.03, 0.040, 0.042, 0.002),
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


SHANK, SHANK_FACES = _shank_mesh()
FEET: Final = {side: _foot_mesh(side)[0] for side in SIDES}
FOOT_FACES = _foot_mesh("right")[1]
SHANK_LINE = np.array([[-0.082, 0.30, 0.0], [-0.046, 0.045, 0.0]])
HEEL_LINE = np.array([[-0.046, 0.012, 0.0], [-0.066, -0.078, 0.0]])


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
