"""C3D (https://www.c3d.org): angles as points, samples as analog channels, gait events; by the library ezc3d.

A C3D file has one even grid of frames and room for 255 events, so a session becomes parts of a minute at most.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import ezc3d
import numpy as np
import numpy.typing as npt

from subtalar import __version__
from subtalar.anatomy import ANGLES, ANKLE, FURTHER
from subtalar.errors import InputError
from subtalar.exports.content import Event, GaitResults, Options, angle_rate_hz, session_stem, sides_with_ankle
from subtalar.exports.gaps import nearest, on_grid
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.interleave import join
from subtalar.session.model import Session
from subtalar.types import AngleBlock, BodySite, FloatArray, SampleBlock, Side

PART_S: Final = 60.0
MOST_EVENTS: Final = 255
_LABELS: Final = {"initial_contact": "Foot Strike", "foot_off": "Foot Off"}
_LARGEST_TEXT: Final = 120
_CHANNELS: Final = (
    *((f"Acc{a}", "m/s2", f"specific force, sensor {a} axis") for a in "XYZ"),
    *((f"Gyr{a}", "rad/s", f"angular velocity, sensor {a} axis") for a in "XYZ"),
    ("Time", "ms", "when the sample was measured, after the instant of the frame"),
)


def _short(site: BodySite) -> str:
    """``LFoot``."""
    return site.side[0].upper() + site.segment.capitalize()


class _Angles(NamedTuple):
    """What a C3D file takes of a side's angles, as in ``AngleBlock``."""

    time_s: FloatArray
    angles_deg: FloatArray
    angles_sd_deg: FloatArray
    quality: npt.NDArray[np.uint8]


