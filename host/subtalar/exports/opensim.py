"""OpenSim (OpenSense): orientations of calcn and tibia as if sensors sat on the segments, and the pose that is zero.

The estimator has turned sensors into segments, so OpenSim need not place anything: in the placement pose (quiet
standing) both orientations are the identity, and axes are OpenSim's own (x forward, y up, z right).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from subtalar.anatomy import ANKLE_NAMES
from subtalar.errors import InputError
from subtalar.estimation.numerics import quaternions as quat
from subtalar.exports.content import GaitResults, Options, angle_rate_hz, session_stem, sides_with_ankle
from subtalar.exports.gaps import neighbours
from subtalar.exports.opensim_note import NOTE
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.model import Session
from subtalar.types import AngleBlock, FloatArray, Side

_BODIES: Final = ("tibia", "calcn")
_ROWS: Final = 8192


@dataclass(frozen=True)
class Leg:
    """Rows in which all is known: session time (n,), ankle angles (n, 3), the shank's orientation (n, 4)."""

    time_s: FloatArray
    ankle_deg: FloatArray
    shank: FloatArray


class OpenSimWriter(FormatWriter):
    """``NAME_SIDE_orientations.sto``, ``NAME_orientations.sto`` of both legs, ``NAME_placement.sto``,
    ``NAME_SIDE_ankle.mot`` and a note. A row that would hold something unknown is left out.
    """

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        if not sides_with_ankle(session):
            raise InputError(
                "No leg of this session has both a foot and a shank sensor, and OpenSim's ankle needs both: "
                "choose another format."
            )
        self._known: dict[Side, list[Leg]] = {side: [] for side in sides_with_ankle(session)}

    def add_samples(self, block: TimedBlock) -> None:
        """OpenSim has no use for raw samples."""

    def add_angles(self, block: AngleBlock) -> None:
        """Rows in which all is known are kept until the end."""
        known = np.isfinite(block.ankle_deg).all(axis=1) & np.isfinite(block.shank_orientation).all(axis=1)
        if block.side in self._known and known.any():
            leg = Leg(block.time_s[known], block.ankle_deg[known], block.shank_orientation[known])
            self._known[block.side].append(leg)

    def finish(self, results: GaitResults) -> None:
        """Everything is written here."""
        legs = {side: _joined(self._known.pop(side)) for side in sorted(self._known) if self._known[side]}
        if not legs:
            raise InputError(
                "No ankle angle of this session is known, so there are no orientations for OpenSim: see what "
                "`subtalar analyze` says of it."
            )
        poses = {side: poses_of(side, track) for side, track in legs.items()}
        for side, track in legs.items():
            rate_hz = angle_rate_hz(self.session, side)
            self._orientations(f"{side}_orientations.sto", rate_hz, track.time_s, {side: poses[side]})
            self._angles(side, rate_hz, track)
        if len(legs) == 2:
            self._both(legs, poses)
        with self._new("placement.sto") as file:
            _header(file, "Quaternion", angle_rate_hz(self.session, next(iter(legs))), _labels(legs), ())
            file.write("\t".join(["0", *["1,0,0,0"] * 2 * len(legs)]) + "\n")
        (self.folder / f"{session_stem(self.session)}_OpenSim_note.txt").write_text(NOTE, encoding="utf-8")

    def _both(self, legs: dict[Side, Leg], poses: dict[Side, dict[str, FloatArray]]) -> None:
        """At the times of one leg; the other leg's orientations turned to them between neighbouring rows."""
        lead: Side = max(legs, key=lambda side: (angle_rate_hz(self.session, side), side))
        other: Side = next(side for side in legs if side != lead)
        rate_hz = angle_rate_hz(self.session, other)
        right, left, share, inside = neighbours(legs[lead].time_s, legs[other].time_s, rate_hz)
        turned = {body: quat.interpolate(q[left], q[right], share) for body, q in poses[other].items()}
        kept = {body: q[inside] for body, q in poses[lead].items()}
        self._orientations(
            "orientations.sto",
            angle_rate_hz(self.session, lead),
            legs[lead].time_s[inside],
            {lead: kept, other: turned},
        )

    def _orientations(
        self, ending: str, rate_hz: float, time_s: FloatArray, poses: dict[Side, dict[str, FloatArray]]
    ) -> None:
        columns = [poses[side][body] for side in sorted(poses) for body in _BODIES]
        with self._new(ending) as file:
            _header(file, "Quaternion", rate_hz, _labels(poses), ())
            for start in range(0, len(time_s), _ROWS):
                part = slice(start, start + _ROWS)
                cells = [[",".join(map(repr, q)) for q in column[part].tolist()] for column in columns]
                for t, *row in zip(time_s[part].tolist(), *cells, strict=True):
                    file.write("\t".join((repr(t), *row)) + "\n")

    def _angles(self, side: Side, rate_hz: float, track: Leg) -> None:
        with self._new(f"{side}_ankle.mot") as file:
            labels = [f"{name}_{side[0]}" for name in ANKLE_NAMES]
            _header(file, "double", rate_hz, labels, (f"nRows={len(track.time_s)}", "nColumns=4", "inDegrees=yes"))
            for start in range(0, len(track.time_s), _ROWS):
                part = slice(start, start + _ROWS)
                for t, row in zip(track.time_s[part].tolist(), track.ankle_deg[part].tolist(), strict=True):
                    file.write("\t".join((repr(t), *map(repr, row))) + "\n")

    def _new(self, ending: str) -> TextIO:
        return (self.folder / f"{session_stem(self.session)}_{ending}").open("w", encoding="utf-8", newline="\n")


def _joined(parts: Sequence[Leg]) -> Leg:
    return Leg(
        np.concatenate([p.time_s for p in parts]),
        np.concatenate([p.ankle_deg for p in parts]),
        np.concatenate([p.shank for p in parts]),
    )


def poses_of(side: Side, track: Leg) -> dict[str, FloatArray]:
    """Orientation (n, 4) of the bodies ``tibia`` and ``calcn``, scalar first, into OpenSim's ground."""
    alpha, beta, gamma = np.radians(track.ankle_deg).T
    mirror = 1.0 if side == "right" else -1.0
    foot = _about("z", alpha)
    for axis, angle in (("x", mirror * beta), ("y", -mirror * gamma)):
        foot = quat.multiply(foot, _about(axis, angle))
    return {"tibia": track.shank, "calcn": quat.multiply(track.shank, foot)}


def _about(axis: str, angle_rad: FloatArray) -> FloatArray:
    q = np.zeros((len(angle_rad), 4))
    q[:, 0], q[:, 1 + "xyz".index(axis)] = np.cos(angle_rad / 2), np.sin(angle_rad / 2)
    return q


def _labels(sides: "dict[Side, Leg] | dict[Side, dict[str, FloatArray]]") -> list[str]:
    """As OpenSense names sensors after bodies: ``tibia_r_imu``."""
    return [f"{body}_{side[0]}_imu" for side in sorted(sides) for body in _BODIES]


def _header(file: TextIO, kind: str, rate_hz: float, labels: Sequence[str], more: Sequence[str]) -> None:
    lines = [f"DataRate={rate_hz:.6f}", f"DataType={kind}", "version=3", "OpenSimVersion=4.5", *more, "endheader"]
    file.write("\n".join((*lines, "\t".join(("time", *labels)))) + "\n")
