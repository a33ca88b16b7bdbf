"""Motion-BIDS (BIDS 1.10, https://bids-specification.readthedocs.io): a tracking system for each sensor and each leg.

Sensors have clocks and rates of their own and a motion file has one, so a file holds one sensor or one leg's angles.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TextIO

import numpy as np

from subtalar import __version__
from subtalar.anatomy import measured_sides
from subtalar.errors import InputError
from subtalar.exports import bids_dataset as dataset
from subtalar.exports.columns import ANGLES, SAMPLES, Column
from subtalar.exports.content import GaitResults, Options, angle_rate_hz, session_header, session_stem
from subtalar.exports.gaps import GapRows
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.tables import angle_numbers, or_nan
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.model import Session
from subtalar.types import AngleBlock, BodySite, FloatArray, Side

_SAMPLE_COLUMNS: Final = tuple(c for c in SAMPLES if c.kind == "number")
_ANGLE_COLUMNS: Final = (
    *(c for c in ANGLES if c.kind == "number"),
    Column("quality", "number", "", "Quality code of the angles, 0 = ok, higher is worse; see the sidecar."),
)


class MotionBidsWriter(FormatWriter):
    """A dataset; further sessions may be exported into the same one."""

    shared: ClassVar[frozenset[str]] = dataset.SHARED

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        self._names = Names(
            label(options.participant, "--participant")
            if options.participant
            else _known(options.assignment.participant),
            label(session_stem(session), None),
            label(options.task or "gait", "--task"),
            label(options.assignment.condition, None) if options.assignment.condition else "",
        )
        (folder / self._names.folder / "motion").mkdir(parents=True)
        self._systems: dict[BodySite | Side, _System] = {}
        for site, info in session.sensors.items():
            name = "imu" + _camel(site.value)
            self._systems[site] = self._system(name, site.value, _SAMPLE_COLUMNS, info.rate_hz, info.model)
        for side in measured_sides(session.sensors):
            rate_hz = angle_rate_hz(session, side)
            name = "angles" + _camel(side)
            self._systems[side] = self._system(name, f"{side}_ankle", _ANGLE_COLUMNS, rate_hz, "")

    def add_samples(self, block: TimedBlock) -> None:
        """Rows of one sensor; a sample without a time stays out."""
        used = block.used()
        s = used.samples
        device, host = or_nan(s.device_time_s, len(s)), or_nan(s.host_time_s, len(s))
        self._systems[s.site].write(used.time_s, np.column_stack((device, host, s.acc_m_s2, s.gyr_rad_s)))

    def add_angles(self, block: AngleBlock) -> None:
        """Rows of one side."""
        self._systems[block.side].write(block.time_s, angle_numbers(block))

    def finish(self, results: GaitResults) -> None:
        """Sidecars, events and the dataset's own files."""
        for system in self._systems.values():
            dataset.write_json(system.path_of("motion.json"), self._sidecar(system))
            dataset.write_table(system.path_of("channels.tsv"), _CHANNEL_COLUMNS, _channels(system))
            dataset.write_json(system.path_of("channels.json"), _REFERENCE_FRAMES)
        motion = self.folder / self._names.folder / "motion"
        dataset.write_events(motion / f"{self._names.prefix}{self._names.ending}", results)
        start = self.session.start_utc
        files = [f"motion/{system.path_of('motion.tsv').name}" for system in self._systems.values()]
        dataset.write_scans(self.folder / self._names.folder / f"{self._names.short}_scans.tsv", files, start)
        dataset.write_shared(self.folder, self.target, self._names.participant)

    def _system(self, name: str, point: str, columns: Sequence[Column], rate_hz: float, model: str) -> "_System":
        path = self.folder / self._names.folder / "motion" / f"{self._names.prefix}_tracksys-{name}{self._names.ending}"
        system = _System(name, point, tuple(columns), rate_hz, model, path)
        system.file = self.files.enter_context(system.path_of("motion.tsv").open("w", encoding="utf-8", newline="\n"))
        return system

    def _sidecar(self, system: "_System") -> dict[str, Any]:
        header = session_header(self.session, self.options)
        kinds = [_channel_kind(c.name)[1] for c in system.columns]
        raw = system.point in header["sensors"]
        return {
            "TaskName": self._names.task,
            "TaskDescription": "Quiet standing and gait with inertial sensors on foot and shank.",
            "SamplingFrequency": system.rate_hz,
            "SamplingFrequencyEffective": system.effective_hz(),
            "RecordingDuration": system.duration_s(),
            "RecordingType": "continuous",
            "TrackingSystemName": system.name,
            "TrackedPointsCount": 1,
            "MotionChannelCount": len(kinds),
            **{f"{kind}ChannelCount": kinds.count(kind) for kind in _CHANNEL_TYPES},
            "SubjectArtefactDescription": "n/a",
            "MissingValues": "n/a",
            "Manufacturer": system.model or "n/a",
            "ManufacturersModelName": system.model or "n/a",
            "SoftwareVersions": f"subtalar {__version__}",
            **({"Subtalar": {**header, "what": "samples as recorded, in the sensor's axes"}} if raw else {}),
            **({} if raw else {"Subtalar": {**header, "what": "the estimator's angles", "quality": dataset.QUALITY}}),
        }


