"""A trimmed or joined recording holds every kind of message, the same bits, and says what it is."""

import math

import numpy as np
import pytest

from subtalar.errors import InputError, RecordingError
from subtalar.session import Annotation, RawChunk, Recorder, read_blocks, read_header, read_items, session_info, verify
from subtalar.session.recording.edit.join import join_parts
from subtalar.session.recording.edit.trim import trim
from subtalar.types import AngleBlock, BodySite, Calibration, Estimates, Ledger, SensorStatus, Stride

FROM_S, TO_S = 3.0, 8.0


def calibration(time_s: float) -> Calibration:
    return Calibration("right", time_s, "walk", 3, foot_placement=(1.0, 0.0, 0.0, 0.0), heading_rad=0.1 * time_s)


@pytest.fixture
def recorded(tmp_path, make):
    path = tmp_path / "visit é 1.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        received = dict.fromkeys((s.site for s in make.sensors()), 0)
        next_s = 0.0
        for k, block in enumerate(make.blocks(12.0)):
            t = float(block.host_time_s[-1])
            recorder.write_chunk(block.site, t, bytes([k % 256]) * 3)
            recorder.write_block(block)
            received[block.site] += len(block)
            if t >= next_s:
                found = make.estimates(t)
                recorder.write_estimates(
                    Estimates(found.angles, found.events, (make.stride(t),), found.notices, (calibration(t),))
                )
                status = [SensorStatus(s, "streaming", ledger=Ledger(received[s.site], int(t))) for s in make.sensors()]
                recorder.write_status(status, t)
                recorder.sync()
                next_s += 0.5
        recorder.write_marker(Annotation("walking", 2.0, 6.0))
        recorder.write_marker(Annotation("late", 11.0, 11.0))
    return path


@pytest.fixture
def trimmed(recorded, tmp_path):
    out = tmp_path / "trimmed.mcap"
    report = trim(recorded, out, from_s=FROM_S, to_s=TO_S)
    assert report.status == "ok"
    return out


def rows_inside(blocks):
    return [
        (b.site, t, b.acc_m_s2[k].tobytes(), b.gyr_rad_s[k].tobytes())
        for b in blocks
        for k, t in enumerate(b.host_time_s)
        if FROM_S <= t < TO_S
    ]


def test_samples_and_raw_bytes_are_cut_alike_and_are_the_same_bits(recorded, trimmed):
    whole, part = (([a.block for a in read_blocks(p)]) for p in (recorded, trimmed))
    expected = rows_inside(whole)
    assert len(expected) > 900
    assert rows_inside(part) == expected
    assert sum(map(len, part)) == len(expected)
    raw_whole, raw_part = ([i for i in read_items(p) if isinstance(i, RawChunk)] for p in (recorded, trimmed))
    assert raw_part == [c for c in raw_whole if FROM_S <= c.arrival_s < TO_S]
    assert len(raw_part) > 100


def test_no_kind_of_message_is_lost(recorded, trimmed):
    whole, part = ({type(i) for i in read_items(p)} for p in (recorded, trimmed))
    assert part == whole
    items = list(read_items(trimmed))
    angles = [i for i in items if isinstance(i, AngleBlock)]
    assert all(((a.time_s >= FROM_S) & (a.time_s < TO_S)).all() for a in angles)
    for stride in (i for i in items if isinstance(i, Stride)):
        assert stride.initial_contact_s >= FROM_S
        assert stride.initial_contact_s + stride.stride_time_s <= TO_S
    assert [i for i in items if isinstance(i, Annotation)] == [Annotation("walking", FROM_S, 6.0)]
    calibrations = sorted(i.time_s for i in items if isinstance(i, Calibration))
    assert sum(t < FROM_S for t in calibrations) == 1  # what was known when the cut begins
    assert calibrations[0] > FROM_S - 0.6


def test_totals_and_ledger_are_those_of_the_cut(recorded, trimmed):
    facts = session_info(trimmed)
    per_site = {site: sum(len(a.block) for a in read_blocks(trimmed) if a.block.site == site) for site in BodySite}
    assert facts["samples"] == sum(per_site.values())
    for site, ledger in facts["ledger"].items():
        assert ledger["received"] == per_site[BodySite(site)]
        assert ledger["lost"] in (4, 5)  # one a second in the whole, of which twelve
    assert facts["strides"] == sum(isinstance(i, Stride) for i in read_items(trimmed))
    assert facts["duration_s"] == pytest.approx(TO_S - FROM_S, abs=0.1)


