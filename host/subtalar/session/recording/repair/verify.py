"""Check every byte of a recording, and make a clean one of what can be read."""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from mcap.opcode import Opcode

from subtalar.errors import InputError, RecordingError
from subtalar.session.durable_file import DurableFile, is_being_written
from subtalar.session.recording.format.schema import SESSION_TOPIC, TOTALS_TOPIC
from subtalar.session.recording.read.container import MAGIC, RECORD_HEAD, ChunkEnd, Scanner
from subtalar.session.recording.read.item_stream import open_file, read_header, scan_messages
from subtalar.session.recording.read.scan import RecordingScan, places, scan_recording
from subtalar.session.recording.write.mcap_writer import RecordingWriter

VerifyStatus = Literal["ok", "not_closed", "damaged"]
_READ_STEP = 2**20
_FOOTER_SIZE = RECORD_HEAD.size + 8 + 8 + 4


@dataclass(frozen=True)
class VerifyReport:
    """How a session is. ``text`` is one sentence for a person; ``lost_bytes`` could not be used."""

    path: Path
    status: VerifyStatus
    readable_s: float
    sample_count: int
    chunks: int
    damaged_places: int
    lost_bytes: int
    text: str


def verify_recording(path: Path) -> VerifyReport:
    """Every checksum in the file. Raises InputError where it is no recording of ours at all."""
    found = scan_recording(path)
    bytes_altered = found.closed and not found.damaged and not _checksums_hold(path, found.data_end_offset)
    readable = f"{found.totals.duration_s:.1f} s with {found.totals.samples.total()} samples can be read"
    status: VerifyStatus
    if found.damaged or bytes_altered:
        status = "damaged"
        cause = _damage_sentence(found) if found.damaged else "bytes outside the measured data were altered"
        text = f"{path.name} is damaged ({cause}): {readable}; 'subtalar session recover' makes a clean file of it."
    elif not found.closed:
        status = "not_closed"
        cause = "is still being recorded" if found.being_written else "was not closed, as after a crash"
        advice = "" if found.being_written else "; 'subtalar session recover' makes a clean file of it"
        text = f"{path.name} {cause}: {readable}{advice}."
    else:
        status = "ok"
        text = f"{path.name} is whole: {readable}."
    return VerifyReport(
        path,
        status,
        found.totals.duration_s,
        found.totals.samples.total(),
        found.chunks,
        len(found.damages) + bytes_altered,
        sum(d.length for d in found.damages),
        text,
    )


def recover(file: str | Path, out: str | Path) -> VerifyReport:
    """Write all that can be read from ``file`` into the new recording ``out``, and close it; ``file`` is not touched.

    Messages of a kind that only a newer version knows are not copied.

    Returns the report on ``out``. Raises InputError where ``file`` is not a recording or is still being written, and
    RecordingError where ``out`` exists or cannot be written (nothing of it is left then).
    """
    source, target = Path(file), Path(out)
    if not source.is_file():
        raise InputError(f"There is no recording {source}: check the name and the folder.")
    if is_being_written(source):
        raise InputError(f"{source} is being recorded at this moment: stop that first.")
    found = scan_recording(source)
    copy = DurableFile(target)
    try:
        _copy(source, copy, found)
        copy.sync()
    except BaseException as error:
        copy.close()
        target.unlink(missing_ok=True)
        if isinstance(error, RecordingError) and isinstance(error.__cause__, OSError):
            raise RecordingError(
                f"{target} cannot be written whole ({error.__cause__.strerror}) and has been removed again; "
                f"{source} is as it was: name another place with --out."
            ) from error
        raise
    copy.close()
    return verify_recording(target)


def _copy(source: Path, copy: DurableFile, found: RecordingScan) -> None:
    header = read_header(source)
    writer = RecordingWriter(copy, header.raw, list(header.sensors), header.start_utc)
    with open_file(source) as file:
        for message in scan_messages(Scanner(file), header):
            if isinstance(message, ChunkEnd):
                writer.flush()
            elif message.topic in header.topics and message.topic not in (SESSION_TOPIC, TOTALS_TOPIC):
                writer.add_at(message.topic, message.log_time_ns, message.data, message.sequence)
    writer.finish(found.totals)


def _damage_sentence(found: RecordingScan) -> str:
    if found.damages:
        return f"{sum(d.length for d in found.damages)} bytes in {places(len(found.damages))} cannot be used"
    return "samples that were written are missing"


def _checksums_hold(path: Path, data_end_offset: int | None) -> bool:
    """Whether the CRC of the data section and that of the summary are right (MCAP specification, DataEnd, Footer)."""
    if data_end_offset is None:
        return False
    with open_file(path) as file:
        crc = 0
        left = data_end_offset
        while left > 0:
            data = file.read(min(_READ_STEP, left))
            if not data:
                return False
            crc = zlib.crc32(data, crc)
            left -= len(data)
        data_end = file.read(RECORD_HEAD.size + 4)
        if data_end != RECORD_HEAD.pack(Opcode.DATA_END, 4) + struct.pack("<I", crc):
            return False
        return _summary_holds(file, data_end_offset + len(data_end))


def _summary_holds(file: IO[bytes], summary_start: int) -> bool:
    size = file.seek(0, io.SEEK_END)
    file.seek(summary_start)
    rest = file.read(size - summary_start)
    if len(rest) < _FOOTER_SIZE + len(MAGIC) or not rest.endswith(MAGIC):
        return False
    footer_at = len(rest) - len(MAGIC) - _FOOTER_SIZE
    covered, stated = rest[: footer_at + _FOOTER_SIZE - 4], rest[footer_at + _FOOTER_SIZE - 4 :][:4]
    return struct.pack("<I", zlib.crc32(covered)) == stated
