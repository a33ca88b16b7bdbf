"""A shorter recording from a longer one: every kind of message, the same bits, the same clock."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subtalar.errors import InputError
from subtalar.session.opening import is_recording
from subtalar.session.recording.edit.cut import Cut
from subtalar.session.recording.edit.rewrite import changed_header, write_new
from subtalar.session.recording.format.schema import CALIBRATION_TOPIC, SESSION_TOPIC, TOTALS_TOPIC, message_class
from subtalar.session.recording.read.container import Scanner
from subtalar.session.recording.read.item_stream import (
    RecordingHeader,
    TopicMessage,
    open_file,
    read_header,
    scan_messages,
)
from subtalar.session.recording.read.scan import scan_recording
from subtalar.session.recording.repair.verify import VerifyReport
from subtalar.session.recording.write.mcap_writer import RecordingWriter


def trim(
    source: str | Path, out: str | Path, *, from_s: float | None = None, to_s: float | None = None
) -> VerifyReport:
    """Write what arrived from ``from_s`` to ``to_s`` (session clock, as in ``angles.csv``) into the new file ``out``.

    ``source`` is not touched. Ledgers count anew from ``from_s``; of earlier calibrations, the last of each leg stays.
    Raises InputError where that is no recording or nothing lies there, RecordingError where ``out`` cannot be written.
    """
    source, out = Path(source).expanduser(), Path(out).expanduser()
    if not source.is_file():
        raise InputError(f"There is no recording {source}: check the name and the folder.")
    if not is_recording(source):
        raise InputError(f"{source} is no recording made by subtalar: only those can be trimmed.")
    found = scan_recording(source)
    first_s, last_s = found.totals.first_arrival_s, found.totals.last_arrival_s
    if first_s is None or last_s is None:
        raise InputError(f"{source} holds no samples: there is nothing to cut.")
    begin_s = -math.inf if from_s is None else from_s
    end_s = math.inf if to_s is None else to_s
    if not begin_s < end_s or begin_s > last_s or end_s <= first_s:
        raise InputError(
            f"Nothing of {source.name} lies there: it goes from {first_s:.1f} s to {last_s:.1f} s, "
            "and --from must be less than --to."
        )
    header = read_header(source)
    rates_hz = {site.value: sensor.rate_hz for site, sensor in header.sensors.items()}
    cut = Cut(begin_s, end_s, rates_hz, header.is_later_part)
    origin = {
        "kind": "trimmed",
        "of": source.name,
        "of_id": header.recording_id,
        "from_s": first_s if from_s is None else max(from_s, first_s),
        "to_s": last_s if to_s is None else min(to_s, last_s),
    }
    if header.origin:
        origin["from"] = header.origin

    def fill(writer: RecordingWriter) -> None:
        _copy(source, header, cut, writer)
        ledgers = cut.ledger.settle(cut.kept)
        if ledgers:
            last = message_class("StatusSnapshot")(time_s=cut.last_s or 0.0, sensors=list(ledgers.values()))
            writer.add("/status", cut.last_s or 0.0, bytes(last.SerializeToString()))
        writer.finish_with(_totals(cut, ledgers), cut.last_s or 0.0)

    return write_new(out, changed_header(header, origin), list(header.sensors), header.start_utc, fill)


def _copy(source: Path, header: RecordingHeader, cut: Cut, writer: RecordingWriter) -> None:
    earlier: dict[str, TopicMessage] = {}
    with open_file(source) as file:
        for message in scan_messages(Scanner(file), header):
            if not isinstance(message, TopicMessage):
                writer.flush()
                continue
            name = header.topics.get(message.topic)
            if name is None or message.topic in (SESSION_TOPIC, TOTALS_TOPIC):
                continue
            if message.topic == CALIBRATION_TOPIC:
                known = message_class(name).FromString(message.data)
                if known.time_s < cut.from_s:
                    earlier[known.side] = message
                    continue
            rest = cut.message(name, message.data)
            if rest:
                writer.add_at(message.topic, message.log_time_ns, rest, message.sequence)
        for message in earlier.values():
            writer.add_at(message.topic, message.log_time_ns, message.data, message.sequence)
    writer.flush()


def _totals(cut: Cut, ledgers: Mapping[str, Any]) -> bytes:
    """As a recorder would have written them."""
    message = message_class("Totals")(first_arrival_s=cut.first_s, last_arrival_s=cut.last_s, strides=cut.strides)
    for site in {**dict.fromkeys(cut.kept), **dict.fromkeys(ledgers)}:
        entry = message.sites.add(site=site, samples=cut.kept.get(site, 0))
        if site in ledgers:
            entry.status.CopyFrom(ledgers[site])
    return bytes(message.SerializeToString())