def test_it_says_that_it_was_trimmed_and_of_what(recorded, trimmed):
    whole, part = read_header(recorded), read_header(trimmed)
    assert part.origin["kind"] == "trimmed"
    assert part.origin["of"] == recorded.name
    assert part.origin["of_id"] == whole.recording_id != part.recording_id
    assert (part.origin["from_s"], part.origin["to_s"]) == (FROM_S, TO_S)
    assert part.start_utc == whole.start_utc
    assert any("was cut from visit é 1.mcap: 3.0 s to 8.0 s" in note for note in session_info(trimmed)["notes"])


def test_an_open_end_and_an_open_beginning(recorded, tmp_path):
    trim(recorded, tmp_path / "a.mcap", to_s=6.0)
    trim(recorded, tmp_path / "b.mcap", from_s=6.0)
    whole, a, b = (
        sum(len(x.block) for x in read_blocks(p)) for p in (recorded, tmp_path / "a.mcap", tmp_path / "b.mcap")
    )
    assert a + b == whole


def test_what_cannot_be_trimmed(recorded, tmp_path):
    with pytest.raises(InputError, match=r"goes from 0\.0 s to 12\.0 s"):
        trim(recorded, tmp_path / "a.mcap", from_s=20.0)
    with pytest.raises(InputError, match="--from must be less than --to"):
        trim(recorded, tmp_path / "a.mcap", from_s=5.0, to_s=5.0)
    with pytest.raises(RecordingError, match="never overwritten"):
        trim(recorded, recorded, from_s=5.0)
    (tmp_path / "x.mcap").write_text("x")
    with pytest.raises(InputError, match="no recording made by subtalar"):
        trim(tmp_path / "x.mcap", tmp_path / "a.mcap", from_s=5.0)
    assert not (tmp_path / "a.mcap").exists()
    assert list(tmp_path.glob(".*")) == []
    assert verify(recorded).status == "ok"


def test_calibrations_come_back(recorded):
    found = [i for i in read_items(recorded) if isinstance(i, Calibration)]
    first = found[0]
    assert first.foot_placement == (1.0, 0.0, 0.0, 0.0)
    assert first.shank_axis == ()
    assert math.isnan(first.mismatch)
    assert first.heading_rad == 0.1 * first.time_s
    assert (first.side, first.axis_from, first.strides) == ("right", "walk", 3)


def test_parts_are_joined_and_what_both_hold_comes_once(tmp_path, make):
    """The second part begins with what the first may or may not have brought to the disk."""
    blocks = make.blocks(12.0)
    with Recorder(tmp_path / "a.mcap", make.sensors(), make.START) as first:
        for block in blocks[:300]:
            first.write_block(block)
            first.write_chunk(block.site, float(block.host_time_s[-1]), b"x")
        first.write_estimates(make.estimates(3.0))
        first.sync()
        held = first.continuation()
        # The last hundred once more, as after an fsync that failed.
        again = [
            (0.0, item)
            for item in sorted(
                (
                    i
                    for i in read_items(tmp_path / "a.mcap")
                    if not isinstance(i, AngleBlock) and hasattr(i, "sequence")
                ),
                key=lambda i: i.sequence,
            )
        ][-100:]
        held = type(held)(tuple(again), held.sequence, held.now_s, 1, held.file_name, held.recording_id, 0)
    with Recorder(tmp_path / "b.mcap", make.sensors(), make.START, continues=held) as second:
        second.take_over(held)
        second.write_estimates(make.estimates(3.0))
        for block in blocks[300:]:
            second.write_block(block)
    report = join_parts([tmp_path / "a.mcap", tmp_path / "b.mcap"], tmp_path / "whole.mcap")
    assert report.status == "ok"
    found = [a.block for a in read_blocks(tmp_path / "whole.mcap")]
    assert len(found) == len(blocks)
    assert all(map(make.same_bits, found, blocks))
    items = list(read_items(tmp_path / "whole.mcap"))
    assert sum(isinstance(i, RawChunk) for i in items) == 300
    assert sum(isinstance(i, Stride) for i in items) == 1
    times = np.concatenate([i.time_s for i in items if isinstance(i, AngleBlock)])
    assert len(times) == 3
    assert session_info(tmp_path / "whole.mcap")["origin"]["of"] == ["a.mcap", "b.mcap"]


def test_strangers_are_not_joined(tmp_path, make, recorded):
    Recorder(tmp_path / "other.mcap", make.sensors(), make.START).close()
    with pytest.raises(InputError, match="does not continue the recording named before it: it begins a session"):
        join_parts([recorded, tmp_path / "other.mcap"], tmp_path / "out.mcap")
    trim(recorded, tmp_path / "cut.mcap", from_s=2.0)
    for parts in ([recorded, tmp_path / "cut.mcap"], [tmp_path / "cut.mcap", tmp_path / "other.mcap"]):
        with pytest.raises(InputError, match=rf"was cut out of {recorded.name}; join whole parts"):
            join_parts(parts, tmp_path / "out.mcap")
    assert not (tmp_path / "out.mcap").exists()
