"""``subtalar.read``: a session as a researcher wants it, whatever it was recorded with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from subtalar.anatomy import ANKLE_NAMES, SIDES, BodySite, Side
from subtalar.api.table import Column, Table
from subtalar.api.tables import angle_table, event_table, sample_table, stride_table
from subtalar.errors import InputError
from subtalar.session import model
from subtalar.session.opening import open_session
from subtalar.session.recording.read.item_stream import read_items
from subtalar.types import AngleBlock, GaitEvent, Ledger, SampleBlock, SensorInfo, Stride

TRUTH_FILE = "truth_angles.csv.gz"


@dataclass(frozen=True)
class Trial:
    """A named stretch of a session, on the session clock: a marker that was set, or an annotation that was given."""

    label: str
    start_s: float
    end_s: float


class Session:
    """An opened measurement. Made by ``subtalar.read`` and ``subtalar.simulate``.

    Angles, strides and events are those that the recording holds, as they were shown live; a session that holds samples
    alone has none, and ``subtalar.analyze`` computes them. All times are seconds of the session clock.
    """

    def __init__(self, opened: model.Session) -> None:
        self.opened = opened
        """The session as the rest of the package knows it."""

    def __repr__(self) -> str:
        sites = ", ".join(self.sensors)
        return f"<Session {self.name}: {self.opened.kind}, {self.duration_s:.1f} s, sensors {sites}>"

    @property
    def path(self) -> Path:
        """Where it was read from."""
        return self.opened.path

    @property
    def name(self) -> str:
        """The name of its file or folder."""
        return self.path.resolve().name

    @property
    def kind(self) -> str:
        """``recording``, ``raw_folder``, ``mt_manager``, ``movella_dot``, ``ximu3`` or ``described_csv``."""
        return self.opened.kind

    @property
    def duration_s(self) -> float:
        """From the first to the last arrival."""
        return self.opened.duration_s

    @property
    def start_utc(self) -> datetime | None:
        """When it began; None where the source does not say."""
        return self.opened.start_utc

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was mended, left out or lost on the way in."""
        return self.opened.notes

    @property
    def sensors(self) -> Mapping[str, SensorInfo]:
        """What is known of each sensor, by its site: ``right_foot`` and so on."""
        return {site: self.opened.sensors[site] for site in self.opened.sensors}

    @property
    def ledger(self) -> Mapping[str, Ledger]:
        """What became of each sensor's samples, by its site."""
        return {site: self.opened.ledger[site] for site in self.opened.ledger}

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Markers and annotations, in order of time."""
        ordered = sorted(self.opened.annotations, key=lambda a: (a.start_s, a.end_s, a.label))
        return tuple(Trial(a.label, a.start_s, a.end_s) for a in ordered)

    def samples(self, site: BodySite | str) -> Table:
        """All samples of one sensor: ``device_time_s``, ``host_time_s``, ``acc_x_m_s2`` … ``gyr_z_rad_s``, in its axes.

        Raises InputError where there is no such sensor.
        """
        if site not in self.sensors:
            raise InputError(f"{self.name} has no sensor {str(site)!r}: it has {', '.join(self.sensors)}.")
        name = f"samples of the {str(site).replace('_', ' ')}"
        return sample_table(name, [block for block in self._blocks if block.site == site])

    def angles(self, side: Side) -> Table:
        """The angles of one leg as they were shown live, in the columns of ``angles.csv``, not rounded.

        Raises InputError where the session holds none.
        """
        if side not in SIDES:
            raise InputError(f"There is no leg {side!r}: it is left or right.")
        blocks = [item for item in self._items if isinstance(item, AngleBlock) and item.side == side]
        if not blocks:
            raise InputError(f"{self.name} holds no angles of the {side} leg: compute them with subtalar.analyze.")
        return angle_table(side, blocks, rounded=False)

    @property
    def strides(self) -> Table:
        """The strides that were found live, in the columns of ``strides.csv``, not rounded.

        Raises InputError where the session holds samples alone.
        """
        return stride_table((i for i in self._analysed if isinstance(i, Stride)), rounded=False)

    @property
    def events(self) -> Table:
        """The gait events that were found live: ``time_s``, ``side``, ``event``, ``detected_s``.

        Raises InputError where the session holds samples alone.
        """
        return event_table(i for i in self._analysed if isinstance(i, GaitEvent))

    def truth(self, side: Side) -> Table:
        """The true angles of the ankle, where they are known (simulated sessions, truth trials): ``time_s`` and
        ``dorsiflexion_deg``, ``inversion_deg``, ``tibial_rotation_deg``.

        Raises InputError where nobody knows them.
        """
        path = self.path / TRUTH_FILE
        names = [f"{side}_{name}_deg" for name in ANKLE_NAMES]
        if not path.is_file():
            raise InputError(f"Nobody knows the true angles of {self.name}: they are known of simulated sessions.")
        values = np.genfromtxt(path, delimiter=",", names=True)
        if names[0] not in (values.dtype.names or ()):
            raise InputError(f"{self.name} has no true angles of the {side} leg.")
        columns: dict[str, Column] = {"time_s": values["time_s"]}
        columns |= {f"{short}_deg": values[name] for short, name in zip(ANKLE_NAMES, names, strict=True)}
        return Table(f"true angles of the {side} leg", columns)

    @cached_property
    def _blocks(self) -> list[SampleBlock]:
        return list(self.opened.blocks(60.0))

    @cached_property
    def _items(self) -> list[Any]:
        """What a recording holds beside samples; nothing of any other session."""
        if self.opened.kind != "recording":
            return []
        return [i for i in read_items(self.path) if isinstance(i, AngleBlock | Stride | GaitEvent)]

    @property
    def _analysed(self) -> list[Any]:
        if not self._items:
            raise InputError(f"{self.name} holds samples alone: compute strides and angles with subtalar.analyze.")
        return self._items


def read(path: str | PathLike[str]) -> Session:
    """Open whatever ``subtalar analyze`` takes: a recording, a raw session folder, exports of other software.

    Raises SubtalarError, in one sentence, for what cannot be used.
    """
    return Session(open_session(Path(path) if not isinstance(path, str) else path))
