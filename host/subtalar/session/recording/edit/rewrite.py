"""Make a new recording from messages of others: the staging, the check, the one sentence where the disk says no."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from subtalar.errors import RecordingError
from subtalar.session.durable_file import DurableFile, check_new, is_being_written, sync_folder
from subtalar.session.recording.format.schema import FORMAT_VERSION, message_class
from subtalar.session.recording.read.item_stream import RecordingHeader
from subtalar.session.recording.repair.verify import VerifyReport, verify_recording
from subtalar.session.recording.write.mcap_writer import RecordingWriter


def changed_header(header: RecordingHeader, origin: dict[str, Any] | None) -> bytes:
    """The ``SessionHeader`` of a new recording made of this one; fields that this version does not know stay."""
    message = message_class("SessionHeader").FromString(header.raw)
    message.format_version = FORMAT_VERSION  # it is this program that writes
    message.recording_id = uuid.uuid4().hex
    message.origin_json = json.dumps(origin, sort_keys=True) if origin else ""
    return bytes(message.SerializeToString())


def write_new(
    target: Path,
    header_bytes: bytes,
    sites: list[Any],
    start_utc: datetime,
    fill: Callable[[RecordingWriter], None],
) -> VerifyReport:
    """Write ``target``, which must not exist, by way of a staging name; it appears when it is whole, or not at all.

    Raises RecordingError in one sentence.
    """
    target = target.expanduser()
    check_new(target)
    staging = target.with_name(f".{target.name}.unfinished")
    if not is_being_written(staging):  # else the line after next refuses it
        staging.unlink(missing_ok=True)
    file = DurableFile(staging)
    try:
        writer = RecordingWriter(file, header_bytes, sites, start_utc)
        fill(writer)
        file.sync()
        file.close()
        report = verify_recording(staging)
        check_new(target)
        staging.rename(target)
        sync_folder(target.parent)
    except BaseException as error:
        file.close()
        staging.unlink(missing_ok=True)
        if isinstance(error, RecordingError) and isinstance(error.__cause__, OSError):
            raise RecordingError(
                f"{target} cannot be written whole ({error.__cause__.strerror}) and has been removed again: "
                "name another place with --out."
            ) from error
        raise
    return VerifyReport(
        target,
        report.status,
        report.readable_s,
        report.sample_count,
        report.chunks,
        report.damaged_places,
        report.lost_bytes,
        report.text.replace(staging.name, target.name),
    )