@dataclass(frozen=True)
class Names:
    """Labels of a session in a dataset: letters and digits."""

    participant: str
    session: str
    task: str
    condition: str

    @property
    def folder(self) -> str:
        """Of the session."""
        return f"sub-{self.participant}/ses-{self.session}"

    @property
    def short(self) -> str:
        """Of files of the whole session."""
        return f"sub-{self.participant}_ses-{self.session}"

    @property
    def prefix(self) -> str:
        """Of files of the task."""
        return f"{self.short}_task-{self.task}"

    @property
    def ending(self) -> str:
        """What follows the prefix and the tracking system: the condition, where one was said."""
        return f"_acq-{self.condition}_" if self.condition else "_"


@dataclass
class _System:
    """One tracking system of the dataset."""

    name: str
    point: str
    columns: tuple[Column, ...]
    rate_hz: float
    model: str
    path: Path
    file: TextIO | None = None

    def __post_init__(self) -> None:
        self._gaps = GapRows(self.rate_hz)
        self._count = 0
        self._span_s: tuple[float, float] | None = None

    def path_of(self, ending: str) -> Path:
        return self.path.parent / (self.path.name + ending)

    def write(self, time_s: FloatArray, rows: FloatArray) -> None:
        if len(time_s) == 0:
            return
        assert self.file is not None
        first_s = float(time_s[0]) if self._span_s is None else self._span_s[0]
        self._span_s = first_s, float(time_s[-1])
        self._count += len(time_s)
        time_s, rows = self._gaps.fill(time_s, rows)
        dataset.write_rows(self.file, np.column_stack((time_s, rows)))

    def duration_s(self) -> float:
        return 0.0 if self._span_s is None else self._span_s[1] - self._span_s[0]

    def effective_hz(self) -> float:
        """Measured samples over the duration: below the nominal rate by what was lost."""
        return (self._count - 1) / self.duration_s() if self.duration_s() > 0 else self.rate_hz


_CHANNEL_TYPES: Final = (*("ACCEL", "ANGACCEL", "GYRO", "JNTANG", "LATENCY", "MAGN", "MISC", "ORNT", "POS", "VEL"),)
_CHANNEL_COLUMNS: Final = (
    *("name", "component", "type", "tracked_point", "units", "reference_frame", "description", "sampling_frequency"),
)
_REFERENCE_FRAMES: Final = {
    "reference_frame": {
        "Description": "The axes in which a channel is told.",
        "Levels": {
            "sensor": "The sensor's own axes, as its maker drew them; where it sits on the body is not known to them.",
            "joint": "Foot relative to shank, both in ISB segment axes (x forward, y up, z right), Cardan Z-X'-Y''.",
            "floor": "Segment to the vertical.",
            "view": "x in the direction of travel of the last stride, y up, z right.",
        },
    }
}


def _channels(system: _System) -> list[list[str]]:
    rows = []
    for column in system.columns:
        component, kind, frame = _channel_kind(column.name)
        meaning = f"{column.meaning} Positive: {column.sign}." if column.sign else column.meaning
        unit = column.unit or "n/a"
        rows.append([column.name, component, kind, system.point, unit, frame, meaning, f"{system.rate_hz:g}"])
    return rows


def _channel_kind(name: str) -> tuple[str, str, str]:
    """Component, type and reference frame of a channel."""
    axis = re.match(r"(acc|gyr)_([xyz])_", name)
    if axis:
        return axis[2], {"acc": "ACCEL", "gyr": "GYRO"}[axis[1]], "sensor"
    if name == "time_s":
        return "n/a", "LATENCY", "n/a"
    if name.startswith("shank_q"):
        return f"quat_{name[-1]}", "ORNT", "view"
    if name in ("dorsiflexion_deg", "inversion_deg", "tibial_rotation_deg"):
        return {"d": "z", "i": "x", "t": "y"}[name[0]], "JNTANG", "joint"
    if name == "subtalar_deg":
        return "n/a", "JNTANG", "joint"
    if name.endswith("_deg") and "_sd_" not in name:
        return "n/a", "MISC", "floor"
    return "n/a", "MISC", "n/a"


def label(text: str, option: str | None) -> str:
    """Letters and digits, as BIDS wants labels. A name that a person chose is not changed behind their back."""
    plain = text if option is not None else unicodedata.normalize("NFKD", text)  # é becomes e
    kept = re.sub(r"[^A-Za-z0-9]", "", plain)
    if option is not None and kept != text:
        raise InputError(f"{option} {text!r} may hold only letters A–Z and digits: BIDS builds file names of it.")
    return kept or "1"


def _known(code: str) -> str:
    """The label of a participant of the catalogue, whose codes may hold - and _ as well."""
    return label(code, None) if code else "01"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
