"""A recording of ours as a session: one pass to check and count it, further passes for the samples."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from subtalar.session import checks
from subtalar.session.interleave import join
from subtalar.session.model import MINIMUM_DURATION_S, Annotation, BlockSource, Session
from subtalar.session.recording.format.messages import ArrivedBlock, counted_since
from subtalar.session.recording.format.schema import message_class
from subtalar.session.recording.read import sample_cache as cache
from subtalar.session.recording.read.container import Scanner
from subtalar.session.recording.read.item_stream import (
    RecordingHeader,
    TopicMessage,
    decode_items,
    open_file,
    read_header,
    scan_messages,
)
from subtalar.session.recording.read.scan import RecordingScan, places, scan_recording
from subtalar.types import BodySite, Ledger, SampleBlock


def open_recording(path: Path, *, minimum_s: float = MINIMUM_DURATION_S, cached: bool = False) -> Session:
    """Open a recording, closed or cut. Raises InputError where it is not one, or too short.

    ``cached``: the samples come from the user's cache (``cache.py``), and are put there when they are not in it yet.
    """
    cached = cached and path.stat().st_size >= cache.SMALLEST_BYTES
    samples = cache.find(path) if cached else None
    if samples is not None:
        return _from_cache(path, samples, minimum_s)
    found = scan_recording(path)
    facts = _facts(path, found)
    session = _session(path, found.header, facts, minimum_s, lambda block_s: _read_blocks(path, block_s))
    if cached and found.closed and not found.damaged and not found.being_written:
        samples = cache.fill(path, read_blocks(path), facts)
        if samples is not None:
            return _from_cache(path, samples, minimum_s)
    return session


def _from_cache(path: Path, samples: cache.CachedSamples, minimum_s: float) -> Session:
    return _session(path, read_header(path), samples.facts, minimum_s, samples.blocks)


def _facts(path: Path, found: RecordingScan) -> dict[str, Any]:
    """What a scan_recording says of a session, as JSON can hold it."""
    return {
        "recording_id": found.header.recording_id,
        "duration_s": found.totals.duration_s,
        "sample_count": found.totals.samples.total(),
        "strides": found.strides,
        "closed": found.closed,
        "annotations": [asdict(marker) for marker in found.markers],
        "ledger": {site.value: asdict(_ledger(found, site)) for site in found.header.sensors},
        "notes": list(_notes(path, found)),
    }


def _session(
    path: Path, header: RecordingHeader, facts: Mapping[str, Any], minimum_s: float, source: BlockSource
) -> Session:
    checks.check_duration(path.name, facts["duration_s"], minimum_s)
    return Session(
        path=path,
        kind="recording",
        sensors=header.sensors,
        annotations=tuple(Annotation(**marker) for marker in facts["annotations"]),
        duration_s=facts["duration_s"],
        sample_count=facts["sample_count"],
        ledger={BodySite(site): Ledger(**ledger) for site, ledger in facts["ledger"].items()},
        start_utc=header.start_utc,
        strides=facts["strides"],
        notes=(*origin_notes(header.origin), *facts["notes"], *checks.one_sensor_notes(header.sensors)),
        closed=facts["closed"],
        files=(path,),
        recording_id=header.recording_id,
        origin=header.origin,
        software_version=header.software_version,
        configuration=header.configuration,
        _source=source,
    )


def read_blocks(path: Path) -> Iterator[ArrivedBlock]:
    """All sample blocks of a recording exactly as they were handed to the estimator, in that order."""
    header = read_header(path)
    with open_file(path) as file:
        group: list[ArrivedBlock] = []
        group_number = -1
        for message in scan_messages(Scanner(file), header):
            if not isinstance(message, TopicMessage) or not message.topic.startswith("/samples/"):
                continue
            number = message_class("Samples").FromString(message.data).group
            if number != group_number:
                yield from _in_sequence(group)
                group, group_number = [], number
            group.extend(_decode(header, message))
        yield from _in_sequence(group)


def _read_blocks(path: Path, block_s: float | None) -> Iterator[SampleBlock]:
    if block_s is None:
        for arrived in read_blocks(path):
            yield arrived.block
        return
    pending: dict[BodySite, list[SampleBlock]] = {}
    window: float | None = None
    for arrived in read_blocks(path):
        block = arrived.block
        here = math.floor(arrived.arrival_s / block_s)
        if window is None or here > window:
            for blocks in pending.values():
                yield join(blocks)
            pending, window = {}, here
        waiting = pending.setdefault(block.site, [])
        if waiting and not _same_times(waiting[-1], block):
            yield join(waiting)
            waiting.clear()
        waiting.append(block)
    for blocks in pending.values():
        yield join(blocks)


def _same_times(a: SampleBlock, b: SampleBlock) -> bool:
    return (a.device_time_s is None, a.host_time_s is None) == (b.device_time_s is None, b.host_time_s is None)


def _decode(header: RecordingHeader, message: TopicMessage) -> Iterator[ArrivedBlock]:
    return (item for item in decode_items(header, message) if isinstance(item, ArrivedBlock))


def _in_sequence(group: list[ArrivedBlock]) -> list[ArrivedBlock]:
    return sorted(group, key=lambda a: a.sequence)


def _ledger(found: RecordingScan, site: BodySite) -> Ledger:
    """The last ledger that the device layer wrote; without one, what the nominal rate lets one guess.

    What damage has taken out of the file counts as lost: nobody can use it.
    """
    status = found.totals.status.get(site)
    received = found.totals.samples[site]
    if status is not None:
        ledger = status.ledger
        if found.header.is_later_part:
            ledger = counted_since(ledger, found.begun[site].ledger)
        if received > ledger.received:  # samples before the first status that counts, or between the last and a crash
            ledger = replace(ledger, received=received)
        gone = max(0, ledger.received - received) if found.damaged else 0
        return replace(ledger, received=ledger.received - gone, lost=ledger.lost + gone)
    expected = round(found.totals.duration_s * found.header.sensors[site].rate_hz)
    return Ledger(received=received, lost=max(0, expected - received), lost_is_estimated=True)


def origin_notes(origin: Mapping[str, Any]) -> Iterator[str]:
    """A sentence on a recording that is a part of another."""
    match origin.get("kind"):
        case "continuation":
            yield (
                f"This is part {origin['part']} of a session, from {origin['from_s']:.1f} s on: it continues "
                f"{origin['of']}, whose disk failed; 'subtalar session join' makes one recording of both."
            )
        case "trimmed":
            yield f"This was cut from {origin['of']}: {origin['from_s']:.1f} s to {origin['to_s']:.1f} s of it."
        case "joined":
            yield f"This was joined from {' and '.join(origin['of'])}."
        case _:
            return


def _notes(path: Path, found: RecordingScan) -> tuple[str, ...]:
    notes = []
    if found.being_written:
        notes.append(f"{path.name} is still being recorded: this is what had reached the disk.")
    elif not found.closed:
        notes.append(
            f"{path.name} was not closed (the program was stopped): {found.totals.duration_s:.1f} s can be read."
        )
    if found.damaged:
        lost = "some" if found.written_samples is None else str(found.written_samples - found.totals.samples.total())
        notes.append(f"{path.name} is damaged in {places(max(1, len(found.damages)))}: {lost} samples are lost.")
    return tuple(notes)
