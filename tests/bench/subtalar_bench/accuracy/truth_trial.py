"""A truth trial: a raw session folder with ``truth_angles.csv.gz`` and ``truth_strides.csv`` beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from subtalar.anatomy import ANKLE_NAMES
from subtalar.errors import InputError
from subtalar.session import Session, open_session
from subtalar.session.importing.spec_file import read_json_object
from subtalar.session.importing.table import read_table
from subtalar.session.model import Annotation
from subtalar.types import SIDES, FloatArray, SampleBlock, Side

ANGLES_FILE = "truth_angles.csv.gz"
STRIDES_FILE = "truth_strides.csv"
META_FILE = "truth_meta.json"
_STRIDE_COLUMNS = (
    "side_is_left",
    "initial_contact_s",
    "foot_off_s",
    "stride_time_s",
    "peak_eversion_stance_deg",
    "tibial_rotation_range_stance_deg",
    "peak_dorsiflexion_stance_deg",
)


@dataclass(frozen=True)
class TrueStrides:
    """The true strides of one side, arrays (n,)."""

    initial_contact_s: FloatArray
    foot_off_s: FloatArray
    stride_time_s: FloatArray
    peak_eversion_deg: FloatArray
    tibial_rotation_excursion_deg: FloatArray
    peak_dorsiflexion_deg: FloatArray

    def __len__(self) -> int:
        return len(self.initial_contact_s)

    def moved(self, by_s: float) -> "TrueStrides":
        """The same strides at other times."""
        return replace(self, initial_contact_s=self.initial_contact_s + by_s, foot_off_s=self.foot_off_s + by_s)


@dataclass(frozen=True)
class TruthTrial:
    """Session and truth; ``walk_start_s``, ``walk_end_s`` and the truth's times are on the true session clock."""

    name: str
    session: Session
    time_s: FloatArray
    angles_deg: Mapping[Side, FloatArray]
    strides: Mapping[Side, TrueStrides]
    annotations: tuple[Annotation, ...]

    def span(self, *labels: str) -> Annotation:
        """The first annotation with one of these labels. Raises InputError where there is none."""
        for annotation in self.annotations:
            if annotation.label in labels:
                return annotation
        raise InputError(f"{self.name} does not tell when {' or '.join(labels)} was: its truth cannot be used.")

    @property
    def walking(self) -> Annotation:
        """The walk or run."""
        return self.span("walking", "running")

    def blocks(self) -> Iterator[SampleBlock]:
        """The samples."""
        return self.session.blocks(5.0)


def trial_folders(folder: Path) -> list[Path]:
    """The truth trials in a folder, or the folder itself where it is one. Raises InputError where there is none."""
    if (folder / ANGLES_FILE).is_file():
        return [folder]
    found = sorted(p for p in folder.iterdir() if (p / ANGLES_FILE).is_file()) if folder.is_dir() else []
    if not found:
        raise InputError(f"There is no truth trial in {folder}: name a folder of folders with {ANGLES_FILE}.")
    return found


def read_trial(folder: Path) -> TruthTrial:
    """Open one trial whole. Raises InputError where a file is missing or broken."""
    session = open_session(folder)
    table = read_table(folder / ANGLES_FILE)
    names = {side: [f"{side}_{angle}_deg" for angle in ANKLE_NAMES] for side in SIDES}
    sides = [side for side in SIDES if table.has(*names[side])]
    time_s = table.numbers(["time_s"])[:, 0]
    strides = read_table(folder / STRIDES_FILE).numbers(_STRIDE_COLUMNS)
    annotations = session.annotations
    if (folder / META_FILE).is_file():
        meta = read_json_object(folder / META_FILE, f"{folder.name}/{META_FILE}")
        annotations = tuple(
            Annotation(str(a["label"]), float(a["start_s"]), float(a["end_s"])) for a in meta["annotations"]
        )
    return TruthTrial(
        folder.name,
        session,
        time_s,
        {side: table.numbers(names[side]) for side in sides},
        {side: _strides_of(strides, side) for side in sides},
        annotations,
    )


def _strides_of(rows: FloatArray, side: Side) -> TrueStrides:
    own = rows[(rows[:, 0] > 0.5) == (side == "left")]
    own = own[np.argsort(own[:, 1])]
    return TrueStrides(*(np.ascontiguousarray(own[:, k]) for k in range(1, 7)))
