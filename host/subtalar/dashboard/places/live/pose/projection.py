"""A mesh as somebody sees it who stands behind, before or beside the person."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from subtalar.types import FloatArray, IntArray

View = Literal["behind", "front", "left", "right"]

_ELEVATION_RAD = math.radians(9)
_SIDE_AZIMUTH_RAD = math.radians(24)  # a little from the front, so that both legs are seen


def camera(view: View) -> FloatArray:
    """(3, 3): rows are screen right, screen up and towards the viewer, in world coordinates."""
    c, s = math.cos(_SIDE_AZIMUTH_RAD), math.sin(_SIDE_AZIMUTH_RAD)
    towards = {"behind": (-1.0, 0, 0), "front": (1.0, 0, 0), "left": (s, 0, -c), "right": (s, 0, c)}[view]
    up = np.array([0.0, 1.0, 0.0])
    right = np.cross(up, towards)
    raised = math.cos(_ELEVATION_RAD) * np.array(towards) + math.sin(_ELEVATION_RAD) * up
    return np.array([right, np.cross(raised, right), raised])


@dataclass(frozen=True)
class ProjectedMesh:
    """A mesh as the viewer sees it, in view coordinates (right, up, towards the viewer).

    ``corners`` (m, 4, 3) of the faces turned to the viewer and their ``brightness`` (m,) in 0…1;
    ``outline`` (k, 2, 3) the edges between what is seen and what is not.
    """

    corners: FloatArray
    brightness: FloatArray
    outline: FloatArray


def project(vertices: FloatArray, faces: IntArray, edges: tuple[IntArray, IntArray], view: FloatArray) -> ProjectedMesh:
    """Project a mesh with the rows of ``camera``."""
    placed = vertices @ view.T
    corners = placed[faces]
    diagonals = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    normal = _cross(*diagonals)
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=1, keepdims=True)), 1e-12)
    facing: npt.NDArray[np.bool_] = normal[:, 2] > 0
    brightness = np.clip(normal[facing] @ _LIGHT, 0, 1)
    vertex_pairs, face_pairs = edges
    border = facing[face_pairs[:, 0]] != facing[face_pairs[:, 1]]
    return ProjectedMesh(corners[facing], brightness, placed[vertex_pairs[border]])


_LIGHT = np.array([-0.35, 0.55, 0.75]) / np.linalg.norm([-0.35, 0.55, 0.75])


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """``np.cross`` for (n, 3) without its overhead."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
