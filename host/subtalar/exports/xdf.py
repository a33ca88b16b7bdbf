"""XDF 1.0 (https://github.com/sccn/xdf/wiki/Specifications): a stream a sensor, a side, and one of text markers."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from subtalar.anatomy import measured_sides
from subtalar.exports.columns import ANGLES, SAMPLES, STRIDES, Column
from subtalar.exports.content import Event, GaitResults, Options, angle_rate_hz, session_header, session_stem
from subtalar.exports.gaps import GapRows
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.tables import angle_numbers, or_nan
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.model import Session
from subtalar.types import SIDES, AngleBlock, BodySite, FloatArray, Side

_FILE_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET, _STREAM_FOOTER = 1, 2, 3, 4, 6
_VALUES: Final = tuple(c for c in SAMPLES if c.name.startswith(("acc_", "gyr_", "device_", "host_")))
_ANGLE_VALUES: Final = tuple(c for c in ANGLES if c.kind == "number" and c.name != "time_s")
_STRIDE_VALUES: Final = tuple(c for c in STRIDES if c.kind in ("number", "integer"))
QUALITY: Final = Column("quality", "number", "", "Quality code of the angles, 0 = ok; see docs/export.md.")
_MARKER: Final = Column("marker", "text", "", "What happened; side and name follow behind colons.")


class XdfWriter(FormatWriter):
    """``NAME.xdf``. Time stamps are the session clock; a lost sample is a row of NaN."""

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        super().__init__(folder, target, session, options)
        self._file = self.files.enter_context((folder / f"{session_stem(session)}.xdf").open("wb"))
        self._file.write(b"XDF:")
        start = (session.start_utc or datetime(1970, 1, 1, tzinfo=UTC)).isoformat()
        known = "" if session.start_utc is None else f"<datetime>{start}</datetime>"
        self._chunk(_FILE_HEADER, f'<?xml version="1.0"?><info><version>1.0</version>{known}</info>'.encode())
        self._streams: dict[BodySite | Side, _Stream] = {}
        for site, info in session.sensors.items():
            self._streams[site] = self._open(site.value, "IMU", _VALUES, info.rate_hz, info.model)
        for side in measured_sides(session.sensors):
            rate_hz = angle_rate_hz(session, side)
            self._streams[side] = self._open(f"{side}_ankle", "Kinematics", (*_ANGLE_VALUES, QUALITY), rate_hz, "")

    def add_samples(self, block: TimedBlock) -> None:
        """Rows of one sensor; a sample without a time stays out."""
        used = block.used()
        s = used.samples
        device, host = or_nan(s.device_time_s, len(s)), or_nan(s.host_time_s, len(s))
        self._add(self._streams[s.site], used.time_s, np.column_stack((device, host, s.acc_m_s2, s.gyr_rad_s)))

    def add_angles(self, block: AngleBlock) -> None:
        """Rows of one side."""
        self._add(self._streams[block.side], block.time_s, angle_numbers(block))

    def finish(self, results: GaitResults) -> None:
        """Markers and footers."""
        markers = self._open("events", "Markers", (_MARKER,), 0.0, "")
        for time_s, marker in _markers(results.events):
            text = marker.encode()
            sample = struct.pack("<Bd", 8, time_s) + _length(len(text)) + text
            self._chunk(_SAMPLES, struct.pack("<I", markers.number) + _length(1) + sample)
            markers.note(np.array([time_s]))
        streams = [*self._streams.values(), markers]
        for side in SIDES:
            strides = [s for s in results.strides if s.side == side]
            if strides:
                stream = self._open(f"{side}_strides", "Strides", _STRIDE_VALUES, 0.0, "", number=len(streams) + 1)
                rows = np.array([[getattr(s, c.name) for c in _STRIDE_VALUES] for s in strides], dtype=np.float64)
                self._write_rows(stream, np.array([s.initial_contact_s for s in strides]), rows)
                streams.append(stream)
        for stream in streams:
            # One clock for all: nothing has to be corrected.
            for time_s in (stream.first_s, stream.last_s):
                self._chunk(_CLOCK_OFFSET, struct.pack("<Idd", stream.number, time_s, 0.0))
            footer = (
                f'<?xml version="1.0"?><info><first_timestamp>{stream.first_s!r}</first_timestamp>'
                f"<last_timestamp>{stream.last_s!r}</last_timestamp><sample_count>{stream.count}</sample_count></info>"
            )
            self._chunk(_STREAM_FOOTER, struct.pack("<I", stream.number) + footer.encode())

    def _open(
        self, name: str, kind: str, columns: Sequence[Column], rate_hz: float, model: str, number: int | None = None
    ) -> "_Stream":
        number = 1 + len(self._streams) if number is None else number
        text = kind == "Markers"
        channels = "".join(
            f"<channel><label>{escape(c.name)}</label><unit>{escape(c.unit)}</unit><type>{escape(c.kind)}</type>"
            f"<positive>{escape(c.sign)}</positive><description>{escape(c.meaning)}</description></channel>"
            for c in columns
        )
        session = session_header(self.session, self.options)
        extra = "".join(
            f"<{key}>{escape(str(session[key] or ''))}</{key}>"
            for key in ("software", "software_version", "session", "session_kind", "start_utc", "pass")
        )
        rules = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in session["conventions"].items())
        header = (
            f'<?xml version="1.0"?><info><name>{escape(name)}</name><type>{kind}</type>'
            f"<channel_count>{len(columns)}</channel_count><nominal_srate>{rate_hz!r}</nominal_srate>"
            f"<channel_format>{'string' if text else 'double64'}</channel_format>"
            f"<source_id>{escape(session['session'])}:{escape(name)}</source_id><version>1.1</version>"
            f"<desc><channels>{channels}</channels><model>{escape(model)}</model>{extra}"
            f"<conventions>{rules}</conventions></desc></info>"
        )
        self._chunk(_STREAM_HEADER, struct.pack("<I", number) + header.encode())
        return _Stream(number, len(columns), rate_hz)

    def _add(self, stream: "_Stream", time_s: FloatArray, rows: FloatArray) -> None:
        assert stream.gaps is not None
        self._write_rows(stream, *stream.gaps.fill(time_s, rows))

    def _write_rows(self, stream: "_Stream", time_s: FloatArray, rows: FloatArray) -> None:
        if len(time_s) == 0:
            return
        stream.note(time_s)
        samples = np.empty(len(time_s), dtype=[("size", "u1"), ("t", "<f8"), ("v", "<f8", (stream.width,))])
        samples["size"], samples["t"], samples["v"] = 8, time_s, rows
        self._chunk(_SAMPLES, struct.pack("<I", stream.number) + _length(len(time_s)) + samples.tobytes())

    def _chunk(self, tag: int, content: bytes) -> None:
        self._file.write(_length(len(content) + 2) + struct.pack("<H", tag) + content)


class _Stream:
    def __init__(self, number: int, width: int, rate_hz: float) -> None:
        self.number, self.width = number, width
        self.gaps = GapRows(rate_hz) if rate_hz else None
        self.count = 0
        self.first_s = self.last_s = 0.0

    def note(self, time_s: FloatArray) -> None:
        if self.count == 0:
            self.first_s = float(time_s[0])
        self.last_s = float(time_s[-1])
        self.count += len(time_s)


def _markers(events: Sequence[Event]) -> list[tuple[float, str]]:
    """Such as ``initial_contact:right``, or ``marker:standing`` and ``marker_end:standing`` for a stretch, by time."""
    markers = []
    for e in events:
        rest = "".join(f":{part}" for part in (e.side, e.label) if part)
        markers.append((e.time_s, e.event + rest))
        if e.duration_s > 0:
            markers.append((e.time_s + e.duration_s, f"{e.event}_end{rest}"))
    return sorted(markers, key=lambda marker: marker[0])


def _length(number: int) -> bytes:
    """A length as XDF wants it: how many bytes the number takes, then the number."""
    if number < 256:
        return struct.pack("<BB", 1, number)
    if number < 2**32:
        return struct.pack("<BI", 4, number)
    return struct.pack("<BQ", 8, number)