class C3dWriter(FormatWriter):
    """``NAME_01.c3d`` and so on. Holds the whole session until its end."""

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        self._rate_hz = max(info.rate_hz for info in session.sensors.values())
        self._samples: dict[BodySite, list[TimedBlock]] = {site: [] for site in session.sensors}
        self._angles: dict[Side, list[_Angles]] = {}

    def add_samples(self, block: TimedBlock) -> None:
        """Kept until the end."""
        self._samples[block.samples.site].append(_without_arrivals(block.used()))

    def add_angles(self, block: AngleBlock) -> None:
        """Kept until the end."""
        kept = _Angles(
            block.time_s.copy(),
            block.angles_deg.copy(),
            block.angles_sd_deg.copy(),
            block.quality.copy(),
        )
        self._angles.setdefault(block.side, []).append(kept)

    def finish(self, results: GaitResults) -> None:
        """Cut into parts and written."""
        sensors = {site: _joined(self._samples.pop(site)) for site in list(self._samples) if self._samples[site]}
        tracks = {side: _all(self._angles.pop(side)) for side in sorted(self._angles)}
        ends = [(float(s.time_s[0]), float(s.time_s[-1])) for s in sensors.values() if len(s.time_s)]
        if not ends:
            raise InputError("No sample of this session can be used, so there is nothing to put into a C3D file.")
        events = [e for e in results.events if e.event in (*_LABELS, "marker")]
        first_s, last_s = min(a for a, _ in ends), max(b for _, b in ends)
        for number, (start, stop) in enumerate(self._parts(first_s, last_s, events), start=1):
            grid_s = first_s + np.arange(start, stop) / self._rate_hz
            path = self.folder / f"{session_stem(self.session)}_{number:02d}.c3d"
            self._write(path, grid_s, sensors, tracks, events)

    def _parts(self, first_s: float, last_s: float, events: Sequence[Event]) -> Iterator[tuple[int, int]]:
        """First frame and the one after the last: a minute, less where there are too many events in it."""
        frames = int(np.floor((last_s - first_s) * self._rate_hz)) + 1
        longest = max(1, min(round(PART_S * self._rate_hz), 65_000))
        times = np.array(sorted(e.time_s for e in events))
        at = np.rint((times - first_s) * self._rate_hz)
        start = 0
        while start < frames:
            stop = min(frames, start + longest)
            inside = at[at >= start]
            if len(inside) > MOST_EVENTS:
                stop = max(start + 1, min(stop, int(inside[MOST_EVENTS])))
            yield start, stop
            start = stop

    def _write(
        self,
        path: Path,
        grid_s: FloatArray,
        sensors: dict[BodySite, TimedBlock],
        tracks: dict[Side, _Angles],
        events: Sequence[Event],
    ) -> None:
        file = ezc3d.c3d()
        self._points(file, grid_s, tracks)
        self._analogs(file, grid_s, sensors, tracks)
        self._events(file, grid_s, events)
        content = {
            "VERSION": [__version__],
            "SESSION": [_ascii(session_stem(self.session))],
            "START_UTC": ["" if self.session.start_utc is None else self.session.start_utc.isoformat()],
            "PASS": ["smoothed" if self.options.smooth else "live"],
            "FIRST_FRAME_S": [float(grid_s[0])],
        }
        for name, value in content.items():
            file.add_parameter("SUBTALAR", name, value)
        file.add_parameter("MANUFACTURER", "COMPANY", ["subtalar"])
        file.add_parameter("MANUFACTURER", "SOFTWARE", ["subtalar"])
        file.add_parameter("MANUFACTURER", "VERSION_LABEL", [__version__])
        try:
            file.write(str(path))
        except RuntimeError as error:
            raise InputError(f"{path.name} cannot be written by ezc3d ({error}): check the free space.") from error

    def _points(self, file: Any, grid_s: FloatArray, tracks: dict[Side, _Angles]) -> None:
        """The three ankle angles as x, y, z of a point of type angle, and their sd as another."""
        labels, texts, values = [], [], []
        for side in sides_with_ankle(self.session):
            track = tracks.get(side)
            for ending, what in (("", "dorsiflexion, inversion, internal tibial rotation"), ("_SD", "their sd")):
                labels.append(f"{side[0].upper()}AnkleISB{ending}")
                texts.append(f"x, y, z: {what}; deg, ISB Cardan Z-X'-Y''")
                rows = np.full((len(grid_s), 3), np.nan)
                if track is not None:
                    own = (track.angles_sd_deg if ending else track.angles_deg)[:, ANKLE]
                    rows = on_grid(grid_s, track.time_s, own, self._angle_rate(side))
                values.append(rows)
        parameters = file["parameters"]["POINT"]
        parameters["RATE"]["value"] = [self._rate_hz]
        parameters["UNITS"]["value"] = ["deg"]
        parameters["LABELS"]["value"] = labels
        parameters["DESCRIPTIONS"]["value"] = texts
        file.add_parameter("POINT", "ANGLES", labels or [""])
        file.add_parameter("POINT", "ANGLE_UNITS", ["deg"])
        points = np.ones((4, len(labels), len(grid_s)))
        for k, rows in enumerate(values):
            points[:3, k] = rows.T
        file["data"]["points"] = points
        unknown = np.isnan(points[:3]).any(axis=0)
        file["data"]["meta_points"]["residuals"] = np.where(unknown, -1.0, 0.0)[None]
        file["data"]["meta_points"]["camera_masks"] = np.zeros((7, len(labels), len(grid_s)), dtype=bool)

    def _analogs(
        self, file: Any, grid_s: FloatArray, sensors: dict[BodySite, TimedBlock], tracks: dict[Side, _Angles]
    ) -> None:
        """Samples as they were measured, the nearest to each frame; angles beside the ankle's; NaN in gaps."""
        channels: list[tuple[str, str, str]] = []
        rows: list[FloatArray] = []
        for site, timed in sensors.items():
            best = nearest(grid_s, timed.time_s, self.session.sensors[site].rate_hz)
            s, known = timed.samples, best >= 0
            late_ms = 1000.0 * (timed.time_s[best] - grid_s)
            values = np.column_stack((s.acc_m_s2[best], s.gyr_rad_s[best], late_ms))
            values[~known] = np.nan
            rows += list(values.T)
            channels += [(f"{_short(site)}.{name}", unit, text) for name, unit, text in _CHANNELS]
        for side, track in tracks.items():
            values = on_grid(grid_s, track.time_s, track.angles_deg[:, FURTHER], self._angle_rate(side))
            best = nearest(grid_s, track.time_s, self._angle_rate(side))
            quality = np.where(best >= 0, track.quality[best].astype(np.float64), np.nan)
            rows += [*values.T, quality]
            for angle in ANGLES[FURTHER]:
                channels.append((f"{side[0].upper()}.{angle.name}", "deg", f"{angle.meaning} + {angle.sign}"))
            channels.append((f"{side[0].upper()}.quality", "", "quality code of the angles, 0 = ok"))
        parameters = file["parameters"]["ANALOG"]
        parameters["RATE"]["value"] = [self._rate_hz]
        parameters["LABELS"]["value"] = [name for name, _, _ in channels]
        parameters["UNITS"]["value"] = [unit for _, unit, _ in channels]
        parameters["DESCRIPTIONS"]["value"] = [text[:_LARGEST_TEXT] for _, _, text in channels]
        parameters["SCALE"]["value"] = [1.0] * len(channels)
        parameters["OFFSET"]["value"] = [0] * len(channels)
        file["data"]["analogs"] = np.array(rows)[None]

    def _events(self, file: Any, grid_s: FloatArray, events: Sequence[Event]) -> None:
        """Times in seconds after the first frame of the part, as minutes and seconds."""
        half_s = 0.5 / self._rate_hz
        inside = [e for e in events if grid_s[0] - half_s <= e.time_s < grid_s[-1] + half_s][:MOST_EVENTS]
        times = [max(0.0, e.time_s - float(grid_s[0])) for e in inside]
        file.add_parameter("EVENT", "USED", len(inside))
        if not inside:
            return
        file.add_parameter("EVENT", "CONTEXTS", [e.side.capitalize() or "General" for e in inside])
        file.add_parameter("EVENT", "LABELS", [_LABELS.get(e.event) or _ascii(e.label) for e in inside])
        file.add_parameter("EVENT", "DESCRIPTIONS", ["gait event" if e.side else "marker" for e in inside])
        file.add_parameter("EVENT", "SUBJECTS", ["" for _ in inside])
        file.add_parameter("EVENT", "ICON_IDS", [1 if e.event == "initial_contact" else 2 for e in inside])
        file.add_parameter("EVENT", "GENERIC_FLAGS", [0] * len(inside))
        file.add_parameter("EVENT", "TIMES", np.array([[t // 60.0 for t in times], [t % 60.0 for t in times]]))

    def _angle_rate(self, side: Side) -> float:
        return angle_rate_hz(self.session, side)


def _all(parts: Sequence[_Angles]) -> _Angles:
    return _Angles(
        np.concatenate([p.time_s for p in parts]),
        np.concatenate([p.angles_deg for p in parts]),
        np.concatenate([p.angles_sd_deg for p in parts]),
        np.concatenate([p.quality for p in parts]),
    )


def _without_arrivals(timed: TimedBlock) -> TimedBlock:
    """Only what is used: the arrays of a block may be views of something larger."""
    s, time_s = timed.samples, timed.time_s.copy()
    return TimedBlock(SampleBlock(s.site, None, time_s, s.acc_m_s2.copy(), s.gyr_rad_s.copy()), time_s)


def _joined(blocks: Sequence[TimedBlock]) -> TimedBlock:
    return TimedBlock(join([b.samples for b in blocks]), np.concatenate([b.time_s for b in blocks]))


def _ascii(text: str) -> str:
    """C3D knows no other letters, and a text of 255 at most."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain.encode("ascii", "replace").decode()[:_LARGEST_TEXT]
